"""One file = one composer."""

from .card import Card, Habits
from .drumming import DrummingStyle
from .file import SUFFIX, open_style, save_style
from .learning import go_on, learn, picked, resume
from .store import Listing, list_styles, load_style, run_path, style_path, user_folder
from .style import Style
from .windows import WindowStyle

__all__ = [
    "SUFFIX",
    "Card",
    "DrummingStyle",
    "Habits",
    "Listing",
    "Style",
    "WindowStyle",
    "go_on",
    "learn",
    "list_styles",
    "load_style",
    "open_style",
    "picked",
    "resume",
    "run_path",
    "save_style",
    "style_path",
    "user_folder",
]
