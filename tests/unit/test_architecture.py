"""The walls of the house: who may import whom."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("engine", "stream", "export")
FILES = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))


def statements(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All of a block, wherever they are nested, without their expressions."""
    for node in body:
        yield node
        for block in ("body", "handlers", "orelse", "finalbody", "cases"):
            yield from statements(getattr(node, block, ()))


@cache
def imported(file: Path) -> frozenset[str]:
    names: set[str] = set()
    for node in statements(ast.parse(file.read_text(encoding="utf-8")).body):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module)
    return frozenset(names)


@cache
def tops(file: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(file)}


def names(files: list[Path]) -> set[str]:
    return {str(file.relative_to(ROOT)) for file in files}


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [
        ("engine", {"stream", "export", "benchmarks", "run_stream"}),
        ("stream", {"export", "benchmarks", "run_stream"}),
        ("export", {"benchmarks", "run_stream"}),
    ],
)
def test_import_direction(package: str, forbidden: set[str]) -> None:
    for file in (ROOT / package).rglob("*.py"):
        assert not tops(file) & forbidden, file


def test_training_uses_nothing_of_the_stream_but_its_sources() -> None:
    for file in (ROOT / "export").rglob("*.py"):
        used = {name for name in imported(file) if name.split(".")[0] == "stream"}
        assert all(f"{name}.".startswith("stream.sources.") for name in used), (file, used)


def test_only_sessions_import_onnxruntime() -> None:
    importers = [file for file in FILES if "onnxruntime" in tops(file)]
    allowed = ("engine/session.py", "engine/execution/", "export/")
    assert "engine/session.py" in names(importers)
    assert all(name.startswith(allowed) for name in names(importers))


def test_only_one_file_of_the_stream_imports_mediapipe() -> None:
    importers = names([file for file in FILES if "mediapipe" in tops(file)])
    assert {name for name in importers if not name.startswith("export/")} == {"engine/landmarks.py"}


def test_only_training_imports_torch() -> None:
    importers = names([file for file in FILES if "torch" in tops(file)])
    assert all(name.startswith("export/") for name in importers)


def test_only_sources_and_sinks_import_av() -> None:
    importers = names([file for file in FILES if tops(file) & {"av", "socket", "pyvirtualcam"}])
    allowed = ("stream/sources/", "stream/sinks/", "stream/web/", "export/")
    assert all(name.startswith(allowed) for name in importers)


def test_only_the_panel_imports_web_frameworks() -> None:
    frameworks = {"fastapi", "starlette", "uvicorn", "aiortc", "prometheus_client"}
    importers = names([file for file in FILES if tops(file) & frameworks])
    assert all(name.startswith("stream/web/") for name in importers)


def test_the_engine_knows_no_thread_and_no_clock() -> None:
    for file in (ROOT / "engine").rglob("*.py"):
        # One guards the process-wide stderr; the other serves threads of others, and starts none.
        if file.name not in {"landmarks.py", "gathering.py"}:
            assert not tops(file) & {"threading", "time", "asyncio", "multiprocessing"}, file


def test_no_file_is_too_long_to_read() -> None:
    tests = sorted((ROOT / "tests").rglob("*.py"))
    for file in [*FILES, *tests, ROOT / "run_stream.py"]:
        assert len(file.read_text(encoding="utf-8").splitlines()) <= 400, file
