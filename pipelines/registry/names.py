"""What pipelines and presets may be called: each is a Dagster job, and each pipeline an op, too."""

import keyword
import re

from contracts.run import ANNOTATE_JOB, MAINTENANCE_JOBS, PROBE_OP

#: Ops and graphs share one namespace, and the graph of a job is called so: no pipeline may be.
GRAPH_SUFFIX = "_graph"

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
#: What Dagster lets no job and no op be called, beside Python's keywords.
_DAGSTERS_OWN = {
    *("arg_dict", "bool", "conf", "config", "context", "dict", "float", "input", "input_arg_dict"),
    *("int", "meta", "output", "output_arg_dict", "str", "type"),
}
_OURS = {ANNOTATE_JOB, PROBE_OP, *MAINTENANCE_JOBS}


def is_name(name: str) -> bool:
    """Whether it is lower snake case, and not too long."""
    return _NAME.fullmatch(name) is not None


def is_reserved(name: str) -> bool:
    return name in _OURS or name in _DAGSTERS_OWN or keyword.iskeyword(name)
