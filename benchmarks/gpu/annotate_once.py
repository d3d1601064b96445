"""`python -m benchmarks.gpu.annotate_once TASK`: one pipeline once, in a process of its own.

TASK is a `Task` as JSON; what is printed is an `Outcome` as JSON.
"""

import json
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from pipelines.media import probe
from pipelines.progress import Progress
from pipelines.registry.catalog import load_catalog


@dataclass(frozen=True)
class Task:
    """`precision` is "float32", "tf32" or "half"; results are written into `folder`."""

    pipeline: str
    video: str
    folder: str
    config: dict[str, Any] = field(default_factory=dict)
    precision: str = "float32"


@dataclass(frozen=True)
class Outcome:
    """`inference_seconds` is the share of `seconds` in which the network kept it waiting."""

    seconds: float
    inference_seconds: float
    device: str
    notes: list[str]
    facts: dict[str, Any]


def run(task: Task) -> Outcome:
    card = load_catalog().cards[task.pipeline]
    annotate, warm = card.load_annotate(), card.load_warm()
    if warm is not None:
        warm()
    media, config = probe(Path(task.video)), card.config(**task.config)
    Path(task.folder).mkdir(parents=True, exist_ok=True)
    with _precision(task.precision):
        started = time.perf_counter()
        findings = annotate(media, config, Path(task.folder), Progress())
        seconds = time.perf_counter() - started
    return Outcome(
        seconds,
        findings.timings.inference_seconds,
        findings.device,
        list(findings.notes),
        dict(findings.facts),
    )


def _precision(name: str) -> AbstractContextManager[object]:
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = name == "tf32"
    if name != "half":
        return nullcontext()
    kind = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.autocast(kind, torch.float16)


if __name__ == "__main__":
    print(json.dumps(asdict(run(Task(**json.loads(sys.argv[1]))))))
