"""`framegate open`: a link that signs in once, and a browser that follows it."""

import webbrowser
from pathlib import Path

from api.auth.admin_link import admin_link
from api.cli.errors import CommandError, UnreachableError
from api.cli.settings import read_settings
from api.cli.terminal import answers, print_json
from api.errors import FramegateError
from api.stack.lock import find_running


def open_ui(home: Path | None, *, as_json: bool) -> None:
    """Prints the link as well: there may be no browser here. Raises CommandError."""
    settings = read_settings(home=home)
    running = find_running(settings.paths.run)
    if running is None:
        raise UnreachableError(
            "No stack runs in this home.", hint="Start it with `framegate up`, or name its --home."
        )
    try:
        link = admin_link(settings, running.url)
    except FramegateError as error:
        raise CommandError(error.message, hint=error.hint, code=error.code) from error
    if link is None:
        raise CommandError(
            "There is no valid admin key to sign in with.",
            hint="Make one with `framegate keys create --role admin --name NAME`.",
        )
    if as_json:
        print_json({"url": link})
        return
    answers().print(link, soft_wrap=True)
    webbrowser.open(link)
