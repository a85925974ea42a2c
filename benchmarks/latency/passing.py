"""What lies between the two servers when facestream does not: nothing but a pass-through.

`python -m benchmarks.latency.passing copy|encode FROM TO`: `copy` hands the packets on, `encode`
decodes and encodes every picture on one thread, as anything that changes pictures must.
"""

from __future__ import annotations

import sys

import av

from benchmarks.latency.child import end_with_parent
from benchmarks.latency.publisher import ENCODER, TICK
from benchmarks.latency.reader import OPTIONS


def main(way: str, source_url: str, target_url: str) -> None:
    end_with_parent()
    with (
        av.open(source_url, options=OPTIONS, timeout=(10.0, 5.0)) as source,
        av.open(target_url, "w", format="rtsp", options={"rtsp_transport": "tcp"}) as target,
    ):
        if way == "copy":
            _copy(source, target)
        else:
            _encode(source, target)


def _copy(source: av.container.InputContainer, target: av.container.OutputContainer) -> None:
    video = source.streams.video[0]
    copied = target.add_stream_from_template(video)
    for packet in source.demux(video):
        if packet.dts is not None:
            packet.stream = copied
            target.mux(packet)


def _encode(source: av.container.InputContainer, target: av.container.OutputContainer) -> None:
    video = source.streams.video[0]
    video.codec_context.thread_type = "NONE"
    encoded = target.add_stream("libx264", rate=30, options=ENCODER | {"g": "30"})
    context = encoded.codec_context
    context.width, context.height = video.codec_context.width, video.codec_context.height
    context.thread_count, context.time_base = 1, TICK
    for frame in source.decode(video):
        # Its kind was the decoder's choice; the encoder makes its own.
        frame.pict_type = av.video.frame.PictureType.NONE
        if frame.pts is not None:
            target.mux(encoded.encode(frame))


if __name__ == "__main__":
    main(*sys.argv[1:4])
