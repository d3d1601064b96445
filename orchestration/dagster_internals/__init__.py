"""Every private part of Dagster that Framegate uses: the one room that imports any.

The files are split by who needs them, so that no process imports more than it uses. A file hands
on Dagster's names as they are; where several of them make one step, a function here takes it.
docs/decisions/0027-dagster-internals.md says why there is no public way.
"""
