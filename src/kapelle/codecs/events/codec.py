"""One step per note: the codec that keeps tracks, bars, triplets, loudness and pedal apart.

A piece is five header facts (length in bars, metre, tempo, key, pickup), then one step for each note,
pedal press and change of metre in order of time, then an end. A step is a row of eleven columns:

    advance    ticks since the step before, 24 a quarter
    position   ticks since the bar line             } follow from what was told before: they are there
    remaining  bars left, this one included         } for the network to see and cost nothing
    meter      the metre in force                   }
    key        the key of the piece                 }
    kind       a header fact, wait, pedal, an instrument, drums, a new metre, or end
    voice      which of the tracks with this instrument
    pitch      MIDI number, or 128 + drum key
    duration   ticks
    velocity   loudness, in 32 steps
    shift      semitones by which training transposed the piece; free like the others

Steps of one onset stand in the order of kind, voice, and pitch from high to low, so a piece has exactly
one encoding. Silences longer than one step can say are made of waits.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...music import IntArray, Key, Meter, Notes, Score, Spans, TempoMap, Track, Wishes
from ..facts import FactsCodec, Steps
from ..words import FAR, HEADER, KEYS, MAX_BAR, MAX_BARS, METERS, PICKUP, SHIFTS, TEMPOS, TICKS_PER_QUARTER
from .kinship import nearest_words
from .table import MAX_LENGTH, Table, tabulate
from .vocabulary import DRUM_PITCH, Vocabulary
from .vocabulary import narrowed as narrowed_vocabulary

if TYPE_CHECKING:
    from .. import Watch
    from .walk import Walk

NAMES = ("advance", "position", "remaining", "meter", "key", "kind", "voice", "pitch", "duration", "velocity", "shift")
ADVANCE, POSITION, REMAINING, METER, KEY, KIND, VOICE, PITCH, DURATION, VELOCITY, SHIFT = range(11)
GIVEN = frozenset((POSITION, REMAINING, METER, KEY, SHIFT))
"""Columns that follow from what was told before."""


class EventsCodec(FactsCodec[Vocabulary]):
    """Between a Score and its steps, an array of shape (steps, 11).

    Kept: onset and duration on a grid of 24 ticks a quarter (durations above a bar of 4/4 on a coarser
    one), pitch, velocity in steps of 4, program, which of several tracks with one program, drums, pedal,
    metre and its changes, pickup, key, mean tempo. Dropped: titles and track names, changes of tempo
    and key, empty bars before the first note. A metre outside 1/16..16/4 reads as 4/4. `canonical` says
    exactly what is kept.

    Args:
        vocabulary: what each column can say; everything, if not given.
    """

    name = "events"
    in_voices = False
    in_windows = False
    keys = 0
    onward: tuple[int, ...] = ()
    taste = (0.9, 0.98, 1.0)
    header_steps = len(HEADER)
    """How many steps of facts about the whole piece come first."""
    steps_per_quarter = 0
    words_type = Vocabulary
    kind_column, key_column, shift_column = KIND, KEY, SHIFT

    @cached_property
    def layout(self) -> tuple[tuple[str, int, bool], ...]:
        """For each column its name, how many words it has, and whether it is given for free."""
        columns = self.vocabulary.columns
        return tuple((name, len(columns[name]), index in GIVEN) for index, name in enumerate(NAMES))

    @classmethod
    def for_scores(cls, scores: Iterable[Score]) -> EventsCodec:
        """A codec whose vocabulary is narrowed to what the scores have."""
        programs: set[int] = set()
        drums: set[int] = set()
        velocities: set[int] = set()
        voices, pedal = 1, False
        for score in scores:
            count: dict[int, int] = {}
            for track in score.tracks:
                if not len(track.notes):
                    continue
                velocities.update(np.unique(track.notes.velocity).tolist())
                if track.is_drum:
                    drums.update(np.unique(track.notes.pitch).tolist())
                else:
                    programs.add(track.program)
                    pedal = pedal or len(track.pedal) > 0
                group = -1 if track.is_drum else track.program
                count[group] = count.get(group, 0) + 1
            voices = max(voices, *count.values(), 1)
        return cls(narrowed_vocabulary(programs, voices, drums, pedal, velocities))

    # -- Score to steps ---------------------------------------------------------------------------

    def encode(self, score: Score) -> Steps:
        """The steps of a score, shape (steps, 11), each an index into its column's words.

        Raises:
            CodecError: if the score has no notes the vocabulary can play, or is longer than 2**24 ticks.
        """
        return self._steps(tabulate(score, self.vocabulary))

    def canonical(self, score: Score) -> Score:
        """What the codec keeps of a score: `decode(encode(score))`, without going through steps."""
        return self._score(tabulate(score, self.vocabulary))

    def decode(self, steps: Steps) -> Score:
        """The score that steps tell.

        Steps that any walk through the masks gives, or `encode`, always decode. They may lack the end.

        Raises:
            CodecError: if they do not start with the five header facts, or hold an index out of range.
        """
        return self._score(self._table(self._checked(steps)))

    def paid(self, steps: Steps) -> NDArray[np.bool_]:
        """Which fields of the steps are a choice: the others follow from the step's kind, shape (steps, 11)."""
        kind = steps[:, KIND]
        paid = np.zeros(steps.shape, bool)
        paid[:, KIND] = True
        paid[len(HEADER) :, ADVANCE] = True
        note, pedal = self.is_note[kind], self.is_pedal[kind]
        paid[:, VOICE] = paid[:, PITCH] = paid[:, VELOCITY] = note
        paid[:, DURATION] = note | pedal
        return paid

    def num_notes(self, steps: Steps) -> int:
        """How many of the steps are notes."""
        return int(self.is_note[steps[:, KIND]].sum())

    def nearest_words(self, other: EventsCodec) -> dict[str, IntArray]:
        """For each column, the index of the word of another codec nearest to each word of this one."""
        return nearest_words(self.vocabulary, other.vocabulary)

    def walk(
        self,
        wishes: Wishes | None = None,
        not_before: int = 0,
        guide: int | None = None,
        shift: int = 0,
        watch: Watch | None = None,
    ) -> Walk:
        """The masks of a piece to be written; see `Walk`."""
        from .walk import Walk

        return Walk(self, wishes, not_before, guide, shift, watch)

    def augment(self, steps: Steps, rng: np.random.Generator) -> Steps:
        """The same piece in another key and a little faster or slower, as training sees it anew each time.

        Drawn evenly: a transposition of up to a tritone either way that leaves no pitch out of range, and
        a tempo up to 6 % away.

        Args:
            steps: an encoded piece, or the header and any stretch of it, shape (steps, 11).
            rng: where chance comes from.
        """
        steps = steps.copy()
        pitched = self.is_note[steps[:, KIND]] & (steps[:, PITCH] < DRUM_PITCH)
        if pitched.any():
            pitches = steps[pitched, PITCH]
            low, high = max(-6, -int(pitches.min())), min(5, 127 - int(pitches.max()))
            semitones = int(rng.integers(low, high + 1)) if low <= high else 0
            steps[pitched, PITCH] += semitones
            self._transposed(steps, semitones)
        self._at_another_tempo(steps, rng)
        return steps

    # -- inside -----------------------------------------------------------------------------------

    @cached_property
    def program_of_kind(self) -> NDArray[np.int64]:
        """The program of each kind, 128 for drums, -1 for what is no note."""
        programs = np.full(len(self.vocabulary.kinds), -1)
        for index, kind in enumerate(self.vocabulary.kinds):
            if kind.startswith("program "):
                programs[index] = int(kind[8:])
            elif kind == "drums":
                programs[index] = 128
        return programs

    @cached_property
    def is_note(self) -> NDArray[np.bool_]:
        """Which kinds are notes, drums among them."""
        return self.program_of_kind >= 0

    @cached_property
    def is_pedal(self) -> NDArray[np.bool_]:
        """Which kind is the pedal, if any."""
        return np.array([kind == "pedal" for kind in self.vocabulary.kinds])

    @cached_property
    def meter_of_kind(self) -> NDArray[np.int64]:
        """Index into METERS of each kind, -1 for what is no metre."""
        first, stop = self.vocabulary.header_ranges["meter"]
        meters = np.full(len(self.vocabulary.kinds), -1)
        meters[first:stop] = np.arange(stop - first)
        return meters

    def _steps(self, table: Table) -> Steps:
        ranges, kinds = self.vocabulary.header_ranges, self.vocabulary.kind_index
        kind, voice = (column.take(table.part) for column in divmod(table.parts, self.vocabulary.voices))
        onset = table.onset
        columns: tuple[IntArray, ...] = (kind, voice, table.pitch, table.duration, table.velocity)
        changes = table.meters[1:]
        if changes:
            new_kinds, none = [ranges["meter"][0] + meter for _, meter in changes], [0] * len(changes)
            onset = np.concatenate(([tick for tick, _ in changes], onset))
            order = onset.argsort(kind="stable")
            onset = onset.take(order)
            columns = tuple(
                np.concatenate((first, column)).take(order)
                for first, column in zip((new_kinds, none, none, none, none), columns, strict=True)
            )
        gap = onset.copy()
        gap[1:] -= onset[:-1]
        num_waits = 0
        place: slice | IntArray = slice(len(HEADER), len(HEADER) + len(onset))
        if gap.max() > MAX_BAR:
            waits = np.maximum(gap - 1, 0) // MAX_BAR
            gap -= waits * MAX_BAR
            place = len(HEADER) + np.arange(len(onset)) + waits.cumsum()
            num_waits = int(waits.sum())
        steps = np.zeros((len(HEADER) + num_waits + len(onset) + 1, len(NAMES)), np.int32)
        if num_waits:
            steps[len(HEADER) : -1, ADVANCE] = MAX_BAR
            steps[len(HEADER) : -1, KIND] = kinds["wait"]
        for name, values in zip((ADVANCE, KIND, VOICE, PITCH, DURATION, VELOCITY), (gap, *columns), strict=True):
            steps[place, name] = values
        bars = "bars many" if table.bars > MAX_BARS else f"bars {table.bars}"
        steps[: len(HEADER), KIND] = (
            kinds[bars],
            ranges["meter"][0] + table.meters[0][1],
            ranges["tempo"][0] + table.tempo,
            ranges["key"][0] + table.key,
            ranges["pickup"][0] + table.pickup // PICKUP,
        )
        steps[-1, KIND] = kinds["end"]
        steps[:, SHIFT] = SHIFTS.index(0)
        self._fill_given(steps[len(HEADER) :], table)
        return steps

    def _fill_given(self, steps: Steps, table: Table) -> None:
        time = steps[:, ADVANCE].cumsum(dtype=np.int32)
        segment = table.grid.segment(time)
        if len(table.meters) > 1:
            # A new metre is told at its own bar line, while the old one is still in force.
            segment -= steps[:, KIND] < self.vocabulary.kind_index["wait"]
        passed, steps[:, POSITION] = table.grid.divide(time, segment)
        left = table.bars + (table.pickup > 0) - passed if table.bars <= MAX_BARS else FAR
        steps[:, REMAINING] = np.minimum(np.maximum(left, 0), FAR)
        steps[:, METER] = np.array([meter for _, meter in table.meters]).take(segment)
        steps[:, KEY] = table.key

    def _table(self, steps: Steps) -> Table:
        vocabulary = self.vocabulary
        facts = self._facts(steps)
        body = steps[len(HEADER) :].astype(np.int64)
        onset = np.cumsum(body[:, ADVANCE])
        kind = body[:, KIND]
        meter = self.meter_of_kind[kind]
        meters = [(0, facts["meter"])]
        for row in np.flatnonzero(meter >= 0):
            if onset[row] > meters[-1][0] and meter[row] != meters[-1][1]:
                meters.append((int(onset[row]), int(meter[row])))
        sounding = self.is_note[kind] | self.is_pedal[kind]
        rows = body[sounding]
        parts, part = np.unique(rows[:, KIND] * vocabulary.voices + rows[:, VOICE], return_inverse=True)
        return Table.of(
            vocabulary, parts.tolist(), onset[sounding], part,
            *(rows[:, column] for column in (PITCH, DURATION, VELOCITY)),
            meters=meters, pickup=PICKUP * facts["pickup"], tempo=facts["tempo"], key=facts["key"],
        )  # fmt: skip

    def _score(self, table: Table) -> Score:
        vocabulary = self.vocabulary
        durations, velocities = np.array(vocabulary.durations), np.array(vocabulary.velocities)
        pitches = np.array(vocabulary.pitches)
        tracks: list[Track] = []
        pedal = Spans.none()
        for index, value in enumerate(table.parts.tolist()):
            rows = table.part == index
            onset, duration = table.onset[rows], durations[table.duration[rows]]
            program = int(self.program_of_kind[value // vocabulary.voices])
            if program < 0:
                pedal = Spans(onset, duration)
                continue
            pitch = pitches[table.pitch[rows]]
            is_drum = program == 128
            notes = Notes(onset, duration, pitch - DRUM_PITCH if is_drum else pitch, velocities[table.velocity[rows]])
            tracks.append(Track(notes, 0 if is_drum else program, is_drum))
        pitched = [index for index, track in enumerate(tracks) if not track.is_drum]
        if len(pedal) and pitched:
            keyboards = [index for index in pitched if tracks[index].program < 8]
            first = (keyboards or pitched)[0]
            tracks[first] = tracks[first].replace(pedal=pedal)
        return Score(
            TICKS_PER_QUARTER,
            tuple(tracks),
            TempoMap.constant(float(TEMPOS[table.tempo])),
            tuple(Meter.parse(METERS[meter], onset) for onset, meter in table.meters),
            () if table.key == 0 else (Key.parse(KEYS[table.key]),),
            table.pickup,
        )


__all__ = ["GIVEN", "MAX_LENGTH", "NAMES", "EventsCodec", "Steps"]
