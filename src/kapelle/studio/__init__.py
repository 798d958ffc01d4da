"""The studio: a local page on which styles compose, and takes are heard, edited, kept and taken away.

    kapelle studio

`serve` runs it. What the page shows and does goes through the public parts of the package; what comes over the wire
is checked by `guard`, and what strangers made is read in a process of its own (`workers`). Needs the extra `studio`.
"""

from __future__ import annotations

from .server import PORT, serve

__all__ = ["PORT", "serve"]
