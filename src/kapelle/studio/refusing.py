"""A studio that cannot start says why in the browser, too: who starts it with a click sees no terminal."""

from __future__ import annotations

import html
import socket
import threading
import time
import webbrowser
from http.server import BaseHTTPRequestHandler, HTTPServer

SECONDS = 30
"""Until the browser has asked for the page; then, or after that time, the program ends."""

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Kapelle studio</title>
<style>body {{ color-scheme: light dark; font: 17px/1.5 system-ui, sans-serif; max-width: 560px; margin: 16vh auto;
padding: 0 20px; }} p {{ overflow-wrap: anywhere; }}</style>
<h1>The studio cannot start</h1><p>{line}</p><p>What was saved is as it was. Mend this, and start it again.</p>"""


def show(listener: socket.socket, line: str) -> None:
    """Open a page that says a line, and answer once."""
    page = _PAGE.format(line=html.escape(line)).encode()

    class Answer(BaseHTTPRequestHandler):
        shown = False

        def do_GET(self) -> None:
            self.send_response(503)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)
            Answer.shown = Answer.shown or self.path == "/"

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(listener.getsockname(), Answer, bind_and_activate=False) as server:
        server.socket.close()
        server.socket = listener
        server.server_activate()
        host, port = listener.getsockname()
        threading.Thread(target=webbrowser.open, args=(f"http://{host}:{port}/",), daemon=True).start()
        end = time.monotonic() + SECONDS
        while not Answer.shown and (left := end - time.monotonic()) > 0:
            server.timeout = left
            server.handle_request()
