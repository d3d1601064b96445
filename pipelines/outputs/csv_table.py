"""CSV (RFC 4180) for spreadsheets, R and pandas: a header, then a row for each annotation.

Names of columns are lower snake case and end in the unit: `start_seconds`, `width_pixels`.
"""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from contracts.atomic_file import replacing

Cell = str | int | float | None


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Writes UTF-8; None is an empty cell. Raises ValueError for a row of another length."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow([cell for cell, _ in zip(row, columns, strict=True)])
