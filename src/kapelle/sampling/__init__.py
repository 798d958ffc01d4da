"""From logits to steps. Wishes come as masks, chance as an argument."""

from .draw import Taste, distribution, draw
from .writing import Draft, write

__all__ = ["Draft", "Taste", "distribution", "draw", "write"]
