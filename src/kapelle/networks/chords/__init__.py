"""An outer network over whole frames, then a chord told from its lowest note to its highest; exact likelihood."""

from .config import PRESETS, SPACE, ChordsConfig
from .player import ChordsPlayer

NAME = "chords"
CONFIG = ChordsConfig
PLAYER = ChordsPlayer
MODULE = "kapelle.networks.chords.module:ChordsModule"

__all__ = ["CONFIG", "MODULE", "NAME", "PLAYER", "PRESETS", "SPACE"]
