from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from stream.doctor import command, examination
from stream.doctor.command import doctor, to_json, verdict
from stream.findings import Finding, Section, Verdict

Pretend = Callable[[Callable[[], list[Finding]]], None]


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Pretend:
    """Replace all parts by one."""

    def pretend(examine: Callable[[], list[Finding]]) -> None:
        monkeypatch.setattr(examination, "PARTS", {"Part": "part"})
        part = SimpleNamespace(examine=examine)
        monkeypatch.setattr(examination, "import_module", lambda _name: part)

    return pretend


def section(*verdicts: Verdict) -> Section:
    return Section("Part", tuple(Finding("thing", verdict, "says") for verdict in verdicts))


def test_every_part_exists() -> None:
    for module in examination.PARTS.values():
        assert callable(import_module(f"stream.doctor.{module}").examine)


def test_a_part_that_breaks_fails_alone(pretend: Pretend) -> None:
    def broken() -> list[Finding]:
        raise RuntimeError("odd\n  thing")

    pretend(broken)
    (found,) = examination.examine()
    assert found.failed
    assert found.findings[0].says == "RuntimeError: odd thing"


def test_a_missing_library_is_explained_with_its_package(
    pretend: Pretend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> list[Finding]:
        raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")

    monkeypatch.setattr("engine.libraries.missing", lambda: {"libGL.so.1": "libgl1"})
    pretend(broken)
    (found,) = examination.examine()
    assert "libGL.so.1" in found.findings[0].says
    assert found.findings[0].fix == "apt-get install -y libgl1"


def test_what_libraries_print_stays_out_of_the_json(pretend: Pretend) -> None:
    def chatty() -> list[Finding]:
        print("Failed to load libcudart.so")  # noqa: T201
        return [Finding("thing", "ok", "says")]

    pretend(chatty)
    result = CliRunner().invoke(doctor, ["--json"], standalone_mode=False)
    assert json.loads(result.stdout) == {
        "ok": True,
        "sections": [
            {
                "name": "Part",
                "findings": [{"subject": "thing", "verdict": "ok", "says": "says", "fix": ""}],
            }
        ],
    }


@pytest.mark.parametrize(
    ("verdicts", "code", "last"),
    [
        (("ok", "note"), 0, "ok"),
        (("ok", "warn", "warn"), 0, "warn"),
        (("warn", "fail"), 1, "fail"),
    ],
)
def test_the_exit_code_says_whether_the_default_job_can_run(
    verdicts: tuple[Verdict, ...],
    code: int,
    last: Verdict,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(command, "examine", lambda: iter([section(*verdicts)]))
    result = CliRunner().invoke(doctor, [], standalone_mode=False)
    assert result.return_value == code
    assert "Part" in result.stdout
    assert verdict([section(*verdicts)]).verdict == last
    assert to_json([section(*verdicts)])["ok"] == (code == 0)
