"""A studio whose takes cannot be opened stays up and says why on its page, too.

Who starts it with a click sees no terminal. Whenever the page is asked for, opening is tried again; so once the fault
is mended, loading the page again is enough.
"""

from __future__ import annotations

import html
from collections.abc import Callable

from starlette.responses import HTMLResponse, JSONResponse, Response

from .guard import Receive, Scope, Send
from .takes import Takes, TakesError

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Kapelle studio</title>{head}<style>
:root {{ color-scheme: light dark; font: 17px/1.5 system-ui, sans-serif; }}
body {{ background: light-dark(#f4f3ee, #16191d); color: light-dark(#1c2230, #e9e7e0); margin: 16vh 16px; }}
main {{ max-width: 520px; margin: auto; padding: 12px 32px 20px; border-radius: 14px; overflow-wrap: anywhere;
background: light-dark(#fff, #1f242a); border: 1px solid light-dark(#e2dfd6, #353c44); }}
h1 {{ font: 700 26px/1.3 Georgia, serif; }}
</style><main><h1>{title}</h1>{body}</main>"""
_WHY = "<p>{line}</p><p>What was saved is as it was. Mend this, and load the page again.</p>"


class Refusing:
    """An ASGI application that says why there is no studio, until the takes can be opened.

    Attributes:
        takes: once they could be.
    """

    def __init__(self, opened: Callable[[], Takes], on_opened: Callable[[], None]) -> None:
        self.takes: Takes | None = None
        self._opened = opened
        self._on_opened = on_opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        line = self._tried()
        answer: Response
        if scope["path"] != "/":
            answer = JSONResponse({"error": line}, 503)
        elif self.takes is None:
            body = _WHY.format(line=html.escape(line))
            answer = HTMLResponse(_PAGE.format(head="", title="The studio cannot start", body=body), 503)
        else:
            # By the next second the studio itself is there.
            head = '<meta http-equiv="refresh" content="1">'
            answer = HTMLResponse(_PAGE.format(head=head, title=line, body=""), 503)
        await answer(scope, receive, send)

    def _tried(self) -> str:
        if self.takes is None:
            try:
                self.takes = self._opened()
            except TakesError as error:
                return str(error)
            self._on_opened()
        return "The studio starts"
