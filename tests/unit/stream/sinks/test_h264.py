from __future__ import annotations

import av
import pytest

from stream.errors import SinkError
from stream.sinks import h264

NAMES = ["libx264", "h264_nvenc"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("made", [h264.constant_quality(n, 18, "medium") for n in NAMES])
def test_options_belong_to_one_encoder(name: str, made: dict[str, str]) -> None:
    assert (made == h264.constant_quality(name, 18, "medium")) == (
        ("cq" in made) == (name == "h264_nvenc")
    )


@pytest.mark.parametrize("name", NAMES)
def test_ffmpeg_knows_every_option_and_its_value(name: str) -> None:
    # NVIDIA's encoder opens on its cards only, but can be asked what it understands anywhere.
    options = av.CodecContext.create(name, "w").supported_options
    known = {option.name: option for option in (*options.generic, *options.private)}
    for given in (h264.constant_quality(name, 18, "medium"), h264.low_delay(name, "superfast")):
        for key, value in given.items():
            choices = [choice.name for choice in known[key].choices]
            assert value.isdecimal() or not choices or value in choices, (key, value)


def test_the_quality_that_was_asked_for_reaches_each_encoder() -> None:
    assert h264.constant_quality("libx264", 23, "slow") == {"crf": "23", "preset": "slow"}
    assert h264.constant_quality("h264_nvenc", 23, "slow")["cq"] == "23"


class Machine:
    """Opens the encoders that it has."""

    def __init__(self, *works: str) -> None:
        self.works, self.tried = works, list[str]()

    def open_(self, name: str) -> str:
        self.tried.append(name)
        if name not in self.works:
            raise PermissionError(1, "Operation not permitted")
        return f"{name} is open"


def test_auto_takes_the_first_that_works() -> None:
    machine = Machine("libx264")
    assert h264.opened("auto", ("h264_nvenc", "libx264"), machine.open_) == "libx264 is open"
    assert machine.tried == ["h264_nvenc", "libx264"]


def test_what_was_asked_for_is_taken_or_an_error() -> None:
    machine = Machine("libx264")
    with pytest.raises(SinkError, match=r"h264_nvenc: .* driver library .*choose libx264 or auto"):
        h264.opened("h264_nvenc", ("libx264",), machine.open_)
    assert machine.tried == ["h264_nvenc"]
    both = Machine("libx264", "h264_nvenc")
    assert h264.opened("h264_nvenc", ("libx264",), both.open_) == "h264_nvenc is open"


def test_when_none_works_the_last_one_is_told() -> None:
    with pytest.raises(SinkError, match=r"^libx264: cannot be opened: its driver library"):
        h264.opened("auto", ("h264_nvenc", "libx264"), Machine().open_)
