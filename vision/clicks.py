"""A page to click known points of the road on a frame, into the camera file, checked by re-projection.

::

    browser --GET /--> page with the frame          click, type metres, repeat: four points or more
            --POST /road {pixels, metres}-->        plane computed; errors in pixels shown; saved if they are small
"""

from __future__ import annotations

import base64
import json
import secrets
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2

from traffic.errors import BadVideo, TrafficError
from traffic.files import write_whole
from vision.camera import fit_camera
from vision.camera_file import CameraFile, RoadFile, camera_toml, read_camera
from vision.projection import road_plane
from vision.source import Image

_PAGE = Path(__file__).with_name("clicks.html")
_MOST_BYTES = 65536


class ClickServer:
    """Serves the page on this machine only, at an address that nobody can guess; `saved` is set once it was saved.

    Parameters
    ----------
    camera
        The camera file, which is read and written.
    frame
        A frame of that camera.
    port
        0 takes a free one.
    """

    def __init__(self, camera: Path, frame: Image, port: int = 0) -> None:
        self.camera, self.saved = camera, read_camera(camera)
        size = frame.shape[1], frame.shape[0]
        fit_camera(self.saved.model_copy(update={"road": None, "mount": None}), size, str(camera))
        self.size, self.is_done, self._frame = size, False, frame
        self._key = secrets.token_urlsafe(9)
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self._server.server_port}/{self._key}/"

    def serve(self) -> None:
        """Answer until the road was saved or `close` is called."""
        self._server.serve_forever(poll_interval=0.2)

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()

    def page(self) -> bytes:
        """Return the page with the frame in it."""
        _, packed = cv2.imencode(".jpg", self._frame, [cv2.IMWRITE_JPEG_QUALITY, 90])
        picture = base64.b64encode(packed.tobytes()).decode()
        road = self.saved.road
        known = {"pixels": road.pixels if road else [], "metres": road.metres if road else []}
        text = _PAGE.read_text(encoding="utf-8").replace("@PICTURE@", picture).replace("@NAME@", self.saved.name)
        return text.replace("@KNOWN@", json.dumps(known)).encode("utf-8")

    def save(self, given: Any) -> dict[str, Any]:
        """Compute the plane, and write the camera file if every point is near where the plane puts it.

        Raises
        ------
        BadVideo
            If the points span no plane, or one is too far off; nothing is written then.
        """
        try:
            road = RoadFile.model_validate(given)
        except ValueError as error:
            raise BadVideo(
                str(self.camera), " ".join(str(error).split())[:200], "points of the road", "click again"
            ) from error
        plane = road_plane(road.pixels, road.metres, str(self.camera))
        errors = [round(float(v), 2) for v in plane.error_px(road.pixels, road.metres)]
        changed: CameraFile = self.saved.model_copy(update={"road": road, "mount": None})
        fit_camera(changed, self.size, str(self.camera))
        write_whole(self.camera, camera_toml(changed).encode("utf-8"))
        self.saved, self.is_done = changed, True
        return {"errors_px": errors, "camera": str(self.camera)}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        desk = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path != f"/{desk._key}/":
                    self._answer(404, b"not here", "text/plain")
                    return
                self._answer(200, desk.page(), "text/html; charset=utf-8")

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                if self.path != f"/{desk._key}/road" or not 0 < length <= _MOST_BYTES:
                    self._answer(404, b"not here", "text/plain")
                    return
                try:
                    answer: dict[str, Any] = desk.save(json.loads(self.rfile.read(length)))
                except TrafficError as error:
                    answer = {"error": error.line}
                except ValueError as error:
                    answer = {"error": str(error)}
                self._answer(400 if "error" in answer else 200, json.dumps(answer).encode(), "application/json")

            def _answer(self, code: int, body: bytes, kind: str) -> None:
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Keep quiet."""

        return Handler
