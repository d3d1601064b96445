"""Builds the wheel, proves that what it installs starts, and tags the version: `make release`."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
import venv
from pathlib import Path

from api.cli.errors import CommandError
from api.cli.stack_process import StackProcess
from api.stack.ports import free_port
from contracts.project import PROJECT


class ReleaseError(Exception):
    """Why this version cannot be released, and what to do."""


def main() -> None:
    version = project_version((PROJECT / "pyproject.toml").read_text())
    tag = f"v{version}"
    if problem := unready(
        version=version,
        changelog=(PROJECT / "CHANGELOG.md").read_text(),
        changed_files=_git("status", "--porcelain"),
        tags=_git("tag", "--list").split(),
    ):
        raise ReleaseError(problem)
    wheel = build(PROJECT / "dist")
    with tempfile.TemporaryDirectory(prefix="framegate-release-") as folder:
        prove(wheel, Path(folder))
    _git("tag", "--annotate", tag, "--message", f"Framegate {version}")
    print(f"{wheel} starts. Tagged {tag}; publish it with: git push origin {tag}")


def project_version(pyproject: str) -> str:
    return str(tomllib.loads(pyproject)["project"]["version"])


def unready(*, version: str, changelog: str, changed_files: str, tags: list[str]) -> str | None:
    """What must be done before the version can be released; None if nothing."""
    if changed_files:
        return f"Commit or remove these changes first:\n{changed_files}"
    if f"v{version}" in tags:
        return f"v{version} is tagged already: raise the version in pyproject.toml."
    headings = re.findall(r"^## (.+)$", changelog, flags=re.MULTILINE)
    if not headings or headings[0] != version:
        return f"CHANGELOG.md must start with '## {version}': rename its heading 'Unreleased'."
    return None


def build(folder: Path) -> Path:
    """The wheel, built into an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=PROJECT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    [wheel] = folder.glob("*.whl")
    return wheel


def prove(wheel: Path, folder: Path) -> None:
    """Installs the wheel into an environment of its own and starts the stack from there.

    The environment borrows the dependencies of this one, but not the clone. Raises ReleaseError if
    the stack does not become ready.
    """
    environment = folder / "environment"
    venv.create(environment, symlinks=True)
    library = sysconfig.get_path(
        "purelib", scheme="venv", vars={"base": str(environment), "platbase": str(environment)}
    )
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    subprocess.run(
        [*pip, "--python", environment, "install", "--no-index", "--no-deps", wheel], check=True
    )
    (Path(library) / "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    _start(environment / "bin" / "framegate", folder)


def _start(program: Path, folder: Path) -> None:
    settings = {key: value for key, value in os.environ.items() if not key.startswith("FRAMEGATE_")}
    command = [program, "up", "--json", "--home", folder / "home", "--port", str(free_port())]
    with subprocess.Popen(
        command, cwd=folder, env=settings, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            StackProcess(process.stdout or ()).until_ready(lambda _event: None)
        except CommandError as error:
            raise ReleaseError(f"What the wheel installs does not start: {error}") from error
        finally:
            process.terminate()
            process.communicate()


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],  # noqa: S607 - whichever git the releaser uses
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


if __name__ == "__main__":
    try:
        main()
    except ReleaseError as error:
        sys.exit(str(error))
