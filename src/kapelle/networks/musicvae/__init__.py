"""A latent space of windows: an encoder to a vector, a decoder from it; recurrent, flat or hierarchical."""

from .config import PRESETS, SPACE, MusicVaeConfig
from .player import MusicVaePlayer

NAME = "musicvae"
CONFIG = MusicVaeConfig
PLAYER = MusicVaePlayer
MODULE = "kapelle.networks.musicvae.module:MusicVaeModule"
LATENT = True

__all__ = ["CONFIG", "LATENT", "MODULE", "NAME", "PLAYER", "PRESETS", "SPACE"]
