"""A walk through the steps of a piece as it is written: what may come next, wishes included."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from ...music import Wishes
from ..grid import bar_length
from ..walking import FactsWalk
from ..words import MAX_BAR, PICKUP, SHIFTS
from .book import Book, Mask
from .codec import (
    ADVANCE,
    DURATION,
    KIND,
    METER,
    PITCH,
    POSITION,
    REMAINING,
    SHIFT,
    VELOCITY,
    VOICE,
    EventsCodec,
)
from .vocabulary import DRUM_PITCH

if TYPE_CHECKING:
    from .. import Watch


class Walk(FactsWalk):
    """The state of a piece being written, one field at a time.

    For each step, and in it for each column in order: a given column is read from `given`; of the others
    `allowed` tells which words may come, always at least one, and `put` says which came. So every walk
    ends in steps that decode to a valid Score, and a wish holds in all of them.

    Args:
        codec: whose steps are walked.
        wishes: what must hold. `seconds` must have been turned into bars by the caller, who knows the tempo.
        not_before: ticks before which nothing new may start, for going on from a given beginning.
        guide: the bars to announce where a number of notes is wished: they are held to, the bars only guide.
        shift: semitones, -6..5: as if training had transposed a piece by so much to get this one. With 0 keys
            and ranges are those of the pieces themselves.
        watch: told of every pitched note, and may forbid pitches as long as others are left.
    """

    def __init__(
        self,
        codec: EventsCodec,
        wishes: Wishes | None = None,
        not_before: int = 0,
        guide: int | None = None,
        shift: int = 0,
        watch: Watch | None = None,
    ) -> None:
        super().__init__(codec.vocabulary, wishes or Wishes(), guide)
        self.codec = codec
        self._shift = SHIFTS.index(shift)
        self._watch = watch
        self.not_before = not_before
        self._book = Book.of(codec, self.wishes, self._announced)
        self._now = 0
        self._bar_start = 0
        self._bar_length = 0
        self._end: int | None = None
        self._meter = 0
        self._key = 0
        self._last: tuple[int, int, int] | None = None
        self._waited = False
        self._over = False
        self._last_end = 0
        self._sounding: dict[tuple[int, int, int], int] = {}
        self._row = [0] * 11

    def copy(self) -> Walk:
        """A walk that has come as far and goes its own way from here."""
        other = copy(self)
        other._row, other._header, other._sounding = self._row.copy(), self._header.copy(), self._sounding.copy()
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
            return self._now - self._bar_start
        if column == REMAINING:
            return self._remaining()
        return self._meter if column == METER else self._key

    def allowed(self, column: int) -> Mask:
        """Which words of a column may come now, shape (words,); at least one is True."""
        if column == ADVANCE:
            return self._advances()
        if column == KIND:
            return self._kinds()
        kind = self._row[KIND]
        if not self._book.is_note[kind]:
            pedal = column == DURATION and kind == self._book.pedal
            return self._book.every[column] if pedal else self._book.first[column]
        if column == DURATION:
            return self._durations()
        if column == VOICE:
            return self._voice_mask(kind)
        return self._pitches(kind, self._row[VOICE]) if column == PITCH else self._book.every[column]

    # -- writing ----------------------------------------------------------------------------------

    def put(self, column: int, word: int) -> int:
        """Say which word a column has; the step is complete with the velocity.

        Returns:
            The word that the step tells: the one that was said, but 0 for an advance beyond the last bar,
            which closes the piece.
        """
        if column == ADVANCE:
            self._over = self._may_run_over and self._now + word > self._latest()
            word = 0 if self._over else word
        self._row[column] = word
        if column == ADVANCE and word:
            self._move(word)
        elif column == VELOCITY:
            self._finish_step()
        return word

    def _move(self, ticks: int) -> None:
        self._now += ticks
        self._last = None
        self._waited = False
        while self._now - self._bar_start >= self._bar_length:
            self._bar_start += self._bar_length
            if self._bars_left is not None:
                self._bars_left -= 1
        self._sounding = {line: end for line, end in self._sounding.items() if end > self._now}

    def _finish_step(self) -> None:
        kind = self._row[KIND]
        book = self._book
        if self._in_header:
            self._header.append(kind)
            if not self._in_header:
                self._open()
        elif kind == book.end:
            self.finished = True
        elif kind == book.wait:
            self._waited = True
        elif book.meter[kind] >= 0:
            self._meter = int(book.meter[kind])
            self._bar_length = bar_length(self._meter)
            self._set_end()
            self._last = (kind, 0, 0)
        else:
            voice, pitch = self._row[VOICE], self._row[PITCH]
            end = self._now + int(book.durations[self._row[DURATION]])
            self._last = (kind, voice, pitch)
            if book.is_note[kind]:
                self._last_end = max(self._last_end, end)
                self.notes_written += 1
                if not book.drums[kind]:
                    self._sounding[self._last] = end
                    if self._watch is not None:
                        self._watch.write(self._part(kind, voice), self._now, pitch)

    def _open(self) -> None:
        """Set the clock by the header."""
        facts = self._facts_told()
        self._meter, self._key = facts["meter"], facts["key"]
        self._bar_length = bar_length(self._meter)
        pickup = PICKUP * facts["pickup"]
        self._bar_start = pickup - self._bar_length if pickup else 0
        self._count_down(facts["bars"], pickup)
        self._set_end()

    def _set_end(self) -> None:
        self._end = None if self._bars_left is None else self._bar_start + self._bars_left * self._bar_length

    # -- masks ------------------------------------------------------------------------------------

    @property
    def can_end(self) -> bool:
        """Whether the piece may end here: its last bar is reached and, if notes are wished, so is their number."""
        if self._last is None or self._now < self.not_before or not self.notes_written:
            return False
        if self.wishes.notes is not None:
            return self.notes_written >= self.wishes.notes
        return self._end is None or self._last_end > self._end - self._bar_length

    def _advances(self) -> Mask:
        book = self._book
        if self._in_header or self._has_all_notes:
            return book.first[ADVANCE]
        least = max(self.not_before - self._now, 0)
        if not book.drums.any():
            least = max(least, self._next_free() - self._now)
        if self._waited or not (self.can_end or self._has_room()):
            least = max(least, 1)
        most = self._latest() - self._now
        if least > most:
            # What sounds now sounds to the end of the piece, so all that is left is to close it.
            return book.first[ADVANCE]
        mask = book.every[ADVANCE].copy()
        mask[: min(least, MAX_BAR)] = False
        mask[most + 1 :] = self._may_run_over
        if self.can_end:
            mask[0] = True
        return mask

    @property
    def _may_run_over(self) -> bool:
        """Whether an advance beyond the last bar may come, and closes the piece.

        Were it forbidden, a network that wants to go on would be left with no advance but 0, and would pile
        up notes at the last onset instead.
        """
        return self._end is not None and self.wishes.bars is not None and self.can_end

    def _latest(self) -> int:
        """The last tick at which a step may stand."""
        if self._last_bar_only:
            return self._bar_start + self._bar_length - 1
        if self._end is None or self.wishes.notes is not None:
            return self._now + 2 * MAX_BAR + 2
        return self._end - 1

    @property
    def _last_bar_only(self) -> bool:
        """Whether the next step must stand in this bar: the first note of a piece must stand in the first bar."""
        return not self.notes_written and self._last is None and self._now == 0 and not self.not_before

    @property
    def _has_all_notes(self) -> bool:
        return self.wishes.notes is not None and self.notes_written >= self.wishes.notes

    @property
    def _is_full(self) -> bool:
        """Whether as many pitched notes sound as may."""
        return self.wishes.polyphony is not None and len(self._sounding) >= self.wishes.polyphony

    def _next_free(self) -> int:
        """The first tick at which another pitched note may start."""
        ends = sorted(self._sounding.values())
        free = ends[-(self.wishes.polyphony or 1)] if self._is_full else self._now
        if self.wishes.monophonic and not self._open_kinds().any():
            free = max(free, ends[0])
        return free

    def _open_kinds(self) -> Mask:
        """The kinds of note that may start now, were it the first at its onset."""
        if self._is_full:
            return self._book.drums
        if not self.wishes.monophonic or not self._sounding:
            return self._book.notes
        mask = self._book.notes.copy()
        for kind in {kind for kind, _, _ in self._sounding}:
            mask[kind] = self._idle_voices(kind).any()
        return mask

    def _idle_voices(self, kind: int) -> Mask:
        """The voices of an instrument that may play a note now: where each plays one at a time, the silent ones."""
        mask = self._book.voices[kind].copy()
        if self.wishes.monophonic:
            for other, voice, _ in self._sounding:
                if other == kind:
                    mask[voice] = False
        return mask

    def _has_room(self) -> bool:
        """Whether another note can stand at this onset, after the last one."""
        kinds = self._open_kinds()
        if self._last is None:
            return bool(kinds.any())
        kind, voice, pitch = self._last
        if kinds[kind + 1 :].any():
            return True
        return bool(kinds[kind] and self._free_voices(kind, voice, pitch).any())

    def _kinds(self) -> Mask:
        book = self._book
        if self._in_header:
            return self._header_kinds(book.header)
        if self._has_all_notes or self._over:
            return book.only_end
        if self._now < self.not_before:
            return book.only_wait
        mask = self._open_kinds().copy()
        if self._last is None:
            self._allow_signs(mask)
            return mask
        kind, voice, pitch = self._last
        mask[:kind] = False
        if not book.is_note[kind] or not self._free_voices(kind, voice, pitch).any():
            mask[kind] = False
        if book.meter[kind] >= 0 and book.pedal >= 0:
            mask[book.pedal] = True
        if self.can_end:
            mask[book.end] = True
        return mask

    def _allow_signs(self, mask: Mask) -> None:
        """Allow what is no note at a new onset: the pedal, a new metre at a bar line, a wait."""
        book = self._book
        if book.pedal >= 0:
            mask[book.pedal] = True
        started = self._now > self.not_before and self._now > 0
        if started and self._now == self._bar_start and self.wishes.meter is None and self.wishes.notes is None:
            wished = self.wishes.bars is not None and self._bars_left is not None
            fits = self._bar_start + (self._bars_left or 0) * book.bar_lengths >= self._last_end
            mask[book.new_meter] = fits if wished else True
            mask[book.new_meter.start + self._meter] = False
        if self._row[ADVANCE] == MAX_BAR and self._now < self._latest():
            mask[book.wait] = True

    def _voice_mask(self, kind: int) -> Mask:
        if self._last is not None and self._last[0] == kind:
            return self._free_voices(*self._last)
        return self._idle_voices(kind)

    def _free_voices(self, kind: int, voice: int, pitch: int) -> Mask:
        """The voices in which a note may follow the last one at its own onset."""
        mask = self._idle_voices(kind)
        mask[:voice] = False
        mask[voice] &= bool(self._book.pitches[kind][:pitch].any())
        return mask

    def _pitches(self, kind: int, voice: int) -> Mask:
        pitches = self._book.pitches[kind]
        if self._last is not None and self._last[:2] == (kind, voice):
            pitches = pitches.copy()
            pitches[self._last[2] :] = False
        if self._watch is None or self._book.drums[kind]:
            return pitches
        forbidden = self._watch.forbidden(self._part(kind, voice), self._now)
        watched = pitches.copy()
        watched[:DRUM_PITCH] &= ~forbidden
        return watched if watched.any() else pitches

    def _part(self, kind: int, voice: int) -> int:
        """A number for each track."""
        return kind * self.codec.vocabulary.voices + voice

    def _durations(self) -> Mask:
        durations = self._book.durations
        if self.wishes.notes is not None:
            closes = (self._now - self._bar_start + durations) % self._bar_length == 0
            last = self.notes_written + 1 == self.wishes.notes
            return closes if last and closes.any() else self._book.every[DURATION]
        # Without a wish for bars a later change of metre may still make room for a long note.
        if self.wishes.bars is None or self._end is None:
            return self._book.every[DURATION]
        return durations <= self._end - self._now
