"""Pins every dependency with the hashes of its files: what `make lock` runs.

uv resolves once, for every platform. What it answers is laid into one file per occasion:

| file | holds |
| --- | --- |
| `base.txt` | what Framegate needs, and what builds it |
| `dev.txt` | what the checks and tests need besides |
| `torch-cuda.txt` | the index's PyTorch, which is built for CUDA, and NVIDIA's libraries |
| `files-only.txt` | packages that only a file is taken from |
"""

import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
LOCKS = ("base.txt", "dev.txt", "torch-cuda.txt")
_HEADER = "# Written by `make lock`.\n"
#: PyTorch, NVIDIA's libraries, and the compiler that PyTorch uses with them alone.
_TORCH_CUDA = re.compile(r"torch$|nvidia-(?!ml-py)|cuda-|triton$")


def main() -> None:
    """Takes the newest allowed versions; with `--keep`, the pinned ones where there are any."""
    kept = [f"--constraint={FOLDER / name}" for name in LOCKS] if "--keep" in sys.argv else []
    everything = _resolve("--all-extras", *kept)
    needed = {_name(pin) for pin in _resolve(*kept)}
    files = dict.fromkeys(LOCKS, _HEADER)
    for pin in everything:
        files[_file_of(_name(pin), needed)] += pin
    for path, text in files.items():
        (FOLDER / path).write_text(text)
    files_only = _compile("files-only.in", "--no-deps", folder=FOLDER)
    (FOLDER / "files-only.txt").write_text(_HEADER + files_only)


def _resolve(*options: str) -> list[str]:
    return _pins(_compile("pyproject.toml", "--group=build", *options, folder=FOLDER.parent))


def _compile(source: str, *options: str, folder: Path) -> str:
    command = [
        *("uv", "pip", "compile", source, "--universal", "--python-version=3.11"),
        *("--generate-hashes", "--only-binary=:all:", "--no-header", "--no-annotate", "--quiet"),
        *("--no-emit-index-url", "--no-emit-find-links", *options),
    ]
    done = subprocess.run(command, cwd=folder, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.returncode)  # uv has said why
    return done.stdout


def _pins(text: str) -> list[str]:
    """One requirement each, with the lines of its hashes."""
    return re.findall(r"^\S.*\n(?:[ ].*\n)*", text, re.MULTILINE)


def _name(pin: str) -> str:
    return pin.partition("==")[0]


def _file_of(name: str, needed: set[str]) -> str:
    if _TORCH_CUDA.match(name):
        return "torch-cuda.txt"
    return "base.txt" if name in needed else "dev.txt"


if __name__ == "__main__":
    main()
