"""A driver that hangs costs one thread and a moment, not the API."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from anyio import to_thread

from api.dependencies import Services
from api.health.deadline import Deadline
from api.health.devices import CachedDevices
from api.health.gpu import probe_gpu
from pipelines.registry.devices import Device, Inventory

pytestmark = pytest.mark.anyio

PATIENCE = 30.0
GPU = Device("GPU-1", "NVIDIA H100", 80 * 1000**3, 60 * 1000**3)


@dataclass
class HungDriver(Inventory):
    """Answers nobody until it is `released`."""

    released: threading.Event = field(default_factory=threading.Event)
    asked: int = 0

    def devices(self) -> tuple[Device, ...]:
        self.asked += 1
        self.released.wait(PATIENCE)
        return (GPU,)

    def held(self, _uuid: str) -> dict[int, int]:
        return {}


@pytest.fixture
def driver() -> Iterator[HungDriver]:
    driver = HungDriver()
    yield driver
    driver.released.set()


async def test_a_driver_that_hangs_is_asked_once_and_uses_up_no_thread_of_the_requests(
    services: Services, driver: HungDriver
) -> None:
    deadline = Deadline(0.1)
    devices = CachedDevices(driver, deadline, trust_seconds=0.0)
    async with asyncio.timeout(PATIENCE):
        for _ in range(3):
            answers = await asyncio.gather(*(devices.current() for _ in range(50)))
            assert set(answers) == {()}
            health = await probe_gpu(driver, services.home, deadline)
            assert health.error == "No answer within 0.1 s"
        assert await to_thread.run_sync(lambda: "served") == "served"
    assert driver.asked == 2  # once for the devices and once for health


async def test_a_driver_that_comes_back_is_asked_again(driver: HungDriver) -> None:
    devices = CachedDevices(driver, Deadline(0.1), trust_seconds=0.0)
    assert await devices.current() == ()
    driver.released.set()
    async with asyncio.timeout(PATIENCE):
        while not await devices.current():
            pass
    assert await devices.current() == (GPU,)


async def test_whoever_comes_while_the_first_is_asking_waits_for_the_same_answer(
    services: Services, driver: HungDriver
) -> None:
    """Otherwise it would take the machine for one without a GPU."""
    waiting = replace(services, devices=CachedDevices(driver, Deadline(PATIENCE)))
    asking = [asyncio.create_task(waiting.devices.current()) for _ in range(5)]
    await asyncio.sleep(0)
    driver.released.set()
    assert await asyncio.gather(*asking) == [(GPU,)] * 5
    assert driver.asked == 1
