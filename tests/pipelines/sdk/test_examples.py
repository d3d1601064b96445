"""Every name of the SDK has an example in its docstring, and the examples are right."""

import doctest
import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel, Field

from pipelines import sdk

_RATE, _SAMPLE_RATE, _SECONDS = 10, 16_000, 2
_NAMES = sorted(set(sdk.__all__) - {"SDK_VERSION"})
#: What an example need not import.
_KNOWN = {
    **{name: getattr(sdk, name) for name in sdk.__all__},
    "BaseModel": BaseModel,
    "Field": Field,
    "Path": Path,
}


@pytest.fixture(scope="module")
def folder_of_video(make_video: Any) -> Path:
    """A folder with `video.mp4`: two seconds of 64x48 pixels with sound."""
    images = [np.full((48, 64, 3), 120, np.uint8)] * (_RATE * _SECONDS)
    sound = np.sin(np.arange(_SAMPLE_RATE * _SECONDS, dtype=np.float32) / 20) / 2
    path: Path = make_video(images, rate=_RATE, sound=sound, sample_rate=_SAMPLE_RATE)
    return path.parent


@pytest.mark.parametrize("name", _NAMES)
def test_an_example_does_what_it_says(
    name: str, folder_of_video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder_of_video)
    docstring = inspect.getdoc(getattr(sdk, name)) or ""
    example = doctest.DocTestParser().get_doctest(docstring, dict(_KNOWN), name, None, None)
    said: list[str] = []

    failed, tried = doctest.DocTestRunner().run(example, out=said.append)

    assert tried > 0
    assert failed == 0, "".join(said)
