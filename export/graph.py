"""A network as an ONNX graph, node by node.

The networks are made of six operators, so the graph is written directly: it has no node
too many, it needs no tracing exporter, and it is there in milliseconds. That it computes
the same as torch is not assumed but checked, see `export.onnx`.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from export.model import LEAK, Decoder, Downscale, FaceSwapper, Residual, Side, Upscale

OPSET: Final = 18
# The oldest that can hold this opset, so that older runtimes load the file.
_IR_VERSION: Final = 8


def build_graph(network: FaceSwapper, side: Side) -> onnx.ModelProto:
    """Encoder and one decoder with float32 weights.

    Args:
        network: on the CPU, not changed.
        side: whose decoder.

    Returns:
        Model with input `face` (batch, 3, S, S) and outputs `swapped` (batch, 3, T, T) and,
        if the plan has a mask, `mask` (batch, 1, T, T).
    """
    plan = network.plan
    graph = _Graph(keras_order=plan.keras_order)
    x = "face"
    for downscale in network.encoder.downscales:
        assert isinstance(downscale, Downscale)
        # Of the odd total padding TensorFlow puts the larger half after.
        pads = [1, 1, 2, 2] if plan.keras_order else [2, 2, 2, 2]
        x = graph.leaky(graph.conv(x, downscale.conv, pads, stride=2))
    x = graph.bottleneck(x, network)
    x = graph.upscale(x, network.encoder.upscale)
    decoder = network.decoders[side]
    assert isinstance(decoder, Decoder)
    for layer in decoder.upscales:
        if isinstance(layer, Upscale):
            x = graph.upscale(x, layer)
        else:
            assert isinstance(layer, Residual)
            x = graph.residual(x, layer)
    x = graph.conv(x, decoder.head, [plan.head_kernel // 2] * 4)
    if plan.head_upscale:
        x = graph.shuffle(x)
    outputs = ["swapped"]
    if plan.mask:
        outputs.append("mask")
        shares = graph.constant(np.array([3, 1]))
        graph.add("Split", [graph.add("Sigmoid", [x]), shares], outputs, axis=1)
    else:
        graph.add("Sigmoid", [x], outputs)
    return graph.model(plan.input_size, plan.output_size, outputs)


class _Graph:
    """Collects nodes and weights; every method returns the name of its result."""

    def __init__(self, *, keras_order: bool) -> None:
        self.keras_order = keras_order
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[TensorProto] = []

    def add(
        self, operator: str, inputs: list[str], outputs: list[str] | None = None, **attributes: Any
    ) -> str:
        names = outputs or [f"{operator.lower()}_{len(self.nodes)}"]
        self.nodes.append(helper.make_node(operator, inputs, names, **attributes))
        return names[0]

    def constant(self, values: NDArray[Any]) -> str:
        name = f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _parameters(self, layer: nn.Conv2d | nn.Linear) -> list[str]:
        assert layer.bias is not None
        return [self.constant(part.detach().numpy()) for part in (layer.weight, layer.bias)]

    def conv(self, x: str, layer: nn.Conv2d, pads: list[int], stride: int = 1) -> str:
        strides = [stride, stride]
        return self.add("Conv", [x, *self._parameters(layer)], pads=pads, strides=strides)

    def leaky(self, x: str) -> str:
        return self.add("LeakyRelu", [x], alpha=LEAK)

    def shuffle(self, x: str) -> str:
        mode = "DCR" if self.keras_order else "CRD"
        return self.add("DepthToSpace", [x], blocksize=2, mode=mode)

    def upscale(self, x: str, layer: Upscale) -> str:
        return self.shuffle(self.leaky(self.conv(x, layer.conv, [1, 1, 1, 1])))

    def residual(self, x: str, layer: Residual) -> str:
        y = self.leaky(self.conv(x, layer.first, [1, 1, 1, 1]))
        y = self.conv(y, layer.second, [1, 1, 1, 1])
        return self.leaky(self.add("Add", [x, y]))

    def bottleneck(self, x: str, network: FaceSwapper) -> str:
        size, channels = network.plan.bottleneck_size, network.plan.encoder[-1]
        if self.keras_order:
            x = self.add("Transpose", [x], perm=[0, 2, 3, 1])
        x = self.add("Flatten", [x])
        for layer in (network.encoder.squeeze, network.encoder.expand):
            x = self.add("Gemm", [x, *self._parameters(layer)], transB=1)
        shape = [size, size, channels] if self.keras_order else [channels, size, size]
        x = self.add("Reshape", [x, self.constant(np.array([-1, *shape]))])
        return self.add("Transpose", [x], perm=[0, 3, 1, 2]) if self.keras_order else x

    def model(self, input_size: int, output_size: int, outputs: list[str]) -> onnx.ModelProto:
        def value(name: str, channels: int, size: int) -> onnx.ValueInfoProto:
            shape: list[str | int | None] = ["batch", channels, size, size]
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

        graph = helper.make_graph(
            self.nodes,
            "facestream",
            [value("face", 3, input_size)],
            [value(name, 1 if name == "mask" else 3, output_size) for name in outputs],
            self.weights,
        )
        return helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=_IR_VERSION,
            producer_name="facestream",
        )
