"""An RTSP server on loopback, run by the system's Python, whose GStreamer bindings are complete.

`rtsp.py` starts it. Reads one line of JSON from its input: `port`; `play`, paths to pipelines;
`relays`, pairs of paths with two UDP ports each. Prints `ready` and serves until that input
is closed, so that it never outlives the tests, however they end.
"""

from __future__ import annotations

import json
import os
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402 - versions first

_THREADS = 8  # With one, a player who waits for the first picture keeps it from coming in.
_H264 = "video/x-h264,stream-format=byte-stream,alignment=au"
_UDP = "host=127.0.0.1 sync=false async=false"
# A bridge of appsink and appsrc in Python crashes the server; packets over UDP do not.
_RECORD_PICTURE = (
    f"rtph264depay name=depay0 ! h264parse ! {_H264} "
    f"! rtph264pay config-interval=-1 ! udpsink {_UDP} port=%d"
)
_PLAY_PICTURE = (
    "udpsrc address=127.0.0.1 port=%d buffer-size=4000000 caps=application/x-rtp,media=video,"
    "clock-rate=90000,encoding-name=H264,payload=96 "
    f"! rtph264depay ! h264parse ! {_H264} ! rtph264pay name=pay0 pt=96 config-interval=-1"
)
# GStreamer's own payload carries the sound's parameters along; other ones need them in advance.
_RECORD_SOUND = (
    f"rtpmp4gdepay name=depay1 ! aacparse ! rtpgstpay config-interval=1 ! udpsink {_UDP} port=%d"
)
_PLAY_SOUND = (
    "udpsrc address=127.0.0.1 port=%d caps=application/x-rtp,media=application,clock-rate=90000,"
    "encoding-name=X-GST,payload=96 ! rtpgstdepay ! aacparse ! rtpmp4gpay name=pay1 pt=97"
)


def factory(pipeline: str, *, record: bool = False) -> GstRtspServer.RTSPMediaFactory:
    made = GstRtspServer.RTSPMediaFactory()
    made.set_launch(f"( {pipeline} )")
    made.set_shared(True)
    made.set_latency(0)
    if record:
        made.set_transport_mode(GstRtspServer.RTSPTransportMode.RECORD)
    return made


def main() -> None:
    wanted = json.loads(sys.stdin.readline())
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(wanted["port"]))
    server.get_thread_pool().set_max_threads(_THREADS)
    mounts = server.get_mount_points()
    for path, pipeline in wanted["play"].items():
        mounts.add_factory(path, factory(pipeline))
    for publish, play, sound, picture_port, sound_port in wanted["relays"]:
        record = _RECORD_PICTURE % picture_port
        replay = _PLAY_PICTURE % picture_port
        if sound:
            record += " " + _RECORD_SOUND % sound_port
            replay += " " + _PLAY_SOUND % sound_port
        mounts.add_factory(publish, factory(record, record=True))
        mounts.add_factory(play, factory(replay))
    if not server.attach(None):
        sys.exit(f"port {wanted['port']} cannot be had")
    # Closed when the parent says so, and when it is gone.
    GLib.io_add_watch(0, GLib.PRIORITY_DEFAULT, GLib.IOCondition.HUP, lambda *_: os._exit(0))
    print("ready", flush=True)  # noqa: T201 - the parent waits for it
    GLib.MainLoop().run()


main()
