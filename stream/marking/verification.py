"""Which marks a file carries: metadata, signature, watermark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from engine import assets
from engine.track import FaceTracker, TrackSettings
from stream.errors import SourceError
from stream.marking import xmp
from stream.marking.synthetic import says_synthetic
from stream.marking.watermark_reader import Trace, WatermarkReader
from stream.sources import SourceSettings, open_source
from stream.sources.file import metadata
from stream.sources.pictures import SUFFIXES

if TYPE_CHECKING:
    from stream.marking.c2pa import Signature

Verdict: TypeAlias = Literal["synthetic", "unmarked", "tampered"]

_LOOK_EVERY = 25
_SURE = 1e-12
_MOST_FACES = 4


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found in a file.

    Attributes:
        metadata: of the file; of a picture its XMP packet, as 'xmp'.
        signature: of the file, None if C2PA could not be read here.
        traces: of the watermark, one for each face, the surest first.
        frames: how many frames were looked at.
    """

    metadata: Mapping[str, str]
    signature: Signature | None
    traces: tuple[Trace, ...]
    frames: int

    @property
    def declared(self) -> bool:
        """Whether the metadata says that the file is synthetic."""
        return says_synthetic(self.metadata)

    @property
    def watermarked(self) -> bool:
        """Whether a face carries the watermark."""
        return any(trace.marked for trace in self.traces)

    @property
    def signed_as_synthetic(self) -> bool:
        """Whether a signature that holds says that the file is synthetic."""
        signature = self.signature
        return (
            signature is not None
            and signature.synthetic
            and signature.state in {"valid", "trusted"}
        )

    @property
    def shows_swap(self) -> bool:
        """Whether more than metadata, which is written before faces are known, marks it."""
        return self.watermarked or self.signed_as_synthetic

    @property
    def verdict(self) -> Verdict:
        """What all of it comes to; a signature that does not hold outweighs the rest."""
        if self.signature is not None and self.signature.state == "invalid":
            return "tampered"
        if self.declared or self.shows_swap:
            return "synthetic"
        return "unmarked"


def verify(path: Path, trust: Path | None, most_frames: int) -> Verification:
    """Look for every mark.

    Args:
        path: a video or a picture.
        trust: PEM file with certificates of issuers to be trusted; None for nobody.
        most_frames: so many frames are searched for the watermark, from the beginning.

    Raises:
        SourceError: the file cannot be read.
        ConfigError: `trust` cannot be read.
        ModelError: the landmark model cannot be had.
    """
    if path.is_dir():
        raise SourceError(f"{path}: is a folder; expected a video or a picture, one at a time")
    if not path.is_file():
        raise SourceError(f"{path}: no such file; expected a video or a picture")
    if path.suffix.lower() in SUFFIXES:
        try:
            packet = xmp.read(path.read_bytes())
        except OSError as error:
            raise SourceError(f"{path}: cannot be read: {error.strerror}") from error
        said = {"xmp": packet} if packet else {}
    else:
        said = metadata(path)
    signature = None
    if find_spec("c2pa") is not None:
        # A large library with native code, and an extra.
        from stream.marking.c2pa import read  # noqa: PLC0415

        signature = read(path, trust)
    traces, frames = _search(path, most_frames)
    return Verification(said, signature, traces, frames)


def _search(path: Path, most_frames: int) -> tuple[tuple[Trace, ...], int]:
    reader, frames = WatermarkReader(), 0
    model = assets.landmark_model()
    with (
        FaceTracker(model, TrackSettings(max_faces=_MOST_FACES)) as tracker,
        open_source(str(path), SourceSettings()) as source,
    ):
        for frame in source:
            if frames == most_frames:
                break
            frames += 1
            reader.add(frame.image, tracker.update(frame.image, frame.pts_ns))
            if frames % _LOOK_EVERY == 0:
                traces = reader.traces()
                if traces and traces[0].chance < _SURE:
                    break
    return reader.traces(), frames
