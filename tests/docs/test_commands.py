"""Every command that the documentation shows is one that exists."""

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import typer

from api.cli.app import app
from contracts.project import PROJECT

_SUBSTITUTION = re.compile(r"\$\((.*?)\)")
_INLINE = re.compile(r"`((?:make|framegate) [^`]+)`")
#: Targets that hand ARGS to the command of the same name.
_HANDED_ON = frozenset({"up", "demo"})


@pytest.fixture(scope="module")
def commands(pages: Any) -> list[list[str]]:
    """The words of each call of make and of framegate, in blocks and within sentences."""
    lines = [line for page in pages for block in page.blocks("sh") for line in _lines(block)]
    inner = [command for line in lines for command in _SUBSTITUTION.findall(line)]
    inline = [command for page in pages for command in _INLINE.findall(page.prose)]
    words = [shlex.split(command, comments=True) for command in (*lines, *inner, *inline)]
    return [each for each in words if each and each[0] in {"make", "framegate"}]


def _lines(block: str) -> Iterator[str]:
    for line in block.replace("\\\n", " ").splitlines():
        if line.startswith(("make ", "framegate ")) or "$(framegate" in line:
            yield line


def _refusal(words: Sequence[str]) -> str | None:
    """What the command line says to `framegate` and these words, without running anything."""
    command: Any = typer.main.get_command(app)
    left = list(words)
    try:
        while hasattr(command, "commands") and left[:1] != ["--help"]:
            command = command.commands[left.pop(0)]
        if "--help" not in left:
            command.make_context(command.name, left)
    except (KeyError, IndexError):
        return f"framegate {shlex.join(words)}: no such command"
    except typer.TyperException as error:
        return f"framegate {shlex.join(words)}: {error}"
    return None


def test_a_command_that_does_not_exist_is_refused() -> None:
    """Else the tests below could not fail."""
    assert _refusal(["submit", "video.mp4", "--wait"]) is None
    assert _refusal(["submit", "video.mp4", "--weight"])
    assert _refusal(["keys", "create", "--role", "emperor", "--name", "me"])
    assert _refusal(["results"])
    assert _refusal(["subject"])


def test_framegate_takes_every_command_line_shown(commands: list[list[str]]) -> None:
    shown = [words[1:] for words in commands if words[0] == "framegate"]

    assert shown
    assert [refusal for words in shown if (refusal := _refusal(words))] == []


def test_every_make_target_and_variable_shown_is_in_the_makefile(
    commands: list[list[str]],
) -> None:
    makefile = (PROJECT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    shown = [words[1:] for words in commands if words[0] == "make"]

    assert shown
    for target, *variables in shown:
        assert target in targets
        for name, _, value in (variable.partition("=") for variable in variables):
            assert f"$({name}" in makefile
            if name == "ARGS" and target in _HANDED_ON:
                assert _refusal([target, *shlex.split(value)]) is None
