from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.peers import page, skin_rule
from benchmarks.peers.command import non_network, ratios
from benchmarks.peers.loops import inversions
from engine.skin import skin_mask


def result() -> dict[str, Any]:
    steps = {"detect": 400.0, "landmarks": 3.0, "crop": 1.0, "network": 30.0, "blend": 60.0}
    return {
        "clip": "demo",
        "machine": {"threads": 2, "processor": "a processor", "date": "2026-01-01"},
        "network_ms": {"fp32": {"2 threads": 32.0, "2 threads, 8 faces at once": 25.0}},
        "classic": {
            "as_shipped": {"fps": 2.0, "steps_ms": steps},
            "faces_known": {"fps": 10.0, "steps_ms": steps},
            "faces_known_seamless": {"fps": 8.0, "steps_ms": steps},
        },
        "serial": {"fps": 16.0, "steps_ms": {"network": 40.0, "swap": 1.0, "blend": 3.0}},
        "processes": {"fps": 12.0},
        "ours": {"fps": 20.0},
        "ours_wide": {"fps": 24.0},
        "ours_8_bit": {"fps": 50.0},
        "live": {
            name: {
                "captured": 240,
                "dropped": 100,
                "inversions": 9 if name == "futures" else 0,
                "age_ms": {"p50": 80.0, "p95": 120.0, "p99": 130.0},
                "age_ms_by_second": [(0, 60.0), (1, 90.0)],
            }
            for name in ("futures", "ours")
        },
    }


def test_ratios_and_what_the_network_alone_allows() -> None:
    found = ratios(result())
    assert found["classic_as_shipped"] == 12
    assert found["classic_faces_known"] == pytest.approx(2.4)
    assert found["most_that_the_network_allows"] == pytest.approx(1000 / 25 / 10)
    assert [goal["met"] for goal in found["goals"].values()] == [True, False]


def test_cost_beside_the_network_counts_neither_it_nor_finding_faces() -> None:
    cost = non_network(result())
    assert cost["classic_faces_known"] == 61
    assert cost["ours"] == 4


def test_the_page_says_what_was_measured_and_that_the_others_are_recreations() -> None:
    measured = result()
    measured |= {"ratios": ratios(measured), "non_network_ms": non_network(measured)}
    text = page.markdown(measured)
    assert "| **facestream**, `--threads 4` | 24.0 | 1.0 x |" in text
    assert "| 2.0 | 12.0 x |" in text
    assert "not the projects themselves" in text


def test_an_older_picture_after_a_newer_one_is_an_inversion() -> None:
    assert inversions([0, 1, 2, 3]) == 0
    assert inversions([0, 2, 1, 3, 5, 4]) == 2


def test_the_skin_rule_as_array_expressions_is_the_same_rule() -> None:
    colors = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    colors[:100] = np.array([150, 170, 220]) + colors[:100] // 8  # flashlight, too
    assert np.array_equal(skin_rule.numpy_kovac(colors), skin_mask(colors))
