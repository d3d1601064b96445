"""The adapter's own database."""
