"""Settings that are changed in the panel before there is a source, such as a browser's camera."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from engine.track import FaceTracker
from stream import run as run_module
from stream.config import Config
from stream.run import Run
from stream.sources import Source


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many faces each tracker is told to follow."""
    numbers: list[int] = []

    class Tracker(FaceTracker):
        def __init__(self, model: object, settings: object) -> None:
            numbers.append(settings.max_faces)  # type: ignore[attr-defined]
            super().__init__(model, settings)  # type: ignore[arg-type]

    monkeypatch.setattr(run_module, "FaceTracker", Tracker)
    return numbers


def test_what_was_changed_while_the_source_was_waited_for_holds(followed: list[int]) -> None:
    run = Run(Config(out=("null",), device="cpu"))
    source = run.source
    wanted = replace(run.live_settings, faces=3, blend=replace(run.config.blend, mask="hull"))

    @contextmanager
    def opens_late() -> Iterator[Source]:
        run.apply(wanted)
        with source:
            yield source

    run.source = opens_late()  # type: ignore[assignment]
    with run:
        assert run.live_settings == wanted
        run.apply(replace(wanted, faces=2))
    assert followed == [3, 2]
