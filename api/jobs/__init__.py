"""Jobs: found, described, cancelled and retried."""
