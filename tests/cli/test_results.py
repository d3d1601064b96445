from pathlib import Path

import httpx
import pytest

from api.cli.client import Client
from api.cli.errors import CommandError
from api.cli.results import save


@pytest.mark.parametrize("path", ["../stolen", "/etc/stolen", "a/../../stolen", ""])
def test_no_file_is_saved_outside_the_folder(tmp_path: Path, path: str) -> None:
    results = {"files": [{"path": path, "url": "/somewhere"}]}

    with (
        httpx.Client(base_url="http://127.0.0.1:9") as http,
        pytest.raises(CommandError, match="leads out of the folder"),
    ):
        save(Client(http), results, tmp_path / "out")
