"""The tables that launch.py prints."""

from collections.abc import Iterator, Sequence

from rich.table import Table

from benchmarks.launch_goals import Goal
from benchmarks.launch_report import Report, Spread


def tables(reports: Sequence[Report], goals: Sequence[Goal]) -> Iterator[Table]:
    yield _comparison(reports)
    for report in reports:
        if report.parts:
            yield _parts(report)
        if report.idle:
            yield _idle(report)
    yield _goals(goals)


def _comparison(reports: Sequence[Report]) -> Table:
    table = Table("seconds: median, p95 (n)", *(report.name for report in reports))
    rows = {
        "submit, answered": [_spread(each.answer) for each in reports],
        "submit, first line": [_spread(each.first_line) for each in reports],
        "many at once, all finished": [_number(each.burst, ".1f") for each in reports],
        "cancel listening, gone": [_ended(each.gone, each.listening) for each in reports],
        "cancel listening, cancelled": [_ended(each.cancelled, each.listening) for each in reports],
        "cancel swallowing, both": [_ended(each.swallowed, each.swallowing) for each in reports],
        "worker killed, failed": [_ended(each.failed, each.kills) for each in reports],
        "idle, share of a core": [_number(each.idle_share, ".2%") for each in reports],
        "idle, MB": [_number(each.megabytes, ".0f") for each in reports],
        "load meanwhile": [f"{max(each.load, default=0.0):.1f}" for each in reports],
    }
    for name, cells in rows.items():
        table.add_row(name, *cells)
    if any(each.problem for each in reports):
        table.add_row("not measured because", *(each.problem or "" for each in reports))
    return table


def _parts(report: Report) -> Table:
    table = Table(f"{report.name}: submit to first line", "median, p95 (n)")
    for name, spread in report.parts.items():
        table.add_row(name, _spread(spread))
    return table


def _idle(report: Report) -> Table:
    table = Table(f"{report.name}: idle", "processes", "of a core", "MB")
    for part in report.idle:
        cells = (str(part.processes), f"{part.share:.2%}", f"{part.megabytes:.0f}")
        table.add_row(part.name, *cells)
    return table


def _goals(goals: Sequence[Goal]) -> Table:
    table = Table("goal", "measured", "at most", "of the limit", "")
    verdicts = {True: "met", False: "missed", None: "not measured"}
    for goal in goals:
        cells = (_number(goal.value, ".4g"), _number(goal.limit, ".4g"), _number(goal.ratio, ".0%"))
        table.add_row(goal.name, *cells, verdicts[goal.met])
    return table


def _spread(spread: Spread | None) -> str:
    return f"{spread.median:.3f}, {spread.p95:.3f} ({spread.n})" if spread else ""


def _ended(spread: Spread | None, tried: Sequence[object]) -> str:
    return _spread(spread) or ("not in time" if tried else "")


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
