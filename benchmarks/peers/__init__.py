"""Stacks that run jobs, ours and others', all behind the same few calls."""
