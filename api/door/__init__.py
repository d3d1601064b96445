"""The door to the Dagster UI: who may come in, what they may ask, and the way to its socket."""
