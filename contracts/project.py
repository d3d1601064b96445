"""Where Framegate is installed: its folder, its two configuration files of Dagster, its home."""

from pathlib import Path

#: The folder of the packages `api`, `contracts`, `orchestration` and `pipelines`: a clone's root,
#: or site-packages.
PROJECT = Path(__file__).resolve().parents[1]


def configuration_file(name: str) -> Path:
    """`dagster.yaml` or `workspace.yaml`: a wheel has them in this folder, a clone in its root."""
    installed = Path(__file__).with_name(name)
    return installed if installed.exists() else PROJECT / name


def default_home() -> Path:
    """`.framegate` in the root of a clone; in the working directory where a wheel is installed."""
    is_clone = (PROJECT / "pyproject.toml").exists()
    return (PROJECT if is_clone else Path.cwd()) / ".framegate"
