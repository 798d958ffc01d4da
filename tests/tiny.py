"""Small corpora made here, and styles learnt from them in seconds."""

from __future__ import annotations

import numpy as np

from kapelle import learn
from kapelle.corpora import Corpus, Piece
from kapelle.music import Meter, Notes, Score, Track
from kapelle.styles import Style

SMALL = {"embed_dim": 16, "hidden_dim": 24, "inner_dim": 16, "attention_dim": 8, "num_heads": 2}


def tune(seed: int, bars: int = 8, program: int = 40) -> Score:
    """A tune in C major in quarters and eighths that moves by step."""
    rng = np.random.default_rng(seed)
    scale = [60, 62, 64, 65, 67, 69, 71, 72]
    rows, degree = [], 0
    for beat in range(4 * bars):
        lengths = [24] if rng.random() < 0.5 else [12, 12]
        for place, length in enumerate(lengths):
            degree = int(np.clip(degree + rng.integers(-2, 3), 0, 7))
            rows.append((24 * beat + 12 * place, length, scale[degree], 80))
    return Score(24, (Track(Notes.of(rows), program),), meters=(Meter(),))


def band(seed: int, bars: int = 8) -> Score:
    """A tune with a bass and drums."""
    lead = tune(seed, bars, 0)
    bass = [(48 * beat, 48, 36 + 7 * (beat % 2), 90) for beat in range(2 * bars)]
    drums = [(24 * beat, 12, 36 if beat % 2 == 0 else 38, 100) for beat in range(4 * bars)]
    return lead.replace(tracks=(*lead.tracks, Track(Notes.of(bass), 33), Track(Notes.of(drums), is_drum=True)))


def corpus(pieces: int = 12, make: object = tune) -> Corpus:
    """A corpus of tunes."""
    return Corpus.of("tiny", [Piece(make(seed), f"tune {seed}", f"{seed}.mid") for seed in range(pieces)])  # type: ignore[operator]


def style(name: str = "tiny", make: object = tune, epochs: int = 3) -> Style:
    """A style that has hardly learnt anything, which is the best test of the masks."""
    return learn(corpus(make=make), name, minutes=1, epochs=epochs, threads=1, command="none", **SMALL)
