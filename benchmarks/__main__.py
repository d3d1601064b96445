"""`python -m benchmarks`: runs all of them and writes benchmarks/results/*.json."""

import sys
from pathlib import Path

from benchmarks import api, jobs_api, pipelines, scrapes, worst_files

RESULTS = Path(__file__).parent / "results"

if __name__ == "__main__":
    pipelines.main(["--json", str(RESULTS / "pipelines.json"), *sys.argv[1:]])
    pipelines.main(["--long", "--json", str(RESULTS / "pipelines_long.json")])
    worst_files.main(["--json", str(RESULTS / "worst_files.json")])
    api.main(["--json", str(RESULTS / "api.json")])
    jobs_api.main(["--json", str(RESULTS / "jobs_api.json")])
    scrapes.main(["--json", str(RESULTS / "scrapes.json")])
