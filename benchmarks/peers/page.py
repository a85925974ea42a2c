"""The comparison for people: a table for the README, and a plot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.peers.network import network_case
from stream.run import BATCH_FRAMES


def markdown(result: dict[str, Any]) -> str:
    """The comparison as Markdown, with what it does and does not show."""
    classic, network = result["classic"], result["network_ms"]["fp32"]
    machine, ratios, cost = result["machine"], result["ratios"], result["non_network_ms"]
    live = result["live"]
    sides = [
        (f"**facestream**, `--threads {2 * machine['threads']}`", result["ours_wide"]["fps"]),
        ("facestream", result["ours"]["fps"]),
        ("facestream, the network with 8-bit weights", result["ours_8_bit"]["fps"]),
        ("our engine, all on one thread", result["serial"]["fps"]),
        ("our engine, a process for each stage, pickled frames", result["processes"]["fps"]),
        ("classic converter 2018, faces known", classic["faces_known"]["fps"]),
        ("the same with seamlessClone", classic["faces_known_seamless"]["fps"]),
        ("classic converter 2018, finding faces in every frame", classic["as_shipped"]["fps"]),
    ]
    fps = result["ours_wide"]["fps"]
    rows = ["| how | fps | facestream is faster by |", "| --- | ---: | ---: |"]
    rows += [f"| {name} | {rate:.1f} | {fps / rate:.1f} x |" for name, rate in sides]
    alone, together = (
        network[network_case(machine["threads"], faces)] for faces in (1, BATCH_FRAMES)
    )
    fairness = (
        f"One face, 720p, `{result['clip']}` to nowhere, {machine['threads']} processors "
        f"({machine['processor']}), {machine['date']}; on every side the `original` network of "
        f"2017 (1.9 GMAC) with random weights in ONNX Runtime, {alone:.0f} ms with all "
        f"processors, {together:.0f} ms where {BATCH_FRAMES} frames go through at once. All but "
        "the rows of facestream are re-creations, written for this comparison from documented "
        "behavior: not the projects themselves, and on today's libraries. With "
        f"this network nobody can be more than {ratios['most_that_the_network_allows']:.1f} times "
        "faster than the classic way with faces known. What is neither network nor finding faces "
        f"takes {cost['classic_faces_known']:.0f} ms a frame there and {cost['ours']:.1f} ms here."
    )
    futures, own = live["futures"], live["ours"]
    disorder = futures["inversions"]
    latency = (
        "Fed in real time with more than the machine can do, a loop that hands every frame to a "
        f"pool and shows what is done was {futures['age_ms_by_second'][-1][1]:.0f} ms late in its "
        f"last second and later with each one{f', {disorder} times out of order' * bool(disorder)}"
        f"; facestream dropped {own['dropped']} of {own['captured']} frames and stayed at "
        f"{own['age_ms']['p50']:.0f} ms (p95 {own['age_ms']['p95']:.0f} ms)."
    )
    return "\n".join([*rows, "", fairness, "", latency])


def draw(result: dict[str, Any], file: Path) -> None:
    """Draw frame rates, and how old live pictures grow, into a PNG."""
    import matplotlib as mpl  # noqa: PLC0415 - slow to import and only for the plot

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    classic = result["classic"]
    rates = {
        "facestream": max(result["ours"]["fps"], result["ours_wide"]["fps"]),
        "facestream, 8 bit": result["ours_8_bit"]["fps"],
        "one thread": result["serial"]["fps"],
        "process a stage": result["processes"]["fps"],
        "classic, faces known": classic["faces_known"]["fps"],
        "classic, seamless": classic["faces_known_seamless"]["fps"],
        "classic as shipped": classic["as_shipped"]["fps"],
    }
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.0), width_ratios=(3, 2))
    names = list(rates)[::-1]
    colors = ["#228833" if name.startswith("facestream") else "#bbbbbb" for name in names]
    bars = left.barh(names, [rates[name] for name in names], color=colors)
    left.bar_label(bars, fmt="%.1f", padding=3)
    left.set_xlabel("frames per second, same clip and network")
    looks = {"futures": ("futures without a bound", "#bbbbbb"), "ours": ("facestream", "#228833")}
    for name, (label, color) in looks.items():
        seconds, ages_ms = zip(*result["live"][name]["age_ms_by_second"], strict=True)
        right.plot(seconds, ages_ms, color=color, label=label)
    right.set_xlabel("seconds of a live stream")
    right.set_ylabel("age of the picture, ms")
    right.set_ylim(bottom=0)
    right.legend(frameon=False)
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(file, dpi=130)
    plt.close(figure)
