"""`python -m api`: serves the app alone, as the stack does. Its log goes to standard error."""

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


def main() -> None:
    settings = Settings()
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=_LOGGING,
        access_log=False,  # the app writes its own, without query strings
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


if __name__ == "__main__":
    main()
