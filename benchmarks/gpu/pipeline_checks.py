"""Each pipeline on the GPU: beside the CPU, by batch size and precision, and without memory."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from benchmarks.gpu.agreement import differences
from benchmarks.gpu.annotate_once import Outcome, Task
from benchmarks.gpu.result import Check, Result
from benchmarks.gpu.target import Target
from benchmarks.peers.stack import PROJECT
from pipelines.media import probe
from pipelines.registry.catalog import load_catalog
from pipelines.registry.memory import gpu_memory

BATCHES: Mapping[str, tuple[int, ...]] = {
    "scene_detection": (1, 4, 16, 64),
    "face_detection": (1, 4, 16, 64),
}
_LOOK_SECONDS = 0.02
_MEGABYTE = 1000**2
#: Left free by the hog: enough for a context and the weights, too little for a large batch.
_LEFT_BYTES = 2_500_000_000
_TOO_LARGE = 128


@dataclass(frozen=True)
class PipelineChecks:
    """`folder` holds the results of all runs; `batches` are the sizes to try, by pipeline."""

    target: Target
    video: Path
    folder: Path
    batches: Mapping[str, tuple[int, ...]]

    def checks(self) -> Iterator[Check]:
        for pipeline in self.batches:
            yield f"{pipeline}: GPU beside the CPU", partial(self._beside_cpu, pipeline)
            yield f"{pipeline}: batch sizes", partial(self._batch_sizes, pipeline)
            yield f"{pipeline}: precision", partial(self._precisions, pipeline)
        yield "out of memory halves the batch", self._halving

    def _beside_cpu(self, pipeline: str) -> Iterator[Result]:
        kinds = ("cpu", self.target.kind)
        tasks = [
            self._task(pipeline, f"beside {place}", device=kind) for place, kind in enumerate(kinds)
        ]
        cpu, gpu = (self._annotate(task)[0] for task in tasks)
        found = differences(pipeline, *(Path(task.folder) for task in tasks))
        yield Result(
            gpu.device,
            "; ".join(found) or "same cuts, boxes and scores",
            passed=not found if self.target.is_real else None,
            numbers={"cpu_seconds": cpu.seconds, "gpu_seconds": gpu.seconds},
        )

    def _batch_sizes(self, pipeline: str) -> Iterator[Result]:
        card, media = load_catalog().cards[pipeline], probe(self.video)
        for size in self.batches[pipeline]:
            task = self._task(pipeline, f"batch {size}", batch_size=size)
            outcome, held = self._annotate(task)
            estimate = gpu_memory(card, card.config(**{**task.config, "device": "cuda"}))
            frames = (media.video and media.video.frame_count) or 0
            numbers = {
                "frames_per_second": frames / outcome.seconds,
                "inference_seconds": outcome.inference_seconds,
                "held_mb": held / _MEGABYTE,
                "estimate_mb": estimate / _MEGABYTE,
            }
            yield Result(
                f"batches of {size}",
                f"{numbers['frames_per_second']:.0f} frames/s; held {numbers['held_mb']:.0f} MB, "
                f"the card expects {numbers['estimate_mb']:.0f} MB",
                passed=held <= estimate if self.target.is_real else None,
                numbers=numbers,
            )

    def _precisions(self, pipeline: str) -> Iterator[Result]:
        exact = self._task(pipeline, "float32")
        before, _held = self._annotate(exact)
        for precision in ("tf32", "half"):
            task = replace(
                exact, precision=precision, folder=str(self.folder / f"{pipeline} {precision}")
            )
            outcome, held = self._annotate(task)
            found = differences(pipeline, Path(exact.folder), Path(task.folder))
            yield Result(
                f"{precision} beside float32",
                f"{before.inference_seconds / outcome.inference_seconds:.2f} times as fast; "
                + ("; ".join(found) or "same cuts, boxes and scores"),
                numbers={
                    "float32_inference_seconds": before.inference_seconds,
                    "inference_seconds": outcome.inference_seconds,
                    "held_mb": held / _MEGABYTE,
                },
            )

    def _halving(self) -> Iterator[Result]:
        """A hog leaves too little memory for the batch that is asked for."""
        pipeline = "scene_detection"
        task = self._task(pipeline, "halving", batch_size=_TOO_LARGE)
        whole = self._task(pipeline, "whole", batch_size=1)
        self._annotate(whole)
        with self.target.hog(self.target.device.memory_free - _LEFT_BYTES):
            outcome, _held = self._annotate(task)
        found = differences(pipeline, Path(whole.folder), Path(task.folder))
        halved = int(outcome.facts["batch_size"]) < _TOO_LARGE and bool(outcome.notes)
        yield Result(
            pipeline,
            "; ".join([*outcome.notes, *found]) or "no batch had to be halved",
            passed=halved and not found if self.target.is_real else None,
            numbers={"batch_size": int(outcome.facts["batch_size"])},
        )

    def _task(self, pipeline: str, name: str, **config: object) -> Task:
        config = {"device": self.target.kind, **config}
        return Task(pipeline, str(self.video), str(self.folder / f"{pipeline} {name}"), config)

    def _annotate(self, task: Task) -> tuple[Outcome, int]:
        """What came out, and the most bytes by which the device's free memory sank meanwhile."""
        before = least = self.target.device.memory_free
        over = threading.Event()

        def look() -> None:
            nonlocal least
            while not over.wait(_LOOK_SECONDS):
                least = min(least, self.target.device.memory_free)

        watcher = threading.Thread(target=look)
        watcher.start()
        try:
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.gpu.annotate_once", json.dumps(asdict(task))],
                cwd=PROJECT,
                env={**os.environ, **self.target.environment},
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
        finally:
            over.set()
            watcher.join()
        return Outcome(**json.loads(done.stdout.splitlines()[-1])), before - least
