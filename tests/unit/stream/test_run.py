from __future__ import annotations

from pathlib import Path

import pytest

from stream.config import Config
from stream.errors import ConfigError
from stream.run import Run, Threads, default_outputs


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("demo", ("demo_swapped.mp4", "side-by-side:demo_side_by_side.png")),
        ("clips/talk.mov", ("talk_swapped.mov",)),
        ("clips/talk.webm", ("talk_swapped.mp4",)),
        ("photo.jpg", ("photo_swapped.jpg",)),
    ],
)
def test_natural_outputs(source: str, expected: tuple[str, ...]) -> None:
    assert default_outputs(source) == expected


def test_folder_becomes_a_folder(tmp_path: Path) -> None:
    assert default_outputs(str(tmp_path)) == (f"{tmp_path.name}_swapped/",)


@pytest.mark.parametrize("source", ["0", "/dev/video2", "rtsp://host/x"])
def test_live_sources_have_no_natural_output(source: str) -> None:
    with pytest.raises(ConfigError, match="add --out"):
        default_outputs(source)


@pytest.mark.parametrize("total", [1, 2, 3, 8, 64])
def test_thread_budget_is_split_and_nobody_goes_without(total: int) -> None:
    share = Threads.share(total)
    parts = (share.inference, share.decoder, share.encoder)
    assert min(parts) >= 1
    assert total < 4 or sum(parts) <= total


def test_one_thread_budget_reaches_every_part() -> None:
    config = Run(Config(threads=8)).config
    assert (config.threads, config.input.threads, config.output.threads) == (8, 2, 2)
    assert Run(Config()).config.threads >= 1


def test_a_file_is_paced_only_when_asked_to_be_live() -> None:
    assert not Run(Config()).config.input.paced
    assert Run(Config(mode="live")).config.input.paced
