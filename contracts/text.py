"""Text from outside, made fit to be stored, sent and shown: exceptions, notes, file names, tags.

Python allows in text what UTF-8 does not: half of a surrogate pair, as in the name of a file that
is not UTF-8 (PEP 383). PostgreSQL stores no NUL, and a terminal obeys control characters. Each of
these becomes U+FFFD, the replacement character (The Unicode Standard, section 23.8).
"""

import re

#: More than anybody reads; an exception may carry a whole file in its text.
LONGEST = 4000

_REPLACEMENT = "\ufffd"
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_JSON_ESCAPE = re.compile(
    r"""\\(?:
        u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}  # a whole pair
      | (?P<unfit>u[dD][89a-fA-F][0-9a-fA-F]{2} | u0000)
      | .
    )""",
    re.VERBOSE | re.DOTALL,
)
_JSON_CONSTANT = re.compile(
    r'"(?:[^"\\]|\\.)*+"|(?P<constant>-?Infinity|NaN)',
    re.DOTALL,
)


def clean_text(text: str, longest: int = LONGEST) -> str:
    """The text with at most `longest` characters, all of which can be stored, sent and shown."""
    if len(text) > longest:
        text = f"{text[: longest - 1]}…"
    return text if text.isprintable() else _UNFIT.sub(_REPLACEMENT, text)


def clean_json(text: str) -> str:
    """JSON, or any other text, that can be stored as UTF-8; so can every string in the JSON. In an
    object, what only Python takes for a number of JSON (NaN and the infinities) becomes null.

    Of text that is fit already nothing changes.
    """
    if _UNSTORABLE.search(text):
        text = _UNSTORABLE.sub(_REPLACEMENT, text)
    if text.startswith('{"') and ("NaN" in text or "Infinity" in text):
        text = _JSON_CONSTANT.sub(lambda found: "null" if found["constant"] else found[0], text)
    return _JSON_ESCAPE.sub(_whole, text) if "\\u" in text else text


def _whole(escape: re.Match[str]) -> str:
    return r"\ufffd" if escape["unfit"] else escape[0]
