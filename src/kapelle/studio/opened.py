"""Styles that a worker has open: the last few stay."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..styles import Style


def style_at(path: str) -> Style:
    """The style in a file, read once.

    Raises:
        StyleError: if it is none.
    """
    # A style that was trained anew has the same path: its time tells them apart.
    return _opened(path, Path(path).stat().st_mtime_ns)


@lru_cache(4)
def _opened(path: str, changed: int) -> Style:
    from ..styles import open_style

    return open_style(path)
