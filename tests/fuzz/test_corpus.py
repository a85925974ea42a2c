"""Damaged and hostile inputs: a result or one line, never a traceback, a crash or a hang."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from tests.fuzz.corpus import FOUND_BUGS, corpus
from tests.fuzz.judge import ROOT, judge
from tests.fuzz.kinds import INPUTS, NEED_TORCH
from tests.fuzz.mutate import mutated


@pytest.mark.timeout(400)  # Children compile and load everything anew, on a machine of any speed.
@pytest.mark.parametrize("torch", [False, True], ids=["engine and stream", "checkpoints"])
def test_no_input_gets_more_than_one_line(torch: bool) -> None:
    if torch and find_spec("torch") is None:
        pytest.skip("checkpoints need PyTorch: pip install -e '.[train]'")
    wanted = {name: numbers for name, numbers in corpus().items() if (name in NEED_TORCH) == torch}
    verdicts = list(judge(wanted))
    failed = [
        f"{each.kind} {each.number}: {each.outcome}: {each.message}"
        for each in verdicts
        if each.failed
    ]
    assert not failed, "\n".join(failed)
    assert len(verdicts) == sum(map(len, wanted.values()))
    assert {each.kind for each in verdicts if each.outcome == "refused"} or torch


def test_each_kind_of_input_is_in_the_corpus() -> None:
    assert corpus().keys() == INPUTS.keys()
    assert sum(INPUTS.values()) >= 10_000
    for name, numbers in FOUND_BUGS.items():
        assert set(numbers) <= set(corpus()[name])


def test_the_same_number_is_the_same_input() -> None:
    seeds = [bytes(range(256)) * 4, b"another"]
    made = [mutated(seeds, [b"word"], "kind", number) for number in range(200)]
    assert made == [mutated(seeds, [b"word"], "kind", number) for number in range(200)]
    assert len(set(made)) > 150


def test_a_large_parent_is_not_held_against_an_input() -> None:
    large = np.ones(400 << 20, np.uint8)
    command = [sys.executable, "-c", "from tests.fuzz.child import peak_mib; print(peak_mib())"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert 10 < int(done.stdout) < 400
    assert large[-1]
