"""When somebody speaks, by Silero VAD."""
