"""The real sensor on a real inbox, with a Dagster instance that takes its runs."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from dagster import (
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    RunRequest,
    RunsFilter,
    SensorDefinition,
    build_sensor_context,
)

from contracts.home import Home
from orchestration.annotation.jobs import build_jobs
from orchestration.automation.inbox import build_inbox_sensor
from orchestration.dagster_internals.tags import RUN_KEY_TAG, SENSOR_NAME_TAG
from orchestration.dagster_internals.testing import (
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from orchestration.inbox.folder import InboxFolder
from orchestration.inbox.preset_files import PresetFiles
from orchestration.settings import Settings
from pipelines.registry.catalog import load_catalog
from pipelines.registry.presets import load_presets

_QUIET_SECONDS = 0.05
_REPOSITORY = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("framegate"), "__repository__")


@dataclass
class RealInbox:
    """`tick` does what Dagster's daemon does: it evaluates the sensor, makes runs of what it
    requests, unless there is one of that key, and then keeps the cursor.
    """

    home: Home
    instance: DagsterInstance
    sensor: SensorDefinition
    cursor: str | None = None
    message: str = ""
    requests: list[RunRequest] = field(default_factory=list)

    def folder(self, name: str = "scene_detection") -> Path:
        path = self.home.inbox / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def tick(self) -> list[RunRequest]:
        evaluated = self.evaluate()
        requests = list(evaluated.run_requests or [])
        self.requests += requests
        for request in requests:
            self.launch(request)
        self.cursor, self.message = evaluated.cursor, evaluated.skip_message or ""
        return requests

    def evaluate(self) -> Any:
        """All that is left of a tick that is cut off there."""
        time.sleep(_QUIET_SECONDS * 1.5)
        context = build_sensor_context(instance=self.instance, cursor=self.cursor)
        return self.sensor.evaluate_tick(context)

    def runs(self) -> list[DagsterRun]:
        return list(self.instance.get_runs())

    def launch(
        self, request: RunRequest, status: DagsterRunStatus = DagsterRunStatus.STARTING
    ) -> None:
        """One of that key that was created and not started is started."""
        key = {RUN_KEY_TAG: str(request.run_key)}
        [known] = self.instance.get_runs(RunsFilter(tags=key), limit=1) or [None]
        if known and known.status is not DagsterRunStatus.NOT_STARTED:
            return
        run = known or DagsterRun(
            job_name=str(request.job_name),
            run_config=request.run_config,
            tags={**request.tags, **key, SENSOR_NAME_TAG: self.sensor.name},
            remote_job_origin=RemoteJobOrigin(_REPOSITORY, str(request.job_name)),
        )
        if known:
            self.instance.delete_run(known.run_id)
        self.instance.add_run(run.with_status(status))


@pytest.fixture
def open_inbox(tmp_path: Path) -> Iterator[Callable[..., RealInbox]]:
    """Opens the inbox of a home; keyword arguments are settings. Opening it again is a restart."""
    with DagsterInstance.ephemeral() as instance:

        def open_(**settings: object) -> RealInbox:
            values = {"inbox_quiet_seconds": _QUIET_SECONDS, "home": tmp_path / "home", **settings}
            read = Settings(**values)  # type: ignore[arg-type]
            catalog = load_catalog()
            files = PresetFiles(read.folders.presets)
            presets = load_presets(read.folders.presets, catalog)
            jobs = build_jobs(catalog, read.folders, presets.usable.values())
            sensor = build_inbox_sensor(read, catalog, presets, files, jobs)
            return RealInbox(read.folders, instance, sensor)

        yield open_


@pytest.fixture
def inbox(open_inbox: Callable[..., RealInbox]) -> RealInbox:
    return open_inbox()


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three tiny videos of different content."""
    return [
        _video(tmp_path_factory.mktemp("videos") / f"{grey}.mp4", grey) for grey in (0, 100, 200)
    ]


def _video(path: Path, grey: int) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height = 32, 32
        for _ in range(3):
            picture = np.full((32, 32, 3), grey, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture
def video(videos: list[Path], tmp_path: Path) -> Path:
    return Path(shutil.copy(videos[0], tmp_path / "video.mp4"))


@pytest.fixture
def folder(tmp_path: Path) -> InboxFolder:
    """A folder of the inbox that no sensor looks at."""
    path = tmp_path / "faces"
    path.mkdir()
    return InboxFolder(path, "faces", ("face_detection",), {}, {})
