"""Pipelines: each folder with a `card.py` is one; the rest is what they share."""
