"""An outer network over steps, an inner one over the fields of a step: Kapelle's own, and the default."""

from .adopt import adopted as ADOPT
from .config import SPACE, StepwiseConfig
from .player import StepwisePlayer

NAME = "stepwise"
CONFIG = StepwiseConfig
PLAYER = StepwisePlayer
PRESETS: dict[str, dict[str, object]] = {"stepwise": {}}
MODULE = "kapelle.networks.stepwise.module:StepwiseModule"

__all__ = ["ADOPT", "CONFIG", "MODULE", "NAME", "PLAYER", "PRESETS", "SPACE"]
