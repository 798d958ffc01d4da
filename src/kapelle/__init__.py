"""Kapelle learns a style from a folder of music and composes in it.

>>> import kapelle
>>> style = kapelle.load_style("folk")
>>> score = style.compose(bars=8, seed=1)
>>> len(score.bars()) - 1 - (score.pickup > 0)
8

Everything public is reached from here or from the modules `kapelle.music`, `files`, `listening`, `codecs`, `networks`,
`corpora`, `rendering`, `evaluation`, `training`, `sampling` and `styles`. Importing the package imports none
of them: each is fetched when it is first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import KapelleError
    from .evaluation import facts
    from .files import load, save
    from .music import Key, Meter, Notes, Score, Track
    from .styles import Style, learn, list_styles, load_style, open_style, save_style

__version__ = "0.1.0"

_HOME = {
    "KapelleError": "errors",
    "Key": "music",
    "Meter": "music",
    "Notes": "music",
    "Score": "music",
    "Style": "styles",
    "Track": "music",
    "facts": "evaluation",
    "learn": "styles",
    "list_styles": "styles",
    "load": "files",
    "load_style": "styles",
    "open_style": "styles",
    "save": "files",
    "save_style": "styles",
}

__all__ = [
    "KapelleError",
    "Key",
    "Meter",
    "Notes",
    "Score",
    "Style",
    "Track",
    "__version__",
    "facts",
    "learn",
    "list_styles",
    "load",
    "load_style",
    "open_style",
    "save",
    "save_style",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'kapelle' has no attribute '{name}'")
    return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
