"""All parts, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO

from engine.libraries import explain
from stream.findings import Finding, Section

PARTS = {
    "Machine": "machine",
    "Packages": "packages",
    "Video": "video",
    "GPU": "gpu",
    "Inference": "inference",
    "Models": "models",
    "Job": "job",
}
"""Name of the section to the module beside this one."""


def examine() -> Iterator[Section]:
    """Look at one part after the other.

    A part is imported when it is its turn, so that a library that cannot be loaded costs the
    parts that need it and no others.

    Yields:
        Sections, as they are ready.
    """
    for name, module in PARTS.items():
        yield Section(name, tuple(_findings(name, module)))


def _findings(name: str, module: str) -> list[Finding]:
    try:
        # Libraries talk while they are loaded, and standard output may be JSON.
        with redirect_stdout(StringIO()):
            found: list[Finding] = import_module(f"stream.doctor.{module}").examine()
    except Exception as error:  # noqa: BLE001 - whatever is broken here is what is looked for
        reason = explain(error) or f"{type(error).__name__}: {' '.join(str(error).split())}"
        says, _, fix = reason.partition("; on Debian or Ubuntu: ")
        return [Finding(name.lower(), "fail", says, fix)]
    return found
