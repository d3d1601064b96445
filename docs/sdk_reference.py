"""Writes `docs/sdk.md` from the docstrings of `pipelines.sdk`: what `make reference` runs."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

from pipelines import sdk

PAGE = Path(__file__).with_name("sdk.md")
_INTRODUCTION = f"""# The SDK

Version {sdk.SDK_VERSION}. `pipelines.sdk` promises these names, and of each what stands here.
Whatever else a package finds in Framegate may change with any release.
[Adding a pipeline](adding-a-pipeline.md) shows a whole one. `make reference` writes this page from
the docstrings, and tests run the examples, beside a `video.mp4` of two seconds with sound.
"""
_SECTIONS = ("Args", "Attributes", "Methods", "Example")
_LONGEST_LINE = 88


def reference() -> str:
    """The page's text."""
    names = [name for name in sdk.__all__ if name != "SDK_VERSION"]
    return "\n".join([_INTRODUCTION, *(_entry(name, getattr(sdk, name)) for name in names)])


def _entry(name: str, item: Any) -> str:
    node = ast.parse(dedent(inspect.getsource(item))).body[0]
    call = node if isinstance(node, ast.FunctionDef) else _call_of(node)
    signature = f"```python\n{_signature(name, call)}\n```\n\n" if call else ""
    text = "\n".join(_rendered(inspect.getdoc(item) or "", _types(node)))
    return f"## {name}\n\n{signature}{text.strip()}\n"


def _call_of(node: Any) -> ast.FunctionDef | None:
    """How a protocol is called: a class with a method `__call__`."""
    methods = (part for part in node.body if isinstance(part, ast.FunctionDef))
    return next((method for method in methods if method.name == "__call__"), None)


def _signature(name: str, function: ast.FunctionDef) -> str:
    """As in the source: in one line, or with a line for each argument."""
    returns = ast.unparse(function.returns).strip("'") if function.returns else "None"
    function.args.args = [arg for arg in function.args.args if arg.arg != "self"]
    written = ast.unparse(function.args).replace("'", "").replace("=", " = ")
    line = f"{name}({written}) -> {returns}"
    if len(line) <= _LONGEST_LINE:
        return line
    arguments = re.split(r", (?=\w+:|\*)", written)
    lines = [f"{name}(", *(f"    {argument}," for argument in arguments), f") -> {returns}"]
    return "\n".join(lines)


def _types(node: Any) -> dict[str, str]:
    """{attribute: its type}, and whether it may be left out."""
    types = {}
    for part in getattr(node, "body", []):
        if isinstance(part, ast.AnnAssign):
            optional = ", optional" if part.value else ""
            # What pydantic checks beside the type is said in words.
            kind = re.sub(r"Annotated\[(\w+), Field\(.*?\)\]", r"\1", ast.unparse(part.annotation))
            types[ast.unparse(part.target)] = f"`{kind}`{optional}"
        elif isinstance(part, ast.FunctionDef) and part.decorator_list and part.returns:
            types[part.name] = f"`{ast.unparse(part.returns)}`"
    return types


def _rendered(docstring: str, types: dict[str, str]) -> Iterator[str]:
    """The lines of a docstring as Markdown: lists for its sections, code for its example."""
    section = ""
    for line in docstring.splitlines():
        if line.removesuffix(":") in _SECTIONS:
            section = line.removesuffix(":")
            yield f"**{section}**\n"
            if section == "Example":
                yield "```python"
        elif line and not line.startswith(" "):
            section = ""
            yield line
        elif section == "Example":
            yield line.removeprefix("    ")
        else:
            yield _item(line, types) if section else line
    if section == "Example":
        yield "```"


def _item(line: str, types: dict[str, str]) -> str:
    """A line of a list: `name: text`, or the text of the item before, further in."""
    if not (found := re.match(r" {4}([\w.()]+(?:\(.*?\))?): (.+)", line)):
        return line.removeprefix("      ")
    name, text = found.groups()
    kind = f" ({types[name]})" if name in types else ""
    return f"- `{name}`{kind}: {text}"


if __name__ == "__main__":
    PAGE.write_text(reference())
