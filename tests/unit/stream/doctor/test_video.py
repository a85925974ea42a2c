from __future__ import annotations

from dataclasses import replace

import pytest

from stream.doctor import video
from stream.doctor.video import Facts
from stream.doctor.virtual_camera import Loopback
from stream.findings import Finding
from stream.sources.abilities import Nvdec
from stream.sources.v4l2 import Mode, VideoDevice

CAMERA = VideoDevice(
    "/dev/video0",
    "HD Webcam",
    "uvcvideo",
    captures=True,
    modes=(Mode("MJPG", 1920, 1080), Mode("YUYV", 640, 480), Mode("GREY", 0, 0)),
)
VIRTUAL = VideoDevice("/dev/video10", "facestream", "v4l2 loopback", outputs=True)
GOOD = Facts(
    system="linux",
    devices=(CAMERA, VIRTUAL),
    loopback=Loopback(
        installed=True, loaded=True, exclusive=(True,), trials=(("/dev/video10", ""),)
    ),
    ffmpeg="8.1.2",
    files=((".mp4", ""), (".mkv", "")),
    encoders=(("aac", ""),),
)


def line(facts: Facts, subject: str) -> Finding:
    (found,) = [finding for finding in video.judge(facts) if finding.subject == subject]
    return found


def test_all_well() -> None:
    assert {finding.verdict for finding in video.judge(GOOD)} == {"ok"}
    assert line(GOOD, "/dev/video0").says == (
        "HD Webcam: MJPG up to 1920x1080, YUYV up to 640x480, GREY"
    )


def test_camera_without_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "ada")
    locked = VideoDevice("/dev/video0", "HD Webcam", problem="Permission denied")
    found = line(replace(GOOD, devices=(locked,)), "/dev/video0")
    assert found.verdict == "warn"
    assert found.fix.startswith("sudo usermod -aG video ada")


def test_camera_that_fails_otherwise_gets_no_advice_about_groups() -> None:
    odd = VideoDevice("/dev/video0", "HD Webcam", problem="Input/output error")
    assert not line(replace(GOOD, devices=(odd,)), "/dev/video0").fix


def test_no_camera_is_no_fault() -> None:
    assert line(replace(GOOD, devices=(VIRTUAL,)), "cameras").verdict == "note"


def test_no_camera_in_windows_linux() -> None:
    assert "usbipd" in line(replace(GOOD, devices=(VIRTUAL,), wsl=True), "cameras").fix


def test_a_node_for_metadata_is_no_camera() -> None:
    metadata = VideoDevice("/dev/video1", "HD Webcam", "uvcvideo")
    subjects = [
        finding.subject for finding in video.judge(replace(GOOD, devices=(CAMERA, metadata)))
    ]
    assert "/dev/video1" not in subjects


@pytest.mark.parametrize(
    ("names", "verdict", "says"),
    [
        (None, "note", "cannot be listed"),
        ((), "note", "none"),
        (("FaceTime HD",), "ok", "0: FaceTime HD"),
    ],
)
def test_cameras_of_other_systems(names: tuple[str, ...] | None, verdict: str, says: str) -> None:
    facts = replace(GOOD, system="darwin", devices=(), names=names)
    found = line(facts, "cameras")
    assert found.verdict == verdict
    assert says in found.says


def test_video_files_that_cannot_be_written_stop_the_job() -> None:
    found = line(replace(GOOD, files=((".mp4", "no encoder"), (".mkv", ""))), "video files")
    assert found.verdict == "fail"
    assert ".mp4: no encoder" in found.says
    assert found.fix


def test_sources_that_cannot_be_read() -> None:
    found = line(replace(GOOD, no_decoders=("hevc",), no_protocols=("rtsp",)), "sources")
    assert found.verdict == "warn"
    assert "hevc, rtsp://" in found.says


def test_encoder_that_does_not_open_is_a_note() -> None:
    found = line(replace(GOOD, encoders=(("h264_nvenc", "no such device"),)), "encoder")
    assert found.verdict == "note"
    assert "no such device" in found.says


@pytest.mark.parametrize(
    ("tried", "verdict", "says", "fix"),
    [
        (Nvdec(), "ok", "decodes H.264", ""),
        (Nvdec(device="no driver"), "note", "not available (no driver)", ""),
        (Nvdec(decodes="h264 is beyond it"), "warn", "h264 is beyond it", "DRIVER_CAPABILITIES"),
    ],
)
def test_decoding_by_nvdec(tried: Nvdec, verdict: str, says: str, fix: str) -> None:
    found = line(replace(GOOD, nvdec=tried), "decoder")
    assert found.verdict == verdict
    assert says in found.says
    assert fix in found.fix
    assert bool(fix) == bool(found.fix)
