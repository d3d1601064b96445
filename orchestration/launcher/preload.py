"""What every run needs is imported and loaded once, before any run is forked."""

import gc
import logging
import os
from importlib import import_module

from orchestration.launcher.warm_up import warm_up
from pipelines.registry.catalog import load_catalog

logger = logging.getLogger("framegate.workers")


def preload(definitions: str) -> None:
    """Imports the definitions and every pipeline's code, and loads weights on the CPU side.

    numpy starts a pool of threads when it is imported, unless it is told not to.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import_module(definitions)
    for card in load_catalog().cards.values():
        try:
            card.load_annotate()
            if warm := card.load_warm():
                warm()
        except Exception:  # a run of this pipeline will say it again, on the run
            logger.exception("cannot preload %s", card.name)
    warm_up()
    gc.collect()
    gc.freeze()  # keeps the collector from touching, and so copying, shared pages
