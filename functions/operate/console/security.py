"""What protects the console: who may ask, what may change something, and what a browser may do with an answer.

Laws: a page never runs what a record holds (autoescaping, and a policy without inline scripts); another site's page can
neither read an answer nor cause a change (host check, same origin, a secret in each form); nothing is cached.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers send the origin of our own forms as null
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
COOKIE: Final = "tandem-console"
TOKEN_BYTES: Final = 32
MAX_FORM_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Protection:
    """`hosts`: the values of the header Host that are served. `may_write`: whether anything may be changed.

    `access`: the token without which nothing is served; None on loopback, where it is not needed.
    """

    hosts: frozenset[str]
    may_write: bool = False
    access: str | None = None
    form_token: str = field(default_factory=lambda: secrets.token_urlsafe(TOKEN_BYTES))

    def refusal(self, method: str, headers: Headers) -> str | None:
        """Return why a request is not served; None if it is."""
        if headers.get("host", "").lower() not in self.hosts:
            return "this console is not served under that name"
        if method == "POST":
            if not self.may_write:
                return "this console is read-only: start it with --write to change something"
            origin = headers.get("origin")
            if headers.get("sec-fetch-site", "same-origin") != "same-origin" or origin == "null":
                return "a change must come from this console's own page"
            if origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower():
                return "a change must come from this console's own page"
        return None

    def is_form(self, fields: Mapping[str, str]) -> bool:
        """Whether a form is one that this process has sent."""
        return compare_digest(fields.get("token", "").encode(), self.form_token.encode())


@dataclass(frozen=True, slots=True)
class SecurityMiddleware:
    """Serves a request only if the protection allows it, and adds HEADERS to each answer."""

    app: ASGIApp
    protection: Protection

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request: see ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        await self._answer(scope)(scope, receive, protected)

    def _answer(self, scope: Scope) -> ASGIApp:
        headers = Headers(scope=scope)
        refusal = self.protection.refusal(scope["method"], headers)
        if refusal is not None:
            return PlainTextResponse(f"{refusal}\n", 403)
        access = self.protection.access
        if access is None or compare_digest(_cookie(headers).encode(), access.encode()):
            return self.app
        query = parse_qs(scope["query_string"].decode("latin-1"))
        if compare_digest(query.get("access", [""])[0].encode(), access.encode()):
            response = RedirectResponse("/", 303)
            response.set_cookie(COOKIE, access, httponly=True, samesite="strict")
            return response
        return PlainTextResponse("open the address that tandem console printed\n", 403)


def _cookie(headers: Headers) -> str:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


async def form_fields(request: Any) -> dict[str, str]:  # noqa: ANN401 - starlette's request
    """Return the fields of a URL-encoded form; ValueError if it is too large."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise ValueError("expected a smaller form")
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in fields.items()}
