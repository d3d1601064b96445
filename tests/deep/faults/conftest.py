"""Jobs that misbehave, on the shared stack."""

from tests.jobs import clip, jobs, make_jobs, media

__all__ = ["clip", "jobs", "make_jobs", "media"]
