"""Runs the studio: a port, a server, a browser, and a clean end."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from ..errors import KapelleError, MissingExtra
from .refusing import show

if TYPE_CHECKING:
    from .state import Studio

HOST, PORT = "127.0.0.1", 8765
FILE = "studio.sqlite"


def serve(port: int, data: Path, open_browser: bool, tell: Callable[[str], None]) -> None:
    """Serve the studio until somebody stops it.

    Args:
        port: of this machine; 0 takes any that is free.
        data: folder of the file of takes; it is made if need be.
        open_browser: whether the page is opened.
        tell: called with the address once the page can be used.

    Raises:
        KapelleError: if the port cannot be had, or the takes cannot be opened; the browser is told of that, too.
        MissingExtra: if FastAPI and uvicorn are not installed.
    """
    try:
        import uvicorn

        from .app import application
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("uvicorn", "fastapi", "starlette", "pydantic"):
            raise
        raise MissingExtra("the studio", "studio") from None
    from .takes import Takes, TakesError

    with _listening(port) as listener:
        try:
            takes = Takes(data / FILE)
        except TakesError as error:
            if open_browser:
                show(listener, str(error))
            raise
        try:
            app, studio = application(takes, data)
            # What is still being answered has a second; pages that listen are let go before.
            config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1, lifespan="on")
            address = f"http://{HOST}:{listener.getsockname()[1]}/"
            _server(uvicorn, config, studio, lambda: _announce(address, open_browser, tell)).run([listener])
        finally:
            takes.close()


def _announce(address: str, open_browser: bool, tell: Callable[[str], None]) -> None:
    tell(address)
    if open_browser:
        # Some systems' browsers block until they are closed.
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


def _server(uvicorn: Any, config: Any, studio: Studio, on_started: Callable[[], None]) -> Any:
    class Server(uvicorn.Server):
        """Says when it is there, and lets the pages go when it is to stop."""

        _stopping = False

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                on_started()

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            # Uvicorn's own would raise the signal once more at the end, which ends the process before it is tidy.
            studio.close_pages()
            self.force_exit, self.should_exit = self._stopping, True
            self._stopping = True

    return Server(config)


@contextlib.contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    """A socket of this machine, which no other can reach.

    Raises:
        KapelleError: if the port is in use or not to be had.
    """
    # asyncio turns Nagle's delay off only where the protocol is named; with it each answer took 60 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # Without it a port stays taken for a minute after a stop; on Windows it would let two share one.
        if hasattr(socket, "SO_REUSEPORT"):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        yield listener
    except (OSError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            hint = f"kapelle studio --port {port % 65535 + 1}"
            raise KapelleError(f"port {port} is in use, perhaps by another studio; take another: {hint}") from None
        if isinstance(error, OSError) and error.filename is not None:
            raise
        raise KapelleError(f"port {port} cannot be had: {str(error).lower()}") from None
    finally:
        listener.close()
