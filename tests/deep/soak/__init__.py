"""The soak: random requests and random kills on a real stack, their history, and its invariants.

`make soak MINUTES=30 SEED=7` runs it; `python -m tests.deep.soak HISTORY` checks a history again.
"""
