"""An inspection for people and for machines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from engine.contracts import PREFIX
from engine.onnx_file import OnnxFile, Tensor
from stream.findings import Finding, Section, Verdict, listed
from stream.inspection.examination import Inspection

_LONGEST = 120


def sections(found: Inspection) -> list[Section]:
    """Lines for the terminal."""
    model = found.model
    return [
        Section("File", tuple(_file(found))),
        Section("Tensors", tuple(_tensors(model))),
        Section("Metadata", tuple(_metadata(model))),
        Section("Answers", tuple(_answers(found))),
        Section("Speed", tuple(_speed(found))),
        Section("Verdict", tuple(_verdict(found))),
    ]


def to_json(found: Inspection) -> dict[str, Any]:
    """Plain values with everything."""
    model, contract = found.model, found.contract
    return {
        "path": str(model.path),
        "file_bytes": model.file_bytes,
        "contract": asdict(contract),
        "ir_version": model.ir_version,
        "producer": model.producer,
        "opsets": {domain or "ai.onnx": version for domain, version in model.opsets.items()},
        "operators": {
            f"{domain}:{name}" if domain else name: count
            for (domain, name), count in model.operators.most_common()
        },
        "custom_operators": model.custom_operators,
        "inputs": [asdict(tensor) for tensor in model.inputs],
        "outputs": [asdict(tensor) for tensor in model.outputs],
        "weights": {dtype: asdict(weights) for dtype, weights in model.weights.items()},
        "external_data": sorted(model.external),
        "metadata": model.metadata,
        "answers": [asdict(answer) for answer in found.answers],
        "batch_difference": found.batch_difference,
        "devices": {
            trial.device: {
                "problem": trial.problem,
                "executed": {name: asdict(share) for name, share in trial.executed.items()},
                "latency_by_threads": {
                    str(threads): asdict(latency) for threads, latency in trial.latency.items()
                },
            }
            for trial in found.trials
        },
        "busy": found.busy,
        "problems": list(found.problems),
    }


def _file(found: Inspection) -> Iterable[Finding]:
    model, contract = found.model, found.contract
    parameters = sum(weights.parameters for weights in model.weights.values())
    says = f"{contract.title}; {contract.layout}"
    yield Finding("contract", "ok" if contract.supported else "fail", says)
    yield Finding(
        "size", "fact", f"{model.file_bytes / 1e6:.1f} MB, {_count(parameters)} parameters"
    )
    opsets = listed(f"{name or 'ONNX'} {version}" for name, version in model.opsets.items())
    by = f", by {model.producer}" if model.producer else ""
    yield Finding("operator set", "fact", f"{opsets}, IR version {model.ir_version}{by}")
    operators = listed(f"{count} {name}" for (_, name), count in model.operators.most_common(6))
    more = len(model.operators) - 6
    rest = f" and {more} more kinds" if more > 0 else ""
    yield Finding("operators", "fact", operators + rest)
    if model.external:
        bad = model.external_outside or model.external_missing
        verdict: Verdict = "fail" if bad else "ok"
        yield Finding("external data", verdict, listed(sorted(model.external)))


def _tensors(model: OnnxFile) -> Iterable[Finding]:
    for kind, tensors in (("input", model.inputs), ("output", model.outputs)):
        for tensor in tensors:
            yield Finding(f"{kind} {tensor.name}", "fact", f"{_shape(tensor)} {tensor.dtype}")
    for dtype, weights in model.weights.items():
        says = f"{_count(weights.parameters)} stored as {dtype}"
        if weights.largest:
            says += f", largest {weights.largest:.3g}"
        if weights.not_finite:
            says += f", {weights.not_finite} infinite or no numbers"
        yield Finding("weights", "fail" if weights.not_finite else "fact", says)


def _metadata(model: OnnxFile) -> Iterable[Finding]:
    for key, value in sorted(model.metadata.items()):
        short = value if len(value) <= _LONGEST else f"{value[: _LONGEST - 3]}..."
        yield Finding(key.removeprefix(PREFIX), "fact", short)
    if not model.metadata:
        yield Finding("metadata", "note", "none")


def _answers(found: Inspection) -> Iterable[Finding]:
    if not found.answers:
        yield Finding("answers", "note", "not run")
    for output in dict.fromkeys(answer.output for answer in found.answers):
        mine = [answer for answer in found.answers if answer.output == output]
        broken = sum(answer.not_finite for answer in mine)
        says = listed(f"{answer.picture} {answer.low:.3f}..{answer.high:.3f}" for answer in mine)
        if broken:
            says += f"; {broken} values are no numbers"
        yield Finding(output, "fail" if broken else "ok", says)
    if found.batch_difference is not None:
        says = f"a batch of faces and each alone differ by {found.batch_difference:.1g} at most"
        yield Finding("batch", "ok", says)


def _speed(found: Inspection) -> Iterable[Finding]:
    if not found.trials:
        yield Finding("speed", "note", "not run")
    for trial in found.trials:
        if trial.problem:
            yield Finding(trial.device, "note", trial.problem)
            continue
        proof = listed(f"{share.nodes} nodes by {name}" for name, share in trial.executed.items())
        for threads, latency in trial.latency.items():
            says = f"{latency.median_ms:.2f} ms, p95 {latency.p95_ms:.2f} ms ({latency.runs} runs)"
            if trial.device == "cpu":
                says += f", {threads} {'thread' if threads == 1 else 'threads'}"
            yield Finding(trial.device, "ok", f"{says}; {proof}")
    if found.busy and found.trials:
        says = "other programs use the processors: on a quiet machine these times are shorter"
        yield Finding("busy", "warn", says)


def _verdict(found: Inspection) -> Iterable[Finding]:
    for problem in found.problems:
        yield Finding("wrong", "fail", problem)
    if not found.problems:
        fix = f"python run_stream.py talk.mp4 --model {found.model.path}"
        yield Finding("model", "ok", "a run can use it", fix)


def _shape(tensor: Tensor) -> str:
    return " x ".join("?" if size is None else str(size) for size in tensor.shape) or "scalar"


def _size(number: int) -> str:
    return f"{number / 1e6:.1f} MB" if number >= 100_000 else f"{number / 1e3:.1f} kB"


def _count(number: int) -> str:
    if number >= 1_000_000:
        return f"{number / 1e6:.2f} million"
    return f"{number:,}"
