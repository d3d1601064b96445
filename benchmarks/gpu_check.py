"""`make gpu-check`: what only a GPU can show, in at most eight minutes on one, without a network.

On a machine without a GPU the same checks run over one made of files, which proves that they run,
and nothing about GPUs; what cannot be judged there is said to be so. See benchmarks/gpu/README.md.
"""

import argparse
import json
import platform
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.gpu.pipeline_checks import BATCHES, PipelineChecks
from benchmarks.gpu.result import Check, Result
from benchmarks.gpu.run_checks import RunChecks
from benchmarks.gpu.runs import running_server
from benchmarks.gpu.target import Target, find_target
from pipelines.sample import build_sample

_MARKS = {True: "[green]✓[/]", False: "[red]✗[/]", None: ""}


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if every check that could be judged has passed."""
    options = _parse(arguments)
    started, console = time.perf_counter(), Console()
    with tempfile.TemporaryDirectory(prefix="gpu-check-") as name:
        folder = Path(name)
        target = find_target(folder / "gpus")
        console.print(_headline(target))
        video = options.video or build_sample(folder / "sample.mp4")
        results = list(_results(target, folder, video, quick=options.quick))
    seconds = time.perf_counter() - started
    console.print(_table(results), f"{seconds:.0f} s")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(_report(target, results, seconds), indent=1) + "\n")
    return int(any(result.passed is False for result in results))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_check", description=__doc__)
    parser.add_argument("video", type=Path, nargs="?", help="instead of the sample")
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    parser.add_argument("--quick", action="store_true", help="one batch size alone")
    return parser.parse_args(arguments)


def _results(target: Target, folder: Path, video: Path, *, quick: bool) -> Iterator[Result]:
    batches = dict.fromkeys(BATCHES, (2,)) if quick else BATCHES
    with running_server(target, folder / "home", video) as runs:
        yield from _called(RunChecks(runs).checks())
    yield from _called(PipelineChecks(target, video, folder / "results", batches).checks())


def _called(checks: Iterable[Check]) -> Iterator[Result]:
    for name, check in checks:
        print(f"{name} …", file=sys.stderr, flush=True)
        try:
            yield from (replace(each, check=f"{name}: {each.check}") for each in check())
        except Exception as error:  # noqa: BLE001 - the other checks are worth their result
            yield Result(name, f"{type(error).__name__}: {error}", passed=False)


def _headline(target: Target) -> str:
    if target.is_real:
        return f"{target.device.name}, {target.device.memory_total / 1e9:.0f} GB"
    return (
        "No GPU is here: a GPU made of files stands in for one. What follows proves that the "
        "checks run, and nothing about GPUs."
    )


def _table(results: Sequence[Result]) -> Table:
    table = Table("", "check", "found")
    for result in results:
        table.add_row(_MARKS[result.passed], result.check, escape(result.said))
    return table


def _report(target: Target, results: Sequence[Result], seconds: float) -> dict[str, Any]:
    return {
        "gpu": target.device.name if target.is_real else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "seconds": seconds,
        "passed": all(result.passed is not False for result in results),
        "results": [asdict(result) for result in results],
    }


if __name__ == "__main__":
    sys.exit(main())
