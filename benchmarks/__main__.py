"""`python -m benchmarks NAME`: one question per command, the last line is one JSON object."""

from __future__ import annotations

import click

from benchmarks.augment import augment
from benchmarks.blend import blend
from benchmarks.browser.command import browser
from benchmarks.color import color
from benchmarks.fairness import fairness
from benchmarks.latency.command import latency
from benchmarks.peers.command import peers
from benchmarks.pipeline import pipeline
from benchmarks.quality.command import quality
from benchmarks.quality.gallery import gallery
from benchmarks.reconnect import reconnect
from benchmarks.skin import skin
from benchmarks.soak import soak
from benchmarks.table import table
from benchmarks.train import train
from benchmarks.watermark import watermark
from benchmarks.yuv420 import convert


@click.group()
def main() -> None:
    """Measure facestream; results are JSON with machine, versions and settings."""


main.add_command(augment)
main.add_command(blend)
main.add_command(browser)
main.add_command(color)
main.add_command(convert)
main.add_command(gallery)
main.add_command(fairness)
main.add_command(latency)
main.add_command(peers)
main.add_command(pipeline)
main.add_command(quality)
main.add_command(reconnect)
main.add_command(skin)
main.add_command(soak)
main.add_command(table)
main.add_command(train)
main.add_command(watermark)

if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
