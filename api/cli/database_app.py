"""`framegate db`: what can be typed."""

from typing import Annotated

import typer

from api.cli.options import DatabaseUrl, Home, Json

database_app = typer.Typer(no_args_is_help=True, help="Check, migrate and copy the database.")


@database_app.command("check")
def check(*, home: Home = None, database_url: DatabaseUrl = None, as_json: Json = False) -> None:
    """Look at the database: versions, contents, connections. It changes nothing."""
    from api.cli.database_checks import check_database as run

    run(home, database_url, as_json=as_json)


@database_app.command("migrate")
def migrate(*, home: Home = None, database_url: DatabaseUrl = None, as_json: Json = False) -> None:
    """Bring all tables up to date, after an upgrade. The stack must be stopped."""
    from api.cli.database import migrate as run

    run(home, database_url, as_json=as_json)


@database_app.command("copy")
def copy(
    *,
    to: Annotated[
        str | None,
        typer.Option(
            envvar="FRAMEGATE_DATABASE_URL",
            metavar="postgresql://…",
            help="An empty database; a password belongs into the variable.",
            show_default=False,
        ),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Copy the home's SQLite files into PostgreSQL, history included. The stack must be stopped."""
    from api.cli.database import copy as run

    run(home, to, as_json=as_json)
