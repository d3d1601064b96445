"""The sign-in page. It loads nothing, and what stands in it may do nothing but post its forms."""

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
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def sign_in_page(wanted: str, error: FramegateError | None = None) -> HTMLResponse:
    """`wanted` is where to go afterwards; `error` is why the last attempt failed."""
    problem = f'<p class="problem" role="alert">{escape(error.message)}</p>' if error else ""
    content = _read("key_form.html").substitute(problem=problem, next=escape(wanted))
    response = _page(content, error.status if error else 200)
    response.headers.update((error.headers or {}) if error else {})
    return response


def signed_in_page(principal: Principal) -> HTMLResponse:
    content = _read("signed_in.html").substitute(
        name=escape(principal.name), role=escape(principal.role)
    )
    return _page(content, 200)


def _page(content: str, status: int) -> HTMLResponse:
    nonce = token_urlsafe(16)
    headers = {
        "Content-Security-Policy": _POLICY.format(nonce=nonce),
        # With `no-referrer`, browsers would post the forms with `Origin: null`.
        "Referrer-Policy": "same-origin",
    }
    text = _read("sign_in.html").substitute(nonce=nonce, content=content)
    return HTMLResponse(text, status, headers)


def _read(name: str) -> Template:
    return Template((_FOLDER / name).read_text())
