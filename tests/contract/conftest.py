"""The contracts as they are written, the app's own description of itself, and configs for every
door of the one validator.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster import DagsterInstance

from api.app import create_app, create_services
from api.settings import Settings
from api.stack.events import StackReady
from contracts.home import Home
from orchestration.launcher.instances import open_instance
from pipelines.registry.catalog import Catalog, load_catalog
from tests.contract.generated_configs import Case, generated

FOLDER = Path(__file__).parents[2] / "contracts"


class Contracts:
    """Every file of `contracts/`, and what a `$ref` in one of them leads to."""

    def __init__(self, folder: Path) -> None:
        self.documents: dict[str, Any] = {
            path.name: yaml.safe_load(path.read_text()) for path in sorted(folder.glob("*.yaml"))
        }

    def operations(self) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
        """File, method, path and operation."""
        for file, document in self.documents.items():
            for path, methods in document["paths"].items():
                for method, operation in methods.items():
                    yield file, method, path, operation

    def resolved(self, value: Any, file: str) -> Any:
        """With all `$ref`s replaced by what they lead to."""
        return resolved(value, file, self.documents)


def resolved(value: Any, file: str, documents: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [resolved(item, file, documents) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        place, _, pointer = value["$ref"].partition("#/")
        target_file = place.removeprefix("./") or file
        target = documents[target_file]
        for step in pointer.split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        return resolved(target, target_file, documents)
    return {key: resolved(item, file, documents) for key, item in value.items()}


@pytest.fixture(scope="session")
def contracts() -> Contracts:
    return Contracts(FOLDER)


@pytest.fixture(scope="session")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the app serves at `/openapi.json`, with its `$ref`s resolved."""
    settings = Settings(home=tmp_path_factory.mktemp("home"), auth="off")
    services = create_services(settings)
    document = create_app(services=services).openapi()
    services.database.close()
    paths: dict[str, Any] = resolved(document, "app", {"app": document})
    return paths


@pytest.fixture(scope="session")
def catalog(third_party: Path) -> Iterator[Catalog]:
    """With the misbehaving pipeline, as the stack has it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(third_party))
        yield load_catalog.__wrapped__()


@pytest.fixture(scope="session")
def cases(catalog: Catalog) -> list[Case]:
    return generated(catalog)


@pytest.fixture
def its_dagster(
    stack: StackReady,
    database_of: Callable[[Path], Mapping[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[], AbstractContextManager[DagsterInstance]]:
    """Opens the stack's own Dagster, to see what is there whatever REST says."""
    home = Home(Path(stack.home))
    for name, value in database_of(home.root).items():
        monkeypatch.setenv(name, value)
    return lambda: open_instance(home.dagster)
