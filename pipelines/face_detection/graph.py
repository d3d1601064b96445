"""Runs an ONNX graph of plain convolutions by torch: the six operators that CenterFace is made of.

With it the GPU needs nothing but torch; ONNX Runtime's own CUDA build would have to replace its
CPU build and to match the CUDA libraries that torch brings.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import onnx
import torch
import torch.nn.functional as F  # noqa: N812 - the name that torch itself teaches
from torch import Tensor


@dataclass(frozen=True)
class _Step:
    """One operator: what it reads, what it writes, and what nobody reads after it."""

    operator: Callable[..., Tensor]
    inputs: tuple[str, ...]
    output: str
    spent: frozenset[str]


class TorchGraph:
    """An ONNX graph of one input on a torch device; called with it, gives the outputs by name.

    Raises ValueError for an operator that it does not know.
    """

    def __init__(self, model: onnx.ModelProto, device: torch.device) -> None:
        graph = model.graph
        self._weights = {
            weight.name: torch.from_numpy(onnx.numpy_helper.to_array(weight).copy()).to(device)
            for weight in graph.initializer
        }
        self._input = next(value.name for value in graph.input if value.name not in self._weights)
        self._outputs = frozenset(value.name for value in graph.output)
        self._steps = self._plan(graph)

    def __call__(self, images: Tensor) -> Mapping[str, Tensor]:
        values = {self._input: images.contiguous(memory_format=torch.channels_last)}
        for step in self._steps:
            inputs = (self._weights.get(name, values.get(name)) for name in step.inputs)
            values[step.output] = step.operator(*inputs)
            for name in step.spent:
                del values[name]
        return values

    def _plan(self, graph: onnx.GraphProto) -> list[_Step]:
        """The steps in order; each lets go of what is read for the last time."""
        steps: list[_Step] = []
        needed = set(self._outputs) | self._weights.keys()
        for node in reversed(graph.node):
            spent = frozenset(node.input) - needed
            needed |= spent
            steps.append(_Step(_operator(node), tuple(node.input), node.output[0], spent))
        return steps[::-1]


def _operator(node: onnx.NodeProto) -> Callable[..., Tensor]:
    attributes = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
    match node.op_type:
        case "Conv":
            return partial(F.conv2d, **_convolution(attributes))
        case "ConvTranspose":
            return partial(F.conv_transpose2d, **_convolution(attributes))
        case "BatchNormalization":
            return partial(_normalise, epsilon=attributes["epsilon"])
        case "Relu":
            return torch.relu
        case "Add":
            return torch.add
        case "Sigmoid":
            return torch.sigmoid
    raise ValueError(f"there is no operator {node.op_type!r} here")


def _convolution(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """ONNX pads top, left, bottom, right; torch the same on opposite sides."""
    top, left, bottom, right = attributes["pads"]
    if (top, left) != (bottom, right):
        raise ValueError("a convolution is padded unevenly")
    return {
        "stride": tuple(attributes["strides"]),
        "padding": (top, left),
        "dilation": tuple(attributes["dilations"]),
        "groups": attributes["group"],
    }


def _normalise(
    values: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, *, epsilon: float
) -> Tensor:
    return F.batch_norm(values, mean, variance, scale, bias, eps=epsilon)
