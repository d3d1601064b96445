"""Units of what people read."""

GIGABYTE = 1000**3
