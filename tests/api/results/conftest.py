"""A completed job with results."""

import hashlib
import json
from typing import Any

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
