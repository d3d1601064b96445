"""`python -m api`: serves the app alone, as the stack does. Its log goes to standard error."""

import socket
import sys

import uvicorn

from api.app import create_app
from api.settings import Settings

_LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {
        # Their lines, one for each call or migration, would drown everything else.
        "alembic": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
}
#: Event streams never end by themselves.
_GRACE_SECONDS = 2
#: Long enough for a download that a person has paused.
_DEAF_SECONDS = 300.0


def main() -> None:
    settings = Settings()
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=_LOGGING,
        access_log=False,  # the app writes its own, without query strings
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = uvicorn.Server(config)
    server.run([listen(config, _DEAF_SECONDS)])
    if not server.started:
        sys.exit("The API could not be started; the lines above say why.")


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
