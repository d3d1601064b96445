"""How many file handles a process may have open: every connection takes one."""

import resource

#: More are of no use, and programs that close all the handles they might have take long over
#: millions.
_MOST = 65_536


def allowed_handles() -> int:
    """What this process may open as it is."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _bounded(soft)


def attainable_handles() -> int:
    """What it may open once it has raised its limit."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _bounded(hard)


def raise_handle_limit() -> None:
    """For this process and those that it starts. The usual soft limit of 1,024 is for programs that
    call select(), which none of ours does; with fewer handles open, it works as before.
    """
    if allowed_handles() < attainable_handles():
        _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (attainable_handles(), hard))


def _bounded(limit: int) -> int:
    return _MOST if limit == resource.RLIM_INFINITY else min(limit, _MOST)
