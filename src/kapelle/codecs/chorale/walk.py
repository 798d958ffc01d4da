"""A walk through the steps of a chorale as it is written: what may come next, wishes included."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...music import Wishes
from ...music.partwriting import VOICES
from ..walking import FactsWalk
from ..words import SHIFTS
from . import lines
from .codec import (
    DEGREE,
    FIRST,
    KEY,
    KIND,
    METER,
    PHRASE,
    POSITION,
    REMAINING,
    SHIFT,
    TONIC,
    UNTIL,
    VOICE,
    ChoraleCodec,
    Given,
)  # fmt: skip
from .partwriting import obedient
from .rules import Mask, Rules
from .vocabulary import HEADER, STEP
from .vocabulary import PHRASE as LONGEST

if TYPE_CHECKING:
    from .. import Watch


class ChoraleWalk(FactsWalk):
    """The state of a piece being written, one field at a time; used as `kapelle.codecs.events.Walk` is.

    Args:
        codec: whose steps are walked.
        wishes: what must hold. `seconds` must have been turned into bars by the caller, who knows the tempo.
        not_before: ticks before which no note may start, for going on from a given beginning.
        guide: the bars to announce where a number of notes is wished: they are held to, the bars only guide.
        shift: semitones, -6..5: as if training had transposed a piece by so much to get this one.
        watch: told of every note, and may forbid pitches as long as others are left.
        given: what is there already and stays as it is; wishes hold for the rest.

    Raises:
        WishError: if no note could be written that holds to the wishes.
    """

    def __init__(
        self,
        codec: ChoraleCodec,
        wishes: Wishes | None = None,
        not_before: int = 0,
        guide: int | None = None,
        shift: int = 0,
        watch: Watch | None = None,
        given: Given | None = None,
    ) -> None:
        super().__init__(codec.vocabulary, wishes or Wishes(), guide)
        self.codec = codec
        self._given = given
        self._row_number = 0
        self._rules = Rules(codec.vocabulary, self.wishes, self._announced)
        self._not_before, self._shift, self._watch = not_before, SHIFTS.index(shift), watch
        self._past = lines.Past()
        self._before = self._past.before()
        self._row = [0] * len(codec.layout)
        self._after: dict[int, int] = {}
        self._step = 0  # sixteenths since the first bar line
        self._in_bar = 0
        self._silent = 0  # sixteenths before the pickup
        self._sung: list[bool] = [False] * 4
        self._heard_in_bar = False
        self._meter = self._key = self._tonic = 0
        self._bar_number = 1  # 0 is the pickup
        self._until = 0  # sixteenths to the fermata, itself included
        self._due = 0  # the step in which it is chosen where the next one is
        self._fermatas = list(self.wishes.fermatas or ())

    def copy(self) -> ChoraleWalk:
        """A walk that has come as far and goes its own way from here."""
        other = copy(self)
        other._header, other._past, other._row = self._header.copy(), self._past.copy(), self._row.copy()
        other._after, other._fermatas = self._after.copy(), self._fermatas.copy()
        other._watch = None if self._watch is None else self._watch.copy()
        return other

    # -- reading ----------------------------------------------------------------------------------

    def given(self, column: int) -> int:
        """The word of a column that follows from what was told before."""
        if column == SHIFT:
            return self._shift
        if self._in_header:
            return 0
        if column == POSITION:
            return self._in_bar
        if column == REMAINING:
            return self._remaining()
        if column in (METER, KEY):
            return self._meter if column == METER else self._key
        if column == TONIC:
            return self._tonic
        if DEGREE <= column < FIRST:
            return self._degree(self._past.last[column - DEGREE])
        if column == UNTIL:
            return 0 if self._row[KIND] == self._rules.end else self._until
        return self._before[column - FIRST] if column < KIND else self._after[column]

    def _degree(self, height: int) -> int:
        """The word of a column of degrees for a height, -1 for none."""
        return 1 + (height + 1 - self._tonic) % 12 if height >= 0 and self._tonic else 0

    def allowed(self, column: int) -> Mask:
        """Which words of a column may come now, shape (words,); at least one is True."""
        rules = self._rules
        given, row = self._given, self._row_number
        if given is not None and row < len(given.steps) and given.shown[row, column]:
            return self._kept(column, given.steps[row])
        if column == KIND:
            return self._kinds()
        if column == PHRASE:
            return self._phrases()
        voice = VOICE.index(column)
        if self._in_header or self._row[KIND] == rules.end or not self._sung[voice] or self._step < self._silent:
            return rules.only_hold
        return self._voice(voice)

    def _kept(self, column: int, row: NDArray[np.int32]) -> Mask:
        """The word that is given; a height that goes on starts anew where something else has been written before."""
        word = int(row[column])
        if column in VOICE and word == 0 and not self._in_header:
            height = int(row[column + 1]) - 1
            if height != self._past.sounds[VOICE.index(column)]:
                word = max(height + 2, 1)
        return np.asarray(np.arange(self.codec.layout[column][1]) == word)

    # -- writing ----------------------------------------------------------------------------------

    def put(self, column: int, word: int) -> int:
        """Say which word a column has; the step is complete with its last column.

        Returns:
            The word.
        """
        self._row[column] = word
        if column == PHRASE and self._chooses_phrase:
            self._until, self._due = word, self._step + (word or LONGEST)
            if word and self._fermatas:
                del self._fermatas[0]
        if column in VOICE and not self._in_header:
            voice = VOICE.index(column)
            after = [*self._past.after(voice, word), self._degree(self._past.height(voice, word))]
            self._after.update(enumerate(after, column + 1))
        if column == len(self._row) - 1:
            self._finish_step()
            self._row_number += 1
        return word

    def _finish_step(self) -> None:
        kind = self._row[KIND]
        if self._in_header:
            self._header.append(kind)
            if not self._in_header:
                self._open()
        elif kind == self._rules.end:
            self.finished = True
        else:
            meter = self._rules.meter_of(kind)
            if meter is not None:
                self._meter = meter
            words = [self._row[column] for column in VOICE]
            self._past.step(words)
            self._before = self._past.before()
            for voice, word in enumerate(words):
                if word > 1:
                    self.notes_written += 1
                    if self._watch is not None:
                        pitch = self.codec.vocabulary.low + word - 2
                        self._watch.write(voice, STEP * (self._step - self._silent), pitch)
            self._heard_in_bar |= max(self._past.sounds) >= 0
            self._step += 1
            self._in_bar += 1
            self._until = max(self._until - 1, 0)
            if self._in_bar == self._bar:
                self._in_bar, self._heard_in_bar = 0, False
                self._bar_number += 1
                self._bars_left = None if self._bars_left is None else self._bars_left - 1

    def _open(self) -> None:
        """Set the clock by the header."""
        facts = self._facts_told()
        self._meter, self._key = facts["meter"], facts["key"]
        self._tonic = self.codec.vocabulary.tonic(self._key)
        pickup = facts["pickup"]
        self._silent = self._due = self._bar - pickup if pickup else 0
        self._bar_number = 0 if pickup else 1
        self._sung = [facts[voice] > 0 for voice in VOICES]
        self._count_down(facts["bars"], pickup)

    # -- masks ------------------------------------------------------------------------------------

    @property
    def _bar(self) -> int:
        return self._rules.bars[self._meter]

    @property
    def _may_end(self) -> bool:
        """Whether the piece may end here: in its last bar, after a sounding step, and with no fermata ahead."""
        if not self.notes_written or self._too_early or max(self._past.sounds) < 0 or self._until or self._fermatas:
            return False
        if self.wishes.notes is not None:
            return self.notes_written >= self.wishes.notes
        return self._bars_left is None or self._bars_left == 0 or (self._bars_left == 1 and self._heard_in_bar)

    @property
    def _too_early(self) -> bool:
        return STEP * (self._step - self._silent) < self._not_before

    def _kinds(self) -> Mask:
        rules = self._rules
        if self._in_header:
            voices = self._header[HEADER.index("S") :]
            told = len(self._header) >= HEADER.index("S")
            return rules.players(voices) if told else self._header_kinds(rules.header)
        counted = self._bars_left is not None and self.wishes.notes is None
        if counted and self._bars_left == 0:
            return rules.only_end
        if self.wishes.notes is not None and self.notes_written >= self.wishes.notes and self._may_end:
            return rules.only_end
        mask = rules.only_on.copy()
        if self._step and not self._in_bar and self._step > self._silent and not self._too_early:
            free = self.wishes.meter is None and self.wishes.notes is None and self.notes_written
            # Wished fermatas are counted in bars of this metre.
            free = free and self.wishes.fermatas is None
            mask[rules.new_meter] = bool(free)
            mask[rules.new_meter.start + self._meter] = False
        if self._may_end:
            mask[rules.end] = True
        return mask

    @property
    def _chooses_phrase(self) -> bool:
        """Whether a line begins here, of which it is to be said where it ends."""
        return not self._in_header and self._row[KIND] != self._rules.end and self._step == self._due

    def _phrases(self) -> Mask:
        """Where the next fermata may be: in the next bar of the wished ones, or anywhere before the end."""
        rules = self._rules
        if not self._chooses_phrase:
            return rules.no_fermata
        first, stop = 0, LONGEST
        if self._bars_left is not None and self.wishes.notes is None:
            # Where nothing is wished, all further bars may become longer than this one.
            same = self.wishes.bars or self.wishes.meter or self.wishes.fermatas is not None
            stop = self._bar - self._in_bar + (self._bars_left - 1) * (self._bar if same else max(rules.bars))
        if self.wishes.fermatas is not None:
            if not self._fermatas:
                return rules.no_fermata
            first = (self._fermatas[0] - self._bar_number) * self._bar - self._in_bar
            stop = min(stop, first + self._bar)
        mask = np.zeros(LONGEST + 1, bool)
        mask[max(first, 0) + 1 : max(stop, 0) + 1] = True
        mask[0] = self.wishes.fermatas is None or not mask.any()
        return mask

    def _voice(self, voice: int) -> Mask:
        """What a voice may do now: it goes on, falls silent if it sounds, or starts a note."""
        rules, past = self._rules, self._past
        mask = rules.only_hold.copy()
        mask[1] = past.sounds[voice] >= 0
        place = lines.ORDER.index(voice)
        done = {other: past.height(other, self._row[VOICE[other]]) for other in lines.ORDER[:place]}
        others = [done.get(other, past.sounds[other]) for other in range(4) if other != voice]
        room = self.wishes.polyphony is None or sum(height >= 0 for height in others) < self.wishes.polyphony
        if room and not self._too_early and self._may_start(place):
            strikes = rules.pitches
            if self._watch is not None:
                onset = STEP * (self._step - self._silent)
                low = self.codec.vocabulary.low
                heard = strikes & ~self._watch.forbidden(voice, onset)[low : low + len(strikes)]
                strikes = heard if heard.any() else strikes
            mask[2:] = strikes
            last = all(not self._sung[other] for other in lines.ORDER[place + 1 :])
            if last and max(others) < 0 and self._must_sound:
                mask[0] = past.sounds[voice] >= 0
                mask[1] = False
        return self._obedient(mask, voice, done) if self.wishes.rules else mask

    def _obedient(self, mask: Mask, voice: int, done: dict[int, int]) -> Mask:
        """What a voice may do without breaking a rule, going by the voices that are told and those that are given."""
        low, given, row = self.codec.vocabulary.low, self._given, self._row_number
        if given is not None and row < len(given.steps):
            for other in range(4):
                if other not in done and given.shown[row, VOICE[other]]:
                    done = {**done, other: int(given.steps[row, VOICE[other] + 1]) - 1}
        before = [height + low if height >= 0 else -1 for height in self._past.sounds]
        now = {other: height + low if height >= 0 else -1 for other, height in done.items()}
        return obedient(mask, voice, low, before, now, self.wishes.rules)

    def _may_start(self, place: int) -> bool:
        if self.wishes.notes is None:
            return True
        now = sum(self._row[VOICE[other]] > 1 for other in lines.ORDER[:place])
        return self.notes_written + now < self.wishes.notes

    @property
    def _must_sound(self) -> bool:
        """Whether this step is the last chance for a sound: the first bar and the last one must have some."""
        if self._in_bar != self._bar - 1 or self._heard_in_bar:
            return False
        first = not self.notes_written
        last = self.wishes.notes is None and self._bars_left == 1
        return first or last
