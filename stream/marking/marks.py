"""The marks that are painted into pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.face import Face, Image
from engine.paste import Patch
from stream.marking.label import Label
from stream.marking.settings import MarkingSettings
from stream.marking.watermark import Watermark


class Marks:
    """Watermark and label of one stream of frames; for use by one thread.

    Attributes:
        label: draws the visible mark, None if there is to be none.
        watermark: hides the pattern in swapped faces, None if there is to be none.
    """

    def __init__(self, settings: MarkingSettings, *, live: bool) -> None:
        """Prepare what the settings ask for; compiles what it needs."""
        self.label = Label(settings.text) if settings.shows_label(live=live) else None
        self.watermark = Watermark() if settings.watermark else None

    def __call__(self, image: Image, faces: Sequence[Face], patches: Mapping[int, Patch]) -> None:
        """Mark a finished picture, in place.

        Args:
            image: (H, W, 3) uint8 BGR.
            faces: in this picture.
            patches: what of them was swapped, by track (`engine.blend.Blender.patches`).
        """
        if self.watermark is not None:
            self.watermark(image, faces, patches)
        if self.label is not None:
            self.label(image, faces)
