"""Options that several groups of commands have."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else.")]
Home = Annotated[
    Path | None,
    typer.Option(
        "--home", envvar="FRAMEGATE_HOME", help="Folder of all state.", show_default=".framegate"
    ),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        envvar="FRAMEGATE_DATABASE_URL",
        metavar="postgresql://…",
        help="PostgreSQL instead of files in the home; a password belongs into the variable.",
        show_default=False,
    ),
]
