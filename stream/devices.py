"""`run_stream.py --list-devices`: the cameras and screens of this machine."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby

import click
from rich.console import Console

from stream.errors import SourceError
from stream.findings import Finding, Section, show
from stream.sources import abilities, screen, v4l2
from stream.sources.screen import Screen
from stream.sources.v4l2 import Mode, VideoDevice


@dataclass(frozen=True, slots=True)
class Devices:
    """What was found.

    Attributes:
        video: devices of Linux; empty elsewhere.
        names: of cameras on other systems, in the order of their numbers; None if nobody can tell.
        screens: monitors.
        no_screens: why there are none, empty if there are.
    """

    video: tuple[VideoDevice, ...] = ()
    names: tuple[str, ...] | None = None
    screens: tuple[Screen, ...] = ()
    no_screens: str = ""


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def list_devices(*, as_json: bool) -> int:
    """List cameras with their formats, sizes and rates, virtual cameras and screens."""
    found = find()
    if as_json:
        click.echo(json.dumps(asdict(found), indent=2))
        return 0
    console = Console(highlight=False)
    for section in sections(found, linux=sys.platform == "linux"):
        show(section, console)
    return 0


def find() -> Devices:
    """Ask the system; no camera is started and no picture taken."""
    names = None if sys.platform == "linux" else abilities.cameras()
    monitors: tuple[Screen, ...] = ()
    problem = ""
    try:
        monitors = tuple(screen.screens())
    except SourceError as error:
        problem = str(error)
    return Devices(
        tuple(v4l2.devices()), None if names is None else tuple(names), monitors, problem
    )


def sections(found: Devices, *, linux: bool) -> Iterator[Section]:
    """The lines for people; what is given as source or sink comes first in each."""
    cameras = tuple(_cameras(found) if linux else _numbered(found.names))
    yield Section("Cameras", cameras or (Finding("none", "note", "no camera is connected"),))
    virtual = tuple(
        Finding(device.path, "ok", f"{device.name}: takes pictures as virtual-camera:{device.path}")
        for device in found.video
        if device.outputs
    )
    if virtual:
        yield Section("Virtual cameras", virtual)
    monitors = tuple(_monitor(monitor) for monitor in found.screens)
    yield Section("Screens", monitors or (Finding("none", "note", found.no_screens),))


def _cameras(found: Devices) -> Iterator[Finding]:
    for device in found.video:
        if device.problem:
            says = f"{device.name or 'unknown'}: {device.problem}"
            yield Finding(device.path, "warn", says)
        elif device.captures and device.modes and not device.outputs:
            yield Finding(device.path, "ok", f"{device.name}, driver {device.driver}")
            for name, modes in groupby(device.modes, key=lambda mode: mode.format):
                yield Finding("", "fact", f"{name}: {'; '.join(map(_mode, modes))}")


def _numbered(names: Iterable[str] | None) -> Iterator[Finding]:
    if names is None:
        yield Finding("unknown", "note", "this system does not tell; try 0, 1, 2 ... as source")
    else:
        for index, name in enumerate(names):
            yield Finding(str(index), "ok", name)


def _mode(mode: Mode) -> str:
    if not mode.width:
        return "any size"
    size = f"{mode.width}x{mode.height}"
    rates = [f"{rate_hz:g}" for rate_hz in mode.rates_hz]
    if mode.up_to:
        return f"up to {size}" + (f" at {rates[-1]} to {rates[0]} Hz" if rates else "")
    return size + (f" at {', '.join(rates)} Hz" if rates else "")


def _monitor(monitor: Screen) -> Finding:
    where = f"{monitor.width}x{monitor.height} at {monitor.left},{monitor.top}"
    name = f", {monitor.name}" if monitor.name else ""
    primary = ", the one that 'screen' shows" if monitor.primary else ""
    return Finding(f"screen:{monitor.number}", "ok", f"{where}{name}{primary}")
