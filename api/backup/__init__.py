"""A copy of everything that Framegate keeps, taken while it runs, and how to come back from it."""
