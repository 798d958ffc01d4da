"""The shape of a network of voices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from ..columns import Columns

REACH = 24
"""Rungs up and down that are told apart where one voice is measured by another."""

DEGREES = 12
"""Semitones above the tonic."""

PERFECT = (0, 7)
"""Semitones, octaves aside, between two voices that are not to be kept while both move."""

AHEAD = (1, 2, 4, 8)
"""How many steps ahead a voice looks directly at what is given in advance."""


class Anchor(NamedTuple):
    """A column on whose height another column's words are measured.

    Attributes:
        column: whose word 0 is no height, and word 1 + h the height h.
        owner: the predicted column that it follows from; -1 if it is known before the step.
    """

    column: int
    owner: int


class Pair(NamedTuple):
    """Another voice, as one sees it that is to move.

    Attributes:
        own: the column with the height from which one moves.
        sounds: where the other voice is now.
        last: the column with the height from which it came there.
    """

    own: int
    sounds: Anchor
    last: int


@dataclass(frozen=True)
class VoicesConfig:
    """An outer network over groups of steps, an inner one over the fields of a step, and voices on one ladder.

    A predicted column named "voice X" is a voice: its words are 0 for going on as before, 1 for silence, and
    2 + h for starting at height h. The column "last X", if there is one, has the height from which the voice
    moves, and "sounds X" the one that it then has: word 0 for none, 1 + h for the height h. Columns "echo X" and
    "again X" have a word that the voice may be expected to say again: 0 for none, 1 + w for the word w. A column
    "tonic" has the lowest height that is the tonic: word 0 for none, 1 + h for the height h, below 12. The given
    columns that stand after a predicted one must follow from it and from earlier steps.

    Attributes:
        columns: what a step is made of.
        embed_dim: numbers a step is turned into.
        hidden_dim: of each outer LSTM layer.
        num_layers: outer LSTM layers.
        inner_dim: hidden units that decide on a field.
        told_dim: numbers that the words told in a step are turned into for those told after them.
        attention_dim: numbers by which earlier groups are looked up, and numbers that are found.
        num_heads: how many groups can be looked up at once, so to speak.
        window: how many groups back can be looked up.
        stride: steps in a group, which the outer network reads at once: of sixteenths, four make a beat.
        lead: steps in the first group, 1..stride: of the nine of a chorale's header one, then each group is a beat.
        reveal: share of the pieces of which training gives some fields in advance; 0 if none ever are given.
        reveal_dim: numbers that what is given in advance is turned into.
        dropout: share of units left out in training; half as many words of the columns that tell of voices are.
    """

    columns: Columns
    embed_dim: int = 192
    hidden_dim: int = 256
    num_layers: int = 2
    inner_dim: int = 160
    told_dim: int = 96
    attention_dim: int = 128
    num_heads: int = 4
    window: int = 256
    stride: int = 4
    lead: int = 1
    reveal: float = 0.0
    reveal_dim: int = 128
    dropout: float = 0.5

    def __post_init__(self) -> None:
        sizes = (
            self.embed_dim, self.hidden_dim, self.num_layers, self.inner_dim, self.told_dim, self.attention_dim,
            self.num_heads, self.window, self.stride, self.lead, self.reveal_dim,
        )  # fmt: skip
        if not all(isinstance(size, int) and size >= 1 for size in sizes):
            raise ValueError(f"the sizes of a network must be whole numbers from 1, got {sizes}")
        if self.attention_dim % self.num_heads or self.lead > self.stride:
            raise ValueError(
                "attention_dim must be a multiple of num_heads, and lead at most stride; "
                f"got {self.attention_dim}, {self.num_heads}, {self.lead} and {self.stride}"
            )
        if not (0 <= self.dropout < 1 and 0 <= self.reveal <= 1):
            raise ValueError(f"expected 0 <= dropout < 1 and 0 <= reveal <= 1, got {self.dropout} and {self.reveal}")
        if not self.columns.predicted:
            raise ValueError("a network needs a column to predict, got none")

    @cached_property
    def opening(self) -> int:
        """How many columns are known before the first choice of a step."""
        return self.columns.predicted[0]

    @cached_property
    def owners(self) -> tuple[int, ...]:
        """For each column from `opening` on, the predicted column that it follows from, or which it is."""
        predicted = self.columns.predicted
        return tuple(
            max(column for column in predicted if column <= index)
            for index in range(self.opening, len(self.columns.sizes))
        )

    @cached_property
    def tells_of_voices(self) -> tuple[bool, ...]:
        """Whether each column tells of a voice, whose name is then one of the words of the column's."""
        names = self.columns.names
        voices = {
            names[column].removeprefix("voice ") for column in self.columns.predicted if "voice " in names[column]
        }
        return tuple(not voices.isdisjoint(name.split()) for name in names)

    @cached_property
    def ladder(self) -> dict[int, tuple[Anchor, ...]]:
        """For each voice, on what its heights are measured: its own last height, and what the others sound."""
        place = {name: index for index, name in enumerate(self.columns.names)}
        voices = {
            column: self.columns.names[column].removeprefix("voice ")
            for column in self.columns.predicted
            if self.columns.names[column].startswith("voice ")
        }
        return {
            column: tuple(
                anchor
                for other, its_name in voices.items()
                for anchor in [
                    Anchor(place.get(f"last {name}", -1), -1)
                    if other == column
                    else Anchor(place.get(f"sounds {its_name}", -1), other)
                ]
                if anchor.column >= 0
            )
            for column, name in voices.items()
        }

    @cached_property
    def tonic(self) -> int:
        """The column that tells the lowest height that is the tonic; -1 if there is none."""
        names = self.columns.names[: self.opening]
        return names.index("tonic") if "tonic" in names else -1

    def num_scores(self, column: int) -> int:
        """How many scores make the logits of a column: of its words, distances, parallels, degrees and echoes."""
        size = self.columns.sizes[column] + (2 * REACH + 1) * len(self.ladder.get(column, ()))
        degrees = DEGREES if self.tonic >= 0 and column in self.ladder else 0
        return size + len(self.parallels.get(column, ())) + degrees + len(self.echoes.get(column, ()))

    @cached_property
    def parallels(self) -> dict[int, tuple[Pair, ...]]:
        """For each voice, the others with which it can go in parallel."""
        place = {name: index for index, name in enumerate(self.columns.names)}
        return {
            column: tuple(
                Pair(last, anchor, place[f"last {name}"])
                for anchor in self.ladder[column]
                for name in [self.columns.names[anchor.owner].removeprefix("voice ")]
                if anchor.owner >= 0 and f"last {name}" in place
            )
            for column, last in self._lasts.items()
        }

    @cached_property
    def _lasts(self) -> dict[int, int]:
        """For each voice, the column with the height from which it moves."""
        return {column: anchor.column for column, on in self.ladder.items() for anchor in on if anchor.owner < 0}

    @cached_property
    def echoes(self) -> dict[int, tuple[int, ...]]:
        """For each voice, the columns with words that it may be expected to say again."""
        names = self.columns.names
        return {
            column: tuple(
                index
                for index, name in enumerate(names[: self.opening])
                if name in (f"{what} {names[column].removeprefix('voice ')}" for what in ("echo", "again"))
            )
            for column in self.ladder
        }

    @cached_property
    def tellable(self) -> tuple[tuple[int, int], ...]:
        """What can be given in advance, as (predicted column, column to read): the words, and the heights of voices."""
        place = {name: index for index, name in enumerate(self.columns.names)}
        pairs = [(column, column) for column in self.columns.predicted]
        for column in self.ladder:
            sounds = place.get("sounds " + self.columns.names[column].removeprefix("voice "))
            pairs += [] if sounds is None else [(column, sounds)]
        return tuple(pairs)

    @cached_property
    def foreseen(self) -> tuple[Anchor, ...]:
        """Whose heights a voice sees ahead, where they are given: the columns that tell them, and their owners."""
        place = {name: index for index, name in enumerate(self.columns.names)}
        found = (
            Anchor(place.get("sounds " + self.columns.names[column].removeprefix("voice "), -1), column)
            for column in self.ladder
        )
        return tuple(anchor for anchor in found if anchor.column >= 0)

    @cached_property
    def own_last(self) -> dict[int, int]:
        """For each voice that looks ahead, the column with the height from which it moves."""
        return self._lasts if self.reveal and self.foreseen else {}

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**fields, "columns": self.columns.to_json()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> VoicesConfig:
        """The configuration that `to_json` wrote."""
        return cls(**{**values, "columns": Columns.of(values["columns"])})


_SMALL = {
    "hidden_dim": 192, "embed_dim": 112, "inner_dim": 128, "attention_dim": 96, "told_dim": 64, "reveal_dim": 96,
}  # fmt: skip
PRESETS: dict[str, dict[str, Any]] = {"voices": {}, "chorale": {**_SMALL, "reveal": 0.5}}
"""Named configurations: what differs from the defaults."""

SPACE: dict[str, Sequence[Any]] = {
    "num_layers": range(1, 4),
    "hidden_dim": range(128, 513, 32),
    "embed_dim": range(64, 257, 32),
    "inner_dim": range(64, 257, 32),
    "attention_dim": range(64, 257, 64),
    "dropout": (0.2, 0.3, 0.4, 0.5, 0.6),
}
"""What tuning tries."""
