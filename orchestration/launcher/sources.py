"""Whether code on disk still is the code that was loaded."""

import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from pipelines.registry.presets import preset_files

_CHECK_SECONDS = 120.0


@dataclass(frozen=True)
class Sources:
    """The files that people edit of what was loaded, with the times they were last changed."""

    changed_at: dict[str, int]

    @classmethod
    def loaded(cls, presets: Path) -> "Sources":
        """Everything loaded outside the interpreter's own and installed packages, and what is in
        the folder of presets.
        """
        installed = tuple({sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")})
        files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
        edited = [file for file in files if file and not file.startswith(installed)]
        edited += [str(path) for path in (presets, *preset_files(presets))]
        return cls({file: _changed_at(file) for file in edited})

    @property
    def are_current(self) -> bool:
        return all(_changed_at(file) == time for file, time in self.changed_at.items())


def load_error(module: str, timeout: float = _CHECK_SECONDS) -> str | None:
    """Why a fresh interpreter cannot import the module; None if it can."""
    try:
        check = subprocess.run(  # noqa: S603 - our own interpreter, a module name of ours
            [sys.executable, "-c", f"import {module}"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"The code had not loaded after {timeout:g} s."
    if check.returncode == 0:
        return None
    said = check.stderr.strip().splitlines()
    return said[-1] if said else f"Loading the code ended with exit code {check.returncode}."


def _changed_at(file: str) -> int:
    try:
        return Path(file).stat().st_mtime_ns
    except FileNotFoundError:
        return 0
