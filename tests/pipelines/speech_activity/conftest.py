"""Files with speech at known places."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines.speech_activity.sounds import Spans, sound


@pytest.fixture
def spoken(make_video: Any) -> Callable[..., Path]:
    """A file with speech at the given spans of seconds, in silence or noise."""

    def spoken(spans: Spans, seconds: float, noise: float = 0.0, **video: Any) -> Path:
        return make_video(video.pop("images", []), sound=sound(spans, seconds, noise), **video)

    return spoken
