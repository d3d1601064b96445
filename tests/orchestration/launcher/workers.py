"""What the workers of supervisors do in tests: they end, go on, or take too much."""

import os
import signal
import time

_SECONDS = 60.0
_MEGABYTE = 1000**2


def end_by_itself() -> None:
    os._exit(3)


def go_on() -> None:
    time.sleep(_SECONDS)
    os._exit(0)


def fill_memory() -> None:
    hoard = []
    while True:
        hoard.append(bytearray(16 * _MEGABYTE))


def fill_memory_in_child() -> None:
    if os.fork() == 0:
        fill_memory()
    go_on()


def swallow_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    go_on()


def stop_when_interrupted() -> None:
    signal.signal(signal.SIGINT, lambda _number, _frame: os._exit(0))
    go_on()
