"""How pipelines become Dagster jobs, and how their runs are executed."""
