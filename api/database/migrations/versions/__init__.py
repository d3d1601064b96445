"""One file a revision; Alembic loads them by path."""
