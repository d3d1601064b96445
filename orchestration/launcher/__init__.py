"""Executes runs: the launcher, the warm worker server, the supervisor, device leases."""
