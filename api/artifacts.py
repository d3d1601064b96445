"""What goes into a job's ZIP: exactly one video, the result files flat by name, and a manifest."""

import json

from api.archive import Entry
from api.dagster.run import Run
from api.dependencies import Services
from api.description import media_filename, media_reference, read_files
from api.results import result_file, results_of

_VIDEO_ROLE = "video"
_MANIFEST = "manifest.json"


def entries_of(services: Services, run: Run) -> list[Entry]:
    """Raises NotFoundError if the media or a result is gone."""
    results = results_of(run, read_files(services.home, run))
    manifest = json.dumps(results.model_dump(mode="json"), indent=1).encode()
    entries = [_video(services, run), Entry(_MANIFEST, len(manifest), manifest)]
    taken = {entry.name for entry in entries}
    for file in results.files:
        # A second video would leave clients guessing which one was annotated.
        if file.role == _VIDEO_ROLE:
            continue
        name = file.name if file.name not in taken else f"{file.pipeline}_{file.name}"
        taken.add(name)
        source = result_file(services.home, file, run.run_id)
        entries.append(Entry(name, file.size_bytes, source))
    return entries


def _video(services: Services, run: Run) -> Entry:
    """Named as it came, with the suffix that its content calls for."""
    media = services.media.locate(media_reference(run))
    stem = media_filename(run).rsplit(".", 1)[0]
    return Entry(f"{stem}{media.suffix}", media.file.size_bytes, media.file)
