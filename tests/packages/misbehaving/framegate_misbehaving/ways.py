"""Calls one way to misbehave: a function of the folder and of findings that would be right, whose
result is what the pipeline returns.
"""

from pathlib import Path
from typing import Any

from framegate_misbehaving import ways_in_files, ways_in_findings, ways_in_process, ways_to_raise
from framegate_misbehaving.card_of_ways import WaysConfig
from pipelines.sdk import Findings, Media, Progress, ResultFile, Role, Stopwatch

_MODULES = (ways_in_files, ways_in_findings, ways_in_process, ways_to_raise)


def annotate(
    media: Media,  # noqa: ARG001 - the media does not matter
    config: WaysConfig,
    folder: Path,
    progress: Progress,
) -> Any:
    progress.report(0.5)
    (folder / "deeds.txt").write_text(config.way)
    right = Findings(
        count=1,
        noun="misdeeds",
        files=[ResultFile("deeds.txt", Role.ANNOTATIONS, "text/plain")],
        device="cpu",
        timings=Stopwatch().timings,
    )
    if not config.way:
        return right
    [way] = [vars(module)[config.way] for module in _MODULES if config.way in vars(module)]
    return way(folder, right)
