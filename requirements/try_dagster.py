"""Tries the newest Dagster that the index offers: what `make try-dagster` runs.

The environment it is tried in is there for that time alone: it has the newest of Dagster's packages
and what those newly demand, and borrows all else from the environment that this runs in.
"""

import subprocess
import sys
import sysconfig
import tempfile
import venv
from importlib.metadata import distributions
from pathlib import Path

PROJECT = Path(__file__).parent.parent
#: By default, what names the part of Dagster that has changed.
_TESTS = "tests/orchestration/dagster_internals"
#: Takes what is borrowed for code of ours.
_NOT_HERE = "tests/orchestration/launcher/test_sources.py::test_installed_packages_are_not_watched"


def main() -> None:
    tests = sys.argv[1:] or [_TESTS]
    with tempfile.TemporaryDirectory(prefix="framegate-") as folder:
        python = _environment(Path(folder))
        newer = _install_newest(python, Path(folder))
        if not newer:
            print("The index offers no newer version of all of Dagster's packages.")
            return
        print(f"Trying {', '.join(newer)}", flush=True)
        checks = (
            [python, "-m", "mypy", "--cache-dir", f"{folder}/mypy", "--no-error-summary"],
            [
                *(python, "-m", "pytest", "--quiet", "--tb=line", "-p", "no:cacheprovider"),
                *(f"--deselect={_NOT_HERE}", *tests),
            ],
        )
        broken = [subprocess.run(check, cwd=PROJECT, check=False).returncode for check in checks]
    if any(broken):
        sys.exit("The lines above name what this Dagster has changed.")
    print("Nothing broke. All other tests: make try-dagster ARGS=tests")


def _environment(folder: Path) -> str:
    """Its interpreter, which finds our packages behind its own."""
    venv.create(folder)
    borrowed = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
    [packages] = folder.glob("lib/*/site-packages")
    (packages / "borrowed.pth").write_text(borrowed)
    return str(folder / "bin" / "python")


def _install_newest(python: str, folder: Path) -> list[str]:
    """Such as `dagster-1.14.0`; nothing where there is no newer version of all of them."""
    ours = [each for each in distributions() if each.name.startswith("dagster")]
    wanted = [f"{each.name}>={each.version}" for each in ours]
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    subprocess.run([*pip, "--upgrade", "--only-binary", ":all:", *wanted], check=True)
    found = folder.glob("lib/*/site-packages/dagster*.dist-info")
    return sorted(each.stem for each in found)


if __name__ == "__main__":
    main()
