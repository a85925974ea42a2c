"""What does each way of blending look like, and what does it cost? Pictures for the docs."""

from __future__ import annotations

import itertools
import json
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import click
import cv2
import numpy as np

from benchmarks.machine import describe
from benchmarks.quality.scene import Scene, open_engine
from engine import align, blend
from engine.blend import BLENDS
from engine.color import TRANSFERS
from engine.face import Image
from engine.masks import FEATHER_PROFILES, SHAPES, SKIN_METHODS
from stream.config import Config, load
from stream.frame import Frame
from stream.presets import PRESETS
from stream.sources import open_source

_BEGIN, _END = "<!-- cost -->", "<!-- /cost -->"
_AT_S = 4.0
_FRAMES = 12  # up to the one that is shown; smoothing in time settles meanwhile
_TILE_PX = 300
_CAPTION_PX = 22
_COLUMNS = 4


@dataclass(frozen=True, slots=True)
class Family:
    """Options of which one is chosen.

    Attributes:
        key: the setting's dotted name.
        options: its values.
        beside: what else is set for the picture, so that the choice can be seen.
        draws_mask: show where the mask lies, too.
    """

    key: str
    options: tuple[str, ...]
    beside: Mapping[str, str] = field(default_factory=dict)
    draws_mask: bool = False

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.key.rpartition(".")[2]


def families() -> tuple[Family, ...]:
    """Every option that the engine has today."""
    lit = tuple(f"{first}+light" for first in ("avg", "lab"))
    return (
        Family("preset", PRESETS),
        Family("blend.mask", (*SHAPES, "occlusion+skin"), draws_mask=True),
        Family("blend.skin_rule", SKIN_METHODS, {"blend.mask": "skin"}, draws_mask=True),
        Family("blend.color", (*TRANSFERS, *lit)),
        Family("blend.blend", BLENDS, {"blend.color": "none"}),
        Family("blend.feather_profile", FEATHER_PROFILES, {"blend.mask": "rect"}, draws_mask=True),
    )


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("docs/images"))
@click.option("--docs", type=click.Path(exists=True, path_type=Path), help="Update its table.")
@click.option("--model", default="maro", show_default=True, metavar="NAME|PATH")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Also write it here.")
def gallery(out: Path, docs: Path | None, model: str, file: Path | None) -> None:
    """Draw every preset, mask, color and blend on the bundled demo, one JPEG for each family."""
    cv2.setNumThreads(1)
    out.mkdir(parents=True, exist_ok=True)
    fixed = {"model": model, "device": "cpu", "threads": 1}
    clip = list(_clip(load(None, [], fixed)))
    costs_ms: dict[str, dict[str, float]] = {}
    for family in families():
        tiles, costs_ms[family.name] = [("original", clip[-1].image)], {}
        for option in family.options:
            chosen = {**fixed, **family.beside, family.key: option}
            scene, cost_ms = _shown(load(None, [], chosen), clip)
            costs_ms[family.name][option] = round(cost_ms, 1)
            tiles.append((option, _outlined(scene) if family.draws_mask else scene.after))
        _save(out / f"blend_{family.name}.jpg", _grid(tiles, _window(scene)))
    if docs is not None:
        _update(docs, costs_ms)
    result = {
        "question": "what the blend stage costs with each option, ms of one thread",
        "machine": describe(),
        "costs_ms": costs_ms,
    }
    if file is not None:
        file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    click.echo(json.dumps(result))


def _clip(config: Config) -> Iterator[Frame]:
    """The frames that lead to the one that is shown."""
    settings = replace(config.input, start_s=_AT_S, audio=False, threads=1)
    with open_source("demo", settings) as source:
        yield from itertools.islice(source, _FRAMES)


def _shown(config: Config, clip: list[Frame]) -> tuple[Scene, float]:
    """The last frame, blended, and the median cost of the stage in milliseconds."""
    blend.warm_up(config.blend)
    with open_engine(config) as stages:
        scenes = [stages.finish(stages.detect(frame.image, frame.pts_ns)) for frame in clip]
    if not scenes[-1].patches:
        raise click.ClickException("no face was swapped in the demo; nothing to show")
    # The first frames may still load what is compiled on demand.
    return scenes[-1], 1e3 * statistics.median(scene.blend_s for scene in scenes[2:])


def _outlined(scene: Scene) -> Image:
    """The result, with the mask's half as a thin line."""
    picture = scene.after.copy()
    inside = (scene.alpha() >= 0.5).astype(np.uint8)
    outlines, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, outlines, -1, (0, 255, 255), 1)
    return picture


def _window(scene: Scene) -> tuple[slice, slice]:
    """The part of the frame around the face that is shown, a little larger than the crop."""
    swap = scene.faces[0].swap
    assert swap is not None, "a patch comes from a swap"
    size = float(swap.image.shape[0])
    corners = np.array([[-0.04, -0.04], [1.04, 1.04]]) * size
    (left, top), (right, bottom) = align.apply(align.invert(swap.frame_to_crop), corners)
    return slice(max(int(top), 0), int(bottom)), slice(max(int(left), 0), int(right))


def _grid(tiles: list[tuple[str, Image]], window: tuple[slice, slice]) -> Image:
    """Tiles with captions, some in a row; the last row may be filled up with black."""
    drawn = [_tile(name, picture[window]) for name, picture in tiles]
    columns = min(_COLUMNS, len(drawn))
    drawn += [np.zeros_like(drawn[0])] * (-len(drawn) % columns)
    rows = [np.concatenate(drawn[i : i + columns], axis=1) for i in range(0, len(drawn), columns)]
    return np.concatenate(rows)


def _tile(name: str, picture: Image) -> Image:
    face = cv2.resize(picture, (_TILE_PX, _TILE_PX), interpolation=cv2.INTER_AREA)
    tile = np.zeros((_CAPTION_PX + _TILE_PX, _TILE_PX, 3), np.uint8)
    tile[_CAPTION_PX:] = face
    white = (255, 255, 255)
    cv2.putText(tile, name, (6, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.45, white, 1, cv2.LINE_AA)
    return tile


def _save(path: Path, picture: Image) -> None:
    encoded, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 88])
    assert encoded, "an 8-bit BGR picture is always a JPEG"
    path.write_bytes(data.tobytes())


def cost_table(costs_ms: Mapping[str, Mapping[str, float]]) -> str:
    """Markdown: one row for each setting, its options with their cost."""
    rows = ["| setting | the whole blend stage, ms |", "| --- | --- |"]
    for key, options in costs_ms.items():
        cells = ", ".join(f"`{name}` {cost_ms:.1f}" for name, cost_ms in options.items())
        rows.append(f"| `{key}` | {cells} |")
    return "\n".join(rows)


def _update(docs: Path, costs_ms: Mapping[str, Mapping[str, float]]) -> None:
    before, _, rest = docs.read_text(encoding="utf-8").partition(_BEGIN)
    _, separator, after = rest.partition(_END)
    if not separator:
        raise click.ClickException(f"{docs}: no {_BEGIN} ... {_END} to replace")
    text = f"{before}{_BEGIN}\n{cost_table(costs_ms)}\n{_END}{after}"
    docs.write_text(text, encoding="utf-8")
