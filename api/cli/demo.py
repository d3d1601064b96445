"""`framegate demo`: from nothing to annotations of a sample video, through the REST API alone."""

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any

from rich.markup import escape

from api.auth import keys
from api.auth.roles import Role
from api.cli import up
from api.cli.client import Client, connect
from api.cli.errors import CommandError
from api.cli.jobs import require_completed
from api.cli.results import findings_table
from api.cli.settings import read_settings
from api.cli.submit import upload
from api.cli.terminal import answers, print_json
from api.cli.wait import wait_for
from api.database import open_database
from api.settings import Settings
from api.stack.lock import RunningStack, find_running
from api.stack.ports import free_port, is_free
from contracts.home import Home

_STOP_SECONDS = 60.0
_KEY_LIFE = timedelta(hours=1)
