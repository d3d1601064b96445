"""What names and values from outside look like, wherever they come in: over REST, in presets, in
run configs, as names of files. Patterns are those of JSON Schema.
"""

import re

#: An API key's name, by which jobs have their owner.
OWNER = r"^[A-Za-z0-9][A-Za-z0-9._@\-]{0,99}$"
#: What a submission's own tags may be.
TAG_KEY = r"^[A-Za-z0-9_.\-]{1,60}$"
TAG_VALUE = r"^[^\x00-\x1f\x7f]{0,250}$"

_SHA256 = re.compile(r"[0-9a-f]{64}")


def is_sha256(text: str) -> bool:
    """Whether it is what uploads are called by."""
    return _SHA256.fullmatch(text) is not None
