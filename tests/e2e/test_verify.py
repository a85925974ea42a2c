"""Marks from end to end: what a run puts into its files, and what `verify` finds there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from tests.e2e.conftest import DEMO, PROGRAM
from tests.painted_face import smooth_picture
from tests.tiny_models import METADATA, write_model


def run(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command line with settings and state of its own."""
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"XDG_CONFIG_HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def verified(folder: Path, *arguments: str | Path) -> tuple[int, dict[str, Any]]:
    done = run(folder, "verify", *arguments, "--json")
    assert done.returncode in {0, 1, 3}, done.stderr
    return done.returncode, json.loads(done.stdout)


def logged(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("c2pa")
    made = tmp_path_factory.mktemp("marked")
    done = run(made, DEMO, "--duration", "4", "--sign", "-o", "a.mp4", "-o", "a.png", "-q")
    assert (done.returncode, done.stderr) == (0, "")
    return made


@pytest.mark.parametrize("name", ["a.mp4", "a.png"])
def test_every_mark_is_found_in_what_a_run_wrote(folder: Path, name: str) -> None:
    code, found = verified(folder, name, "--trust", "facestream/signing/root.pem")
    assert (code, found["verdict"]) == (0, "synthetic")
    assert found["metadata"]["synthetic"]
    assert found["signature"]["state"] == "trusted"
    assert found["signature"]["synthetic"]
    assert found["signature"]["ingredients"] == ["demo.mp4"]
    assert found["watermark"]["found"]
    assert (folder / "facestream/signing/key.pem").stat().st_mode & 0o777 == 0o600


def test_a_signer_whom_nobody_knows_is_said_so(folder: Path) -> None:
    done = run(folder, "verify", "a.png")
    assert done.returncode == 0
    assert "not known to be who the name says" in " ".join(done.stdout.split())


def test_one_changed_byte_is_noticed(folder: Path) -> None:
    content = bytearray((folder / "a.mp4").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "changed.mp4").write_bytes(content)
    code, found = verified(folder, "changed.mp4")
    assert (code, found["verdict"], found["signature"]["state"]) == (3, "tampered", "invalid")


def test_a_copy_without_signature_still_says_what_it_is(folder: Path) -> None:
    with (
        av.open(str(folder / "a.mp4")) as whole,
        av.open(str(folder / "copied.mp4"), "w") as copy,
    ):
        stream = copy.add_stream_from_template(whole.streams.video[0])
        for packet in whole.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)
    code, found = verified(folder, "copied.mp4")
    assert (code, found["signature"]["state"]) == (0, "none")
    assert not found["metadata"]["synthetic"]
    assert found["watermark"]["found"]


@pytest.mark.parametrize(("size", "crf"), [((1280, 720), 28), ((640, 360), 18)])
def test_the_watermark_survives_crf_28_or_half_the_size(
    folder: Path, size: tuple[int, int], crf: int
) -> None:
    with (
        av.open(str(folder / "a.mp4")) as whole,
        av.open(str(folder / "small.mp4"), "w") as small,
    ):
        stream = small.add_stream("libx264", rate=25, options={"crf": str(crf), "preset": "medium"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number, frame in enumerate(whole.decode(video=0)):
            smaller = frame.reformat(*size)
            smaller.pts, smaller.time_base = number, Fraction(1, 25)
            small.mux(stream.encode(smaller))
        small.mux(stream.encode(None))
    code, found = verified(folder, "small.mp4")
    assert (code, found["watermark"]["found"]) == (0, True)
    assert found["watermark"]["faces"][0]["chance"] < 1e-6


def test_a_film_of_others_has_no_mark(tmp_path: Path) -> None:
    code, found = verified(tmp_path, DEMO)
    assert (code, found["verdict"]) == (1, "unmarked")
    assert len(found["watermark"]["faces"]) == 1


def test_a_film_in_which_nothing_was_swapped_does_not_claim_a_swap(tmp_path: Path) -> None:
    pytest.importorskip("c2pa")
    with av.open(str(tmp_path / "clouds.mp4"), "w") as film:
        stream = film.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(5):
            picture = av.VideoFrame.from_ndarray(smooth_picture(240, 320, number), "bgr24")
            film.mux(stream.encode(picture))
        film.mux(stream.encode(None))
    done = run(tmp_path, "clouds.mp4", "--sign", "--set", "session_log=on", "-o", "a.mp4")
    assert done.returncode == 0, done.stderr
    assert "warning: no face was found in 5 frames" in done.stderr.splitlines()[-1]
    assert logged(tmp_path / "a.mp4.session.jsonl")[-1]["frames_with_swap"] == 0
    _, found = verified(tmp_path, "a.mp4")
    assert found["metadata"]["synthetic"]
    assert not found["signature"]["synthetic"]
    assert not found["watermark"]["found"]
    said = run(tmp_path, "verify", "a.mp4").stdout
    assert "swapped by facestream" not in said
    assert "by its metadata alone" in said


@pytest.mark.parametrize("name", ["gone.mp4", "text.mp4", "text.png"])
def test_what_cannot_be_read_is_exit_code_2(tmp_path: Path, name: str) -> None:
    for text in ("text.mp4", "text.png"):
        (tmp_path / text).write_text("no picture at all")
    done = run(tmp_path, "verify", name)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_live_pictures_carry_the_label_unless_told_otherwise(tmp_path: Path) -> None:
    pictures = {}
    for name, options in {
        "auto": ("--live",),
        "off": ("--live", "--no-label"),
        "own": ("--live", "--set", "marking.text=AI"),
        "file": (),
    }.items():
        done = run(tmp_path, DEMO, "--duration", "0.3", "-o", f"{name}.png", "-q", *options)
        assert done.returncode == 0, done.stderr
        picture = cv2.imread(str(tmp_path / f"{name}.png"))
        assert picture is not None
        pictures[name] = picture[-50:, :150].astype(int)
    widths = {
        name: cv2.boundingRect(
            (np.abs(picture - pictures["off"]).max(axis=2) > 40).astype(np.uint8)
        )[2]
        for name, picture in pictures.items()
    }
    assert widths["auto"] > widths["own"] > 20
    assert widths["file"] == 0
    assert pictures["auto"].max() > 200


def test_what_a_live_run_did_is_put_down_beside_its_file(tmp_path: Path) -> None:
    done = run(tmp_path, DEMO, "--live", "--duration", "0.3", "-o", "a.mkv", "-o", "null", "-q")
    assert done.returncode == 0, done.stderr
    start, end = logged(tmp_path / "a.mkv.session.jsonl")
    assert (start["event"], end["event"]) == ("start", "end")
    assert start["model"]["persona"]
    assert len(start["model"]["sha256"]) == 64
    assert start["sinks"] == ["a.mkv", "null"]
    assert end["frames"] > 0
    assert end["bytes"] == (tmp_path / "a.mkv").stat().st_size


def test_a_model_without_consent_runs_only_when_somebody_vouches(tmp_path: Path) -> None:
    silent = {key: value for key, value in METADATA.items() if key != "consent"}
    write_model(tmp_path / "m.onnx", metadata=silent)
    short = (DEMO, "--duration", "0.1", "-m", "m.onnx", "-o", "null", "-q")
    refused = run(tmp_path, *short)
    assert refused.returncode == 2
    assert "--i-have-consent" in refused.stderr
    assert refused.stderr.count("\n") == 1
    done = run(tmp_path, *short, "--i-have-consent", "Ada Example")
    assert done.returncode == 0, done.stderr
    (log,) = (tmp_path / "state" / "facestream").iterdir()
    assert logged(log)[0]["consent_vouched_by"] == "Ada Example"


def test_files_that_cannot_be_signed_are_said_so_before_the_run(tmp_path: Path) -> None:
    pytest.importorskip("c2pa")
    done = run(tmp_path, DEMO, "--sign", "-o", "a.mkv", "-q")
    assert done.returncode == 2
    assert "--sign a.mkv" in done.stderr
    assert not (tmp_path / "a.mkv").exists()
    done = run(tmp_path, DEMO, "--sign", "-o", "null", "-q")
    assert done.returncode == 2
    assert "no file among the outputs (null)" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_a_reader_that_goes_away_is_no_verdict() -> None:
    with subprocess.Popen([*PROGRAM, "verify", str(DEMO)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(60) == -signal.SIGPIPE
