"""What the contracts say for people, put into the document that the app serves.

The code says what an operation takes and answers, and tests hold that against `contracts/`.
Summaries, descriptions and examples stand in the contracts alone.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

import contracts

_FOLDER = Path(contracts.__file__).parent
_WORDS = ("summary", "description", "example")


def add_wording(document: dict[str, Any]) -> None:
    """Gives each operation of the OpenAPI document what its contract says of it, and of its
    parameters, bodies and answers. Examples that contracts share go to the document's components.
    """
    shared: dict[str, Any] = {}
    for file, contract in _contracts().items():
        for path, methods in contract["paths"].items():
            for method, operation in methods.items():
                if method in document["paths"].get(path, {}):
                    _copy(operation, file, document["paths"][path][method], shared)
    document["components"]["examples"] = shared


def _copy(agreed: Any, file: str, served: dict[str, Any], shared: dict[str, Any]) -> None:
    """From a part of the contract `file` to the same part of the document."""
    agreed, file = _follow(agreed, file)
    for key, part in served.items():
        if key == "parameters":
            _copy_parameters(agreed.get(key, ()), file, part, shared)
        elif key != "schema" and isinstance(part, dict) and key in agreed:
            _copy(agreed[key], file, part, shared)
    served |= {word: agreed[word] for word in _WORDS if word in agreed}
    if "examples" in agreed:
        served["examples"] = {
            name: _share(example, file, shared) for name, example in agreed["examples"].items()
        }


def _copy_parameters(
    agreed: list[Any], file: str, served: list[dict[str, Any]], shared: dict[str, Any]
) -> None:
    by_name = {each["name"]: each for each in served}
    for parameter in agreed:
        name = _follow(parameter, file)[0]["name"]
        if name in by_name:
            _copy(parameter, file, by_name[name], shared)


def _share(example: Mapping[str, Any], file: str, shared: dict[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in example:
        return example
    name = example["$ref"].rpartition("/")[2]
    shared[name] = _follow(example, file)[0]
    return {"$ref": f"#/components/examples/{name}"}


def _follow(part: Any, file: str) -> tuple[Any, str]:
    """What a reference leads to, and the file in which that stands; anything else as it is."""
    while "$ref" in part:
        place, _, pointer = part["$ref"].partition("#/")
        file = place.removeprefix("./") or file
        part = _contracts()[file]
        for step in pointer.split("/"):
            part = part[step]
    return part, file


@cache
def _contracts() -> dict[str, Any]:
    """By file name. A wheel has Dagster's two configuration files in the same folder."""
    documents = {
        path.name: yaml.load(path.read_bytes(), yaml.CSafeLoader)  # quicker than `safe_load`
        for path in _FOLDER.glob("*.yaml")
    }
    return {name: document for name, document in documents.items() if "openapi" in document}
