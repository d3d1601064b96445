"""Results: the files of a job, and what is made of all of them together."""
