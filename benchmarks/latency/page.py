"""Latencies for people: a table for the README, and a plot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_NAMES = {
    "copy": "packets copied",
    "encode": "decoded, encoded",
    "facestream": "facestream",
    "overload": "facestream,\none stage at 2x",
}
_COLORS = {"copy": "#bbbbbb", "encode": "#999999", "facestream": "#228833", "overload": "#ccbb44"}


def markdown(result: dict[str, Any]) -> str:
    """The relays as Markdown, and how long latency and memory stayed what they were."""
    relays, stream, machine = result["relays"], result["stream"], result["machine"]
    rows = [
        "| between two RTSP servers | added ms p50 | p95 | glass to glass ms p50 | p95 | lost |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, label in _NAMES.items():
        if name not in relays:
            continue
        entry = relays[name]
        added, glass = entry["added_ms"], entry["glass_to_glass_ms"]["behind"]
        rows.append(
            f"| {' '.join(label.split())} | {added['p50']:.0f} | {added['p95']:.0f} "
            f"| {glass['p50']:.0f} | {glass['p95']:.0f} "
            f"| {entry['lost']} of {entry['pictures_in']} |"
        )
    text = (
        f"{stream['height']}p at {stream['rate']} fps with one face; camera, servers, facestream "
        f"and readers share {machine['threads']} processors ({machine['processor']}, no GPU), "
        f"{machine['date']}. Every picture carries the time at which it was made."
    )
    if "facestream" in relays:
        report = relays["facestream"]["report"]
        age = report["frame_age_ms"]
        text += (
            f" From decoding to the encoder's output a frame takes {age['p50']:.0f} ms "
            f"(p95 {age['p95']:.0f} ms); the stages' own times are {report['stages_ms']:.0f} ms."
        )
    if "overload" in relays:
        report = relays["overload"]["report"]
        text += (
            f" With blending slowed to twice the time between two pictures "
            f"{report['dropped']} of {report['frames_in']} frames are dropped, and the age of the "
            f"others stays at {report['frame_age_ms']['p50']:.0f} ms "
            f"(p95 {report['frame_age_ms']['p95']:.0f} ms)."
        )
    if "long" in relays:
        long = relays["long"]
        text += f" Over {long['seconds'] / 60:.0f} minutes"
        for key, unit in (("added_growth_ms", "ms"), ("memory_growth_mb", "MB")):
            if long[key]:
                text += (
                    f" {'the floor of latency' if unit == 'ms' else 'and memory'} changes by "
                    f"{long[key]['per_minute']:+.2f} {unit} a minute "
                    f"(standard error {long[key]['standard_error']:.2f})"
                )
        text += "."
    return "\n".join([*rows, "", text])


def draw(result: dict[str, Any], file: Path) -> None:
    """Draw latencies of all relays, and how they went on over minutes, into a PNG."""
    import matplotlib as mpl  # noqa: PLC0415 - slow to import and only for the plot

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    relays = result["relays"]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.0), width_ratios=(1, 1))
    names = [name for name in _NAMES if name in relays][::-1]
    for row, name in enumerate(names):
        added = relays[name]["added_ms"]
        left.barh(row, added["p50"], color=_COLORS[name])
        left.plot([added["p50"], added["p95"]], [row, row], color="#333333", linewidth=1.2)
        left.plot([added["p95"]], [row], "|", color="#333333", markersize=10)
    left.set_yticks(range(len(names)), [_NAMES[name] for name in names])
    left.set_xlabel("ms added between two RTSP servers: p50, line to p95")
    long = relays.get("long")
    if long is not None:
        minutes, added_ms = zip(*long["added_ms_by_time"], strict=True)
        right.plot([second / 60 for second in minutes], added_ms, color="#228833")
        minutes, floor_ms = zip(*long["added_floor_ms_by_time"], strict=True)
        right.plot([second / 60 for second in minutes], floor_ms, color="#228833", linestyle=":")
        right.set_ylim(0, max(added_ms) * 1.3)
        right.set_ylabel("ms added: median, floor", color="#228833")
        memory = right.twinx()
        minutes, used_mb = zip(*long["memory_mb_by_time"], strict=True)
        memory.plot([second / 60 for second in minutes], used_mb, color="#4477aa")
        memory.set_ylim(0, max(used_mb) * 1.3)
        memory.set_ylabel("MB resident", color="#4477aa")
        memory.spines[["top"]].set_visible(False)
    else:
        right.set_visible(False)
    right.set_xlabel("minutes")
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(file, dpi=130)
    plt.close(figure)
