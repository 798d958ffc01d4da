"""One file = one composer."""

from .card import Card, Habits
from .file import open_style, save_style
from .learning import learn
from .store import Listing, list_styles, load_style, style_path, user_folder
from .style import Style

__all__ = [
    "Card",
    "Habits",
    "Listing",
    "Style",
    "learn",
    "list_styles",
    "load_style",
    "open_style",
    "save_style",
    "style_path",
    "user_folder",
]
