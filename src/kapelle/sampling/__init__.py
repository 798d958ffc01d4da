"""From logits to steps. Wishes come as masks, chance as an argument."""

from .draw import Taste, distribution, draw, draw_rows
from .windows import chances, likelihood, tell
from .writing import Draft, write

__all__ = ["Draft", "Taste", "chances", "distribution", "draw", "draw_rows", "likelihood", "tell", "write"]
