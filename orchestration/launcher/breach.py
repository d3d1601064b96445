"""What a run did beyond a limit, as it is told on the run."""

from dataclasses import dataclass

from contracts.run import Failure

_GIGABYTE = 1000**3


@dataclass(frozen=True)
class Breach:
    """`grace_seconds` is how long the run may take to stop when interrupted; `pipeline` is the one
    that was under way, where that is known.
    """

    failure: Failure
    pipeline: str | None = None
    grace_seconds: float = 0.0


def memory_breach(limit: int, peak: int, pipeline: str | None) -> Breach:
    """`limit` and `peak` in bytes. Nothing is left to interrupt, or it would take the rest."""
    during = f" during {pipeline}" if pipeline else ""
    return Breach(
        Failure(
            "MEMORY_LIMIT",
            f"The run needed more memory than it may hold{during}: its limit is {_shown(limit)}, "
            f"its peak was {_shown(peak)}.",
            "Choose a smaller batch size or picture size, or raise the limit with "
            "FRAMEGATE_MEMORY_LIMITS_GB.",
        ),
        pipeline,
    )


def time_breach(
    pipeline: str, seconds: float, media_seconds: float, grace_seconds: float
) -> Breach:
    """`seconds` is the limit for media of `media_seconds`."""
    return Breach(
        Failure(
            "TIME_LIMIT",
            f"{pipeline} took longer than it may: its limit is {seconds:g} s for media of "
            f"{media_seconds:g} s.",
            "Choose a config that computes less, or raise the limit with FRAMEGATE_TIME_LIMITS.",
        ),
        pipeline,
        grace_seconds,
    )


def _shown(count: int) -> str:
    return f"{count / _GIGABYTE:.2f} GB"
