"""Configs, good and bad in many ways, that are sent through every door of the one validator."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.registry.catalog import Catalog
from pipelines.registry.validation import Verdict, validate_config

CONFIGS = 200
PIPELINES = ("face_detection", "misbehaving", "scene_detection", "speech_activity")


@dataclass(frozen=True)
class Case:
    """A config of a pipeline, and what the function says of it that every door calls."""

    pipeline: str
    config: dict[str, Any]
    verdict: Verdict


def generated(catalog: Catalog) -> list[Case]:
    """About as many good configs as bad ones; the same ones each time."""
    dice = random.Random(20)  # noqa: S311 - repeatable, not secret
    names = [PIPELINES[index % len(PIPELINES)] for index in range(CONFIGS)]
    return [_case(name, catalog, dice) for name in names]


def _case(name: str, catalog: Catalog, dice: random.Random) -> Case:
    config = _config(catalog.cards[name].config.model_json_schema(), dice)
    return Case(name, config, validate_config(name, config, catalog))


def _config(schema: Mapping[str, Any], dice: random.Random) -> dict[str, Any]:
    fields = dict(schema["properties"])
    config = {
        name: _good(_resolved(fields[name], schema), dice)
        for name in dice.sample(sorted(fields), dice.randint(0, len(fields)))
    }
    for _ in range(dice.choice([0, 0, 0, 1, 2, 3])):
        name = dice.choice(sorted(fields))
        if dice.random() < 0.2:  # a slip of the finger
            config[name[:-1]] = 1
        else:
            config[name] = _bad(_resolved(fields[name], schema), dice)
    return config


def _resolved(field: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in field:
        return field
    target: Mapping[str, Any] = schema["$defs"][field["$ref"].rsplit("/", 1)[-1]]
    return target


def _good(field: Mapping[str, Any], dice: random.Random) -> Any:
    if "enum" in field:
        return dice.choice(field["enum"])
    low, high = field.get("minimum", 0), field.get("maximum", 1000)
    match field["type"]:
        case "boolean":
            return dice.random() < 0.5
        case "integer":
            return dice.randint(low, high)
        case "number":  # the limits themselves, and an integer, which is a number too
            return dice.choice([low, high, dice.uniform(low, high), int(high)])
    return "text"


def _bad(field: Mapping[str, Any], dice: random.Random) -> Any:
    low, high = field.get("minimum", 0), field.get("maximum", 1000)
    return dice.choice([None, [], {"deep": {"er": 1}}, "1", True, -1e300, low - 1, high + 1, 1.5])
