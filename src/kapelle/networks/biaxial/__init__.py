"""Two axes: along time each key by itself, then within a frame from the lowest key to the highest; exact likelihood."""

from .config import PRESETS, SPACE, BiaxialConfig
from .player import BiaxialPlayer

NAME = "biaxial"
CONFIG = BiaxialConfig
PLAYER = BiaxialPlayer
MODULE = "kapelle.networks.biaxial.module:BiaxialModule"

__all__ = ["CONFIG", "MODULE", "NAME", "PLAYER", "PRESETS", "SPACE"]
