"""What a person should know of the inbox and the presets, as the Dagster UI shows it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from orchestration.inbox.entry import is_ignored, readable
from orchestration.inbox.folder import InboxFolder
from pipelines.registry import wording
from pipelines.registry.presets import Presets

_MOST = 20


def description(root: Path, folders: Sequence[InboxFolder], presets: Presets) -> str:
    """As of when the definitions were loaded: one line, for that is how the UI shows it."""
    names = ", ".join(folder.path.name for folder in folders)
    text = f"Runs the videos that are dropped into a folder of {root}: {names}."
    trouble = "; ".join(str(problem) for problem in presets.problems[:_MOST])
    return f"PRESETS THAT CANNOT BE USED: {trouble}. {text}" if trouble else text


def first_of(notes: Sequence[str]) -> Iterator[str]:
    """Dagster keeps what a tick says, and asks for it again at every look."""
    yield from notes[:_MOST]
    if len(notes) > _MOST:
        yield f"And {len(notes) - _MOST} more like these."


def preset_notes(presets: Presets) -> Iterator[str]:
    yield from first_of([f"Preset {problem}" for problem in presets.problems])


def misplaced_notes(root: Path, folders: Sequence[InboxFolder]) -> Iterator[str]:
    """What lies in the inbox where nothing will ever look."""
    known = [folder.path.name for folder in folders]
    try:
        names = sorted(path.name for path in root.iterdir())
    except OSError as error:
        yield f"{root} cannot be read: {error.strerror}."
        return
    strange = [readable(name) for name in names if name not in known and not is_ignored(name)]
    for name in strange[:_MOST]:
        near = wording.nearest(name, known)
        hint = f"did you mean {near}?" if near else f"the folders are {wording.names(known)}."
        yield f"{root}/{name} is ignored: no pipeline or usable preset has that name; {hint}"
