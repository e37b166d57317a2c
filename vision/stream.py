"""Frames from a webcam or a network camera, live: always the newest, and back by itself when the line breaks.

::

    reader thread:  open -> grab, grab, grab ... --line breaks--> wait 1, 2, 4 s -> open ...
    counting:       takes the newest frame; gaps are told by the time stamps, see `vision.health`
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import cv2
import numpy as np

from traffic.errors import BadVideo
from vision.source import Frame, Image, quiet_opencv

SCHEMES = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
"""Allowed schemes and their usual ports."""

_OPEN_S, _READ_S = 5.0, 4.0
_VARIABLE, _OPENING = "OPENCV_FFMPEG_CAPTURE_OPTIONS", threading.Lock()
_WAITS_S = (0.5, 1.0, 2.0, 4.0)
_FFMPEG = "rtsp_transport;tcp|analyzeduration;1000000|protocol_whitelist;rtsp,rtp,udp,tcp,tls,http,https,crypto"
"""Options for FFmpeg: no datagrams that get lost, a second's look at a stream before it starts, no other protocols."""
_WEBCAM = re.compile(r"(?:webcam:)?(\d{1,2})")


def is_stream(named: str) -> bool:
    """Whether this names a webcam (`0`, `webcam:0`) or an address, not a file."""
    return "://" in named or _WEBCAM.fullmatch(named) is not None


def shown(address: str) -> str:
    """Return an address as it may be printed: user, password and query left out.

    Examples
    --------
    >>> shown("rtsp://admin:secret@10.0.0.7:554/ch1?token=9")
    'rtsp://10.0.0.7:554/ch1'
    """
    if "://" not in address:
        return address
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def check_address(address: str) -> None:
    """Refuse an address that no camera has.

    Raises
    ------
    BadVideo
        If the scheme is not one of `SCHEMES`, or the host is missing, is unknown, or is no single machine's address.
    """
    if "://" not in address:
        return
    try:
        parts = urlsplit(address)
        port = parts.port or SCHEMES.get(parts.scheme, 0)
    except ValueError as error:
        raise BadVideo("camera address", shown(address), str(error), "mend it") from error
    if parts.scheme not in SCHEMES:
        raise BadVideo("camera address", shown(address), f"scheme {parts.scheme}, allowed: {', '.join(SCHEMES)}",
                       "give a file's path, or such an address")  # fmt: skip
    if not parts.hostname:
        raise BadVideo("camera address", shown(address), "no host in it", "mend it")
    try:
        found = {row[4][0] for row in socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)}
    except OSError as error:
        raise BadVideo("camera address", shown(address), f"host not found: {error.strerror}", "mend it") from error
    for one in found:
        place = ipaddress.ip_address(str(one).partition("%")[0])
        if place.is_link_local or place.is_multicast or place.is_unspecified or place.is_reserved:
            raise BadVideo("camera address", shown(address), f"{place} is no camera's address", "mend it")


class Stream:
    """A live source. Fills `vision.source.FrameSource`; its clock starts with the first frame.

    Parameters
    ----------
    address
        `rtsp://...`, `http://...`, or a webcam's number.
    frames_per_s
        Nominal rate, where the stream does not say.
    duration_s
        Seconds after which `frames` ends; None goes on for ever.

    Raises
    ------
    BadVideo
        If the address is not allowed or nothing comes from it at first; a line that breaks later is opened again.
    """

    n_frames: int | None = None

    def __init__(self, address: str, *, frames_per_s: float | None = None, duration_s: float | None = None) -> None:
        check_address(address)
        self._address, self._duration_s = address, duration_s
        self._fresh = threading.Condition()
        self._newest: tuple[float, Image] | None = None
        self._is_closed = False
        capture = self._open()
        if capture is None:
            raise BadVideo("camera", shown(address), _why_silent(address), "check the address, the user and the camera")
        rate = float(capture.get(cv2.CAP_PROP_FPS))
        self.frames_per_s = frames_per_s or (rate if 1.0 <= rate <= 120.0 else 25.0)
        self.size = (int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))
        self._start_s = time.monotonic()
        self._thread = threading.Thread(target=self._read, args=(capture,), daemon=True)
        self._thread.start()

    @property
    def now_s(self) -> float:
        """Seconds since the stream was opened."""
        return time.monotonic() - self._start_s

    def frames(self, stride: int) -> Iterator[Frame]:
        """Yield the newest frame, again and again, no more often than every `stride`-th would come.

        Raises
        ------
        BadVideo
            If the picture has another size than at first: lines drawn for one do not hold for another.
        """
        step_s, next_s, index = stride / self.frames_per_s, 0.0, 0
        while self._duration_s is None or self.now_s < self._duration_s:
            taken = self._take(next_s)
            if taken is None:
                continue
            time_s, image = taken
            if (image.shape[1], image.shape[0]) != self.size:
                told = f"{image.shape[1]}x{image.shape[0]}"
                raise BadVideo(
                    shown(self._address), told, f"it was {self.size[0]}x{self.size[1]}", "draw its lines anew"
                )
            next_s = max(next_s + step_s, time_s + 0.5 * step_s)
            yield Frame(index=index, time_s=time_s, image=image)
            index += 1

    def close(self) -> None:
        """Stop reading."""
        self._is_closed = True
        self._thread.join(timeout=_OPEN_S + _READ_S)

    def _take(self, not_before_s: float) -> tuple[float, Image] | None:
        with self._fresh:
            self._fresh.wait_for(lambda: self._newest is not None and self._newest[0] >= not_before_s, timeout=0.5)
            taken, self._newest = self._newest, None
        return taken if taken is not None and taken[0] >= not_before_s else None

    def _read(self, capture: cv2.VideoCapture | None) -> None:
        """Grab until closed; open again whenever the line breaks."""
        failures = 0
        while not self._is_closed:
            if capture is None:
                time.sleep(_WAITS_S[min(failures, len(_WAITS_S) - 1)])
                capture = self._open()
                failures += 1
                continue
            is_read, image = capture.read()
            if not is_read:
                capture.release()
                capture = None
                continue
            failures = 0
            with self._fresh:
                self._newest = (self.now_s, np.asarray(image, np.uint8))
                self._fresh.notify()
        if capture is not None:
            capture.release()

    def _open(self) -> cv2.VideoCapture | None:
        """Return an open capture that gave one frame, None if there is none."""
        quiet_opencv()
        limits = [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            int(1000 * _OPEN_S),
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            int(1000 * _READ_S),
        ]
        webcam = _WEBCAM.fullmatch(self._address)
        if webcam:
            capture = cv2.VideoCapture(int(webcam.group(1)))
        else:
            with _ffmpeg_options():
                capture = cv2.VideoCapture(self._address, cv2.CAP_FFMPEG, [*limits, cv2.CAP_PROP_N_THREADS, 1])
        if capture.isOpened() and capture.grab():
            return capture
        capture.release()
        return None


@contextmanager
def _ffmpeg_options() -> Iterator[None]:
    """Give FFmpeg our options, which OpenCV reads from the environment, for one opening: files need others."""
    with _OPENING:
        before = os.environ.get(_VARIABLE)
        os.environ[_VARIABLE] = _FFMPEG
        try:
            yield
        finally:
            if before is None:
                del os.environ[_VARIABLE]
            else:
                os.environ[_VARIABLE] = before


def _why_silent(address: str) -> str:
    """Return what a first look at a silent camera's address says."""
    if "://" not in address:
        return "no such webcam, or another program has it"
    parts = urlsplit(address)
    try:
        with socket.create_connection(
            (str(parts.hostname), parts.port or SCHEMES[parts.scheme]), timeout=_OPEN_S
        ) as line:
            if not parts.scheme.startswith("rtsp"):
                return "the server answers, but sends no video that decodes"
            line.sendall(f"DESCRIBE {shown(address)} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n".encode())
            line.settimeout(_READ_S)
            answer = line.recv(256).decode("latin-1")
    except OSError as error:
        return f"nobody answers there: {error.strerror or error}"
    if " 401 " in answer:
        return "the camera refuses this user and password" if parts.username else "the camera wants a user and password"
    if " 404 " in answer:
        return "the camera has no such stream"
    return "the server answers, but sends no video that decodes"
