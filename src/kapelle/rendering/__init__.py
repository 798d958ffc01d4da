"""What can be seen of a score: its piano roll as a picture."""

from .roll import to_png, to_svg

__all__ = ["to_png", "to_svg"]
