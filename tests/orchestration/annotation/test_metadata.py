"""What an op shows in the Dagster UI of what its pipeline found."""

from dataclasses import replace
from pathlib import Path

import pytest
from dagster import FloatMetadataValue, IntMetadataValue, TableMetadataValue

from orchestration.annotation.metadata import findings_metadata
from orchestration.annotation.publication import Publication
from orchestration.annotation.tables import MOST_ROWS
from pipelines.findings import Findings, ResultFile, Role, Timings
from pipelines.media import Media

MEDIA = Media(
    path=Path("/media/lamp"),
    name="lamp.mp4",
    container="mp4",
    size_bytes=2_500_000,
    duration_seconds=60.0,
    video=None,
    audio=None,
)
FINDINGS = Findings(
    count=2,
    noun="dark seconds",
    files=[ResultFile("lamp.csv", Role.ANNOTATIONS, "text/csv")],
    device="cpu",
    timings=Timings(1.0, 2.0, 0.5),
    table=[{"start": "0:01.0", "brightness": 0.1}, {"start": "0:02.0", "brightness": 0.2}],
    columns={"brightness": "Mean of the second, from 0 to 1"},
    facts={"frames": 300},
)


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    (tmp_path / "lamp.csv").write_bytes(b"x" * 4_000)
    return Publication(FINDINGS, tmp_path, seconds=4.0)


def test_numbers_have_the_same_names_for_every_pipeline(publication: Publication) -> None:
    metadata = findings_metadata(MEDIA, publication, None)

    assert metadata["dark_seconds"] == IntMetadataValue(2)
    numbers = {
        name: value.value
        for name, value in metadata.items()
        if isinstance(value, FloatMetadataValue)
    }
    assert numbers == {
        "total_seconds": 4.0,
        "decode_seconds": 1.0,
        "inference_seconds": 2.0,
        "write_seconds": 0.5,
        "media_seconds": 60.0,
        "times_real_time": 15.0,
        "frames_per_second": 75.0,
        "media_megabytes": 2.5,
        "results_megabytes": 0.004,
    }


def test_what_there_is_to_look_at_comes_first(publication: Publication) -> None:
    metadata = findings_metadata(MEDIA, publication, "![lamp](/logs/lamp.jpg)")

    assert list(metadata)[:4] == ["media", "preview", "dark_seconds", "table"]


def test_a_table_has_typed_columns_that_are_explained(publication: Publication) -> None:
    table = findings_metadata(MEDIA, publication, None)["table"]

    assert isinstance(table, TableMetadataValue)
    start, brightness = table.schema.columns
    assert (start.name, start.type, start.description) == ("start", "text", None)
    assert (brightness.type, brightness.description) == (
        "float",
        "Mean of the second, from 0 to 1",
    )
    assert [record.data["start"] for record in table.records] == ["0:01.0", "0:02.0"]


def test_a_long_table_is_cut(publication: Publication) -> None:
    long = replace(FINDINGS, table=[{"start": str(row)} for row in range(1000)])
    table = findings_metadata(MEDIA, replace(publication, findings=long), None)["table"]

    assert len(table.records) == MOST_ROWS


def test_nothing_found_has_no_table_and_no_picture(publication: Publication) -> None:
    nothing = replace(FINDINGS, count=0, table=(), notes=["The file has no video."])
    metadata = findings_metadata(MEDIA, replace(publication, findings=nothing), None)

    assert not {"table", "preview"} & set(metadata)
    assert metadata["notes"].value == "- The file has no video."
