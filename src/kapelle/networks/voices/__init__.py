"""Several lines that move together, such as the voices of a chorale: exact likelihood, any of them may be given."""

from .config import PRESETS, SPACE, VoicesConfig
from .player import VoicesPlayer

NAME = "voices"
CONFIG = VoicesConfig
PLAYER = VoicesPlayer
MODULE = "kapelle.networks.voices.module:VoicesModule"

__all__ = ["CONFIG", "MODULE", "NAME", "PLAYER", "PRESETS", "SPACE"]
