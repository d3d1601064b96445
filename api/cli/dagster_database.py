"""Dagster's part of `framegate db`, told by a process of its own: only that loads Dagster."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from api.cli.errors import CommandError
from api.settings import Settings
from contracts.project import PROJECT


def ask(settings: Settings, verb: str) -> Iterator[dict[str, Any]]:
    """What `python -m orchestration.database VERB` tells, as it comes. Raises CommandError."""
    with subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "orchestration.database", verb],
        cwd=PROJECT,
        env={
            **os.environ,
            "FRAMEGATE_HOME": str(settings.paths.root),
            "FRAMEGATE_DATABASE_URL": settings.database_url,
            "DAGSTER_HOME": str(settings.paths.dagster),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        for line in process.stdout or ():
            told: dict[str, Any] = json.loads(line)
            if error := told.get("error"):
                raise CommandError(error, code="DATABASE")
            yield told
    if process.returncode:
        raise CommandError("Dagster's tables cannot be used; see above.", code="DATABASE")
