"""Names that strangers give to files, from the upload to every header that tells a name again."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from api.http.filenames import clean_filename
from api.settings import Settings

BOUNDARY = "b0undary"
#: As it stands in a form, and as it is shown.
NAMES = {
    "newline, as browsers write it": ("a%0D%0ASet-Cookie: x=1.mp4", "aSet-Cookie: x=1.mp4"),
    "quotes, as browsers write them": ("a %22b%22 100%.mp4", 'a "b" 100%.mp4'),
    "nul": ("nul\0.mp4", "nul.mp4"),
    "right to left": ("\u202egpj.mp4", "gpj.mp4"),
    "emoji": ("🎬 фильм.mp4", "🎬 фильм.mp4"),
    "quotes": (r"a\"; filename=\"b.exe.mp4", 'a"; filename="b.exe.mp4'),
    "path": ("../../etc/passwd", "passwd"),
    "300 characters": ("x" * 300 + ".mp4", "x" * 196 + ".mp4"),
    "300 of three bytes each": ("影" * 300 + ".mp4", "影" * 196 + ".mp4"),
}


@pytest.fixture
def client(serve: Callable[[], int], secret_of: Callable[..., str]) -> Iterator[httpx.Client]:
    """Over a real socket: what would split an answer does so only there."""
    headers = {"X-API-Key": secret_of("admin")}
    url = f"http://127.0.0.1:{serve()}"
    with httpx.Client(base_url=url, headers=headers, timeout=30.0, trust_env=False) as client:
        yield client


def _upload(client: httpx.Client, clip: bytes, filename: str) -> httpx.Response:
    """`filename` as it stands in the part's header."""
    file = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="video"; {filename}\r\n\r\n'
    field = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="selected_pipelines"\r\n\r\n'
    body = file.encode() + clip + f"\r\n{field}scene_detection\r\n--{BOUNDARY}--\r\n".encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return client.post("/api/v1/jobs", content=body, headers=kind)


def _disposition(answer: httpx.Response) -> tuple[str, str | None]:
    """Kind and name, as a browser reads them; nothing else stands in the header."""
    [value] = answer.headers.get_list("Content-Disposition")
    assert value.isascii()
    assert value.isprintable()
    message = Message()
    message["Content-Disposition"] = value
    name = message.get_param("filename*", None, "Content-Disposition")
    if name is None:
        return message.get_content_disposition() or "", message.get_filename()
    return message.get_content_disposition() or "", unquote(str(name).partition("''")[2])


@pytest.mark.parametrize(("given", "shown"), NAMES.values(), ids=NAMES)
def test_a_hostile_name_of_a_video_is_shown_and_archived_harmlessly(
    client: httpx.Client, clip: bytes, dagster: Any, given: str, shown: str
) -> None:
    submitted = _upload(client, clip, f'filename="{given}"')
    assert submitted.status_code == 201, submitted.text
    job = submitted.json()
    assert job["video_filename"] == shown

    dagster.runs[job["id"]].end("SUCCESS")
    answer = client.get(f"/api/v1/jobs/{job['id']}/artifacts")
    assert answer.status_code == 200
    assert _disposition(answer) == ("attachment", f"framegate-{job['id']}.zip")
    assert "Set-Cookie" not in answer.headers
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        made = ["manifest.json", "report.html"]
        assert archive.namelist() == ["README.txt", f"{shown.removesuffix('.mp4')}.mp4", *made]


@pytest.mark.parametrize(
    "name",
    ["🎬 фильм.json", "\u202ejson.exe", 'a"; filename="b.exe', "a\tb.json", "影" * 80, "%0D%0A"],
)
def test_a_hostile_name_of_a_result_is_no_more_than_a_name(
    client: httpx.Client, dagster: Any, settings: Settings, name: str
) -> None:
    """A third party's pipeline may call its files whatever the disk takes."""
    run = dagster.add("scene_detection")
    run.end("SUCCESS")
    _write_result(settings.paths.results(run.id) / "scene_detection", name)
    [file] = client.get(f"/api/v1/jobs/{run.id}/results").json()["files"]

    answer = client.get(file["url"])
    assert (answer.status_code, answer.content) == (200, b"{}")
    assert _disposition(answer) == ("attachment", name)
    assert "Set-Cookie" not in answer.headers


def _write_result(folder: Path, name: str) -> None:
    folder.mkdir(parents=True)
    (folder / name).write_bytes(b"{}")
    file = {"name": name, "role": "annotations", "media_type": "application/json"}
    file |= {"size_bytes": 2, "sha256": hashlib.sha256(b"{}").hexdigest()}
    (folder / "manifest.json").write_text(json.dumps({"files": [file]}))


def test_a_name_that_breaks_its_header_is_no_name(client: httpx.Client, clip: bytes) -> None:
    """The rest of it is a header of the part then, which nobody reads."""
    answer = _upload(client, clip, 'filename="a\r\nSet-Cookie: x=1.mp4"')
    assert "Set-Cookie" not in answer.headers
    assert answer.status_code in {201, 400}
    if answer.status_code == 201:
        assert answer.json()["video_filename"].isprintable()


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("holiday.mp4", "holiday.mp4"),
        ("../../etc/passwd", "passwd"),
        ("C:\\videos\\a.mov", "a.mov"),
        ("a\r\nSet-Cookie: x=1.mp4", "aSet-Cookie: x=1.mp4"),
        ("nul\0.mp4", "nul.mp4"),
        ("\u202egpj.mp4", "gpj.mp4"),
        ("🎬 фильм.mp4", "🎬 фильм.mp4"),
        ("", "video"),
        ("..", "video"),
        ("/", "video"),
        ("\ud800.mp4", "mp4"),
    ],
)
def test_a_filename_is_made_harmless(given: str, shown: str) -> None:
    assert clean_filename(given) == shown


def test_a_long_filename_is_cut_and_keeps_its_suffix() -> None:
    assert clean_filename("x" * 300 + ".mp4") == "x" * 196 + ".mp4"
    assert len(clean_filename("x." + "y" * 300)) <= 200
