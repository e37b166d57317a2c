"""The command `vision calibrate`: a page to click points of the road, until it is saved or interrupted."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import Any

from vision.clicks import ClickServer
from vision.source import open_source
from vision.stream import Stream, is_stream


def run_vision_calibrate(camera: Path, video: str, port: int = 0) -> dict[str, Any]:
    """Serve the page until the road was saved.

    Returns
    -------
    dict
        Keys of the command `vision calibrate` in `ops.keys`.

    Raises
    ------
    BadVideo
        If the camera file or the video is at fault.
    KeyboardInterrupt
        If interrupted; the camera file is as it was.
    """
    source = Stream(video) if is_stream(video) else open_source(Path(video))
    try:
        frame = next(iter(source.frames(1))).image
    finally:
        source.close()
    desk = ClickServer(camera, frame, port)
    sys.stderr.write(f"open {desk.address} and click at least four points of the road; Ctrl-C ends\n")
    thread = threading.Thread(target=desk.serve, daemon=True)
    thread.start()
    try:
        while not desk.is_done:
            time.sleep(0.2)
        time.sleep(0.5)  # the page is still being told
    finally:
        desk.close()
    road = desk.saved.road
    return {"camera": str(camera), "points": len(road.pixels) if road else 0}
