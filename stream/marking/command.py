"""`run_stream.py verify FILE`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from stream.findings import Finding, Section, show
from stream.marking.verification import Verdict, Verification
from stream.marking.verification import verify as look

EXIT_CODES: dict[Verdict, int] = {"synthetic": 0, "unmarked": 1, "tampered": 3}
_WORDS: dict[Verdict, str] = {
    "synthetic": "synthetic: marked, and nothing speaks against the marks",
    "unmarked": "no mark found: not made by facestream, or its marks were removed",
    "tampered": "changed after it was signed, or its signature is broken",
}
_DECLARED_ONLY = "said to be synthetic by its metadata alone: no swapped face was recognized in it"


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
@click.option(
    "--trust",
    type=click.Path(path_type=Path),
    metavar="CA.pem",
    help="Certificates of issuers whose signatures are to be trusted.",
)
@click.option(
    "--frames",
    type=click.IntRange(1),
    default=500,
    show_default=True,
    help="Search at most so many frames for the watermark.",
)
def verify(file: Path, trust: Path | None, frames: int, *, as_json: bool) -> int:
    """Say which marks of synthetic media a video or a picture carries.

    Exits with 0 if it is marked as synthetic, 1 if no mark was found, 3 if it was changed after
    it was signed, 2 if it cannot be read.
    """
    found = look(file, trust, frames)
    if as_json:
        click.echo(json.dumps(to_json(file, found), indent=2))
    else:
        console = Console(highlight=False)
        show(Section(str(file), tuple(findings(found))), console)
        declared_only = found.verdict == "synthetic" and not found.shows_swap
        console.print(_DECLARED_ONLY if declared_only else _WORDS[found.verdict])
    return EXIT_CODES[found.verdict]


def to_json(file: Path, found: Verification) -> dict[str, Any]:
    """Everything that was found, as plain values."""
    return {
        "file": str(file),
        "verdict": found.verdict,
        "metadata": {"synthetic": found.declared, "entries": dict(found.metadata)},
        "signature": None if found.signature is None else asdict(found.signature),
        "watermark": {
            "found": found.watermarked,
            "frames": found.frames,
            "faces": [asdict(trace) | {"marked": trace.marked} for trace in found.traces],
        },
    }


def findings(found: Verification) -> Iterator[Finding]:
    """One line for each kind of mark."""
    if found.declared:
        comment = found.metadata.get("comment") or found.metadata.get("title") or "synthetic media"
        yield Finding("metadata", "ok", comment)
    else:
        yield Finding("metadata", "note", "does not say that it is synthetic")
    yield _signature(found)
    yield _watermark(found)


def _signature(found: Verification) -> Finding:
    signature = found.signature
    if signature is None:
        return Finding(
            "signature",
            "note",
            "not read: c2pa-python is missing",
            "pip install 'facestream[sign]'",
        )
    if signature.state == "none":
        marked = found.declared or found.watermarked
        says = "none: it was never signed, or the signature was removed" if marked else "none"
        return Finding("signature", "note", says)
    if signature.state == "invalid":
        return Finding("signature", "fail", f"does not hold: {', '.join(signature.problems)}")
    who = f"by {signature.signer or 'somebody'}, made with {signature.tool or 'an unknown tool'}"
    sources = f", from {', '.join(signature.ingredients)}" if signature.ingredients else ""
    synthetic = "synthetic" if signature.synthetic else "not said to be synthetic"
    if signature.state == "trusted":
        return Finding("signature", "ok", f"valid and trusted, {who}{sources}: {synthetic}")
    return Finding(
        "signature",
        "ok",
        f"valid, {who}{sources}: {synthetic}; the signer is not known to be who the name says",
        "give the issuer's certificate: --trust CA.pem",
    )


def _watermark(found: Verification) -> Finding:
    if not found.traces:
        return Finding("watermark", "note", f"no face seen in {found.frames} frames to look into")
    best = found.traces[0]
    if best.marked:
        return Finding(
            "watermark",
            "ok",
            f"found in {sum(trace.marked for trace in found.traces)} of {len(found.traces)} faces "
            f"(score {best.score:.1f} over {best.frames} frames; by chance less than once in "
            f"{1 / max(best.chance, 1e-99):.0e})",
        )
    return Finding(
        "watermark",
        "note",
        f"not found in {len(found.traces)} faces, {found.frames} frames (score {best.score:.1f})",
    )
