"""Single files of a job's results: ranges, HEAD, ETags, and nothing but results."""

import hashlib
from collections.abc import Callable

import httpx
import pytest

pytestmark = pytest.mark.anyio


async def test_a_file_is_served_in_ranges(admin: httpx.AsyncClient, url: str) -> None:
    file = f"{url}/results/face_detection/a_faces.mp4"
    part = await admin.get(file, headers={"Range": "bytes=5-9"})
    assert (part.status_code, part.content) == (206, b"boxes")
    assert part.headers["Content-Range"] == "bytes 5-9/10"
    assert (await admin.get(file, headers={"Range": "bytes=-5"})).content == b"boxes"
    beyond = await admin.get(file, headers={"Range": "bytes=99-"})
    assert beyond.status_code == 416
    assert beyond.headers["Content-Range"] == "bytes */10"
    assert beyond.json()["error"]["code"] == "INVALID_REQUEST"
    assert (await admin.get(file, headers={"Range": "Bytes=5-9"})).content == b"boxes"
    malformed = await admin.get(file, headers={"Range": "bytes=five"})
    assert malformed.status_code == 400
    assert malformed.json()["error"]["field"] == "Range"


@pytest.mark.parametrize("given", ["lines=1-2", "lines", "", "bytesish=0-1"])
async def test_a_range_of_a_unit_that_is_not_known_is_ignored(
    admin: httpx.AsyncClient, url: str, given: str
) -> None:
    file = f"{url}/results/face_detection/a_faces.mp4"
    answer = await admin.get(file, headers={"Range": given})
    assert (answer.status_code, answer.content) == (200, b"with boxes")


@pytest.mark.parametrize(
    "path",
    [
        *("/results", "/results/face_detection/preview.png", "/results/nothing"),
        *("/artifacts", "/report"),
    ],
)
async def test_head_says_of_a_result_what_get_says_and_sends_nothing_of_it(
    serve: Callable[[], int], secret_of: Callable[..., str], url: str, path: str
) -> None:
    headers = {"X-API-Key": secret_of("reader"), "X-Request-ID": "same"}
    server = f"http://127.0.0.1:{serve()}"
    async with httpx.AsyncClient(base_url=server, headers=headers, trust_env=False) as client:
        got = await client.get(url + path)
        head = await client.head(url + path, headers={"Range": "bytes=0-1"})
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert {**head.headers, "date": ""} == {**got.headers, "date": ""}


async def test_a_file_that_the_client_has_is_not_sent_again(
    admin: httpx.AsyncClient, url: str
) -> None:
    file = f"{url}/results/face_detection/preview.png"
    first = await admin.get(file)
    etag = first.headers["ETag"]
    assert etag == f'"{hashlib.sha256(b"faces").hexdigest()}"'
    again = await admin.get(file, headers={"If-None-Match": f'"other", W/{etag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == etag
    assert (await admin.get(file, headers={"If-None-Match": '"other"'})).status_code == 200
    assert first.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "%2e%2e/secret.txt",
        "face_detection/../../secret.txt",
        "face_detection/%2e%2e%2f%2e%2e%2fsecret.txt",
        "face_detection/manifest.json",
        "face_detection",
        "face_detection/",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "face_detection/preview.png%00",
        "nothing",
    ],
)
async def test_only_what_a_manifest_names_is_a_result(
    admin: httpx.AsyncClient, url: str, path: str
) -> None:
    response = await admin.get(f"{url}/results/{path}")
    assert response.status_code == 404
    assert "not a result" not in response.text
