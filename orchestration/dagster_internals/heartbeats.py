"""How often Dagster's processes look whether the others are still there."""

from dagster._grpc import client, server_watcher


def set_heartbeats(seconds: int, tries: int) -> None:
    """Of this process: `seconds` between two looks; after `tries` in vain nobody is there."""
    server_watcher.WATCH_INTERVAL = seconds
    server_watcher.MAX_RECONNECT_ATTEMPTS = tries
    client.CLIENT_HEARTBEAT_INTERVAL = seconds
