"""Steps of which the last columns are the keys of an instrument; shared by the networks that know keys."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .columns import Columns

OCTAVE = 12
"""Keys after which the keys' classes come round again."""


class Keyboard:
    """What the configuration of a network with keys knows of them, by its columns.

    The last columns of a step may be keys: "pitch N" ascending, then "drum N", all with the same words, of which 0 is
    silence. The columns before them are facts, some of them predicted too.

    Attributes:
        columns: what a step is made of.
    """

    columns: Columns

    def check_keys(self) -> None:
        """Raise ValueError if the keys are not the last columns, or have different words."""
        names, sizes = self.columns.names, self.columns.sizes
        strayed = any(name.startswith(("pitch ", "drum ")) for name in names[: self.facts])
        if strayed or len(set(sizes[self.facts :])) > 1:
            raise ValueError("the keys must be the last columns, pitches first, all with the same words")

    @cached_property
    def facts(self) -> int:
        """How many columns come before those of the keys."""
        names = self.columns.names
        return len(names) - self.pitches - sum(name.startswith("drum ") for name in names)

    @cached_property
    def pitches(self) -> int:
        """How many of the keys are pitches."""
        return sum(name.startswith("pitch ") for name in self.columns.names)

    @cached_property
    def keys(self) -> int:
        """How many keys there are."""
        return len(self.columns.names) - self.facts

    @cached_property
    def decided(self) -> tuple[int, ...]:
        """The facts in which there is something to choose."""
        return tuple(column for column in self.columns.predicted if column < self.facts)

    @cached_property
    def words(self) -> int:
        """Words of a key."""
        return self.columns.sizes[-1]

    @cached_property
    def classes(self) -> NDArray[np.int64]:
        """The class of each pitch, shape (pitches,)."""
        names = self.columns.names[self.facts : self.facts + self.pitches]
        return np.array([int(name.split()[1]) % OCTAVE for name in names], np.int64)

    @cached_property
    def key_fact(self) -> int | None:
        """The fact "key", which says what the classes mean: none, then twelve major and twelve minor ones."""
        names = self.columns.names[: self.facts]
        return names.index("key") if self.pitches and "key" in names else None
