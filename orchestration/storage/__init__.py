"""Where Dagster keeps runs, events and schedules."""
