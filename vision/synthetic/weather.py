"""What the air, the lens and the wire do to a frame: rain, glare, bloom, shake, blur, noise, compression."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from vision.source import Image
from vision.synthetic.render import Light


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """Light, air, lens and wire of a camera; `shake_px` is a standard deviation, `quality` that of JPEG (1-100)."""

    name: str
    light: Light
    rain: int = 0
    glare: float = 0.0
    blur_px: float = 0.6
    noise: float = 4.0
    gain: float = 1.0
    shake_px: float = 0.0
    quality: int = 70


DAY = Weather(name="day", light=Light())
DUSK = Weather(name="dusk", light=Light(sun=(0.9, 0.2, 0.3), night=0.55, fog=0.003, warm=0.0), noise=6.0)
NIGHT = Weather(name="night", light=Light(night=1.0, fog=0.003), noise=9.0, blur_px=0.8)
RAIN = Weather(name="rain", light=Light(fog=0.009, wet=1.0), rain=350, gain=0.85, blur_px=0.9, noise=5.0)
GLARE = Weather(name="glare", light=Light(sun=(0.95, 0.1, 0.25), warm=0.4), glare=0.8, gain=1.1)
WEATHERS = {weather.name: weather for weather in (DAY, DUSK, NIGHT, RAIN, GLARE)}


def drawn_weather(rng: np.random.Generator) -> Weather:
    """Return one of the weathers with everything about it drawn: for training."""
    weather = list(WEATHERS.values())[int(rng.choice(len(WEATHERS), p=[0.4, 0.12, 0.24, 0.16, 0.08]))]
    around, height = rng.uniform(0, 2 * np.pi), rng.uniform(0.25, 1.0)
    light = replace(
        weather.light,
        sun=(float(np.cos(around)), float(np.sin(around)), float(height)),
        night=float(np.clip(weather.light.night * rng.uniform(0.85, 1.1), 0, 1)),
        fog=float(weather.light.fog * rng.uniform(0.3, 2.0)),
        wet=float(weather.light.wet * rng.uniform(0.5, 1.0)),
        warm=float(rng.uniform(0.3, 1.0)),
    )
    return replace(
        weather,
        light=light,
        rain=int(weather.rain * rng.uniform(0.4, 1.6)),
        glare=float(weather.glare * rng.uniform(0.4, 1.2)),
        blur_px=float(rng.uniform(0.3, 1.1)),
        noise=float(weather.noise * rng.uniform(0.5, 1.5)),
        gain=float(weather.gain * rng.uniform(0.8, 1.2)),
        quality=int(rng.integers(35, 92)),
    )


def through_air(image: Image, weather: Weather, rng: np.random.Generator) -> Image:
    """Return the frame as it comes out of the wire."""
    pixels: np.ndarray = image.astype(np.float32)
    height, width = image.shape[:2]
    if weather.light.night > 0.3:
        bright = np.maximum(pixels - 170.0, 0.0)
        pixels += 1.2 * cv2.GaussianBlur(bright, (0, 0), width / 120) + 0.8 * cv2.GaussianBlur(
            bright, (0, 0), width / 40
        )
    if weather.glare:
        x, y = rng.uniform(0.2, 0.8) * width, rng.uniform(0.0, 0.25) * height
        rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
        pixels += (
            150.0 * weather.glare * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (0.3 * width) ** 2)[..., None]
        )
    if weather.shake_px:
        dx, dy = rng.normal(0.0, weather.shake_px, 2)
        moved = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
        pixels = cv2.warpAffine(pixels, moved, (width, height), borderMode=cv2.BORDER_REPLICATE)
    if weather.blur_px:
        pixels = cv2.GaussianBlur(pixels, (0, 0), weather.blur_px)
    pixels *= weather.gain
    if weather.rain:
        pixels = _rain(pixels, weather, rng)
    grain = rng.standard_normal((height // 2, width // 2, 3), dtype=np.float32) * weather.noise
    pixels += cv2.resize(grain, (width, height))
    finished = np.clip(pixels, 0, 255).astype(np.uint8)
    _, packed = cv2.imencode(".jpg", finished, [cv2.IMWRITE_JPEG_QUALITY, weather.quality])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def _rain(pixels: np.ndarray, weather: Weather, rng: np.random.Generator) -> np.ndarray:
    height, width = pixels.shape[:2]
    streaks = np.zeros((height, width), np.float32)
    slant = float(rng.uniform(-0.2, 0.2))
    for _ in range(int(weather.rain * width * height / (1280 * 720))):
        x, y, long = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0.012, 0.035) * height
        cv2.line(streaks, (int(x), int(y)), (int(x + slant * long), int(y + long)), 0.3, 1)
    tone = 200.0 - 110.0 * weather.light.night
    return np.asarray(pixels * (1 - streaks[..., None]) + tone * streaks[..., None])
