from __future__ import annotations

from dataclasses import replace

import pytest

from stream.doctor import machine
from stream.doctor.machine import Facts
from stream.findings import Finding

GOOD = Facts(
    system="Linux 6.1",
    machine="x86_64",
    python=(3, 12, 1),
    bits=64,
    translated=False,
    processor="Some Processor",
    features=("AVX2", "AVX-512"),
    threads=8,
    quota=None,
    memory_gib=16.0,
    missing={},
)


def line(facts: Facts, subject: str) -> Finding:
    (found,) = [finding for finding in machine.judge(facts) if finding.subject == subject]
    return found


def test_a_good_machine() -> None:
    assert {finding.verdict for finding in machine.judge(GOOD)} == {"ok"}
    assert line(GOOD, "processor").says == "Some Processor, 8 threads, 16 GiB of memory"
    assert line(GOOD, "instructions").says == "AVX2, AVX-512"


def test_python_too_old() -> None:
    found = line(replace(GOOD, python=(3, 10, 12)), "python")
    assert found.verdict == "fail"
    assert "3.10.12, 3.11 or later" in found.says


def test_python_of_32_bits() -> None:
    assert line(replace(GOOD, bits=32), "python").verdict == "fail"


def test_emulated_python_on_an_arm_processor() -> None:
    found = line(replace(GOOD, system="Darwin 25", translated=True), "python")
    assert found.verdict == "warn"
    assert "emulated" in found.says
    assert "arm64 Python" in found.fix


def test_missing_libraries_are_named_with_their_packages() -> None:
    missing = {"libGL.so.1": "libgl1", "libxcb.so.1": "libgl1", "libEGL.so.1": "libegl1"}
    found = line(replace(GOOD, missing=missing), "system libraries")
    assert found.verdict == "fail"
    assert "libEGL.so.1, libGL.so.1, libxcb.so.1" in found.says
    assert found.fix == "sudo apt-get install -y libegl1 libgl1"


def test_processor_without_avx2() -> None:
    found = line(replace(GOOD, features=()), "instructions")
    assert found.verdict == "warn"
    assert "-cpu host" in found.fix
    assert (
        line(replace(GOOD, machine="aarch64", features=("NEON",)), "instructions").verdict == "ok"
    )


def test_instructions_that_cannot_be_told_are_no_fault() -> None:
    assert line(replace(GOOD, features=None), "instructions").verdict == "note"


def test_container_that_grants_less_than_it_shows() -> None:
    found = line(replace(GOOD, quota=1.5), "processor quota")
    assert found.verdict == "warn"
    assert "1.5 of 8" in found.says
    assert "--threads 1 " in found.fix
    assert all(finding.subject != "processor quota" for finding in machine.judge(GOOD))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("150000 100000\n", 1.5), ("max 100000\n", None), ("", None), ("odd", None)],
)
def test_quota_of_a_control_group(text: str, expected: float | None) -> None:
    assert machine.quota(text) == expected


def test_features_have_their_usual_names() -> None:
    x86 = "processor\t: 0\nmodel name\t: X\nflags\t\t: fpu avx avx2 avx512_vnni amx_int8\n"
    assert machine.features(x86) == ("AVX2", "AVX-512 VNNI", "AMX int8")
    assert machine.features("Features\t: fp asimd bf16\n") == ("NEON", "BF16")
    assert machine.features("") == ()


def test_this_machine_can_be_asked() -> None:
    facts = machine.facts()
    assert facts.threads >= 1
    assert facts.bits == 64
