"""The commands `onnx` and `report`: a model file, and what it is worth.

torch takes seconds to import and is optional, so each command imports what it needs.
"""

# ruff: noqa: PLC0415  # see above

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from export.bad_input import bad_input
from export.errors import ParityError

if TYPE_CHECKING:
    from export.held_aside import HeldAside
    from export.model import Side
    from export.parity import Dtype

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_SAVED = click.Path(exists=True, path_type=Path)


@click.command("onnx")
@click.argument("checkpoint", type=_SAVED)
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--faces",
    type=_FOLDER,
    required=True,
    help="Shards or pictures of real faces: int8 is calibrated on half of them, and the file "
    "has to agree with torch on them.",
)
@click.option(
    "--count",
    type=click.IntRange(min=1),
    default=64,
    show_default=True,
    help="Take at most so many of --faces.",
)
@click.option(
    "--side",
    type=click.Choice(["a", "b"]),
    default="b",
    show_default=True,
    help="Whose decoder; a shows what the training makes of A.",
)
@click.option(
    "--dtype",
    type=click.Choice(["fp32", "fp16", "int8"]),
    default="fp16",
    show_default=True,
    help="fp16 stores weights as float16 and computes in float32; int8 computes in 8 bits, "
    "for processors with VNNI or AMX.",
)
@click.option("--name", required=True, help="Short name of the model.")
@click.option("--persona", required=True, help="Whom it draws.")
@click.option("--consent", required=True, help="On what ground this person may be drawn.")
@click.option("--licence", default="MIT", show_default=True, help="SPDX identifier.")
@click.option(
    "--alignment",
    default="facestream-full-26",
    show_default=True,
    help="How the faces were aligned; `extract` knows this one.",
)
def onnx(  # noqa: PLR0913  # one argument an option
    *,
    checkpoint: Path,
    out: Path,
    faces: Path,
    count: int,
    side: Side,
    dtype: Dtype,
    name: str,
    persona: str,
    consent: str,
    licence: str,
    alignment: str,
) -> None:
    """Write encoder and one decoder of CHECKPOINT to OUT, checked against torch.

    CHECKPOINT is a file, or the folder of a training: its best weights are written.
    """
    import torch

    from export import checkpoint as checkpoints
    from export.held_aside import held_aside
    from export.onnx import Identity, export_onnx, training_summary
    from export.samples import pictures_to_tensor

    with bad_input(unless=ParityError):
        saved = checkpoints.load_best(checkpoint)
        network = checkpoints.load_network(saved)
        plan = network.plan
        known = held_aside(faces, plan.input_size, plan.output_size, count)
        _tell(known.left_out)
        crops = pictures_to_tensor(known.face, torch.device("cpu")).contiguous().numpy()
        parity = export_onnx(
            network,
            out,
            Identity(name, persona, alignment, licence, consent),
            crops,
            side=side,
            dtype=dtype,
            training=training_summary(saved.state),
        )
    click.echo(f"{out}: {out.stat().st_size / 1e6:.1f} MB {dtype}; against torch: {parity}")


@click.command()
@click.argument("model", type=_SAVED)
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--faces", type=_FOLDER, help="Shards of pairs, or pictures not trained on.")
@click.option("--a", "a_folder", type=_FOLDER, help="Faces A was trained on: held-out ones.")
@click.option("--b", "b_folder", type=_FOLDER, help="Faces B was trained on: held-out ones.")
@click.option(
    "--count",
    type=click.IntRange(min=2),
    default=256,
    show_default=True,
    help="Take at most so many faces.",
)
@click.option("--renders-only", is_flag=True, help="Draw rendered people only; numbers are of all.")
@click.option(
    "--runs", type=click.IntRange(min=1), default=200, show_default=True, help="For the latency."
)
def report(  # noqa: PLR0913  # one argument an option
    *,
    model: Path,
    out: Path,
    faces: Path | None,
    a_folder: Path | None,
    b_folder: Path | None,
    count: int,
    renders_only: bool,
    runs: int,
) -> None:
    """Show what MODEL (.onnx or a checkpoint) does: OUT.png, OUT.md and OUT.json.

    Swaps the faces of --faces, or those of A that its training held out.
    """
    if bool(a_folder) != bool(b_folder) or not (faces or a_folder):
        raise click.UsageError("give --faces, or both --a and --b, or all three")
    import torch

    from export import report_page
    from export.deployed import open_model
    from export.held_aside import held_aside
    from export.likeness import Embedder, MissingEmbedderError
    from export.model_report import measure, swap_all

    torch.set_num_threads(1)
    embed, missing = None, None
    try:
        embed = Embedder()
    except MissingEmbedderError as error:
        missing = str(error)
    with bad_input():
        opened = open_model(model)
        sizes = opened.info.input_size, opened.info.output_size
        own: dict[Side, HeldAside] = {}
        if a_folder and b_folder:
            own = _held_out(a_folder, b_folder, sizes, count)
        sources = held_aside(faces, *sizes, count) if faces else own["a"]
        _tell(sources.left_out)
        for side, known in sources.own().items():
            own.setdefault(side, known)
        swapped = swap_all(opened, sources)
        picture = report_page.draw_grid(swapped, renders_only=renders_only)
    described = report_page.describe(opened, swapped, measure(opened, swapped, own, embed, runs))
    table = report_page.markdown(described, missing)
    written = report_page.write(out, picture, table, described)
    click.echo(table)
    click.echo("written: " + ", ".join(map(str, written)))


def _held_out(a: Path, b: Path, sizes: tuple[int, int], count: int) -> dict[Side, HeldAside]:
    """What a training on two folders holds out of each."""
    from export.face_folders import FaceFolders
    from export.held_aside import of_batch
    from export.model import PLANS

    alike = [p for p in PLANS.values() if (p.input_size, p.output_size) == sizes]
    if not alike:
        raise click.UsageError(
            f"no network of this version has {sizes[0]} px in and {sizes[1]} px out, which "
            "--a and --b need; give --faces alone"
        )
    folders = FaceFolders(a, b, alike[0], 1, 0)
    _tell(folders.left_out)
    return {batch.side: of_batch(batch) for batch in folders.validation(2 * count)}


def _tell(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line, err=True)
