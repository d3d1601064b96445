"""What clients do: each visitor picks its next action by its own random numbers."""

import hashlib
import io
import json
import random
import time
import wave
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from threading import Event
from typing import Any

import httpx

from tests.deep.soak.history import History, Request
from tests.deep.soak.stack import Clock

_ACTIONS = {
    "submit": 10,
    "look": 14,
    "cancel": 5,
    "download": 3,
    "retry": 2,
    "delete": 2,
    "list": 2,
    "validate": 2,
}
_BEHAVIOURS = {
    "finish": 40,
    "sleep": 40,
    "raise": 8,
    "crash": 4,
    "exit": 4,
    "swallow": 3,
    "grandchild": 4,
    "hold_gpu": 25,
}
#: Of the two devices one has 8 GiB, the other 4: what needs more than is free waits.
_GPU_BYTES = (2 * 2**30, 5 * 2**30)
_PIPELINES = {("misbehaving",): 85, ("speech_activity",): 8, ("misbehaving", "speech_activity"): 7}
#: How long a submission with a key is tried again until its outcome is known.
_PERSIST_SECONDS = 180.0
_PAUSE_SECONDS = 1.0
_RECENT = 4


@dataclass
class Jobs:
    """What all visitors know: jobs that were accepted, and uploads that may be named again."""

    known: list[str] = field(default_factory=list)
    uploads: list[str] = field(default_factory=list)
    retry_is_served: bool = False
    _numbers: Any = field(default_factory=count, init=False)

    def name_submission(self) -> str:
        return f"submission-{next(self._numbers)}"


@dataclass
class Visitor:
    client: httpx.Client
    jobs: Jobs
    history: History
    clock: Clock
    random: random.Random
    gave_up: Event

    def act_once(self) -> None:
        [action] = self.random.choices(list(_ACTIONS), list(_ACTIONS.values()))
        seed = random.Random(self.random.random())  # noqa: S311 - each action decides by its own
        if action == "submit":
            self._submit(seed)
        elif action == "list":
            self._ask("list", "GET", "/api/v1/jobs", params={"per_page": 50})
        elif action == "validate":
            self._validate(seed)
        elif self.jobs.known:
            # Every other time a job that is likely to be under way.
            known = self.jobs.known[-_RECENT:] if seed.random() < 0.5 else self.jobs.known
            self._act_on(action, seed.choice(known))

    def _act_on(self, action: str, job: str) -> None:
        path = f"/api/v1/jobs/{job}"
        match action:
            case "look":
                self._ask("look", "GET", path, job=job)
            case "cancel":
                self._ask("cancel", "POST", f"{path}/cancel", job=job)
            case "download":
                self._download(path, job)
            case "retry" if self.jobs.retry_is_served:
                self._retry(path, job)
            case "delete":
                self._ask("delete", "DELETE", path, job=job)

    def _submit(self, seed: random.Random) -> None:
        """With an Idempotency-Key, until it is known what came of it; and sometimes once more."""
        name = self.jobs.name_submission()
        form = _form(seed, name, self.jobs.uploads)
        key = {"Idempotency-Key": name} if seed.random() < 0.6 else {}
        deadline = time.monotonic() + _PERSIST_SECONDS
        wanted = 2 if key and seed.random() < 0.3 else 1
        while wanted and time.monotonic() < deadline and not self.gave_up.is_set():
            answer = self._ask(
                "submit", "POST", "/api/v1/jobs", submission=name, headers=key, **form
            )
            if _is_known(answer):
                wanted -= 1
                self._remember(answer, form)
            elif not key:
                return
            else:
                time.sleep(_PAUSE_SECONDS)

    def _remember(self, answer: httpx.Response | None, form: Mapping[str, Any]) -> None:
        if answer is None or answer.status_code != httpx.codes.CREATED:
            return
        job = answer.json()["id"]
        if job not in self.jobs.known:
            self.jobs.known.append(job)
        if "files" in form:
            self.jobs.uploads.append(hashlib.sha256(form["files"]["video"][1]).hexdigest())

    def _retry(self, path: str, job: str) -> None:
        answer = self._ask("retry", "POST", f"{path}/retry", submission=job)
        if answer is not None and answer.status_code == httpx.codes.CREATED:
            self.jobs.known.append(answer.json()["id"])

    def _validate(self, seed: random.Random) -> None:
        garbage = bytes(seed.randrange(256) for _ in range(seed.randrange(200)))
        body = seed.choice(
            [
                garbage,
                b"{" * seed.randrange(1, 20_000),
                json.dumps({"pipeline": "misbehaving", "config": {garbage.hex(): 1}}).encode(),
            ]
        )
        headers = {"Content-Type": "application/json"}
        self._ask("validate", "POST", "/api/v1/pipelines/validate", content=body, headers=headers)

    def _download(self, path: str, job: str) -> None:
        """Every file that the job announces, compared with its announcement."""
        results = self._ask("results", "GET", f"{path}/results", job=job)
        if results is None or results.status_code != httpx.codes.OK:
            return
        for file in results.json()["files"]:
            began = self.clock()
            try:
                answer = self.client.get(file["url"])
            except httpx.TransportError:
                return
            if answer.status_code == httpx.codes.OK:
                whole = hashlib.sha256(answer.content).hexdigest() == file["sha256"]
                state = "whole" if whole else "broken"
                self.history.add(
                    Request(began, self.clock(), "download", 200, job=job, state=state)
                )

    def _ask(
        self,
        action: str,
        method: str,
        path: str,
        *,
        job: str = "",
        submission: str = "",
        **options: Any,
    ) -> httpx.Response | None:
        """The answer, noted; None where the connection was cut."""
        began = self.clock()
        answer: httpx.Response | None = None
        try:
            answer = self.client.request(method, path, **options)
        except httpx.TransportError:
            time.sleep(_PAUSE_SECONDS)
        body = _json(answer)
        error = body.get("error") or {} if _is_error(answer) else {}
        self.history.add(
            Request(
                began,
                self.clock(),
                action,
                answer.status_code if answer is not None else None,
                code=error.get("code", ""),
                submission=submission,
                job=job or body.get("id", ""),
                state="" if error else str(body.get("status", "")).lower(),
                complaint=error.get("message", ""),
            )
        )
        return answer


def _form(seed: random.Random, name: str, uploads: list[str]) -> dict[str, Any]:
    """A submission in one of its forms; its name goes along as a tag."""
    [pipelines] = seed.choices(list(_PIPELINES), list(_PIPELINES.values()))
    config = {"misbehaving": _misbehaviour(seed)} if "misbehaving" in pipelines else {}
    behaviour = config.get("misbehaving", {}).get("behaviour", "")
    tags, priority = {"soak": name, "behaviour": behaviour}, seed.choice([0, 0, 0, 1, 5])
    if uploads and seed.random() < 0.6:
        body = {"media": seed.choice(uploads), "pipelines": pipelines, "config": config}
        return {"json": {**body, "tags": tags, "priority": priority}}
    return {
        "files": {"video": ("noise.wav", _noise(seed))},
        "data": {
            "selected_pipelines": ",".join(pipelines),
            "config": json.dumps(config),
            "tags": json.dumps(tags),
            "priority": str(priority),
        },
    }


def _misbehaviour(seed: random.Random) -> dict[str, Any]:
    [behaviour] = seed.choices(list(_BEHAVIOURS), list(_BEHAVIOURS.values()))
    config = {"behaviour": behaviour, "seconds": round(seed.uniform(0.0, 8.0), 2)}
    if behaviour == "hold_gpu" or seed.random() < 0.3:
        config["gpu_memory"] = seed.choice(_GPU_BYTES)
    return config


def _noise(seed: random.Random) -> bytes:
    """A few tenths of a second that nobody has uploaded before."""
    with io.BytesIO() as buffer, wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(seed.randbytes(2 * seed.randrange(1600, 8000)))
        file.close()
        return buffer.getvalue()


def _is_known(answer: httpx.Response | None) -> bool:
    """Whether a submission's outcome is known by this answer."""
    return answer is not None and answer.status_code not in {409, 500, 503}


def _is_error(answer: httpx.Response | None) -> bool:
    return answer is None or answer.is_error


def _json(answer: httpx.Response | None) -> dict[str, Any]:
    if answer is None or not answer.content:
        return {}
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
