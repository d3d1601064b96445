"""Lists the licence of every installed dependency in `docs/licences.md`: what `make licences` runs.

Every licence must be permissive, or be excused here with a reason.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
PAGE = FOLDER.parent / "docs" / "licences.md"

#: As packages write them: by SPDX, by trove classifier, or in words of their own.
_PERMISSIVE = frozenset(
    {
        *("0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "Apache Software License"),
        *("3-Clause BSD License", "BSD", "BSD License", "BSD-2-Clause", "BSD-3-Clause"),
        *("BSL-1.0", "CC0-1.0", "DFSG approved", "FreeBSD", "ISC License (ISCL)"),
        *("MIT", "MIT License"),
        *("MIT-CMU", "PSF-2.0", "Python Software Foundation License", "Zlib"),
    }
)
_MPL = "weak copyleft by file: it is used as published, no file of it is changed"
#: {package: why it may be used all the same}
EXCUSED = {
    "certifi": _MPL,
    "codespell": "GPL 2: a program that checks spelling while Framegate is developed",
    "hypothesis": f"{_MPL}; in tests alone",
    "pathspec": _MPL,
    "psycopg2-binary": "LGPL with exceptions: it is imported as published, and can be exchanged",
    "pympi-ling": "MIT by the file LICENSE in its wheel; in tests alone",
    "tqdm": _MPL,
}
_INTRODUCTION = """# Licences

What is installed with Framegate and for its tests, and under which licence. `make licences` writes
this page, and refuses a licence that is neither permissive nor excused below. Framegate itself is
under Apache 2.0, and distributes none of these packages: pip fetches them.

The table says what packages say of themselves. Beyond it:

- The index's PyTorch brings NVIDIA's libraries for CUDA (`requirements/torch-cuda.txt`) under
  NVIDIA's own terms: free to use, not open source. The build for CPUs needs none of them.
- The wheel of `av` contains FFmpeg (LGPL 3) with x264 and x265 (GPL 2). Who hands on an environment
  or an image with that wheel in it hands on those, too.
- The wheel of `imageio-ffmpeg` contains the program `ffmpeg` (GPL 3). Tests compare with it;
  nothing else runs it.
"""


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    licence: str

    @property
    def is_permissive(self) -> bool:
        """All of the licences that hold together; where one may choose, all of them, too."""
        return all(part in _PERMISSIVE for part in re.split(" AND | OR |; ", self.licence))


def main() -> None:
    packages = installed()
    refused = [each for each in packages if not each.is_permissive and each.name not in EXCUSED]
    for package in refused:
        print(f"{package.name} {package.version}: {package.licence}", file=sys.stderr)  # noqa: T201
    if refused:
        sys.exit("These are neither permissive nor excused in requirements/licences.py.")
    PAGE.write_text(page(packages))


def installed() -> list[Package]:
    """What is installed of what is pinned, in the order of names."""
    command = [sys.executable, "-m", "piplicenses", "--format=json", "--with-system"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    packages = [
        Package(_normal(each["Name"]), each["Version"].partition("+")[0], each["License"])
        for each in found
    ]
    versions = pinned()
    return sorted(
        (each for each in packages if each.version in versions.get(each.name, ())),
        key=lambda package: package.name,
    )


def pinned() -> Mapping[str, set[str]]:
    """The versions of each package in the lock files: several where Python's version decides."""
    versions: dict[str, set[str]] = {}
    for lock in FOLDER.glob("*.txt"):
        for name, version in re.findall(r"^([\w.-]+)==([^\s+]+)", lock.read_text(), re.MULTILINE):
            versions.setdefault(_normal(name), set()).add(version)
    return versions


def page(packages: list[Package]) -> str:
    rows = [f"| {each.name} | {each.version} | {each.licence} |" for each in packages]
    excuses = [f"| {name} | {reason} |" for name, reason in EXCUSED.items()]
    return "\n".join(
        [
            _INTRODUCTION,
            *("## Excused", "", "| package | why |", "| --- | --- |", *excuses, ""),
            *("## All", "", "| package | version | licence |", "| --- | --- | --- |", *rows, ""),
        ]
    )


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
