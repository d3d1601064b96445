"""Pipelines: each folder with a `card.py` is one; the rest is what they share."""

import os

# ONNX Runtime collects usage data from the moment it is imported, in the user's home and by
# threads that a fork would lose. Nothing here reports on its users.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
