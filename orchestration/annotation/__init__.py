"""What a run does: jobs, ops, assets, and the publication of results."""
