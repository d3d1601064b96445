"""What the card says of face detection before anything heavy is loaded."""

import subprocess
import sys

from pipelines.face_detection.card import CARD
from pipelines.face_detection.config import FaceDetectionConfig


def test_the_card_is_read_without_loading_a_model_library() -> None:
    script = """
import sys
import threading
from pipelines.face_detection.card import CARD
assert not {"torch", "onnx", "onnxruntime", "numpy", "av"} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


def test_the_memory_estimate_follows_batch_and_size_and_is_nothing_on_a_cpu() -> None:
    small = CARD.gpu_memory(FaceDetectionConfig(batch_size=1))
    assert small < CARD.gpu_memory(FaceDetectionConfig(batch_size=8)) < 3 * 2**30
    assert small < CARD.gpu_memory(FaceDetectionConfig(batch_size=1, maximum_side=1280))
    assert CARD.gpu_memory(FaceDetectionConfig(device="cpu")) == 0
