"""What stands between the wire and the application: who may ask, and how much.

The studio listens on this machine only. What is left to fear is another page in the same browser: it could post to
the studio blindly, or, with a name that resolves to 127.0.0.1, read from it. So the Host must be this machine, the
Origin must be the studio itself, and what writes needs a token that only the studio's own page can read. It is no
lock against other users of the same machine.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HOSTS = ("127.0.0.1", "localhost", "[::1]")
TOKEN = "x-kapelle-token"
MAX_BODY = 16 * 2**20
"""Bytes of one request: a recording of three minutes as WAV, or any score."""

BODY_SECONDS = 60
MOST_BODIES = 8
"""So many requests are read at once; together they stay far below what the machine has."""

_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self'; media-src 'self' blob:; connect-src 'self'; worker-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}


class Refusal(Exception):
    """A request that is not let in: a status and a line."""

    def __init__(self, status: int, line: str) -> None:
        super().__init__(line)
        self.status = status


class Guard:
    """Wraps the application."""

    def __init__(self, app: App, token: str) -> None:
        self._app = app
        self._token = token
        self._reading = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
                message["headers"] = [*message.get("headers", ()), *own]
            await send(message)

        try:
            self._check(scope, headers)
            if scope["method"] not in ("GET", "HEAD"):
                receive = await self._body(headers, receive)
        except Refusal as refusal:
            body = json.dumps({"error": str(refusal)}).encode()
            start = {"type": "http.response.start", "status": refusal.status}
            # Whatever else is on its way is not read.
            kind = [(b"content-type", b"application/json"), (b"connection", b"close")]
            await send_guarded({**start, "headers": [*kind, (b"content-length", str(len(body)).encode())]})
            await send({"type": "http.response.body", "body": body})
            return
        await self._app(scope, receive, send_guarded)

    def _check(self, scope: Scope, headers: dict[str, str]) -> None:
        host = headers.get("host", "")
        if host.rpartition(":")[0] not in HOSTS and host not in HOSTS:
            raise Refusal(403, f"expected a request to {HOSTS[0]}, got one to {host[:80]!r}")
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{host}":
            raise Refusal(403, f"expected a request from the studio's own page, got one from {origin[:80]!r}")
        # A click on a link to the studio comes from elsewhere and is welcome.
        elsewhere = headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
        if elsewhere and scope["path"] != "/":
            raise Refusal(403, "expected a request from the studio's own page, got one from another site")
        if scope["method"] in ("GET", "HEAD"):
            return
        if not hmac.compare_digest(headers.get(TOKEN, "").encode(), self._token.encode()):
            raise Refusal(403, f"expected the studio's token in {TOKEN}; load the page again, or ask /api/session")

    async def _body(self, headers: dict[str, str], receive: Receive) -> Receive:
        """The whole body, read within its bounds, as if it came just now."""
        too_large = Refusal(413, f"expected at most {MAX_BODY >> 20} MB, got more; cut it into parts")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY:
            raise too_large
        if self._reading >= MOST_BODIES:
            raise Refusal(429, f"{MOST_BODIES} files are being sent already; wait until they are here")
        self._reading += 1
        try:
            body = bytearray()
            async with asyncio.timeout(BODY_SECONDS):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise Refusal(400, "the request ended before it was whole")
                    body += message.get("body", b"")
                    if len(body) > MAX_BODY:
                        raise too_large
                    if not message.get("more_body"):
                        break
        except TimeoutError:
            raise Refusal(408, f"expected the request within {BODY_SECONDS} seconds; try again") from None
        finally:
            self._reading -= 1
        whole: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def again() -> Message:
            return whole.pop() if whole else await receive()

        return again
