from __future__ import annotations

import pytest

from stream.doctor import job
from stream.doctor.job import Facts


@pytest.mark.parametrize(
    ("facts", "verdict", "says"),
    [
        (Facts(5, 5, 0.7, "cpu"), "ok", "5 faces swapped on cpu in 0.70 s"),
        (Facts(5, 0, 0.7, "cpu"), "fail", "no face was found"),
        (Facts(problem="model maro: damaged"), "fail", "model maro: damaged"),
    ],
)
def test_how_the_job_went(facts: Facts, verdict: str, says: str) -> None:
    (found,) = job.judge(facts)
    assert found.verdict == verdict
    assert says in found.says
    assert bool(found.fix) == (verdict == "fail")
