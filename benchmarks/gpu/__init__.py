"""What `benchmarks/gpu_check.py` checks on a GPU, one part a file."""
