"""`python -m benchmarks NAME`: one question per command, the last line is one JSON object."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

try:
    from benchmarks.against import against, compare, markdown, read
    from benchmarks.augment import augment
    from benchmarks.blend import blend
    from benchmarks.browser.command import browser
    from benchmarks.color import color
    from benchmarks.endurance_kill import kill
    from benchmarks.fairness import fairness
    from benchmarks.latency.command import latency
    from benchmarks.peers.command import peers
    from benchmarks.pipeline import pipeline
    from benchmarks.quality.command import quality
    from benchmarks.quality.gallery import gallery
    from benchmarks.reconnect import reconnect
    from benchmarks.skin import skin
    from benchmarks.soak import soak
    from benchmarks.stages import stages
    from benchmarks.table import table
    from benchmarks.train import train
    from benchmarks.watermark import watermark
    from benchmarks.yuv420 import convert
    from engine.reports_home import lead_nowhere
except ModuleNotFoundError as error:
    sys.stderr.write(
        f"error: {error.name} is missing, which measuring needs; run: pip install -e '.[dev]'\n"
    )
    sys.exit(2)

_LONGEST_RESULT = 16 << 20


@click.group()
@click.option(
    "--against",
    "old",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An earlier result of the same benchmark: print what changed, on standard error.",
)
@click.pass_context
def main(context: click.Context, old: Path | None) -> None:
    """Measure facestream; results are JSON with machine, versions and settings."""
    lead_nowhere()
    if old is not None:
        context.with_resource(_compared(old))


@contextlib.contextmanager
def _compared(old: Path) -> Iterator[None]:
    """Look at the last line of what a benchmark prints, which is its result."""
    before, printed = read(old), _Copied()
    with contextlib.redirect_stdout(printed):
        yield
    after = json.loads(printed.last_line())
    click.echo(markdown(compare(before, after), before, after), err=True)


class _Copied(io.TextIOBase):
    """Standard output that remembers what went through."""

    def __init__(self) -> None:
        self._through = sys.stdout
        self._text = ""

    def write(self, text: str) -> int:
        """Print it, and keep it."""
        self._text = (self._text + text)[-_LONGEST_RESULT:]
        return self._through.write(text)

    def flush(self) -> None:
        """As standard output does."""
        self._through.flush()

    def last_line(self) -> str:
        """The last line that is not empty."""
        return self._text.rstrip().rpartition("\n")[2]


main.add_command(against)
main.add_command(augment)
main.add_command(blend)
main.add_command(browser)
main.add_command(color)
main.add_command(convert)
main.add_command(gallery)
main.add_command(fairness)
main.add_command(kill)
main.add_command(latency)
main.add_command(peers)
main.add_command(pipeline)
main.add_command(quality)
main.add_command(reconnect)
main.add_command(skin)
main.add_command(soak)
main.add_command(stages)
main.add_command(table)
main.add_command(train)
main.add_command(watermark)

if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
