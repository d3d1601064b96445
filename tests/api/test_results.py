"""Results: the manifest, single files with ranges, the ZIP, and deletion."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from api.settings import Settings
from contracts.run import (
    KIND,
    KIND_TAG,
    MEDIA_FACTS_TAG,
    OWNER_TAG,
    PROBE_OP,
    MediaFacts,
    pipeline_tags,
)

pytestmark = pytest.mark.anyio

NAMES = ("face_detection", "scene_detection")
TIERS = b'{"tiers": {"scenes": [{"start": 0, "end": 1, "label": "scene 1"}]}}'


@pytest.fixture
def finished(dagster: Any, settings: Settings) -> Any:
    """A completed job of two pipelines, one of which wrote a video of its own."""
    home, media = settings.paths, hashlib.sha256(b"the video").hexdigest()
    home.media(media).parent.mkdir(parents=True)
    home.media(media).write_bytes(b"the video")
    home.media_facts(media).write_text(json.dumps({"container": "mov"}))
    facts = MediaFacts("тест holiday.mp4", 9, 1.0)
    run = dagster.add(
        "annotate",
        tags={
            KIND_TAG: KIND,
            OWNER_TAG: "alice",
            MEDIA_FACTS_TAG: facts.to_tag(),
            **pipeline_tags(NAMES),
        },
        config={"ops": {PROBE_OP: {"config": {"media": media}}}},
    )
    run.end("SUCCESS")
    files = {
        "face_detection": [
            ("a_face_analysis.json", "annotations", "application/json", b'{"annotations": []}'),
            ("preview.png", "preview", "image/png", b"faces"),
            ("a_faces.mp4", "video", "video/mp4", b"with boxes"),
        ],
        "scene_detection": [
            ("preview.png", "preview", "image/png", b"scenes"),
            ("instances_a.json", "dataset", "application/json", b"{}"),
            ("a_tiers.json", "tiers", "application/json", TIERS),
        ],
    }
    for pipeline, written in files.items():
        folder = home.results(run.id) / pipeline
        folder.mkdir(parents=True)
        listed = []
        for name, role, media_type, content in written:
            (folder / name).write_bytes(content)
            listed.append(
                {
                    "name": name,
                    "role": role,
                    "media_type": media_type,
                    "size_bytes": len(content),
                    "sha256": hashlib.sha256(content).hexdigest(),
                }
            )
        (folder / "manifest.json").write_text(json.dumps({"pipeline": pipeline, "files": listed}))
    (home.job(run.id) / "secret.txt").write_text("not a result")
    return run


@pytest.fixture
def url(finished: Any) -> str:
    return f"/api/v1/jobs/{finished.id}"


async def test_the_manifest_lists_every_file_and_each_can_be_fetched(
    admin: httpx.AsyncClient, url: str
) -> None:
    results = (await admin.get(f"{url}/results")).json()
    assert results["status"] == "completed"
    assert set(results["pipelines"]) == set(NAMES)
    assert len(results["files"]) == 6
    assert set(results["pipeline_results"]) == set(NAMES)
    for file in results["files"]:
        response = await admin.get(file["url"])
        assert response.status_code == 200
        assert hashlib.sha256(response.content).hexdigest() == file["sha256"]
        assert response.headers["Content-Type"].startswith(file["media_type"])


async def test_results_and_job_say_that_not_all_of_the_media_was_read(
    admin: httpx.AsyncClient, settings: Settings, finished: Any, url: str
) -> None:
    for name, (complete, seconds) in zip(NAMES, [(True, 10.0), (False, 5.9)], strict=True):
        path = settings.paths.results(finished.id) / name / "manifest.json"
        said = {"complete": complete, "covered_seconds": seconds}
        path.write_text(json.dumps(json.loads(path.read_text()) | said))
    for answer in [(await admin.get(address)).json() for address in (url, f"{url}/results")]:
        assert (answer["complete"], answer["covered_seconds"]) == (False, 5.9)
    told = (await admin.get(url)).json()["pipeline_results"]["face_detection"]
    assert (told["complete"], told["covered_seconds"]) == (True, 10.0)


async def test_what_no_pipeline_says_is_null(admin: httpx.AsyncClient, url: str) -> None:
    results = (await admin.get(f"{url}/results")).json()
    assert (results["complete"], results["covered_seconds"]) == (None, None)


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


async def test_head_reads_no_file_of_the_zip(
    admin: httpx.AsyncClient, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.routes.results.stream_archive", None)
    assert (await admin.head(f"{url}/artifacts")).status_code == 200


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


async def test_the_zip_holds_one_video_and_what_the_readme_lists(
    admin: httpx.AsyncClient, url: str
) -> None:
    response = await admin.get(f"{url}/artifacts")
    assert response.headers["Content-Type"] == "application/zip"
    assert int(response.headers["Content-Length"]) == len(response.content)
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "README.txt",
            "тест holiday.mov",
            "manifest.json",
            "report.html",
            "тест holiday.eaf",
            "a_face_analysis.json",
            "preview.png",
            "a_faces.m4v",
            "scene_detection_preview.png",
            "coco/annotations/instances_a.json",
            "coco/images/README.txt",
        ]
        readme = archive.read("README.txt").decode()
        assert all(name in readme for name in archive.namelist()[1:])
        assert archive.read("тест holiday.mov") == b"the video"
        manifest = json.loads(archive.read("manifest.json"))
        assert set(manifest).isdisjoint(
            {"results", "annotations", "scenes", "attributes", "emotions", "face_id"}
        )


@pytest.mark.parametrize(
    "named",
    ["mp3 x.mp3", "mpegts x.ts", "webm x.webm", "3gp x.mp4", "flac x.flac", "yuv4mpegpipe x.y4m"],
)
async def test_the_zip_names_the_media_by_its_content(
    admin: httpx.AsyncClient,
    url: str,
    finished: Any,
    settings: Settings,
    named: str,
) -> None:
    container, name = named.split()
    media = finished.config["ops"][PROBE_OP]["config"]["media"]
    settings.paths.media_facts(media).write_text(json.dumps({"container": container}))
    response = await admin.get(f"{url}/artifacts")
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.namelist()[1] == name.replace("x", "тест holiday")


async def test_the_zip_of_a_job_whose_media_is_gone_is_a_404(
    admin: httpx.AsyncClient, url: str, finished: Any, settings: Settings
) -> None:
    media = finished.config["ops"][PROBE_OP]["config"]["media"]
    settings.paths.media(media).unlink()
    assert (await admin.get(f"{url}/artifacts")).status_code == 404
    assert (await admin.get(f"{url}/results")).status_code == 200


@pytest.mark.parametrize("status", ["QUEUED", "STARTED", "CANCELING"])
async def test_a_job_that_is_not_finished_has_no_results_and_cannot_be_deleted(
    admin: httpx.AsyncClient, dagster: Any, status: str
) -> None:
    url = f"/api/v1/jobs/{dagster.add(status=status).id}"
    answers = [
        await admin.get(f"{url}/results"),
        await admin.get(f"{url}/results/a/b"),
        await admin.get(f"{url}/artifacts"),
        await admin.delete(url),
    ]
    for answer in answers:
        assert answer.status_code == 409
        assert answer.json()["error"]["code"] == "JOB_NOT_FINISHED"


async def test_a_deleted_job_is_gone_with_its_results_and_its_run(
    admin: httpx.AsyncClient, dagster: Any, finished: Any, url: str, settings: Settings
) -> None:
    response = await admin.delete(url)
    assert (response.status_code, response.content) == (204, b"")
    assert not settings.paths.job(finished.id).exists()
    assert finished.id not in dagster.runs
    assert (await admin.get(url)).status_code == 404
    assert (await admin.delete(url)).status_code == 404


async def test_only_its_owner_or_an_administrator_deletes_a_job(
    client_of: Callable[..., httpx.AsyncClient], dagster: Any, finished: Any, url: str
) -> None:
    assert (await client_of("annotator", "bob").delete(url)).status_code == 403
    assert finished.id in dagster.runs
    assert (await client_of("annotator", "alice").delete(url)).status_code == 204


async def test_a_manifest_that_a_crash_left_unreadable_is_as_if_it_was_not_there(
    admin: httpx.AsyncClient, url: str, finished: Any, settings: Settings
) -> None:
    folder = settings.paths.results(finished.id) / "face_detection"
    (folder / "manifest.json").write_text("{")
    results = (await admin.get(f"{url}/results")).json()
    assert set(results["pipelines"]) == {"scene_detection"}
