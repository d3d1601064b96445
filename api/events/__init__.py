"""Jobs' changes as server-sent events: one look at Dagster a second serves all who listen."""
