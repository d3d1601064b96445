"""What must lie where before the parts start: folders, Dagster's config, the code socket."""

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from api.settings import Settings
from api.stack.errors import StackError
from api.stack.parts import DAGSTERS_LOG_FORMATS
from contracts.home import Home
from contracts.private_folder import make_private
from contracts.project import configuration_file

#: The kernel's limit on the path of a Unix socket, its closing zero byte taken off.
_SOCKET_PATH_BYTES = 107


def lay_out(home: Home) -> None:
    """Makes the folders and links Dagster's config. Raises StackError where it cannot."""
    try:
        make_private(home.root)
        for folder in (home.dagster, home.logs, home.run, home.jobs, home.presets):
            folder.mkdir(exist_ok=True)
        home.run.chmod(0o700)  # its sockets ask for no password
        _link(home.dagster / "dagster.yaml", configuration_file("dagster.yaml"))
    except OSError as error:
        raise StackError(
            f"{home.root} cannot be the home: {error.strerror}: {error.filename}.",
            hint="Choose a folder that you may write to with --home.",
        ) from error


@contextmanager
def code_socket(home: Home) -> Iterator[Path]:
    """Where the code server's socket goes: into the home, or where its path would be too long for
    a socket, into a private folder. Neither outlives the block.
    """
    socket = home.run / "code.sock"
    deep = len(os.fsencode(socket)) > _SOCKET_PATH_BYTES
    if deep:
        socket = _private_folder(home) / socket.name
    socket.unlink(missing_ok=True)
    try:
        yield socket
    finally:
        socket.unlink(missing_ok=True)
        if deep:
            socket.parent.rmdir()


def environment(settings: Settings, socket: Path) -> Mapping[str, str]:
    """What every part is given beside the environment of the stack itself."""
    return {
        **os.environ,
        "FRAMEGATE_HOME": str(settings.paths.root),
        "FRAMEGATE_HOST": settings.host,
        "FRAMEGATE_PORT": str(settings.port),
        "FRAMEGATE_DATABASE_URL": settings.database_url,
        "FRAMEGATE_CODE_SOCKET": str(socket),
        # What the code server starts takes this from nowhere else.
        "DAGSTER_CLI_API_GRPC_LOG_FORMAT": DAGSTERS_LOG_FORMATS[settings.log_format],
        "DAGSTER_HOME": str(settings.paths.dagster),
        "PYTHONUNBUFFERED": "1",
    }


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    fresh = link.with_name(f"{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)


def _private_folder(home: Home) -> Path:
    """The same folder for the same home each time, and nobody else's."""
    digest = hashlib.sha256(os.fsencode(home.root)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"framegate-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    private = stat.S_ISDIR(facts.st_mode) and stat.S_IMODE(facts.st_mode) == stat.S_IRWXU
    if not private or facts.st_uid != os.getuid():
        raise StackError(
            f"{folder} is not a private folder of yours.",
            hint="Remove it, or choose a home with a shorter path.",
        )
    return folder
