"""What is said of a config that needs more GPU memory than any device here has."""

from collections.abc import Callable
from typing import Any

import pytest

from pipelines.registry.catalog import Catalog
from pipelines.registry.devices import Device
from pipelines.registry.validation import validate_config
from tests.pipelines.registry.detector import Config

GIGABYTE = 1000**3


@pytest.fixture
def catalog(catalog_of: Callable[..., Catalog], card_of: Callable[..., Any]) -> Catalog:
    return catalog_of(
        detector=card_of("detector", Config, lambda config: config.batch_size * GIGABYTE)
    )


def test_a_config_that_fits_no_device_is_valid_with_a_warning(catalog: Catalog) -> None:
    devices = [
        Device("a", "small", 8 * GIGABYTE, 8 * GIGABYTE),
        Device("b", "large", 24 * GIGABYTE, 1 * GIGABYTE),
    ]
    verdict = validate_config("detector", {"batch_size": 25}, catalog, devices)
    assert verdict.valid
    assert [warning.message for warning in verdict.warnings] == [
        "Expected to need 25.0 GB of GPU memory; the largest device here has 24.0 GB"
    ]


def test_a_config_that_fits_a_device_has_no_warning(catalog: Catalog) -> None:
    devices = [Device("a", "small", 8 * GIGABYTE, 0)]
    assert validate_config("detector", {}, catalog, devices).warnings == ()


def test_without_devices_nothing_is_said(catalog: Catalog) -> None:
    assert validate_config("detector", {"batch_size": 64}, catalog, []).warnings == ()
