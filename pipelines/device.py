"""Where inference runs: picks the device, and halves a batch when the GPU is out of memory.

Imports torch: only code that annotates imports this module.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, TypeVar

import torch

from pipelines.errors import DeviceUnavailableError, GpuOutOfMemoryError

Item = TypeVar("Item")
Result = TypeVar("Result")

#: How the libraries that raise no type of their own word a failed allocation on a GPU: CUDA,
#: cuBLAS and cuDNN.
_OUT_OF_MEMORY = (
    "CUDA out of memory",
    "CUDA failure 2",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)


@dataclass(frozen=True)
class Device:
    """A device that inference can run on; `label` is for people: "cpu", "cuda:0 NVIDIA H100"."""

    kind: Literal["cpu", "cuda"]
    torch: torch.device
    label: str


@dataclass
class BatchSize:
    """How many items go through a model at once; `failed` lists the sizes that did not fit."""

    size: int
    failed: list[int] = field(default_factory=list)

    def notes(self, items: str) -> list[str]:
        """What to say of it; `items` is what there are batches of, in the plural."""
        if not self.failed:
            return []
        size = self.failed[0]
        note = f"The GPU ran out of memory with {size} {items} at a time: went on with "
        return [f"{note}{self.size}."]


def pick_device(wanted: Literal["auto", "cpu", "cuda"]) -> Device:
    """The device that a config's `device` means here; "auto" takes a GPU where there is one.

    Raises DeviceUnavailableError where "cuda" is asked for and there is none.
    """
    available = wanted != "cpu" and torch.cuda.is_available()
    if available:
        device = torch.device("cuda", torch.cuda.current_device())
        return Device("cuda", device, f"{device} {torch.cuda.get_device_name(device)}")
    if wanted == "cuda":
        raise DeviceUnavailableError(
            "The config asks for a GPU, and this run has none.",
            "Set `device` to `auto` or `cpu`, or check the NVIDIA driver with `framegate doctor`.",
        )
    return Device("cpu", torch.device("cpu"), "cpu")


def usable_cores() -> int:
    """How many threads to compute with: `OMP_NUM_THREADS` if set, else the cores we may use."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return int(wanted) if wanted.isdecimal() and int(wanted) else len(os.sched_getaffinity(0))


def use_all_cores() -> int:
    """Lets torch compute on every usable core, and returns their number.

    Each `annotate` calls it: importing silero_vad sets the whole process to one thread.
    """
    cores = usable_cores()
    torch.set_num_threads(cores)
    return cores


def in_batches(
    run: Callable[[list[Item]], Sequence[Result]], items: Iterable[Item], batch: BatchSize
) -> Iterator[Result]:
    """What `run` gives for each item, in order, called with up to `batch.size` items at a time.

    Items are taken as they are needed. A batch that does not fit the GPU's memory is tried again
    in halves, and `batch` stays that small; nothing that succeeded is computed again.

    Raises GpuOutOfMemoryError when a single item does not fit.
    """
    source = iter(items)
    waiting = list(islice(source, batch.size))
    while waiting:
        part = waiting[: batch.size]
        results = _attempt(run, part)
        if results is None:
            _halve(batch, failed=len(part))
            continue
        yield from results
        waiting = waiting[len(part) :] or list(islice(source, batch.size))


def _attempt(
    run: Callable[[list[Item]], Sequence[Result]], part: list[Item]
) -> Sequence[Result] | None:
    """The results, or None when memory did not suffice."""
    try:
        return run(part)
    except Exception as error:
        if not _is_out_of_memory(error):
            raise
    # Outside of the handler, where no traceback keeps the failed batch's tensors alive.
    torch.cuda.empty_cache()
    return None


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return any(words in str(error) for words in _OUT_OF_MEMORY)


def _halve(batch: BatchSize, failed: int) -> None:
    batch.failed.append(failed)
    if failed == 1:
        tried = ", ".join(map(str, batch.failed))
        raise GpuOutOfMemoryError(
            f"The GPU has too little memory, even for a batch of 1 (tried {tried}).",
            "Free memory on the GPU, use a larger one, or set `device` to `cpu`.",
        )
    batch.size = failed // 2
