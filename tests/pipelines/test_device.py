import os

import numpy as np
import onnx
import pytest
import torch

from pipelines.device import BatchSize, in_batches, pick_device, usable_cores, use_all_cores
from pipelines.errors import DeviceUnavailableError, GpuOutOfMemoryError
from pipelines.onnx_session import open_session

without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")


class Doubler:
    """A model that doubles numbers, and runs out of memory past `capacity` of them at once."""

    def __init__(self, capacity: int, error: Exception | None = None) -> None:
        self.capacity = capacity
        self.error = error or torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        self.batches: list[list[int]] = []

    def __call__(self, numbers: list[int]) -> list[int]:
        self.batches.append(numbers)
        if len(numbers) > self.capacity:
            raise self.error
        return [2 * number for number in numbers]


def test_auto_on_a_machine_without_a_gpu_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    device = pick_device("auto")
    assert (device.kind, device.torch, device.label) == ("cpu", torch.device("cpu"), "cpu")


@without_gpu
def test_asking_for_cuda_without_a_gpu_is_an_error_with_a_hint() -> None:
    with pytest.raises(DeviceUnavailableError) as caught:
        pick_device("cuda")
    assert caught.value.hint is not None
    assert "`cpu`" in caught.value.hint


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")
def test_auto_takes_the_gpu_and_names_it() -> None:
    device = pick_device("auto")
    assert device.kind == "cuda"
    assert device.label == f"cuda:0 {torch.cuda.get_device_name(0)}"


def test_threads_are_the_cores_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert usable_cores() == len(os.sched_getaffinity(0))


@pytest.mark.parametrize("nonsense", ["", "0", "-3", "many", "4,2"])
def test_an_unusable_thread_setting_counts_as_none(
    monkeypatch: pytest.MonkeyPatch, nonsense: str
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", nonsense)
    assert usable_cores() == len(os.sched_getaffinity(0))


def test_torch_gets_as_many_threads_as_the_environment_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = torch.get_num_threads()
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    try:
        assert use_all_cores() == 3
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("count", [0, 1, 4, 10])
def test_every_item_has_its_result_in_order(count: int) -> None:
    model = Doubler(capacity=4)
    assert list(in_batches(model, range(count), BatchSize(4))) == [2 * n for n in range(count)]


def test_items_are_taken_only_as_they_are_needed() -> None:
    source = iter(range(100))
    results = in_batches(Doubler(capacity=4), source, BatchSize(4))
    assert next(results) == 0
    assert next(source) == 4


def test_a_batch_too_large_is_halved_and_the_work_goes_on() -> None:
    model, batch = Doubler(capacity=2), BatchSize(8)
    assert list(in_batches(model, range(10), batch)) == [2 * n for n in range(10)]
    assert batch == BatchSize(2, failed=[8, 4])
    succeeded = [part for part in model.batches if len(part) <= model.capacity]
    assert [number for part in succeeded for number in part] == list(range(10))


def test_a_short_last_batch_too_large_is_halved_as_well() -> None:
    model, batch = Doubler(capacity=2), BatchSize(8)
    assert list(in_batches(model, range(3), batch)) == [0, 2, 4]
    assert batch.failed == [3]


def test_a_batch_of_one_too_large_is_an_error_that_lists_the_attempts() -> None:
    results = in_batches(Doubler(capacity=0), range(4), BatchSize(4))
    with pytest.raises(GpuOutOfMemoryError, match="tried 4, 2, 1"):
        list(results)


def test_an_allocation_that_fails_on_the_cpu_is_not_the_gpus() -> None:
    """A model of one node that makes a tensor of the wanted size, asked for far too much."""
    wanted = onnx.helper.make_tensor_value_info("shape", onnx.TensorProto.INT64, [1])
    made = onnx.helper.make_tensor_value_info("zeros", onnx.TensorProto.FLOAT, None)
    node = onnx.helper.make_node("ConstantOfShape", ["shape"], ["zeros"])
    graph = onnx.helper.make_graph([node], "zeros", [wanted], [made])
    opset = onnx.helper.make_opsetid("", 17)
    model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=9)
    session = open_session(model.SerializeToString(), threads=1)
    batch = BatchSize(2)

    def run(numbers: list[int]) -> list[int]:
        size = 1 if len(numbers) == 1 else 2**55
        session.run(None, {"shape": np.array([size])})
        return numbers

    with pytest.raises(MemoryError, match="allocate memory"):
        list(in_batches(run, range(2), batch))
    assert batch.failed == []
    assert list(in_batches(run, range(1), batch)) == [0]


def test_halving_is_noted() -> None:
    assert BatchSize(8).notes("frames") == []
    (note,) = BatchSize(2, failed=[8, 4]).notes("frames")
    assert note.endswith("ran out of memory with 8 frames at a time: went on with 2.")


@pytest.mark.parametrize("code", ["CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED"])
def test_a_cuda_librarys_failed_allocation_halves_the_batch_too(code: str) -> None:
    error = RuntimeError(f"CUDA error: {code} when calling `create(handle)`")
    batch = BatchSize(2)
    assert list(in_batches(Doubler(capacity=1, error=error), range(2), batch)) == [0, 2]
    assert batch.failed == [2]


def test_any_other_error_is_passed_on() -> None:
    model = Doubler(capacity=0, error=RuntimeError("device-side assert"))
    with pytest.raises(RuntimeError, match="device-side assert"):
        list(in_batches(model, range(4), BatchSize(4)))
    assert len(model.batches) == 1
