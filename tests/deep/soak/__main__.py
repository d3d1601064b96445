"""`python -m tests.deep.soak HISTORY` checks a history again; exits with 1 where it is not good."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.deep.soak.history import read_history
from tests.deep.soak.invariants import violations
from tests.deep.soak.report import summary, table


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.deep.soak", description="Checks the history of a soak again."
    )
    parser.add_argument("history", type=Path, help="the file of JSON lines that the soak named")
    path: Path = parser.parse_args(arguments).history
    try:
        records = list(read_history(path))
    except (OSError, ValueError, KeyError, TypeError) as error:
        parser.error(f"{path} is no history of a soak: {error!r}")
    found = violations(records)
    sys.stdout.write(table(summary(records, found), str(path)) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
