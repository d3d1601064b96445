"""What the documentation shows is what is there."""

import re
from pathlib import Path
from typing import Any

import contracts.home
from api.cli import client_app as command_line
from api.settings import Settings
from contracts.project import PROJECT
from orchestration.settings import Settings as RunSettings
from pipelines.registry.catalog import load_catalog
from pipelines.registry.presets import load_presets

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_ROW = re.compile(r"^\| `FRAMEGATE_(\w+)` \| (.+?) \| ", re.MULTILINE)
_MOST_BYTES = 300_000
#: Of the client commands, which are no settings of the server.
_CLIENT = {"URL": f"`{command_line._URL}`", "API_KEY": "none"}
#: Defaults that are worked out when Framegate starts.
_WORKED_OUT = {"HOME", "CPU_SLOTS"}


def _anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_every_link_leads_somewhere(pages: Any) -> None:
    broken = []
    for page in pages:
        for link in _LINK.findall(page.prose):
            name, _, anchor = link.partition("#")
            target = (page.path.parent / name).resolve() if name else page.path
            if link.startswith("https://"):
                continue
            if not target.exists() or (anchor and anchor not in _anchors(target.read_text())):
                broken.append(f"{page.path.name}: {link}")

    assert broken == []


def test_pictures_are_small_and_shown(pages: Any) -> None:
    pictures = list((PROJECT / "docs" / "pictures").iterdir())
    shown = "".join(page.prose for page in pages)

    assert pictures
    for picture in pictures:
        assert picture.stat().st_size <= _MOST_BYTES, picture.name
        assert f"pictures/{picture.name})" in shown


def test_the_example_is_shown_as_it_is(read_page: Any) -> None:
    example = PROJECT / "docs" / "example-pipeline"
    page = read_page("docs/adding-a-pipeline.md")
    files = sorted(
        str(path.relative_to(example))
        for path in example.rglob("*")
        if path.suffix in {".py", ".toml"}
    )
    shown = {name: page.section(f"## `{name}`") for name in files}

    for name, section in shown.items():
        language = "python" if name.endswith(".py") else "toml"
        assert section.blocks(language) == [(example / name).read_text()], name


def test_the_table_of_settings_is_that_of_the_code(read_page: Any) -> None:
    fields = {**Settings.model_fields, **RunSettings.model_fields}
    expected = {name.upper(): _shown(field.default) for name, field in fields.items()} | _CLIENT

    shown = dict(_ROW.findall(read_page("docs/operations.md").text))

    assert set(shown) == set(expected)
    for name in set(expected) - _WORKED_OUT:
        assert shown[name] == expected[name], name


def _shown(default: object) -> str:
    return "none" if default in (None, "", ()) else f"`{default}`"


def test_the_table_of_the_home_is_that_of_the_code(read_page: Any) -> None:
    documented = str(contracts.home.__doc__)
    table = documented[documented.index("| path |") :].strip()

    assert table in read_page("docs/architecture.md").text


def test_the_preset_that_is_shown_is_a_good_one(read_page: Any, tmp_path: Path) -> None:
    [shown] = read_page("docs/inbox.md").blocks("yaml")
    (tmp_path / "night_faces.yaml").write_text(shown)

    presets = load_presets(tmp_path, load_catalog())

    assert presets.problems == ()
    assert list(presets.usable) == ["night_faces"]


def test_every_decision_has_its_number_and_its_parts() -> None:
    decisions = sorted((PROJECT / "docs" / "decisions").glob("*.md"))

    numbers = [int(path.name[:4]) for path in decisions]
    assert numbers == sorted(set(numbers))
    for number, path in zip(numbers, decisions, strict=True):
        text = Path(path).read_text()
        assert text.startswith(f"# {number}. "), path.name
        for part in ("## Context", "## Decision", "## Consequences"):
            assert f"\n{part}\n" in text, path.name
