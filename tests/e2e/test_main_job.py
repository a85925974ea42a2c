"""The main job as a user runs it: the program, the bundled model, the bundled clip."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.e2e.conftest import DEMO, PROGRAM, Content, RunProgram, read_pictures, read_video

REPORT_KEYS = {
    "frames_in",
    "frames_out",
    "dropped",
    "faces_found",
    "faces_swapped",
    "fps",
    "wall_s",
    "age_ms",
    "stages",
    "links",
    "bottleneck",
    "device",
    "model",
    "settings",
}


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [*PROGRAM, "--report", "report.json"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder, done


def test_without_arguments_the_demo_is_swapped(
    finished: tuple[Path, subprocess.CompletedProcess[str]], demo: Content
) -> None:
    folder, done = finished
    swapped = read_video(folder / "demo_swapped.mp4")
    assert swapped.times == demo.times
    assert swapped.audio == demo.audio
    assert swapped.audio_times == demo.audio_times
    assert swapped.sizes == demo.sizes
    # A changed face, and a frame that is otherwise the same but for the codec.
    middle = len(demo.times) // 2
    (after,) = read_pictures(folder / "demo_swapped.mp4", middle, middle + 1)
    (before,) = read_pictures(DEMO, middle, middle + 1)
    difference = np.abs(after.astype(int) - before).max(axis=2)
    changed = cv2.boundingRect((difference > 24).astype(np.uint8))
    assert changed[2] > 60
    assert changed[3] > 60
    assert np.median(difference) <= 2
    picture = cv2.imread(str(folder / "demo_side_by_side.png"))
    assert picture is not None
    assert picture.shape[0] == before.shape[0]
    assert picture.shape[1] >= 2 * before.shape[1]
    assert "bottleneck" in done.stdout + done.stderr


def test_report_has_what_machines_need(
    finished: tuple[Path, subprocess.CompletedProcess[str]], demo: Content
) -> None:
    report = json.loads((finished[0] / "report.json").read_text())
    assert set(report) >= REPORT_KEYS
    assert report["frames_in"] == report["frames_out"] == len(demo.times)
    assert report["dropped"] == 0
    assert report["faces_swapped"] >= 0.98 * len(demo.times)
    assert set(report["age_ms"]) == {"p50", "p95", "p99"}
    stages = ["capture", "detect", "swap", "blend"]
    assert list(report["stages"])[:4] == stages
    assert report["bottleneck"] in report["stages"]
    for stage in report["stages"].values():
        assert {"busy_ms_p50", "busy_ms_p95", "utilization"} <= set(stage)
        assert 0 < stage["busy_ms_p50"] <= stage["busy_ms_p95"]
    assert report["model"] == "maro"
    assert report["settings"]["mode"] == "lossless"
    assert report["settings"]["blend"]["mask"]


def test_part_of_a_clip_into_several_sinks(
    program: RunProgram, tmp_path: Path, demo: Content
) -> None:
    done = program(
        DEMO,
        "--start",
        "2",
        "--duration",
        "0.4",
        "-o",
        "a.mkv",
        "-o",
        "frames/",
        "-o",
        "null",
        "-q",
    )
    assert (done.returncode, done.stderr) == (0, "")
    part = read_video(tmp_path / "a.mkv")
    expected = [time for time in demo.times if 2 <= time < 2.4]
    assert len(part.times) == len(expected) == len(list((tmp_path / "frames").iterdir()))
    # Matroska counts in milliseconds.
    steps = np.diff([float(time) for time in part.times])
    assert np.allclose(steps, np.diff([float(time) for time in expected]), atol=1.1e-3)


def test_masks_colors_and_settings_change_the_picture(program: RunProgram, tmp_path: Path) -> None:
    short = (DEMO, "--start", "1", "--duration", "0.03", "-q")
    file = tmp_path / "mine.toml"
    file.write_text('mode = "lossless"\n[blend]\nopacity = 0.5\n')
    variants = {
        "default": (),
        "rect": ("--mask", "rect"),
        "skin": ("--mask", "skin"),
        "model": ("--mask", "model"),
        "plain": ("--color", "none"),
        "feather": ("--blend", "feather"),
        "half": ("--config", file),
        "off": ("--set", "blend.opacity=0"),
    }
    pictures = {}
    for name, options in variants.items():
        done = program(*short, "-o", f"{name}.png", *options)
        assert done.returncode == 0, done.stderr
        pictures[name] = cv2.imread(str(tmp_path / f"{name}.png")).astype(int)
    for name, picture in pictures.items():
        if name != "default":
            assert np.abs(picture - pictures["default"]).max() > 3, name
    effect = np.abs(pictures["default"] - pictures["off"]).mean()
    half_effect = np.abs(pictures["half"] - pictures["off"]).mean()
    assert half_effect == pytest.approx(effect / 2, rel=0.1)


def test_live_keeps_pace_with_the_clock_and_order(program: RunProgram, tmp_path: Path) -> None:
    done = program(
        DEMO, "--live", "--duration", "1", "-o", "live.mp4", "--report", "live.json", "-q"
    )
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "live.json").read_text())
    # The last frame is due a frame time before the second is over; faster is not live.
    assert report["wall_s"] > 0.9
    assert report["frames_out"] + report["dropped"] == report["frames_in"]
    video = read_video(tmp_path / "live.mp4")
    assert video.times == sorted(video.times)
    assert len(video.times) == report["frames_out"]
