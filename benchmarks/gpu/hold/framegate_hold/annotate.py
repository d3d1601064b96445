"""What the pipeline does."""

import os
import signal
import time
from pathlib import Path

from framegate_hold.card import HoldConfig
from framegate_hold.memory import hold
from pipelines.sdk import Findings, Media, Progress, Stopwatch


def annotate(media: Media, config: HoldConfig, folder: Path, progress: Progress) -> Findings:  # noqa: ARG001 - nothing is looked at
    if config.stops == "never":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
    held = hold(config.count, os.environ["CUDA_VISIBLE_DEVICES"])
    progress.report(0.5)
    while config.stops != "at once":
        time.sleep(0.1)
    del held
    return Findings(count=0, noun="things", files=[], device="gpu", timings=Stopwatch().timings)
