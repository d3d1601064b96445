"""The run that a video asks for. One content with one config is one run, whatever its name."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagster import RunRequest

from contracts.run import INBOX_FILE_TAG, PRESET_TAG, Submission, run_config, run_tags
from contracts.timestamps import now
from orchestration.inbox.file_tag import file_tag
from orchestration.inbox.folder import InboxFolder
from orchestration.inbox.intake import Video


def run_key(folder: InboxFolder, sha256: str) -> str:
    """Of content, pipelines, complete configs and owner: where none of these differs, a run would
    give the same results to the same person. A pipeline's version is not part of it: an upgrade
    does not run everything again.
    """
    meaning: Mapping[str, Any] = {
        "media": sha256,
        "config": {
            name: config.model_dump(mode="json") for name, config in folder.complete_config.items()
        },
        "owner": folder.owner,
    }
    text = json.dumps(meaning, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def run_request(folder: InboxFolder, file: Path, video: Video) -> RunRequest:
    key = run_key(folder, video.sha256)
    submission = Submission(
        media=video.media,
        media_hash=video.sha256,
        facts=video.facts,
        pipelines=folder.pipelines,
        config=folder.config,
        owner=folder.owner,
        submitted_at=now(),
        request_id=f"inbox-{key[:16]}",
        priority=folder.priority,
        tags=folder.tags,
    )
    tags = run_tags(submission) | {INBOX_FILE_TAG: file_tag(file)}
    if folder.preset:
        tags[PRESET_TAG] = folder.preset
    return RunRequest(
        run_key=key, job_name=folder.job, run_config=run_config(submission), tags=tags
    )
