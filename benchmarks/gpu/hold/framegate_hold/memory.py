"""Memory held on a GPU by this process; on one made of files by a file of that name."""

import os
from pathlib import Path


def hold(count: int, uuid: str) -> object:
    """Holds `count` bytes until the process ends or what is returned is dropped."""
    if folder := os.environ.get("FRAMEGATE_FAKE_GPUS"):
        return Path(folder, uuid, str(os.getpid())).write_text(str(count))
    import torch  # noqa: PLC0415 - where it is needed alone

    return torch.ones(count, dtype=torch.uint8, device="cuda")
