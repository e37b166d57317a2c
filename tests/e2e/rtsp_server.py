"""A real RTSP server for tests: GStreamer's, which plays a folder of JPEG frames again and again, in real time.

    /usr/bin/python3 rtsp_server.py PORT FOLDER RATE [USER PASSWORD]

Run by the system's Python, which has GStreamer's bindings; says `ready` once it listens.
"""

import sys
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402


def main() -> None:
    """Serve until killed."""
    port, folder, rate = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_shared(True)
    factory.set_launch(
        f"( appsrc name=frames is-live=true format=time do-timestamp=true caps=image/jpeg,framerate={rate}/1 "
        "! jpegparse ! rtpjpegpay name=pay0 pt=26 )"
    )
    pictures = [file.read_bytes() for file in sorted(folder.glob("*.jpg"))]
    factory.connect("media-configure", lambda _, media: play(media, pictures, rate))
    if len(sys.argv) > 5:
        wants_password(server, factory, *sys.argv[4:6])
    server.get_mount_points().add_factory("/street", factory)
    server.attach(None)
    print("ready", flush=True)
    GLib.MainLoop().run()


def play(media, pictures, rate) -> None:
    """Push a frame every 1 / rate seconds from the first one on, as long as the media takes them."""
    source = media.get_element().get_child_by_name("frames")
    place = iter(range(10**9))

    def push() -> bool:
        picture = Gst.Buffer.new_wrapped(pictures[next(place) % len(pictures)])
        return source.emit("push-buffer", picture) == Gst.FlowReturn.OK

    GLib.timeout_add(round(1000 / rate), push)


def wants_password(server, factory, user, password) -> None:
    """Let in only who knows the password."""
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("user", "media.factory.access", True)
    permissions.add_permission_for_role("user", "media.factory.construct", True)
    factory.set_permissions(permissions)


main()
