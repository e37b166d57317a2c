"""Pixels to turning movement counts; the only package that knows OpenCV and ultralytics."""
