"""Submissions: received, planned, and launched exactly once."""
