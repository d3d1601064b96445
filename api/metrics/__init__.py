"""What Prometheus reads at `/metrics`. Nothing is asked of Dagster while nobody scrapes."""
