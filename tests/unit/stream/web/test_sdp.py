from __future__ import annotations

from stream.web.sdp import first_codec, with_bitrate

LINES = """v=0
m=audio 9 UDP/TLS/RTP/SAVPF 111
a=rtpmap:111 opus/48000/2
m=video 9 UDP/TLS/RTP/SAVPF 102 96
a=rtpmap:102 H264/90000
a=fmtp:102 packetization-mode=1
a=rtpmap:96 VP8/90000
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
"""
ANSWER = LINES.replace("\n", "\r\n")


def test_the_first_codec_of_the_video() -> None:
    assert first_codec(ANSWER) == "video/H264"
    assert first_codec(ANSWER.replace("SAVPF 102 96", "SAVPF 96 102")) == "video/VP8"
    assert first_codec(ANSWER.replace("SAVPF 102 96", "SAVPF 5")) == ""
    assert first_codec("v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n") == ""


def test_the_bit_rate_is_said_for_each_video_codec_once() -> None:
    lines = with_bitrate(ANSWER, 2500).split("\r\n")
    wanted = "x-google-min-bitrate=2500;x-google-start-bitrate=2500"
    assert f"a=fmtp:102 packetization-mode=1;{wanted}" in lines
    assert lines[lines.index("a=rtpmap:96 VP8/90000") + 1] == f"a=fmtp:96 {wanted}"
    assert "a=fmtp:97 apt=96" in lines
    assert sum(wanted in line for line in lines) == 2
    assert [line for line in lines if wanted not in line] == [
        line for line in ANSWER.split("\r\n") if not line.startswith("a=fmtp:102")
    ]
