"""What codecs share whose pieces open with facts, one step each: bars, metre, tempo, key, pickup, and what more."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import CodecError, StyleError
from .words import MAX_BARS, SHIFTS, TEMPOS, Words, nearest

Steps = NDArray[np.int32]
V = TypeVar("V", bound=Words)


class FactsCodec(Generic[V]):
    """Reads and changes the facts of encoded pieces, and keeps a codec as plain values.

    Attributes:
        name: of the codec.
        vocabulary: what each column can say.
        words_type: of the vocabulary.
        kind_column, key_column, shift_column: where in a step these are told.
    """

    name: ClassVar[str]
    words_type: ClassVar[type[Words]]
    kind_column: ClassVar[int]
    key_column: ClassVar[int]
    shift_column: ClassVar[int]

    def __init__(self, vocabulary: V | None = None) -> None:
        self.vocabulary: V = vocabulary or self.words_type()  # type: ignore[assignment]

    @property
    def layout(self) -> tuple[tuple[str, int, bool], ...]:
        """For each column its name, how many words it has, and whether it is given for free."""
        raise NotImplementedError

    def facts(self, steps: Steps) -> dict[str, str]:
        """What the header of steps says: {"bars": "16", "meter": "4/4", "tempo": "96", ...}."""
        header, kinds = self.vocabulary.header, self.vocabulary.kinds
        words = (kinds[kind].split(" ", 1)[1] for kind in steps[: len(header), self.kind_column])
        return dict(zip(header, words, strict=True))

    def with_facts(
        self, steps: Steps, bars: int | None = None, quarters_per_minute: float | None = None, shift: int | None = None
    ) -> Steps:
        """Steps that say another length or tempo, the nearest there is a word for, or another shift, -6..5."""
        steps = steps.copy()
        if bars is not None:
            self._say(steps, "bars", min(bars, MAX_BARS + 1) - 1)
        if quarters_per_minute is not None:
            self._say(steps, "tempo", int(nearest(quarters_per_minute, np.array(TEMPOS))))
        if shift is not None:
            steps[:, self.shift_column] = SHIFTS.index(shift)
        return steps

    def to_json(self) -> dict[str, Any]:
        """The codec as plain values, its words written out."""
        return {"name": self.name, "vocabulary": self.vocabulary.to_json()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The codec that `to_json` wrote.

        Raises:
            StyleError: if the description is damaged or of a newer version.
        """
        if not isinstance(values.get("vocabulary"), dict):
            raise StyleError("the style has no vocabulary: fetch or train the style again")
        return cls(cls.words_type.from_json(values["vocabulary"]))  # type: ignore[arg-type]

    # -- for codecs -------------------------------------------------------------------------------

    def _checked(self, steps: Steps) -> Steps:
        """The steps, if each of them is a row of words and they are not too few to say the facts.

        Raises:
            CodecError: if not.
        """
        steps = np.asarray(steps)
        sizes = np.array([size for _, size, _ in self.layout])
        least = len(self.vocabulary.header)
        if steps.ndim != 2 or steps.shape[1] != len(sizes) or len(steps) < least:
            raise CodecError(f"expected steps of shape ({least} or more, {len(sizes)}), got {steps.shape}")
        if (steps < 0).any() or (steps >= sizes).any():
            raise CodecError(
                "expected steps inside the vocabulary, got an index out of range: were they made by another style?"
            )
        return steps

    def _facts(self, steps: Steps) -> dict[str, int]:
        """Which word each header fact has, counted from its first; the pickup in sixteenths.

        Raises:
            CodecError: if the steps do not start with the facts.
        """
        vocabulary, facts = self.vocabulary, {}
        for fact, kind in zip(
            vocabulary.header, steps[: len(vocabulary.header), self.kind_column].tolist(), strict=True
        ):
            first, stop = vocabulary.header_ranges[fact]
            if not first <= kind < stop:
                raise CodecError(f"expected the fact '{fact}' in the header, got '{vocabulary.kinds[kind]}'")
            facts[fact] = kind - first
        return facts

    def _say(self, steps: Steps, fact: str, word: int) -> None:
        """Write a fact into the header, its word counted from its first."""
        steps[self.vocabulary.header.index(fact), self.kind_column] = self.vocabulary.header_ranges[fact][0] + word

    def _transposed(self, steps: Steps, semitones: int) -> int:
        """Let steps say that they were moved by semitones, -6..5, and are in another key; the word of that key."""
        steps[:, self.shift_column] += semitones
        header = self.vocabulary.header
        key = int(steps[header.index("key"), self.kind_column]) - self.vocabulary.header_ranges["key"][0]
        if key:
            key = 1 + 12 * ((key - 1) // 12) + (key - 1 + semitones) % 12
            self._say(steps, "key", key)
            steps[len(header) :, self.key_column] = key
        return key

    def _at_another_tempo(self, steps: Steps, rng: np.random.Generator) -> None:
        """Let steps say a tempo that is up to 6 % away."""
        first, stop = self.vocabulary.header_ranges["tempo"]
        fact = self.vocabulary.header.index("tempo"), self.kind_column
        steps[fact] = np.clip(steps[fact] + rng.integers(-2, 3), first, stop - 1)
