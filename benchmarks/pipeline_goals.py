"""What the pipelines are to reach: beside their baselines, and in memory on two hours."""

from collections.abc import Mapping
from typing import Any

#: The least share of its baseline's speed, on a CPU.
_LEAST_OF_BASELINE = {"decode 640x360": 0.90, "decode 48x27": 0.90, "scene_detection": 0.95}
#: The most memory on a video of two hours, in MB.
_MOST_MEGABYTES = 1500


def judge(row: Mapping[str, Any], *, long: bool) -> dict[str, Any]:
    """The row's `goal` in words, with the verdict, and whether it is `met`; empty without one."""
    if long:
        return _verdict(f"{_MOST_MEGABYTES} MB at most", met=row["peak_mb"] <= _MOST_MEGABYTES)
    least = _LEAST_OF_BASELINE.get(row["name"])
    if least is None or "of_baseline" not in row:
        return {}
    return _verdict(f"{least:.0%} at least", met=row["of_baseline"] >= least)


def _verdict(goal: str, *, met: bool) -> dict[str, Any]:
    return {"goal": f"{goal}: {'met' if met else 'missed'}", "met": met}
