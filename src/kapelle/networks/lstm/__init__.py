"""The reference networks of the field by name: skuldur, softology, textbook, event, bachbot."""

from .config import PRESETS, SPACE, LstmConfig
from .player import LstmPlayer

NAME = "lstm"
CONFIG = LstmConfig
PLAYER = LstmPlayer
MODULE = "kapelle.networks.lstm.module:LstmModule"

__all__ = ["CONFIG", "MODULE", "NAME", "PLAYER", "PRESETS", "SPACE"]
