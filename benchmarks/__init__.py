"""Measurements, each beside the bare minimum or a peer in the same run."""
