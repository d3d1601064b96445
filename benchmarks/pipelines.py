"""How fast the pipelines are beside what they stand on, and how much memory they take.

Every measurement is a process of its own, so that its peak memory is its own. The measurements
take turns, and of all rounds the best counts.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.long_clip import build_long_clip
from benchmarks.pipeline_goals import judge
from benchmarks.work import measurements
from pipelines.media import probe
from pipelines.registry.catalog import load_catalog
from pipelines.sample import build_sample

#: What a measurement is to be compared with.
BASELINES = {
    "decode 640x360": "PyAV 640x360",
    "decode 48x27": "PyAV 48x27",
    "scene_detection": "TransNetV2",
    "face_detection": "PyAV 640x360",
}


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parse(arguments)
    if options.measure:
        print(json.dumps(_measured(options.measure, options.video)))
        return
    with tempfile.TemporaryDirectory() as folder:
        if options.long:
            video = build_long_clip(Path(folder) / "long.mp4")
            rows = _compare(video, load_catalog().names, rounds=1)
        else:
            video = options.video or build_sample(Path(folder) / "sample.mp4")
            rows = _compare(video, list(measurements()), options.rounds)
    for row in rows:
        row.update(judge(row, long=options.long))
    Console().print(_table(rows))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipelines", description=__doc__)
    parser.add_argument("video", type=Path, nargs="?", help="instead of the sample")
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--long", action="store_true", help="the pipelines on a video of two hours")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _measured(name: str, video: Path) -> dict[str, float]:
    """In a process of its own: prepares, then times the work."""
    work = measurements()[name](probe(video))
    started = time.perf_counter()
    frames = work()
    seconds = time.perf_counter() - started
    return {"frames": frames, "seconds": seconds, "peak_mb": _peak_megabytes()}


def _peak_megabytes() -> float:
    """The most that this process held; `getrusage` would count what its parent held as well."""
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def _compare(video: Path, names: Sequence[str], rounds: int) -> list[dict[str, Any]]:
    best: dict[str, dict[str, Any]] = {}
    for result in _results(video, names, rounds):
        known = best.get(result["name"], result)
        best[result["name"]] = min(known, result, key=lambda each: each["seconds"])
    duration = probe(video).duration_seconds
    for name, row in best.items():
        row["frames_per_second"] = row["frames"] / row["seconds"]
        row["times_real_time"] = duration / row["seconds"]
        if baseline := best.get(BASELINES.get(name, "")):
            row["baseline"] = baseline["name"]
            row["of_baseline"] = baseline["seconds"] / row["seconds"]
    return list(best.values())


def _results(video: Path, names: Sequence[str], rounds: int) -> Iterator[dict[str, Any]]:
    for _ in range(rounds):
        for name in names:
            command = [sys.executable, "-m", "benchmarks.pipelines", str(video), "--measure", name]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            yield {"name": name, **json.loads(done.stdout)}


def _table(rows: Sequence[dict[str, Any]]) -> Table:
    table = Table(
        "measurement", "frames/s", "x real time", "of its baseline", "peak memory", "goal"
    )
    for row in rows:
        share = f"{row['of_baseline']:.0%} of {row['baseline']}" if "baseline" in row else ""
        table.add_row(
            row["name"],
            f"{row['frames_per_second']:.0f}",
            f"{row['times_real_time']:.1f}",
            share,
            f"{row['peak_mb']:.0f} MB",
            row.get("goal", ""),
        )
    return table


if __name__ == "__main__":
    main()
