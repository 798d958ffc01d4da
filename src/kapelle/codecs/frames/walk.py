"""A walk through the frames of a piece as it is written: what may come next, wishes included."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...errors import WishError
from ...music import Wishes
from ..grid import bar_length
from ..walking import FactsWalk, header_masks
from ..words import PICKUP, SHIFTS
from .codec import KEY, KEYS, KIND, MANNER, METER, POSITION, REMAINING, SHIFT, FramesCodec
from .vocabulary import HELD, NOBODY, STRUCK

if TYPE_CHECKING:
    from .. import Watch

Mask = NDArray[np.bool_]


class FramesWalk(FactsWalk):
    """The state of a piece being written, one field at a time; used as `kapelle.codecs.events.Walk` is.

    Args:
        codec: whose steps are walked.
        wishes: what must hold. `seconds` must have been turned into bars by the caller, who knows the tempo. All
            pitched notes are one track, so `monophonic` is a polyphony of one.
        not_before: ticks before which no note may start, for going on from a given beginning.
        guide: the bars to announce where a number of notes is wished: they are held to, the bars only guide.
        shift: semitones, -6..5: as if training had transposed a piece by so much to get this one.
        watch: told of every pitched note, and may forbid pitches to be struck.

    Raises:
        WishError: if no note could be written that holds to the wishes.
    """

    def __init__(
        self,
        codec: FramesCodec,
        wishes: Wishes | None = None,
        not_before: int = 0,
        guide: int | None = None,
        shift: int = 0,
        watch: Watch | None = None,
    ) -> None:
        super().__init__(codec.vocabulary, wishes or Wishes(), guide)
        self.codec = codec
        self._shift, self._watch = SHIFTS.index(shift), watch
        vocabulary = codec.vocabulary
        self._frame, self._pitches = vocabulary.frame, len(vocabulary.pitches)
        self._not_before = -(-not_before // self._frame)
        self._most = 1 if self.wishes.monophonic else self.wishes.polyphony
        self._end = vocabulary.kind_index["end"]
        self._only_end: Mask = np.arange(len(vocabulary.kinds)) == self._end
        self._only_frame: Mask = np.arange(len(vocabulary.kinds)) == vocabulary.kind_index["frame"]
        self._masks = _key_masks(STRUCK + len(vocabulary.velocities))
        self._may_sound = _playable(codec, self.wishes)
        self._header_masks = _masks_of_header(codec, self.wishes, self._announced, self._may_sound)
        self._row = [0] * len(codec.layout)
        self._sounding = [False] * len(self._may_sound)
        self._home = _middle(self._may_sound)
        self._now = self._in_bar = 0  # frames since the start, and since the bar line
        self._meter = self._key = 0
        self._heard = 0  # keys that sound in this frame, or the last one
        self._voices = 0  # pitched ones of them in this frame
        self._heard_in_bar = self._must = False
        self._forbidden: Mask | None = None

    def copy(self) -> FramesWalk:
        """A walk that has come as far and goes its own way from here."""
        other = copy(self)
        other._header, other._row, other._sounding = self._header.copy(), self._row.copy(), self._sounding.copy()
        other._watch = None if self._watch is None else self._watch.copy()
        return other

    # -- reading ----------------------------------------------------------------------------------

    def given(self, column: int) -> int:
        """The word of a column that follows from what was told before."""
        if column == SHIFT:
            return self._shift
        if self._in_header or column == MANNER:
            # Of which manner it is, the weights say, once manners are mixed in them.
            return 0
        if column == REMAINING:
            return self._remaining()
        return {POSITION: self._in_bar, METER: self._meter, KEY: self._key}[column]

    def allowed(self, column: int) -> Mask:
        """Which words of a column may come now, shape (words,); at least one is True."""
        if column == KIND:
            return self._kinds()
        place = column - KEYS
        if self._in_header or not self._may_sound[place] or self._row[KIND] == self._end:
            return self._masks[0]
        must = self._must and place == self._home and not self._heard
        if place < self._pitches and self._most is not None and self._voices >= self._most:
            return self._masks[0]
        strikes = self._may_strike and (must or not self._is_forbidden(place))
        return self._masks[self._sounding[place] + 2 * strikes + 4 * must]

    # -- writing ----------------------------------------------------------------------------------

    def put(self, column: int, word: int) -> int:
        """Say which word a column has; the step is complete with its last column.

        Returns:
            The word.
        """
        self._row[column] = word
        if column == KIND and not self._in_header:
            self._begin_frame()
        elif column >= KEYS and not self._in_header:
            place = column - KEYS
            self._sounding[place] = word > 0
            if word:
                self._heard += 1
                self._voices += place < self._pitches
                if word >= STRUCK:
                    self._strike(place)
        if column == len(self._row) - 1:
            self._finish_step()
        return word

    def _strike(self, place: int) -> None:
        self.notes_written += 1
        self._home = place
        if self._watch is not None and place < self._pitches:
            self._watch.write(0, self._frame * self._now, self.codec.vocabulary.pitches[place])
            self._forbidden = None

    def _begin_frame(self) -> None:
        self._heard = self._voices = 0
        self._forbidden = None
        self._must = self._must_sound

    def _finish_step(self) -> None:
        kind = self._row[KIND]
        if self._in_header:
            self._header.append(kind)
            if not self._in_header:
                self._open()
            return
        if kind == self._end:
            self.finished = True
            return
        first, stop = self.codec.vocabulary.header_ranges["meter"]
        if first <= kind < stop:
            self._meter = kind - first
        self._heard_in_bar |= self._heard > 0
        self._now += 1
        self._in_bar += 1
        if self._in_bar == self._bar:
            self._in_bar, self._heard_in_bar = 0, False
            self._bars_left = None if self._bars_left is None else self._bars_left - 1

    def _open(self) -> None:
        """Set the clock by the header."""
        facts = self._facts_told()
        self._meter, self._key = facts["meter"], facts["key"]
        pickup = PICKUP * facts["pickup"]
        self._in_bar = self._bar - pickup // self._frame if pickup else 0
        if not self.codec.is_pitched(facts["program"]):
            self._may_sound = [place >= self._pitches and may for place, may in enumerate(self._may_sound)]
            self._home = _middle(self._may_sound)
        self._count_down(facts["bars"], pickup)

    # -- masks ------------------------------------------------------------------------------------

    @property
    def _bar(self) -> int:
        return bar_length(self._meter) // self._frame

    @property
    def _may_strike(self) -> bool:
        enough = self.wishes.notes is not None and self.notes_written >= self.wishes.notes
        return not enough and self._now >= self._not_before

    def _is_forbidden(self, place: int) -> bool:
        if self._watch is None or place >= self._pitches:
            return False
        if self._forbidden is None:
            self._forbidden = self._watch.forbidden(0, self._frame * self._now)
        return bool(self._forbidden[self.codec.vocabulary.pitches[place]])

    @property
    def _may_end(self) -> bool:
        """Whether the piece may end here: in its last bar, after a frame that sounds."""
        if not self.notes_written or self._now < self._not_before or not self._heard:
            return False
        if self.wishes.notes is not None:
            return self.notes_written >= self.wishes.notes
        return self._bars_left is None or self._bars_left == 0 or (self._bars_left == 1 and self._heard_in_bar)

    @property
    def _must_sound(self) -> bool:
        """Whether this frame is the last chance for a sound: the first bar and the last one must have some."""
        if self._in_bar != self._bar - 1 or self._heard_in_bar or not self._may_strike:
            return False
        return not self.notes_written or (self.wishes.notes is None and self._bars_left == 1)

    def _kinds(self) -> Mask:
        if self._in_header:
            return self._header_kinds(self._header_masks)
        wishes = self.wishes
        if wishes.notes is None and self._bars_left == 0:
            return self._only_end
        if wishes.notes is not None and self.notes_written >= wishes.notes and not any(self._sounding):
            return self._only_end
        mask = self._only_frame.copy()
        if self._now > self._not_before and not self._in_bar and wishes.meter is None and wishes.notes is None:
            first, stop = self.codec.vocabulary.header_ranges["meter"]
            mask[first:stop] = True
            mask[first + self._meter] = False
        mask[self._end] = self._may_end
        return mask


def _key_masks(words: int) -> list[Mask]:
    """The words of a key by what it may do: 1 if it may be held, 2 if struck, 4 if it must not be silent."""
    masks = []
    for may in range(8):
        mask = np.zeros(words, bool)
        mask[0] = may < 4
        mask[HELD] = bool(may & 1)
        mask[STRUCK:] = bool(may & 2)
        masks.append(mask)
    return masks


def _middle(keys: list[bool]) -> int:
    """The middle one of the keys that may sound."""
    places = [place for place, may in enumerate(keys) if may]
    return places[len(places) // 2] if places else 0


def _playable(codec: FramesCodec, wishes: Wishes) -> list[bool]:
    """Which keys may sound at all."""
    vocabulary, lineup = codec.vocabulary, wishes.lineup
    scale = range(12) if wishes.key is None else wishes.key.pitch_classes
    played = lineup is None or any(program in vocabulary.programs for program in lineup)
    pitches = [played and wishes.low <= pitch <= wishes.high and pitch % 12 in scale for pitch in vocabulary.pitches]
    drums = [lineup is None or 128 in lineup for _ in vocabulary.drums]
    if not any(pitches) and not any(drums):
        raise WishError(
            "expected a line-up and a range that hold notes of the style and the key, got none: "
            "widen the range, or leave out the key or the line-up"
        )
    return [*pitches, *drums]


def _masks_of_header(codec: FramesCodec, wishes: Wishes, bars: int | None, may_sound: list[bool]) -> dict[str, Mask]:
    """For each header fact, which kinds may say it."""
    vocabulary = codec.vocabulary
    masks, places = header_masks(vocabulary, wishes, bars), np.arange(len(vocabulary.kinds))
    program = masks["program"]
    if wishes.lineup is not None:
        for own in vocabulary.programs:
            program[vocabulary.kind_index[f"program {own}"]] = own in wishes.lineup
    if not any(may_sound[: len(vocabulary.pitches)]):
        program[:] = places == vocabulary.kind_index[f"program {NOBODY}"]
    elif vocabulary.drums and not any(may_sound[len(vocabulary.pitches) :]):
        program[vocabulary.kind_index[f"program {NOBODY}"]] = False
    return masks
