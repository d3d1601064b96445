"""Has the definitions loaded anew, as Reload in the Dagster UI does."""

import os
import threading

from orchestration.dagster_internals.code_server import reload_code

_SECONDS = 120


def reload_code_location() -> bool:
    """Returns at once, as the process that asks is about to be replaced; False where there is no
    code server to ask.
    """
    socket = os.environ.get("FRAMEGATE_CODE_SOCKET")
    if not socket:
        return False
    threading.Thread(target=reload_code, args=(socket, _SECONDS), daemon=True).start()
    return True
