"""Pins every dependency with the hashes of its files: what `make lock` runs.

uv resolves once, for every platform. What it answers is laid into one file per occasion:

| file | holds |
| --- | --- |
| `base.txt` | what Framegate needs, and what builds it |
| `dev.txt` | what the checks and tests need besides |
| `torch.txt` | PyTorch: the files of the index, and those of PyTorch's own builds for CPUs |
| `cuda.txt` | what PyTorch's build for CUDA needs besides; the one for CPUs needs none of it |
| `files-only.txt` | packages that only a file is taken from |
"""

import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
LOCKS = ("base.txt", "dev.txt", "torch.txt", "cuda.txt")
_HEADER = "# Written by `make lock`.\n"
#: Packages of NVIDIA's libraries, and the compiler that PyTorch uses with them alone.
_CUDA = re.compile(r"nvidia-(?!ml-py)|cuda-|triton$")


def main() -> None:
    """Takes the newest allowed versions; with `--keep`, the pinned ones where there are any."""
    kept = [f"--constraint={FOLDER / name}" for name in LOCKS] if "--keep" in sys.argv else []
    everything = _resolve("--all-extras", *kept)
    needed = {_name(pin) for pin in _resolve(*kept)}
    files = dict.fromkeys(LOCKS, _HEADER)
    for pin in everything:
        name = _name(pin)
        files[_file_of(name, needed)] += _with_cpu_builds(pin) if name == "torch" else pin
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
    done = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def _pins(text: str) -> list[str]:
    """One requirement each, with the lines of its hashes."""
    return re.findall(r"^\S.*\n(?:[ ].*\n)*", text, re.MULTILINE)


def _name(pin: str) -> str:
    return pin.partition("==")[0]


def _file_of(name: str, needed: set[str]) -> str:
    if name == "torch":
        return "torch.txt"
    if _CUDA.match(name):
        return "cuda.txt"
    return "base.txt" if name in needed else "dev.txt"


def _with_cpu_builds(pin: str) -> str:
    """`torch==2.13.0` names the build for CPUs (`2.13.0+cpu`) as well, which lies elsewhere than
    in the index that uv asks. Exits where that version's hashes are not known.
    """
    version = pin.partition("==")[2].split()[0]
    listed = (FOLDER / "torch-cpu.sha256").read_text().splitlines()
    hashes = [line.split()[0] for line in listed if f"torch-{version}+cpu-" in line]
    if not hashes:
        sys.exit(f"torch-cpu.sha256 lists no build of torch {version}: add what PyTorch publishes.")
    return (
        " \\\n".join([pin.rstrip("\n"), *(f"    --hash=sha256:{each}" for each in hashes)]) + "\n"
    )


if __name__ == "__main__":
    main()
