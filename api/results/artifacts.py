"""What goes into a job's ZIP: one video, the result files by name, what all of it together makes
(ELAN document, report), and a README that says what is what.

Existing clients recognise files by name and content, wherever they lie: see `docs/results.md`.
"""

import json
from collections.abc import Iterator
from pathlib import PurePosixPath

from api.dagster.run import Run
from api.dependencies import Services
from api.http.schemas import JobResults, ResultFile
from api.jobs.description import media_filename, media_reference, read_files
from api.results.archive import Entry
from api.results.elan import annotation_document
from api.results.files import result_file, results_of
from api.results.readme import readme
from api.results.report import render_report
from api.results.tiers import read_tiers
from contracts.timestamps import now

_VIDEO_ROLE, _DATASET_ROLE, _TIERS_ROLE = "video", "dataset", "tiers"
_MANIFEST, _README, _REPORT = "manifest.json", "README.txt", "report.html"
#: Existing clients take the last of several videos for the one that was annotated. They do not know
#: this suffix of MP4, and players do.
_OTHER_MP4 = ".m4v"
#: What COCO's readers expect of a folder: this one for the annotations, and one for the images.
_DATASET_FOLDER = "coco/annotations"
_IMAGES_README = "coco/images/README.txt"
_IMAGES = (
    "Put the frames here, named as in ../annotations, to see the boxes on them.\n"
    "Importing the annotations alone does not need them.\n"
)


def entries_of(services: Services, run: Run) -> list[Entry]:
    """Raises NotFoundError if the media or a result is gone."""
    files = read_files(services.home, run)
    results = results_of(run, files)
    video = _video(services, run)
    made = [
        _text(_MANIFEST, json.dumps(results.model_dump(mode="json"), indent=1)),
        _text(_REPORT, render_report(services, run, files)),
        *_elan(services, run, results, video.name),
    ]
    entries = [video, *made]
    entries += _result_entries(services, run, results, {entry.name for entry in entries})
    return [_text(_README, readme(video.name, (entry.name for entry in entries))), *entries]


def _result_entries(
    services: Services, run: Run, results: JobResults, taken: set[str]
) -> Iterator[Entry]:
    for file in results.files:
        if file.role == _TIERS_ROLE:  # the ELAN document has them
            continue
        place = _place(file)
        name = place if place not in taken else f"{file.pipeline}_{place}"
        taken.add(name)
        yield Entry(name, file.size_bytes, result_file(services.home, file, run.run_id))
    if any(file.role == _DATASET_ROLE for file in results.files):
        yield _text(_IMAGES_README, _IMAGES)


def _place(file: ResultFile) -> str:
    if file.role == _DATASET_ROLE:
        return f"{_DATASET_FOLDER}/{file.name}"
    if file.role == _VIDEO_ROLE:
        return str(PurePosixPath(file.name).with_suffix(_OTHER_MP4))
    return file.name


def _video(services: Services, run: Run) -> Entry:
    """Named as it came, with the suffix that its content calls for."""
    media = services.media.locate(media_reference(run))
    stem = media_filename(run).rsplit(".", 1)[0]
    return Entry(f"{stem}{media.suffix}", media.file.size_bytes, media.file)


def _elan(services: Services, run: Run, results: JobResults, video: str) -> list[Entry]:
    """None where no pipeline has tiers."""
    tiers = read_tiers(services, run, results)
    if not tiers:
        return []
    document = annotation_document(tiers, video=video, created_at=now())
    return [Entry(f"{PurePosixPath(video).stem}.eaf", len(document), document)]


def _text(name: str, text: str) -> Entry:
    content = text.encode()
    return Entry(name, len(content), content)
