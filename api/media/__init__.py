"""Media: uploaded or named, probed, and stored."""
