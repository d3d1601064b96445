"""Dagster's code server, as others speak to it."""

from dagster._grpc.client import DagsterGrpcClient


def reload_code(socket: str, timeout: int) -> None:
    """Has the code server at a Unix socket load the definitions anew; `timeout` in seconds."""
    DagsterGrpcClient(host="localhost", socket=socket).reload_code(timeout)
