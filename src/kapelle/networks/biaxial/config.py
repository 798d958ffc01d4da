"""The shape of a biaxial network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..columns import Columns
from ..keyboard import OCTAVE, Keyboard


@dataclass(frozen=True)
class BiaxialConfig(Keyboard):
    """A network along time that all keys share, then one along the keys of a frame.

    Attributes:
        columns: what a step is made of; see `Keyboard`.
        time_dims: of each LSTM layer along time.
        note_dims: of each LSTM layer along the keys.
        reach: keys up and down whose last words a key sees.
        cell_dim: numbers that the word of a key is turned into.
        place_dim: numbers learnt for each key; 0 for its height, 0..1, and its class, one of twelve.
        degree_dim: numbers learnt for each class under each fact "key"; 0 for none.
        facts_dim: numbers that the facts of a step are turned into.
        story_dim: of the LSTM that decides on the facts.
        dropout: share of units left out in training.
    """

    columns: Columns
    time_dims: tuple[int, ...] = (80,)
    note_dims: tuple[int, ...] = (64,)
    reach: int = 12
    cell_dim: int = 3
    place_dim: int = 16
    degree_dim: int = 8
    facts_dim: int = 32
    story_dim: int = 64
    dropout: float = 0.2

    def __post_init__(self) -> None:
        sizes = (*self.time_dims, *self.note_dims, self.reach, self.cell_dim, self.facts_dim, self.story_dim)
        if not (self.time_dims and self.note_dims and all(isinstance(size, int) and size >= 1 for size in sizes)):
            raise ValueError(f"the sizes of a network must be whole numbers from 1, got {sizes}")
        if not 0 <= self.dropout < 1 or self.place_dim < 0 or self.degree_dim < 0:
            raise ValueError(
                "expected 0 <= dropout < 1, and place_dim and degree_dim from 0; "
                f"got {self.dropout}, {self.place_dim} and {self.degree_dim}"
            )
        self.check_keys()

    @cached_property
    def degree_column(self) -> int | None:
        """The fact under which the classes are seen, if there is one."""
        return self.key_fact if self.degree_dim else None

    @cached_property
    def place_features(self) -> NDArray[np.float32]:
        """Height and class of each key, shape (keys, 13): what is known of a key where nothing is learnt for it."""
        features = np.zeros((self.keys, 1 + OCTAVE), np.float32)
        features[:, 0] = np.linspace(0, 1, self.keys)
        features[np.arange(self.pitches), 1 + self.classes] = 1
        return features

    @cached_property
    def input_dim(self) -> int:
        """Numbers that a key sees in a step."""
        place = self.place_dim or 1 + OCTAVE
        degree = 0 if self.degree_column is None else self.degree_dim
        return (2 * self.reach + 1) * self.cell_dim + OCTAVE + place + degree + self.facts_dim

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        lists = {"time_dims": list(self.time_dims), "note_dims": list(self.note_dims)}
        return {**fields, **lists, "columns": self.columns.to_json()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> BiaxialConfig:
        """The configuration that `to_json` wrote."""
        dims = {name: tuple(values[name]) for name in ("time_dims", "note_dims")}
        return cls(**{**values, **dims, "columns": Columns.of(values["columns"])})


_PUBLISHED: dict[str, Any] = {"place_dim": 0, "degree_dim": 0, "dropout": 0.5}
PRESETS: dict[str, dict[str, Any]] = {
    "biaxial": {},
    # Johnson's biaxial-rnn-music-composition of 2015.
    "johnson": {**_PUBLISHED, "time_dims": (300, 300), "note_dims": (100, 50), "cell_dim": 2},
    # DeepJ (Mao et al. 2018), without its styles: loudness too.
    "deepj": {**_PUBLISHED, "time_dims": (256, 256), "note_dims": (128, 128), "cell_dim": 3},
}
"""Named configurations: what differs from the defaults."""

SPACE: dict[str, Sequence[Any]] = {
    "time_dims": ((48,), (64,), (80,), (96,), (128,), (96, 96), (128, 128), (200, 200)),
    "note_dims": ((32,), (48,), (64,), (80,), (64, 32), (96,), (100, 50)),
    "facts_dim": (16, 32, 48, 64),
    "place_dim": (8, 16, 24, 32),
    "dropout": (0.1, 0.2, 0.3, 0.4, 0.5),
}
"""What tuning tries; the layers by their weights, ascending."""
