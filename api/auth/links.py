"""Links that sign in. Those made on the machine itself, by whoever may write into the home, do so
once; one with a key does as long as the key is valid.

The secret stands behind the `#` of the link, so that no browser sends it with a request and no log
holds it; the sign-in page posts it. On disk there is a file named after its hash.
"""

import json
import shutil
import time
from secrets import token_urlsafe

from api.auth.keys import hash_secret
from contracts.home import Home

#: Where the sign-in page is.
SIGN_IN_PATH = "/sign-in"
#: Where a key signs in, and is handed to the web viewer.
CONNECT_PATH = "/viewer-connect"
_LIFE_SECONDS = 600


def create_link(home: Home, url: str, key_id: str) -> str:
    """A link that signs in as the owner of the key, once, within ten minutes."""
    secret = token_urlsafe(32)
    home.sign_in_links.mkdir(mode=0o700, parents=True, exist_ok=True)
    fields = {"key_id": key_id, "expires_at": time.time() + _LIFE_SECONDS}
    (home.sign_in_links / hash_secret(secret)).write_text(json.dumps(fields))
    return f"{url}{SIGN_IN_PATH}#{secret}"


def viewer_link(url: str, key: str) -> str:
    """A link that opens the web viewer with the key, as often as one likes."""
    return f"{url}{CONNECT_PATH}#{key}"


def use_link(home: Home, secret: str) -> str | None:
    """The id of the key that the link was made for; None if the link is no longer valid."""
    file = home.sign_in_links / hash_secret(secret)
    used = file.with_name(f"{file.name}.used")
    try:
        file.rename(used)  # one request alone succeeds
        fields = json.loads(used.read_text())
    except (OSError, ValueError):
        return None
    finally:
        used.unlink(missing_ok=True)
    return str(fields["key_id"]) if time.time() < fields["expires_at"] else None


def discard_links(home: Home) -> None:
    """Those of a stack that is gone."""
    shutil.rmtree(home.sign_in_links, ignore_errors=True)
