"""`run_stream.py doctor`."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from rich.console import Console

from stream.doctor.examination import examine
from stream.findings import Finding, Section, show


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
def doctor(*, as_json: bool) -> int:
    """Say whether this machine can run facestream, and how to mend what cannot.

    Looks at packages, cameras, codecs, GPU and models, runs the model on every device and asks
    ONNX Runtime which one did the work. Changes nothing, downloads nothing. Exits with 0 if the
    default job can run, 1 if not.
    """
    console = Console(highlight=False)
    sections = []
    for section in examine():
        sections.append(section)
        if not as_json:
            show(section, console)
    failed = any(section.failed for section in sections)
    if as_json:
        click.echo(json.dumps(to_json(sections), indent=2))
    else:
        show(Section("Verdict", (verdict(sections),)), console)
    return int(failed)


def to_json(sections: list[Section]) -> dict[str, object]:
    """Plain values; `ok` says whether the default job can run."""
    return {
        "ok": not any(section.failed for section in sections),
        "sections": [asdict(section) for section in sections],
    }


def verdict(sections: list[Section]) -> Finding:
    """The last line."""
    findings = [finding for section in sections for finding in section.findings]
    fails = sum(finding.verdict == "fail" for finding in findings)
    warns = sum(finding.verdict == "warn" for finding in findings)
    if fails:
        return Finding("doctor", "fail", f"the default job cannot run: {fails} to mend, see above")
    if warns:
        says = f"the default job can run; {warns} could be better, see above"
        return Finding("doctor", "warn", says)
    return Finding("doctor", "ok", "the default job can run")
