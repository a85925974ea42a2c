"""`python -m export.persona`: render the fictional people of the project."""

from __future__ import annotations

from pathlib import Path

import click

from engine.reports_home import lead_nowhere
from export.persona.errors import PersonaError

_ASSETS = click.option(
    "--assets",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="Folder of MakeHuman assets, see export/persona/ORIGIN.md.",
)


class _Group(click.Group):
    """Shows our own errors as one line."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except PersonaError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Group)
def main() -> None:
    """Render Maro Venn and other people who do not exist."""
    lead_nowhere()


@main.command()
@_ASSETS
@click.option(
    "--photos",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="CSV with the columns file, identity, licence.",
)
@click.option("--jobs", default=7000, show_default=True, help="Jobs of all parts together.")
@click.option("--part", default=0, show_default=True, help="Number of this process.")
@click.option("--parts", default=1, show_default=True, help="How many processes share the jobs.")
@click.option("--seed", default=1, show_default=True)
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
def pairs(  # noqa: PLR0913, PLR0917  # one for each option
    assets: Path, photos: Path, jobs: int, part: int, parts: int, seed: int, out: Path
) -> None:
    """Render training pairs into OUT; run it again to go on, Ctrl-C to stop."""
    from export.persona.pairs import make_pairs  # noqa: PLC0415  # starts the renderer

    make_pairs(assets, photos, out, jobs=jobs, part=part, parts=parts, seed=seed)


@main.command()
@_ASSETS
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
def demo(assets: Path, out: Path) -> None:
    """Render the clip of a talking woman who does not exist into OUT, an MP4 file."""
    from export.persona.demo import make_demo  # noqa: PLC0415  # starts the renderer

    make_demo(assets, out)


@main.command()
@_ASSETS
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
def sheet(assets: Path, out: Path) -> None:
    """Render a contact sheet of Maro Venn into OUT, a JPEG or PNG file."""
    from export.persona.sheet import make_sheet  # noqa: PLC0415  # starts the renderer

    make_sheet(assets, out)


if __name__ == "__main__":
    main()
