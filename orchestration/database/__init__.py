"""Dagster's part of `framegate db`: versions of its tables, what is in them, and copying them.

`python -m orchestration.database VERB` prints a JSON object per line, for the command line to show.
"""
