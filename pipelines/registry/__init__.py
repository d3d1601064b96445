"""What pipelines exist, and whether a config is one of theirs."""
