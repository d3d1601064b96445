"""What the two sides of Framegate agreed on: the OpenAPI files, tags, run config, folders."""
