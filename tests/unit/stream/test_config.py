from __future__ import annotations

from pathlib import Path

import pytest

from stream.config import Config, load
from stream.errors import ConfigError


def test_nothing_given_is_the_default() -> None:
    assert load(None, [], {"source": None}) == Config()


def test_later_wins(tmp_path: Path) -> None:
    file = tmp_path / "live.toml"
    file.write_text(
        'source = "clip.mp4"\nout = ["a.mp4", "null"]\n[blend]\nfeather = 0.3\nopacity = 0.5\n'
    )
    config = load(file, ["blend.feather=0.2", "track.max_faces=3"], {"track.max_faces": 4})
    assert config.source == "clip.mp4"
    assert config.out == ("a.mp4", "null")
    assert (config.blend.feather, config.blend.opacity) == (0.2, 0.5)
    assert config.track.max_faces == 4


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("blend.fether=0.2", "unknown setting 'blend.fether'; did you mean 'blend.feather'?"),
        ("zzz=1", "unknown setting 'zzz'; known: source, out"),
        ("track.keep_s=nan", "track.keep_s is nan, expected a finite number"),
        ("input.duration_s=inf", "input.duration_s is inf, expected a finite number"),
        ("threads=-1", "threads is -1; expected 1 or more, or 0 for all processors"),
        ("batch_frames=65", "batch_frames is 65; expected 1 to 64, or 0 for a good number"),
        ("blend.feather=wide", "blend.feather is 'wide', expected a number"),
        ("track.max_faces=2.5", "track.max_faces is 2.5, expected a whole number"),
        ("track.max_faces=true", "track.max_faces is True, expected a whole number"),
        ("input.audio=1", "input.audio is 1, expected true or false"),
        ("mode=fast", "mode is 'fast', expected one of auto, live, lossless"),
        ("blend=3", "blend is 3, expected a group of settings"),
        ("threads.inference=2", "threads is {'inference': 2}, expected a whole number"),
        ("blend.feather", "expected key=value"),
        ("blend.mask=hulk", "blend: mask 'hulk' has no shape 'hulk'"),
        ("blend.opacity=7", "blend: opacity is 7.0; expected a number from 0 to 1"),
        ("input.threads=-1", "input: threads is -1; expected 1 or more"),
        ("input.decoder=cuda", "input.decoder is 'cuda', expected one of auto, cpu, nvdec"),
        ("output.encoder=x265", "output.encoder is 'x265', expected one of auto, libx264"),
        ("output.crf=52", "output: crf is 52; expected 0"),
    ],
)
def test_mistakes_are_explained(override: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(None, [override], {})
    assert expected in str(caught.value)


def test_group_cannot_be_put_into_a_value() -> None:
    with pytest.raises(ConfigError, match="threads is a value, not a group"):
        load(None, ["threads=2", "threads.inference=2"], {})


def test_numbers_serve_where_text_or_a_fraction_is_meant() -> None:
    config = load(None, ["source=0", "blend.feather=0", "input.duration_s=2"], {})
    assert config.source == "0"
    assert config.blend.feather == 0.0
    assert config.input.duration_s == 2.0


def test_none_switches_an_optional_part_off() -> None:
    assert load(None, ["track.smoothing=none"], {}).track.smoothing is None
    assert load(None, ["track.smoothing.beta_hz=3"], {}).track.smoothing.beta_hz == 3  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("content", "expected"), [(b"source =", "not a TOML file"), (b"\xff\xfe", "not a TOML file")]
)
def test_file_that_is_not_toml(tmp_path: Path, content: bytes, expected: str) -> None:
    file = tmp_path / "broken.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=expected):
        load(file, [], {})


def test_options_are_checked_like_settings() -> None:
    with pytest.raises(ConfigError, match=r"input\.start_s is nan"):
        load(None, [], {"input.start_s": float("nan")})


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "nothing.toml", [], {})


@pytest.mark.parametrize(
    "content",
    ["port = " + "9" * 5000, "x = " + "[" * 5000, "x = 'a", "\xff", 'source = "a\\u0000"'],
)
def test_no_file_makes_the_program_fail(tmp_path: Path, content: str) -> None:
    path = tmp_path / "odd.toml"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ConfigError):
        load(path, [], {})
    with pytest.raises(ConfigError):
        load(None, [content], {})


@pytest.mark.parametrize(
    "text",
    ["rtsp://user:hunter2@camera.example", "web.token=['hunter2']", "web.token={a='hunter2'}"],
)
def test_no_message_shows_a_secret(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(None, [text], {})
    assert "hunter2" not in str(caught.value)
