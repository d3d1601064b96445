"""The pages on which people sign in. They load nothing, and may do nothing but post their forms."""

from html import escape
from pathlib import Path
from secrets import token_urlsafe
from string import Template

from starlette.responses import HTMLResponse

from api.auth.roles import Principal
from api.errors import FramegateError

_FOLDER = Path(__file__).parent / "pages"
_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def sign_in_page(wanted: str, error: FramegateError | None = None) -> HTMLResponse:
    """`wanted` is where to go afterwards; `error` is why the last attempt failed."""
    problem = f'<p class="problem" role="alert">{escape(error.message)}</p>' if error else ""
    response = _page(
        "key_form.html",
        error.status if error else 200,
        problem=problem,
        next=escape(wanted),
    )
    response.headers.update((error.headers or {}) if error else {})
    return response


def signed_in_page(principal: Principal) -> HTMLResponse:
    return _page("signed_in.html", name=escape(principal.name), role=escape(principal.role))


def connect_page() -> HTMLResponse:
    """Signs in with a key, which may stand behind the `#` of a link. The viewer keeps the key."""
    return _page("viewer_connect.html")


def _page(file: str, status: int = 200, **values: str) -> HTMLResponse:
    nonce = token_urlsafe(16)
    content = _read(file).substitute(nonce=nonce, **values)
    headers = {
        "Content-Security-Policy": _POLICY.format(nonce=nonce),
        # With `no-referrer`, browsers would post the forms with `Origin: null`.
        "Referrer-Policy": "same-origin",
    }
    text = _read("sign_in.html").substitute(nonce=nonce, content=content)
    return HTMLResponse(text, status, headers)


def _read(name: str) -> Template:
    return Template((_FOLDER / name).read_text())
