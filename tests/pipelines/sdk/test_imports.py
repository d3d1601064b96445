"""Third parties' packages need the SDK alone, and naming it is cheap."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.project import PROJECT
from pipelines import sdk
from pipelines.registry.third_party import GROUP

_PACKAGES = sorted(
    path.parent if path.suffix == ".toml" else path.parents[1]
    for folder in ("docs", "tests/packages", "benchmarks")
    for name in ("pyproject.toml", "entry_points.txt")  # of what is to be installed, or lies so
    for path in (PROJECT / folder).rglob(name)
    if f"{GROUP}.v" in path.read_text()
)
_OURS = {"api", "contracts", "orchestration", "pipelines"}


def _imports(path: Path) -> set[str]:
    """The modules of Framegate that a file imports."""
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            modules.add(node.module or "")
        elif isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
    return {module for module in modules if module.partition(".")[0] in _OURS}


@pytest.mark.parametrize("package", _PACKAGES, ids=lambda package: package.name)
def test_a_third_partys_package_imports_nothing_but_the_sdk(package: Path) -> None:
    imported = set[str]().union(*(_imports(path) for path in package.rglob("*.py")))

    assert imported == {"pipelines.sdk"}


def test_the_example_and_the_packages_of_the_tests_are_among_them() -> None:
    names = {package.name for package in _PACKAGES}

    assert names >= {"example-pipeline", "broken", "misbehaving", "trivial", "hold"}


def test_the_sdk_loads_what_reads_media_only_when_it_is_named() -> None:
    program = (
        "import json, sys\n"
        "from pipelines.sdk import Findings, PipelineCard\n"
        "before = sorted(sys.modules)\n"
        "from pipelines.sdk import frames\n"
        "print(json.dumps([before, sorted(sys.modules)]))"
    )
    told = subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE)

    before, after = json.loads(told.stdout)
    assert {"av", "numpy", "PIL", "torch"}.isdisjoint(before)
    assert {"av", "numpy"} <= set(after)


def test_every_promised_name_is_there() -> None:
    assert [name for name in sdk.__all__ if not hasattr(sdk, name)] == []


def test_another_name_is_not_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'snapshots'"):
        sdk.snapshots  # type: ignore[attr-defined]  # noqa: B018 - looking is the point
