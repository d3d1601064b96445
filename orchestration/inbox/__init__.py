"""Videos dropped into a folder become runs: what is due, what it is, and where the rest goes."""
