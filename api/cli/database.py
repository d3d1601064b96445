"""`framegate db migrate` and `db copy`: for a stack that is stopped."""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from rich.progress import Progress, TaskID

from api.cli.dagster_database import ask
from api.cli.errors import CommandError, UsageError
from api.cli.settings import read_settings
from api.cli.terminal import answers, notes, print_json
from api.database.copy import TargetNotEmptyError, copy_tables, count_rows, empty_tables
from api.database.database import open_database
from api.errors import FramegateError
from api.settings import Settings
from api.stack.errors import StackError
from api.stack.layout import lay_out
from api.stack.lock import RunningStack, hold_home
from contracts.database import is_postgresql, parse_url, shown

_EMPTY = "Copy into an empty database; createdb makes one."


def migrate(home: Path | None, database_url: str | None, *, as_json: bool) -> None:
    settings = read_settings(home=home, database_url=database_url)
    with _stopped(settings):
        with closing(open_database(settings.database)) as database:
            own = database.schema_version()
        [dagsters] = ask(settings, "migrate")
    if as_json:
        print_json({"framegate": own, "dagster": dagsters["after"]})
        return
    moved = dagsters["before"] != dagsters["after"]
    was = f" (were at {dagsters['before']})" if moved else ""
    answers().print(f"Framegate's tables are at {own}, Dagster's at {dagsters['after']}{was}.")


def copy(home: Path | None, to: str | None, *, as_json: bool) -> None:
    """All of it or nothing: our few rows are taken back where Dagster's do not arrive. A copy that
    was killed can be repeated.
    """
    settings = read_settings(home=home, database_url=to)
    target_url = parse_url(settings.database)
    if not is_postgresql(target_url):
        raise UsageError("Name the PostgreSQL to copy to: --to or FRAMEGATE_DATABASE_URL.")
    source_file = settings.paths.database
    if not source_file.exists():
        raise CommandError(f"There is nothing to copy: {source_file} does not exist.")
    with (
        _stopped(settings),
        closing(open_database(f"sqlite:///{source_file}")) as source,
        closing(open_database(settings.database)) as target,
    ):
        with source.read() as read, target.write() as write:
            filled = copy_tables(read, write)
            own = count_rows(read)
        try:
            copied = {**own, **_copy_dagsters(settings)}
        except BaseException:
            with target.write() as write:
                empty_tables(write, filled)
            raise
    if as_json:
        print_json({"copied": copied})
        return
    answers().print(
        f"{copied['runs']} runs with {copied['event_logs']} events and {copied['api_keys']} keys "
        f"are in {shown(target_url)} now."
    )
    notes().print("Set FRAMEGATE_DATABASE_URL from now on; the files in the home are as they were.")


def _copy_dagsters(settings: Settings) -> Mapping[str, int]:
    copied: Mapping[str, int] = {}
    with Progress(console=notes(), transient=True) as progress:
        tasks: dict[str, TaskID] = {}
        for told in ask(settings, "copy"):
            copied = told.get("copied", copied)
            if "progress" in told:
                what, done, total = told["progress"]
                if what not in tasks:
                    tasks[what] = progress.add_task(what)
                progress.update(tasks[what], completed=done, total=total)
    return copied


@contextmanager
def _stopped(settings: Settings) -> Iterator[None]:
    """No stack runs in the home meanwhile, and what goes wrong is told as a command does."""
    try:
        lay_out(settings.paths)
        with hold_home(settings.paths.run, RunningStack(os.getpid(), "framegate db")):
            yield
    except StackError as error:
        raise CommandError(error.message, hint=error.hint, code="STACK") from error
    except TargetNotEmptyError as error:
        raise CommandError(f"The table {error} of the target is not empty.", hint=_EMPTY) from error
    except FramegateError as error:
        raise CommandError(error.message, hint=error.hint, code=error.code) from error
