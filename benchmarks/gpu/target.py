"""What is checked: the first GPU of this machine, or one made of files where there is none."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.peers.stack import PROJECT, wait_until
from pipelines.registry.devices import Device, Inventory, NvmlInventory
from pipelines.registry.spec import load_object

_FAKE = PROJECT / "tests" / "packages" / "fake_gpu"
_FAKE_INVENTORY = "framegate_fake_gpu:FakeInventory"
_FAKE_UUID = "GPU-0"
_FAKE_BYTES = 16 * 2**30
_SECONDS = 60.0


@dataclass(frozen=True)
class Target:
    """`environment` is what every process is given that is to see the device."""

    inventory: Inventory
    uuid: str
    is_real: bool
    environment: Mapping[str, str]

    @property
    def device(self) -> Device:
        [device] = [each for each in self.inventory.devices() if each.uuid == self.uuid]
        return device

    @property
    def kind(self) -> str:
        """What a config's `device` is set to."""
        return "cuda" if self.is_real else "cpu"

    def wait_for_free(self, least: int) -> float:
        """Seconds until so many bytes are free. Raises TimeoutError."""
        started = time.perf_counter()
        wait_until(lambda: self.device.memory_free >= least, _SECONDS, "freeing GPU memory")
        return time.perf_counter() - started

    @contextmanager
    def hog(self, count: int) -> Iterator[None]:
        """Another program holds `count` bytes of the device until the block ends."""
        before = self.device.memory_free
        command = [sys.executable, "-m", "framegate_hold.hog", str(count), self.uuid]
        with subprocess.Popen(
            command,
            cwd=PROJECT,
            env={**os.environ, **self.environment, "CUDA_VISIBLE_DEVICES": self.uuid},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process:
            try:
                if process.stdout is None or not process.stdout.readline():
                    raise RuntimeError("the program that was to hold memory has ended")
                yield
            finally:
                process.communicate()  # it ends with its standard input
        self.wait_for_free(before * 9 // 10)


def find_target(folder: Path) -> Target:
    """The GPU here; else one of 16 GiB made of files in `folder`."""
    packages = str(PROJECT / "benchmarks" / "gpu" / "hold")
    real = NvmlInventory()
    if torch.cuda.is_available() and (devices := real.devices()):
        return Target(real, devices[0].uuid, is_real=True, environment={"PYTHONPATH": packages})
    (folder / _FAKE_UUID).mkdir(parents=True)
    (folder / _FAKE_UUID / "total").write_text(str(_FAKE_BYTES))
    environment = {
        "FRAMEGATE_FAKE_GPUS": str(folder),
        "FRAMEGATE_INVENTORY": _FAKE_INVENTORY,
        "PYTHONPATH": os.pathsep.join((packages, str(_FAKE))),
    }
    os.environ["FRAMEGATE_FAKE_GPUS"] = str(folder)
    sys.path.append(str(_FAKE))
    return Target(
        load_object(_FAKE_INVENTORY)(), _FAKE_UUID, is_real=False, environment=environment
    )
