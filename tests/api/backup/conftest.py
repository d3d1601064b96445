"""A home that is worth a backup."""

from pathlib import Path

import pytest

from contracts.home import Home
from tests.api.backup.homes import MEDIA, RUN, add_key, url_of, write


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """With a key, a medium, a job's results, and what no backup needs."""
    home = Home(tmp_path / "home")
    add_key(url_of(home))
    write(home.media(MEDIA), "the video")
    write(home.results(RUN) / "speech_activity" / "video.rttm", "SPEAKER")
    write(home.worker_log(RUN), "a line")
    write(home.partial(RUN) / "face_detection" / "half", "half")
    write(home.logs / "api.log", "a line")
    write(home.run / "leases" / RUN, "")
    return home
