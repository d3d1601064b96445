"""One trivial job: for Framegate (card.py), for Dagster (definitions.py), for Ray (work.py)."""
