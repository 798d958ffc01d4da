"""Styles of windows that are learnt in a second or two, and clips for them."""

from __future__ import annotations

import tiny
from kapelle.music import Score, slice_bars
from kapelle.styles import WindowStyle, learn

SIZES = {"encoder_dims": [24], "decoder_dims": [24], "conductor_dims": [16]}
SMALL = {**SIZES, "latent_dim": 8, "embed_dim": 12, "plan_dim": 12}


def taught(kind: str = "melody", make: object = tiny.tune, epochs: int = 20) -> WindowStyle:
    """A style of windows of two bars."""
    window = {"kind": kind, "bars": 2}
    style = learn(
        tiny.corpus(make=make), kind, "musicvae", minutes=1, epochs=epochs, command="none", window=window, **SMALL
    )
    assert isinstance(style, WindowStyle)
    return style


def two_bars(seed: int) -> Score:
    """The beginning of a tiny tune."""
    return slice_bars(tiny.tune(seed), 0, 2)
