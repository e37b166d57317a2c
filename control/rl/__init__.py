"""Environments to train in, and the reference trainer: the only torch, gymnasium and pettingzoo under control."""
