"""How much later does a picture arrive because faces are swapped on its way?

A publisher stamps the demo clip (720p, 30 fps) and sends it by RTSP; a reader behind a second
server decodes it and reads the stamps. Between the servers lies, in turn, a copy of the packets,
one thread that decodes and encodes, facestream, and facestream with a stage that takes twice the
time there is. A second reader at the first server makes every picture its own comparison.

All of it shares the processors of one machine, publisher, servers and readers included.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from benchmarks import marked_part
from benchmarks.latency import relay, seen
from benchmarks.latency.page import draw, markdown
from benchmarks.machine import describe

WIDTH, HEIGHT, RATE = 1280, 720, 30
FRAME_MS = 1000 / RATE
OVERLOAD_STAGE, OVERLOAD_MS = "blend", 2 * FRAME_MS
STAGES = ("detect", "swap", "blend", "gate", "publish")

AGE_GOAL_MS, OVERLOAD_AGE_GOAL_MS = 100.0, 250.0
_FLOOR, _MEDIAN = 5, 50
GROWTH_GOAL_MS, GROWTH_GOAL_MB = 1.0, 1.0
"""Per minute; a leak of one picture a minute would be 2.8 MB, one frame more of delay 33 ms."""

RELAYS = {
    "copy": relay.passing("copy"),
    "encode": relay.passing("encode"),
    "facestream": relay.facestream(),
    "overload": relay.slowed(OVERLOAD_STAGE, OVERLOAD_MS),
    "long": relay.facestream(),
}


@click.command()
@click.option("--seconds", default=12.0, show_default=True, help="Of each relay but the long one.")
@click.option("--minutes", default=10.0, show_default=True, help="Of the long relay.")
@click.option("--only", multiple=True, type=click.Choice(list(RELAYS)), help="Not all of them.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Update this result.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the result to this PNG.")
@click.option("--readme", type=click.Path(exists=True, path_type=Path), help="Update this file.")
def latency(  # noqa: PLR0913, PLR0917 - one parameter for each option
    seconds: float,
    minutes: float,
    only: tuple[str, ...],
    file: Path | None,
    plot: Path | None,
    readme: Path | None,
) -> None:
    """Glass to glass through RTSP, with facestream and without; needs gst-rtsp-server."""
    relays: dict[str, Any] = {}
    if file is not None and file.exists():
        relays = json.loads(file.read_text(encoding="utf-8"))["relays"]
    for name in only or RELAYS:
        lasts_s = minutes * 60 if name == "long" else seconds
        measured = relay.measure(RELAYS[name], lasts_s, width=WIDTH, height=HEIGHT, rate=RATE)
        relays[name] = summary(measured) | {"seconds": lasts_s, "machine": describe()}
        click.echo(line(name, relays[name]), err=True)
    result = {
        "question": "what passing through facestream adds to a live stream's latency",
        "machine": describe(),
        "stream": {"width": WIDTH, "height": HEIGHT, "rate": RATE, "overload_ms": OVERLOAD_MS},
        "goals": goals(relays),
        "relays": relays,
    }
    if file is not None:
        file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if plot is not None:
        draw(result, plot)
    if readme is not None:
        marked_part.write(readme, "latency", markdown(result))
    click.echo(json.dumps(result))


def summary(measured: relay.Measured) -> dict[str, Any]:
    """Latencies, losses, growth and facestream's own words of one relay."""
    span = (measured.began_ns, measured.ended_ns)
    near, far = measured.near.ages_ms(*span), measured.far.ages_ms(*span)
    added = seen.added_ms(near, far)
    # By arrival, so that growth is drawn against the time of the measurement.
    times_s = [(measured.far.at_ns[stamp_ms] - span[0]) / 1e9 for stamp_ms in added]
    floor = seen.by_window(times_s, list(added.values()), _FLOOR)
    seconds, used_mb = zip(*measured.memory, strict=True)
    memory = seen.by_window(seconds, used_mb, _MEDIAN)
    result: dict[str, Any] = {
        "pictures_in": len(near),
        "pictures_out": len(far),
        "lost": len(near.keys() - far.keys()),
        "unreadable": measured.near.unreadable + measured.far.unreadable,
        "glass_to_glass_ms": {
            "before": seen.spread(list(near.values())),
            "behind": seen.spread(list(far.values())),
        },
        "added_ms": seen.spread(list(added.values())),
        "added_ms_by_time": seen.by_window(times_s, list(added.values()), _MEDIAN),
        "added_floor_ms_by_time": floor,
        "added_growth_ms": seen.slope(floor),
        "memory_mb_by_time": memory,
        # While it warms up, memory grows as it should.
        "memory_growth_mb": seen.slope([point for point in memory if point[0] > 60]),
        "cores": measured.cores,
    }
    if measured.report:
        result["report"] = reported(measured.report)
    return result


def reported(report: dict[str, Any]) -> dict[str, Any]:
    """What matters here of facestream's own report, which spans its whole run."""
    stages = report["stages"]
    busy_ms = {name: stages[name]["busy_ms_p50"] for name in STAGES}
    return {
        "frame_age_ms": report["age_ms"],
        "stage_ms": busy_ms,
        "stages_ms": sum(busy_ms.values()),
        "frames_in": report["frames_in"],
        "frames_out": report["frames_out"],
        "dropped": report["dropped"],
        "faces_swapped": report["faces_swapped"],
    }


def goals(relays: dict[str, Any]) -> list[dict[str, Any]]:
    """Each goal with what was measured, as far as its relays were."""
    found: list[dict[str, Any]] = []

    def add(what: str, measured: float, limit: float) -> None:
        met = bool(measured <= limit)
        found.append({"goal": what, "measured": measured, "limit": limit, "met": met})

    if {"copy", "facestream"} <= relays.keys():
        ours, copied = relays["facestream"], relays["copy"]
        limit = 2 * FRAME_MS + ours["report"]["stages_ms"]
        for which in ("p50", "p95"):
            over = ours["added_ms"][which] - copied["added_ms"][which]
            add(f"added over the same relay without it, {which} ms", over, limit)
        age_ms = ours["report"]["frame_age_ms"]["p95"]
        add("frame age p95 ms", age_ms, AGE_GOAL_MS)
    if "overload" in relays:
        report = relays["overload"]["report"]
        add(
            "frame age p95 ms with a stage that takes twice the time there is",
            report["frame_age_ms"]["p95"],
            OVERLOAD_AGE_GOAL_MS,
        )
        unaccounted = report["frames_in"] - report["frames_out"] - report["dropped"]
        add("frames neither written nor counted as dropped then", abs(unaccounted), 0)
    growth = relays.get("long", {}).get("added_growth_ms")
    if growth:
        add(
            "growth of the latency's floor over minutes, ms a minute",
            growth["per_minute"],
            GROWTH_GOAL_MS,
        )
    growth = relays.get("long", {}).get("memory_growth_mb")
    if growth:
        add("growth of memory over minutes, MB a minute", growth["per_minute"], GROWTH_GOAL_MB)
    return found


def line(name: str, entry: dict[str, Any]) -> str:
    """One relay for people."""
    added, glass = entry["added_ms"], entry["glass_to_glass_ms"]["behind"]
    text = (
        f"{name}: glass to glass p50 {glass['p50']:.0f} ms, p95 {glass['p95']:.0f} ms; "
        f"added p50 {added['p50']:.0f} ms, p95 {added['p95']:.0f} ms, p99 {added['p99']:.0f} ms; "
        f"{entry['lost']} of {entry['pictures_in']} pictures lost; {entry['cores']:.2f} cores"
    )
    if "report" in entry:
        age = entry["report"]["frame_age_ms"]
        text += (
            f"; frame age p50 {age['p50']:.0f} ms, p95 {age['p95']:.0f} ms, stages "
            f"{entry['report']['stages_ms']:.0f} ms, {entry['report']['dropped']} dropped"
        )
    return text
