"""The `framegate` command. Client commands speak REST only; the others look after this machine."""

from api.cli.app import main

__all__ = ["main"]
