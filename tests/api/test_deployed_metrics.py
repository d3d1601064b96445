"""What `deploy/` asks Prometheus for is what `/metrics` has: in dashboard, alerts and scraping."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import yaml

from contracts.project import PROJECT

pytestmark = pytest.mark.anyio

DEPLOY = PROJECT / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana" / "framegate.json").read_text())
RULES = yaml.safe_load((DEPLOY / "prometheus" / "framegate.rules.yml").read_text())
SCRAPE = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
#: Of Prometheus itself, for each target.
OWN = {"up"}

_TYPE = re.compile(r"^# TYPE (\S+) (\S+)$", re.MULTILINE)
_IN_USE = re.compile(r"\b(?:framegate|process|python)_\w+|\bup\b")
_STRING = re.compile(r'"[^"]*"')


@pytest.fixture
async def names(admin: httpx.AsyncClient) -> set[str]:
    """Every name that a sample of a scrape can have."""
    text = (await admin.get("/metrics")).text
    kinds = dict(_TYPE.findall(text))
    parts = {
        f"{name}_{part}"
        for name, kind in kinds.items()
        if kind == "histogram"
        for part in ("bucket", "sum", "count")
    }
    return {name for name, kind in kinds.items() if kind != "histogram"} | parts


def questions() -> Iterator[str]:
    """Every PromQL expression of the dashboard and of the alerts."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["query"]["query"]
    yield from (rule["expr"] for rule in rules())


def rules() -> list[dict[str, Any]]:
    return [rule for group in RULES["groups"] for rule in group["rules"]]


def metrics_of(question: str) -> set[str]:
    return set(_IN_USE.findall(_STRING.sub("", question)))


async def test_every_question_is_about_metrics_that_exist(names: set[str]) -> None:
    asked = [(question, metrics_of(question)) for question in questions()]

    assert len(asked) > 40
    for question, about in asked:
        assert about, question
        assert about <= names | OWN, question


async def test_every_metric_of_ours_is_on_the_dashboard(names: set[str]) -> None:
    shown = set().union(*(metrics_of(question) for question in questions()))

    ours = {name for name in names if name.startswith("framegate_")}
    unseen = {
        name
        for name in ours - shown
        if not name.endswith(("_sum", "_count", "_bucket", "_created"))
    }
    histograms = {name.removesuffix("_bucket") for name in ours if name.endswith("_bucket")}
    assert unseen == set()
    assert all(f"{name}_bucket" in shown for name in histograms)


async def test_metrics_are_named_by_the_conventions(admin: httpx.AsyncClient) -> None:
    """https://prometheus.io/docs/practices/naming/"""
    kinds = dict(_TYPE.findall((await admin.get("/metrics")).text))
    ours = {name: kind for name, kind in kinds.items() if name.startswith("framegate_")}

    assert len(ours) > 25
    for name, kind in ours.items():
        assert re.fullmatch(r"[a-z][a-z_]*[a-z]", name), name
        assert name.endswith("_total") == (kind == "counter"), name
        assert not re.search(r"_(milliseconds|minutes|hours|gb|mb|percent)\b", name), name


def test_a_dashboard_can_be_imported_anywhere() -> None:
    """The data source is chosen at the import, and panels have ids and places of their own."""
    panels = DASHBOARD["panels"]
    sources = {
        json.dumps(source)
        for panel in panels
        for source in [
            panel.get("datasource"),
            *(t["datasource"] for t in panel.get("targets", ())),
        ]
        if source
    }

    assert sources == {'{"type": "prometheus", "uid": "${datasource}"}'}
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(set(places)) == len(places)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)


def test_every_alert_says_what_is_the_matter() -> None:
    assert len({rule["alert"] for rule in rules()}) == len(rules())
    for rule in rules():
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"]["summary"]


def test_the_scrape_config_names_the_address_and_the_rules() -> None:
    [job] = SCRAPE["scrape_configs"]

    assert job["metrics_path"] == "/metrics"
    assert job["authorization"]["type"] == "Bearer"
    assert [(DEPLOY / "prometheus" / name).exists() for name in SCRAPE["rule_files"]] == [True]
