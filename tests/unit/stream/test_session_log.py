from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from engine.align import FULL_FACE
from engine.swap import ModelInfo
from stream.config import Config, SessionLogPolicy
from stream.errors import SinkError
from stream.frame import SourceInfo
from stream.session_log import SessionLog, beside, facts, in_state_folder, wanted
from stream.web.settings import WebSettings

ABOUT = ModelInfo("tiny", "nobody", "MIT", "nobody real", 64, 128, FULL_FACE)
SECRETS = ("hunter2", "0123456789abcdef0123456789abcdef")


def test_what_is_known_of_a_run_without_its_secrets(tmp_path: Path) -> None:
    model = tmp_path / "m.onnx"
    model.write_bytes(b"weights")
    config = Config(
        source=f"rtsp://ada:{SECRETS[0]}@camera/1",
        out=(f"rtmp://ada:{SECRETS[0]}@server/live", "a.mp4"),
        web=WebSettings(token=SECRETS[1]),
        i_have_consent="Ada",
    )
    known = facts(config, SourceInfo("rtsp://camera/1", 640, 480), model, ABOUT)
    text = json.dumps(known)
    assert not any(secret in text for secret in SECRETS)
    assert known["model"]["sha256"] == hashlib.sha256(b"weights").hexdigest()
    assert known["model"]["consent"] == "nobody real"
    assert known["consent_vouched_by"] == "Ada"
    assert known["source"] == {"url": "rtsp://camera/1", "width": 640, "height": 480}
    assert known["sinks"] == ["rtmp://server/live", "a.mp4"]
    assert known["settings"]["blend"]["mask"] == "hull"


def test_live_runs_and_vouching_are_put_down_unless_told_otherwise() -> None:
    config = Config()
    assert wanted(config, live=True)
    assert not wanted(config, live=False)
    for policy in get_args(SessionLogPolicy):
        assert wanted(replace(config, i_have_consent="Ada", session_log=policy), live=False)
    assert wanted(replace(config, session_log="on"), live=False)
    assert not wanted(replace(config, session_log="off"), live=True)


def test_lines_are_added_one_by_one(tmp_path: Path) -> None:
    path = beside(tmp_path / "a.mp4")
    assert path.name == "a.mp4.session.jsonl"
    path.write_text("an older run\n")
    log = SessionLog(path)
    log.note("start", {"file": "a.mp4"})
    (first,) = path.read_text().splitlines()
    log.note("end", {"frames": 3})
    before, last = map(json.loads, path.read_text().splitlines())
    assert before == json.loads(first)
    assert (before["event"], last["event"], last["frames"]) == ("start", "end", 3)


def test_a_place_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="session_log=off"):
        SessionLog(tmp_path / "gone" / "a.session.jsonl")


def test_without_a_file_it_goes_to_the_users_state_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    path = in_state_folder()
    assert path.parent == tmp_path / "facestream"
    assert path.parent.is_dir()
