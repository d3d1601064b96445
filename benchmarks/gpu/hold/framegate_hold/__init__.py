"""A pipeline that holds GPU memory, and stops when it is told to, or not."""
