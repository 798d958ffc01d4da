"""Runs the studio: a port, a server, a browser, and a clean end."""

from __future__ import annotations

import contextlib
import errno
import functools
import logging
import secrets
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from ..errors import KapelleError, MissingExtra

if TYPE_CHECKING:
    from .takes import Takes

HOST, PORT = "127.0.0.1", 8765
FILE = "studio.sqlite"


def serve(port: int, data: Path, open_browser: bool, tell: Callable[[str], None], warn: Callable[[str], None]) -> bool:
    """Serve the studio until somebody stops it.

    Args:
        port: of this machine; 0 takes any that is free.
        data: folder of the file of takes; it is made if need be.
        open_browser: whether the page is opened.
        tell: called with the address once the page can be used.
        warn: called with a line if the takes cannot be opened. Then the page says so, too, until they can be.

    Returns:
        Whether there was a studio in the end.

    Raises:
        KapelleError: if the port cannot be had.
        MissingExtra: if FastAPI and uvicorn are not installed.
    """
    try:
        import uvicorn

        from .app import application
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("uvicorn", "fastapi", "starlette", "pydantic"):
            raise
        raise MissingExtra("the studio", "studio") from None
    with _listening(port) as listener:
        address = f"http://{HOST}:{listener.getsockname()[1]}/"
        # By whichever server is there first, and by no other.
        announced = functools.cache(lambda: _announce(address, open_browser, tell))
        takes = _opened(uvicorn, data / FILE, listener, announced, warn)
        if takes is None:
            return False
        try:
            app, studio = application(takes, data)
            _server(uvicorn, app, studio.close_pages, announced).run([listener])
        finally:
            takes.close()
    return True


def _opened(
    uvicorn: Any, path: Path, listener: socket.socket, on_started: Callable[[], None], warn: Callable[[str], None]
) -> Takes | None:
    """The takes; if they cannot be opened, once somebody has mended that, or None if he stopped the program first."""
    from .guard import Guard
    from .refusing import Refusing
    from .takes import Takes, TakesError

    try:
        return Takes(path)
    except TakesError as error:
        warn(str(error))
    refusing = Refusing(lambda: Takes(path), lambda: server.stop())
    # Nothing is written, so nobody has a token.
    server = _server(uvicorn, Guard(refusing, secrets.token_hex()), lambda: None, on_started)
    # A server closes its socket at the end; the studio needs it once more.
    server.run([listener.dup()])
    return refusing.takes


def _announce(address: str, open_browser: bool, tell: Callable[[str], None]) -> None:
    tell(address)
    if open_browser:
        # Some systems' browsers block until they are closed.
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


def _server(uvicorn: Any, app: Any, let_go: Callable[[], object], on_started: Callable[[], None]) -> Any:
    class Server(uvicorn.Server):
        """Says when it is there, and lets the pages go when it is to stop."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                on_started()

        def stop(self) -> None:
            # What is cut off from here on is cut off on purpose.
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
            let_go()
            self.should_exit = True

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            # Uvicorn's own would raise the signal once more at the end, which ends the process before it is tidy.
            self.force_exit = self.should_exit
            self.stop()

    # What is still being answered has a second; pages that listen are let go before.
    return Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1, lifespan="auto"))


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
