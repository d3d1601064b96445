"""What goes into a job's ZIP: the media, a manifest, and all result files, flat by name.

The media comes first: clients take the first video for the one that was annotated.
"""

import json

from api.archive import Entry
from api.dagster.run import Run
from api.dependencies import Services
from api.description import media_filename, media_reference, read_files
from api.results import location, results_of

_MANIFEST = "manifest.json"


def entries_of(services: Services, run: Run) -> list[Entry]:
    """Raises NotFoundError if the media is gone."""
    results = results_of(run, read_files(services.home, run))
    manifest = json.dumps(results.model_dump(mode="json"), indent=1).encode()
    entries = [_video(services, run), Entry(_MANIFEST, len(manifest), manifest)]
    taken = {entry.name for entry in entries}
    for file in results.files:
        name = file.name if file.name not in taken else f"{file.pipeline}_{file.name}"
        taken.add(name)
        entries.append(Entry(name, file.size_bytes, location(services, file, run.run_id)))
    return entries


def _video(services: Services, run: Run) -> Entry:
    """Named as it came, with the suffix that its content calls for."""
    media = services.media.locate(media_reference(run))
    stem = media_filename(run).rsplit(".", 1)[0]
    return Entry(f"{stem}{media.suffix}", media.path.stat().st_size, media.path)
