"""`python -m api`: serves the app alone, as the stack does. Its log goes to standard error."""

import gc
import logging
import socket
import sys
from functools import partial

import uvicorn
from starlette.types import ASGIApp

from api.app import create_app
from api.http.connections import Connections, affordable_connections
from api.http.protocol import EnvelopeProtocol, EnvelopeWebSocketProtocol
from api.settings import Settings
from contracts import logs

#: Event streams never end by themselves.
_GRACE_SECONDS = 2
#: How long a thread may compute before the event loop has its turn again: a fifth of what is usual.
_TURN_SECONDS = 0.001
#: Long enough for a download that a person has paused.
_DEAF_SECONDS = 300.0


def main() -> None:
    settings = Settings()
    logs.configure(settings.log_format, settings.log_level)
    config = server_config(create_app(settings), settings)
    server = uvicorn.Server(config)
    # What stays for good is never looked at again: reading a large body makes the collector run
    # often, and each time it would look at the whole app.
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(_TURN_SECONDS)
    server.run([listen(config, _DEAF_SECONDS)])
    if not server.started:
        logging.getLogger("framegate").error("The API could not be started: see the lines above.")
        sys.exit(1)


def server_config(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    """A client's address is that of its connection, unless that is a proxy which is trusted to
    name the client itself (`X-Forwarded-For`).
    """
    connections = Connections(affordable_connections())
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,  # all loggers send theirs to the root's handler
        access_log=False,  # the app writes its own, without query strings
        server_header=False,
        http=partial(EnvelopeProtocol, open_connections=connections),  # type: ignore[arg-type]
        ws=EnvelopeWebSocketProtocol,
        ws_max_size=settings.max_json_bytes,
        ws_per_message_deflate=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=[str(network) for network in settings.trusted_proxies],
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


def listen(config: uvicorn.Config, deaf_seconds: float) -> socket.socket:
    """The bound socket. Its connections end when the other side has taken nothing for so long:
    the server closes one only after all is sent, which a client that never reads prevents.
    """
    listener = config.bind_socket()
    milliseconds = int(1000 * deaf_seconds)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
    return listener


if __name__ == "__main__":
    main()
