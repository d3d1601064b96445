"""What a history amounts to, for people and for machines."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tests.deep.soak.flatness import growths
from tests.deep.soak.history import Begun, Kill, Record, Request, Run, Sample, StackTold
from tests.deep.soak.invariants import FLAT, INVARIANTS, Violation


def summary(records: Sequence[Record], violations: Sequence[Violation]) -> dict[str, Any]:
    requests = _of(records, Request)
    samples = _of(records, Sample)
    return {
        **asdict(next(iter(_of(records, Begun)))),
        "requests": dict(Counter(request.action for request in requests)),
        "answers": dict(Counter(str(request.status or "cut") for request in requests)),
        "jobs": dict(Counter(run.status for run in _of(records, Run))),
        "kills": dict(Counter(kill.target for kill in _of(records, Kill))),
        "restarts": sum(told.event == "StackReady" for told in _of(records, StackTold)) - 1,
        "parts": _parts(samples),
        "growth": [asdict(growth) for growth in growths(samples)],
        "violations": [asdict(violation) for violation in violations],
    }


def table(report: Mapping[str, Any], history: str) -> str:
    """As printed at the end, and as pasted into docs/reliability.md."""
    lines = [
        "| what | how often |",
        "| --- | --- |",
        f"| minutes, seed | {report['minutes']:g}, {report['seed']} |",
        f"| database | {report['database']} |",
    ]
    lines += [
        f"| {what} | {_counts(report[what])} |" for what in ("requests", "answers", "jobs", "kills")
    ]
    lines += [f"| whole stack started again | {report['restarts']} |"]
    lines += [f"| {part} | {figures} |" for part, figures in report["parts"].items()]
    lines += [f"| {name} | {_verdict(report, name)} |" for name in INVARIANTS]
    lines += [
        f"VIOLATED: {violation['invariant']}: {violation['subject']}: {violation['detail']}"
        for violation in report["violations"]
    ]
    if report["violations"]:
        lines.append(f"Seed {report['seed']}; history {history}")
    return "\n".join(lines)


def _verdict(report: Mapping[str, Any], name: str) -> str:
    if name == FLAT and not report["growth"]:
        return "not judged: no process lived long enough"
    broken = sum(violation["invariant"] == name for violation in report["violations"])
    return f"violated {broken} times" if broken else "holds"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"


def _parts(samples: Sequence[Sample]) -> dict[str, str]:
    """First and last figures of the longest life of each part."""
    lives: dict[str, dict[int, list[Sample]]] = defaultdict(lambda: defaultdict(list))
    for sample in samples:
        lives[sample.part][sample.pid].append(sample)
    return {
        part: _life(max(of_part.values(), key=lambda life: life[-1].at - life[0].at))
        for part, of_part in sorted(lives.items())
    }


def _life(life: Sequence[Sample]) -> str:
    third = max(1, len(life) // 3)
    first, last = life[:third], life[-third:]
    return (
        f"{_memory(first):.0f} to {_memory(last):.0f} MiB, {_handles(first):.0f} to "
        f"{_handles(last):.0f} handles in {life[-1].at - life[0].at:.0f} s"
    )


def _memory(samples: Sequence[Sample]) -> float:
    return statistics.median(sample.memory for sample in samples) / 2**20


def _handles(samples: Sequence[Sample]) -> float:
    return statistics.median(sample.handles for sample in samples)


def _of(records: Sequence[Record], kind: type[Any]) -> list[Any]:
    return [record for record in records if isinstance(record, kind)]
