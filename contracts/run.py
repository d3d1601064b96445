"""How a submission becomes a Dagster run: job names, run tags and the shape of the run config.

The API builds these, the ops read them, and neither imports the other. Everything here is a pure
function of its arguments.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from contracts.text import clean_text

ANNOTATE_JOB = "annotate"
PROBE_OP = "probe"
POOL = "gpu"

#: On every run that enters the queue, as `kind_of` says: runs are found by it. What a run is
#: follows from its job; a tag of this name that somebody else wrote is replaced.
KIND_TAG = "framegate/kind"
KIND = "annotation"
#: Of runs that look after the installation instead: they are no jobs, and REST does not list them.
MAINTENANCE_KIND = "maintenance"
#: The names of the jobs of that kind, which nothing else may have.
MAINTENANCE_JOBS = ("library_batch", "retention_sweep")
#: On a maintenance run its job's name: `dagster.yaml` lets one of each go at a time.
MAINTENANCE_TAG = "framegate/maintenance"
OWNER_TAG = "framegate/owner"
#: The SHA-256 of the run's media.
MEDIA_TAG = "framegate/media"
#: On a run from Dagster's catalog: the path at which its media was seen, if it is not stored.
MEDIA_PATH_TAG = "framegate/media_path"
MEDIA_FACTS_TAG = "framegate/media_facts"
#: What people call the media: lists of runs show it, and can be filtered by it.
FILENAME_TAG = "framegate/filename"
PIPELINES_TAG = "framegate/pipelines"
#: One of these per pipeline of a run, so that runs can be found by any of their pipelines.
#: Dagster's tags have one slash at most.
PIPELINE_TAG_PREFIX = "framegate.pipeline/"
SUBMITTED_AT_TAG = "framegate/submitted_at"
IDEMPOTENCY_KEY_TAG = "framegate/idempotency_key"
#: On its way to Dagster alone: the id that the run gets, so that a launch repeated is the same run.
LAUNCH_TAG = "framegate/launch"
REQUEST_ID_TAG = "framegate/request_id"
#: `framegate/failure` holds why the run as a whole failed, `framegate.failure/<pipeline>` why
#: that pipeline did: JSON as made by `Failure.to_tag`.
FAILURE_TAG = "framegate/failure"
#: The preset that a run was started by.
PRESET_TAG = "framegate/preset"
#: The file in the inbox that a run was started for.
INBOX_FILE_TAG = "framegate/inbox_file"
#: Whose the inbox's jobs are, unless a preset says so.
INBOX_OWNER = "inbox"
DEVICE_TAG = "framegate/device"
#: Why a queued run waits, in words.
WAITING_TAG = "framegate/waiting"
#: After a cancellation: what was held on the GPU and whether it is back, as JSON.
RELEASE_TAG = "framegate/release"
#: Set while a cancelled run's processes cannot be killed: JSON of pids, signal and host.
CANCELLATION_FAILED_TAG = "framegate/cancellation_failed"
#: What a submission's own `tags` are put under, so that they can never override ours.
USER_TAG_PREFIX = "user/"
PRIORITY_TAG = "dagster/priority"
#: Whatever its value, retention never deletes the job; over REST it is the tag `keep`.
KEEP_TAG = f"{USER_TAG_PREFIX}keep"
#: The owner of jobs that the nightly batch queues.
LIBRARY_OWNER = "library"
#: On such a job, what it is about: the media, each pipeline with its version, and which attempt.
BATCH_KEY_TAG = "framegate/batch_key"
#: One per pipeline of such a job: the pipeline's version when the job was queued.
VERSION_TAG_PREFIX = "framegate.version/"

_TAG_MESSAGE_LENGTH = 800


@dataclass(frozen=True)
class MediaFacts:
    """What REST shows of a job's media without touching the file again."""

    filename: str
    size_bytes: int
    duration_seconds: float

    def to_tag(self) -> str:
        return json.dumps(
            {
                "filename": self.filename,
                "size_bytes": self.size_bytes,
                "duration_seconds": self.duration_seconds,
            }
        )

    @classmethod
    def from_tag(cls, tag: str) -> "MediaFacts":
        """Raises ValueError for a tag that was not made by `to_tag`: anybody can write tags."""
        facts = cls(**_object_of(tag))
        size, seconds = float(facts.size_bytes), float(facts.duration_seconds)
        if not (isfinite(size) and isfinite(seconds)):
            raise ValueError("media has a size and a duration")
        return cls(clean_text(str(facts.filename)), int(size), seconds)


@dataclass(frozen=True)
class Failure:
    """Why a pipeline or a whole run failed, as it travels on the run."""

    code: str
    message: str
    hint: str | None = None

    def to_tag(self) -> str:
        message = clean_text(self.message, _TAG_MESSAGE_LENGTH)
        return json.dumps({"code": self.code, "message": message, "hint": self.hint})

    @classmethod
    def from_tag(cls, tag: str) -> "Failure":
        """Raises ValueError for a tag that was not made by `to_tag`: anybody can write tags."""
        failure = cls(**_object_of(tag))
        texts = (failure.code, failure.message, failure.hint or "")
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("a failure consists of text")
        code, message, hint = map(clean_text, texts)
        return cls(code, message, hint or None)


def _object_of(tag: str) -> Mapping[str, Any]:
    value = json.loads(tag)
    if not isinstance(value, dict):
        raise ValueError("the tag holds no JSON object")  # noqa: TRY004 - whoever wrote it is to blame
    return value


def failure_tag(pipeline: str) -> str:
    return f"framegate.failure/{pipeline}"


@dataclass(frozen=True)
class Submission:
    """Everything that decides what a run does, before it is a run.

    `media` is either a SHA-256 in hexadecimal (a stored upload) or an absolute path (a file
    in a media root); `config` is keyed by pipeline.
    """

    media: str
    media_hash: str
    facts: MediaFacts
    pipelines: Sequence[str]
    config: Mapping[str, Mapping[str, Any]]
    owner: str
    submitted_at: str
    request_id: str
    priority: int = 0
    idempotency_key: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


def kind_of(job: str) -> str:
    """Of a run of this Dagster job."""
    return MAINTENANCE_KIND if job in MAINTENANCE_JOBS else KIND


def job_name(pipelines: Sequence[str]) -> str:
    """One pipeline runs in its own Dagster job, several run in `annotate`."""
    return pipelines[0] if len(pipelines) == 1 else ANNOTATE_JOB


def op_selection(pipelines: Sequence[str]) -> list[str] | None:
    """Which ops of the job to run; None for all of them."""
    return None if len(pipelines) == 1 else [PROBE_OP, *pipelines]


def run_config(submission: Submission) -> dict[str, Any]:
    return {
        "ops": {
            PROBE_OP: {
                "config": {"media": submission.media, "filename": submission.facts.filename}
            },
            **{
                name: {"config": dict(submission.config.get(name, {}))}
                for name in submission.pipelines
            },
        }
    }


def run_tags(submission: Submission) -> dict[str, str]:
    tags = {f"{USER_TAG_PREFIX}{key}": value for key, value in submission.tags.items()}
    tags |= {
        KIND_TAG: KIND,
        OWNER_TAG: submission.owner,
        MEDIA_TAG: submission.media_hash,
        MEDIA_FACTS_TAG: submission.facts.to_tag(),
        FILENAME_TAG: submission.facts.filename,
        SUBMITTED_AT_TAG: submission.submitted_at,
        REQUEST_ID_TAG: submission.request_id,
        **pipeline_tags(submission.pipelines),
    }
    if submission.priority:
        tags[PRIORITY_TAG] = str(submission.priority)
    if submission.idempotency_key:
        tags[IDEMPOTENCY_KEY_TAG] = submission.idempotency_key
    return tags


def pipeline_tags(pipelines: Sequence[str]) -> dict[str, str]:
    """What a run of these pipelines is found by."""
    return {
        PIPELINES_TAG: ",".join(pipelines),
        **{f"{PIPELINE_TAG_PREFIX}{name}": "selected" for name in pipelines},
    }


def log_fields(run_id: str, tags: Mapping[str, str]) -> dict[str, str]:
    """What a line of the log says of a run: its id, the request that made it, and whose it is."""
    told = {"request_id": REQUEST_ID_TAG, "owner": OWNER_TAG, "pipelines": PIPELINES_TAG}
    return {"job_id": run_id} | {field: tags[tag] for field, tag in told.items() if tag in tags}


def pipelines_of(tags: Mapping[str, str], job: str) -> list[str]:
    """The pipelines a run was started for; a run of a pipeline's own job needs no tag."""
    if named := tags.get(PIPELINES_TAG):
        return named.split(",")
    return [] if job == ANNOTATE_JOB else [job]
