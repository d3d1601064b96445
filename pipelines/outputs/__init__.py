"""Writers of result files; each file appears whole or not at all."""
