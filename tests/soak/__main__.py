"""`python -m tests.soak HISTORY` checks a history again; exits with 1 where it is not good."""

import sys
from pathlib import Path

from tests.soak.history import read_history
from tests.soak.invariants import violations
from tests.soak.report import summary, table


def main(path: Path) -> int:
    records = list(read_history(path))
    found = violations(records)
    sys.stdout.write(table(summary(records, found), str(path)) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
