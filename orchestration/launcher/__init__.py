"""Executes runs: the launcher, the fork server, the supervisor, device leases."""
