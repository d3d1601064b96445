"""GPUs made of files: an inventory with the real interface that every process of a stack sees.

The folder FRAMEGATE_FAKE_GPUS holds a folder per device, named by its UUID. In it, `total` holds
its bytes, and a file named by a process id the bytes that the process holds. As with the real
driver, what a process holds is back when the process has ended; in a file `<pid>.stuck` it is not.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import psutil

from pipelines.registry.devices import Device

FOLDER = "FRAMEGATE_FAKE_GPUS"


class FakeInventory:
    def __init__(self) -> None:
        self._folder = Path(os.environ[FOLDER])

    def devices(self) -> tuple[Device, ...]:
        return tuple(self._device(folder.name) for folder in sorted(self._folder.iterdir()))

    def held(self, uuid: str) -> Mapping[int, int]:
        held: dict[int, int] = {}
        for path in (self._folder / uuid).iterdir():
            if path.name == "total":
                continue
            if path.suffix == ".stuck" or _is_alive(int(path.stem)):
                held[int(path.stem)] = int(path.read_text() or 0)
            else:  # or it would be held again when the system gives the number to another process
                path.unlink(missing_ok=True)
        return held

    def _device(self, uuid: str) -> Device:
        total = int((self._folder / uuid / "total").read_text())
        return Device(uuid, f"Fake {uuid}", total, total - sum(self.held(uuid).values()))


def _is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
