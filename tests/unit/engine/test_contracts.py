from __future__ import annotations

from pathlib import Path

import pytest

from engine.contracts import MOST_NUMBERS, missing_keys, recognize, refusals
from engine.onnx_file import OnnxFile, Shape, Tensor

Tensors = dict[str, Shape]


def model(inputs: Tensors, outputs: Tensors, **metadata: str) -> OnnxFile:
    return OnnxFile(
        Path("m.onnx"),
        0,
        inputs=[Tensor(name, "float32", shape) for name, shape in inputs.items()],
        outputs=[Tensor(name, "float32", shape) for name, shape in outputs.items()],
        metadata=metadata,
    )


PICTURE: Shape = (None, 224, 224, 3)
MASK: Shape = (None, 224, 224, 1)
DFM: Tensors = {"out_face_mask:0": MASK, "out_celeb_face:0": PICTURE, "out_celeb_face_mask:0": MASK}


@pytest.mark.parametrize(
    ("inputs", "outputs", "key", "layout"),
    [
        ({"face": ("batch", 3, 64, 64)}, {"swapped": ()}, "facestream", "NCHW, RGB"),
        ({"in_face:0": PICTURE}, DFM, "dfm", "NHWC, BGR, 0..1, 224 px"),
        ({"in_face:0": PICTURE, "morph_value:0": (1,)}, DFM, "dfm-amp", "224 px"),
        ({"in_face:0": PICTURE}, {"out_mask:0": MASK}, "xseg", "224 px"),
        ({"in_face:0": PICTURE}, {"odd": MASK}, "deepfacelab", "224 px"),
        (
            {"target": (1, 3, 128, 128), "source": (1, 512)},
            {"output": (1, 3, 128, 128)},
            "inswapper",
            "128 px, with a 512 number identity vector",
        ),
        ({"source": (1, 512), "target": (1, 3, 256, 256)}, {"o": ()}, "hyperswap", "256 px"),
        ({"source": (1, 512), "target": (1, 3, 512, 512)}, {"o": ()}, "one-shot", "512 px"),
        ({"source": (1, 3, 112, 112), "target": (1, 3, 64, 64)}, {"o": ()}, "one-shot", "picture"),
        ({"input.1": (None, 3, 112, 112)}, {"683": (1, 512)}, "embedding", "NCHW, 112 px"),
        ({"input": (1, 3, 512, 512)}, {"o": (1, 3, 512, 512)}, "picture", "NCHW, 512 px"),
        ({"input": (1, None, None, 3)}, {"o": (1, None, None, 3)}, "picture", "NHWC"),
        ({"a": (1, 7)}, {"b": (1, 7)}, "unknown", "see its tensors"),
        ({}, {"b": (1, 7)}, "unknown", "see its tensors"),
    ],
)
def test_contracts_by_their_tensors(
    inputs: Tensors, outputs: Tensors, key: str, layout: str
) -> None:
    contract = recognize(model(inputs, outputs))
    assert contract.key == key
    assert layout in contract.layout
    assert contract.supported == (key == "facestream")


def test_our_metadata_counts_more_than_names() -> None:
    named = model({"picture": (1, 3, 64, 64)}, {"o": ()}, **{"facestream.contract": "1"})
    assert recognize(named).supported


def test_missing_keys_are_named() -> None:
    missing = missing_keys({"facestream.contract": "1", "facestream.name": "x"})
    assert "facestream.alignment" in missing
    assert "facestream.name" not in missing
    assert len(missing) == 8


def test_ordinary_models_are_not_refused() -> None:
    assert refusals(model({"face": (None, 3, 64, 64)}, {"swapped": (None, 3, 128, 128)})) == []


def test_models_that_need_foreign_code_files_or_absurd_tensors_are_refused(tmp_path: Path) -> None:
    bad = model({"face": (MOST_NUMBERS, 2)}, {})
    bad.path = tmp_path / "m.onnx"
    bad.operators["odd", "Mine"] = 1
    bad.external = {"../w.bin", "w.bin"}
    reasons = refusals(bad)
    assert len(reasons) == 4
    for word in ("odd:Mine", "../w.bin", "w.bin); put them beside it", "(face)"):
        assert any(word in reason for reason in reasons), word
