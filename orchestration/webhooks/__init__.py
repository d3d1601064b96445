"""Telling others when jobs end: announced into an outbox on disk, delivered until it worked."""
