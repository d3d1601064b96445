"""The API stays light: what annotates and what orchestrates is never loaded into it."""

import json
import subprocess
import sys


def test_loading_the_api_loads_neither_torch_nor_dagster_nor_av() -> None:
    program = (
        "import json, sys, api.app, api.cli\n"
        "from pipelines.registry.catalog import load_catalog\n"
        "load_catalog()\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, timeout=120
    ).stdout
    loaded = {module.partition(".")[0] for module in json.loads(printed)}
    assert loaded.isdisjoint({"torch", "dagster", "dagster_graphql", "av", "onnxruntime", "numpy"})
