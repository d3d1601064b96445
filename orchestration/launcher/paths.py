"""Where the launcher's processes meet: sockets, locks and leases under `FRAMEGATE_HOME/run`."""

from pathlib import Path

from contracts.home import Home


def queue_socket(home: Home) -> Path:
    return home.run / "queue.sock"


def queue_lock(home: Home) -> Path:
    return home.run / "queue.lock"


def run_sockets(home: Home) -> Path:
    return home.run / "runs"


def run_socket(home: Home, run_id: str) -> Path:
    return run_sockets(home) / f"{run_id}.sock"


def leases(home: Home) -> Path:
    return home.run / "leases"
