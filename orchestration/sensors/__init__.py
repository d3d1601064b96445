"""What starts runs, or reacts to them, while nobody watches."""
