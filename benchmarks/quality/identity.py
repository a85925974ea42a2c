"""A network that answers with what it was asked."""

from __future__ import annotations

from pathlib import Path

from engine.swap import CONTRACT


def write_identity(path: Path, size: int) -> Path:
    """Write an ONNX model whose output is its input.

    It keeps the contract of `engine.swap`, so it runs wherever a trained model does.

    Args:
        path: file to write.
        size: side of input and output in pixels, 16 to 1024.

    Returns:
        The path.
    """
    import onnx  # noqa: PLC0415 - of the dev extra, and only for this trial
    from onnx import TensorProto, helper  # noqa: PLC0415

    shape: list[str | int | None] = ["batch", 3, size, size]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["face"], ["swapped"])],
        "identity",
        [helper.make_tensor_value_info("face", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("swapped", TensorProto.FLOAT, shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    says = {
        "contract": CONTRACT,
        "name": "identity",
        "persona": "whoever is in the frame",
        "licence": "MIT",
        "consent": "not needed: nothing is changed",
        "input_size": str(size),
        "output_size": str(size),
        "color_order": "RGB",
        "range": "0..1",
        "alignment": "facestream-full-26",
    }
    helper.set_model_props(model, {f"facestream.{key}": value for key, value in says.items()})
    onnx.save(model, path)
    return path
