"""One step per frame of a grid: the codec of music as a picture.

A piece is six header facts (length in bars, metre, tempo, key, pickup, program), then one step for each frame from the
first note's bar on, or from the pickup, then an end. A step is a row of columns:

    position   frames since the bar line            } follow from what was told before: they are there
    remaining  bars left, this one included         } for the network to see and cost nothing
    meter      the metre in force                   }
    key        the key of the piece                 }
    shift      semitones by which training transposed the piece; free like the others
    manner     of those that can be mixed, the one of the piece; free too
    kind       a header fact, a frame, a frame that begins a new metre, or the end
    pitch P    for each pitch from low to high: silent, held, or struck with a loudness
    drum D     the same for each drum key

A repeated note is told from a held one, and notes that sound in the last frame end with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...music import IntArray, Score, Wishes
from ..facts import FactsCodec, Steps
from ..words import FAR, MAX_BARS, PICKUP, SHIFTS, nearest
from .picture import Picture, narrowed, read, score_of
from .vocabulary import HEADER, HELD, NOBODY, STRUCK, Vocabulary

if TYPE_CHECKING:
    from .. import Watch
    from .walk import FramesWalk

POSITION, REMAINING, METER, KEY, SHIFT, MANNER, KIND, KEYS = range(8)
"""Columns; KEYS is the first of those of the keys."""


class FramesCodec(FactsCodec[Vocabulary]):
    """Between a Score and its steps, an array of shape (steps, 7 + keys).

    Kept: onset, end, pitch and loudness of all notes on a grid, drums apart, metre and its changes, pickup, key,
    mean tempo. All pitched tracks become one, with the program that has the most notes: where two of them play one key,
    it is struck where either starts and sounds as long as either does. Dropped: what is finer than the grid, which
    track a note is of, pedal, titles, fermatas, changes of tempo and key. Pitches out of range sound octaves away.

    Args:
        vocabulary: what each column can say; everything, on the finest grid, if not given.
    """

    name = "frames"
    in_voices = False
    in_windows = False
    onward: tuple[int, ...] = ()
    taste = (0.9, 0.98, 1.0)
    header_steps = len(HEADER)
    words_type = Vocabulary
    kind_column, key_column, shift_column = KIND, KEY, SHIFT

    @cached_property
    def layout(self) -> tuple[tuple[str, int, bool], ...]:
        """For each column its name, how many words it has, and whether it is given for free."""
        return self.vocabulary.layout

    @property
    def steps_per_quarter(self) -> int:
        """Frames of a quarter."""
        return self.vocabulary.per_quarter

    @cached_property
    def keys(self) -> int:
        """How many of the last columns are keys, which make up one choice together."""
        return sum(name.startswith(("pitch ", "drum ")) for name, _, _ in self.layout)

    @classmethod
    def for_scores(cls, scores: Iterable[Score]) -> FramesCodec:
        """A codec narrowed to what the scores have, on their grid; see `narrowed`."""
        return cls(narrowed(scores))

    # -- Score to steps ---------------------------------------------------------------------------

    def encode(self, score: Score) -> Steps:
        """The steps of a score, shape (steps, 7 + keys), each an index into its column's words.

        Raises:
            CodecError: if the score has no notes the vocabulary can play, or more than MAX_FRAMES frames.
        """
        return self._steps(read(score, self.vocabulary))

    def canonical(self, score: Score) -> Score:
        """What the codec keeps of a score: `decode(encode(score))`, without going through steps."""
        return score_of(read(score, self.vocabulary), self.vocabulary)

    def decode(self, steps: Steps) -> Score:
        """The score that steps tell.

        Steps that any walk through the masks gives, or `encode`, always decode. They may lack the end.

        Raises:
            CodecError: if they do not start with the six header facts, or hold an index out of range.
        """
        steps = self._checked(steps)
        facts = self._facts(steps)
        body = steps[len(HEADER) :]
        body = body[body[:, KIND] != self.vocabulary.kind_index["end"]]
        first, stop = self.vocabulary.header_ranges["meter"]
        meters = [(0, facts["meter"])]
        for frame in np.flatnonzero((body[:, KIND] >= first) & (body[:, KIND] < stop)).tolist():
            if frame and body[frame, KIND] - first != meters[-1][1]:
                meters.append((self.vocabulary.frame * frame, int(body[frame, KIND]) - first))
        program = self.vocabulary.header_ranges["program"][0] + facts["program"]
        picture = Picture(
            body[:, KEYS:], program, tuple(meters), PICKUP * facts["pickup"], facts["tempo"], facts["key"]
        )  # fmt: skip
        return score_of(picture, self.vocabulary)

    def paid(self, steps: Steps) -> NDArray[np.bool_]:
        """Which fields of the steps are a choice, shape (steps, 7 + keys): the kind, and the keys in frames."""
        paid = np.zeros(steps.shape, bool)
        paid[:, KIND] = True
        paid[len(HEADER) :, KEYS:] = (steps[len(HEADER) :, KIND] != self.vocabulary.kind_index["end"])[:, None]
        if not self.is_pitched(self._facts(steps)["program"]):
            paid[:, KEYS : KEYS + len(self.vocabulary.pitches)] = False
        return paid

    def num_notes(self, steps: Steps) -> int:
        """How many notes start in the steps."""
        return int((steps[:, KEYS:] >= STRUCK).sum())

    @property
    def manners(self) -> tuple[str, ...]:
        """The manners that can be mixed, such as composers; empty where all music is of one."""
        return self.vocabulary.manners

    def with_manners(self, manners: Iterable[str]) -> FramesCodec:
        """The same codec for music of several manners."""
        return FramesCodec(replace(self.vocabulary, manners=tuple(manners)))

    def in_manner(self, steps: Steps, manner: str) -> Steps:
        """Steps that say of which manner the piece is."""
        steps = steps.copy()
        steps[:, MANNER] = self.manners.index(manner)
        return steps

    def nearest_words(self, other: FramesCodec) -> dict[str, IntArray]:
        """For each column, the index of the word of another codec nearest to each word of this one."""
        mine, theirs = self.vocabulary, other.vocabulary
        loud = STRUCK + nearest(np.array(mine.velocities), np.array(theirs.velocities))
        words = {name: np.arange(size) for name, size, _ in self.layout[:KIND]}
        # What is known of no manner begins as the first.
        words["manner"] = np.array(
            [theirs.manners.index(own) if own in theirs.manners else 0 for own in mine.manners or ("",)]
        )
        words["position"] = np.arange(len(words["position"])) * mine.frame // theirs.frame
        words["kind"] = np.array([_nearest_kind(kind, theirs) for kind in mine.kinds])
        return words | {name: np.array([0, HELD, *loud]) for name, _, _ in self.layout[KEYS:]}

    def walk(
        self,
        wishes: Wishes | None = None,
        not_before: int = 0,
        guide: int | None = None,
        shift: int = 0,
        watch: Watch | None = None,
    ) -> FramesWalk:
        """The masks of a piece to be written; see `FramesWalk`."""
        from .walk import FramesWalk

        return FramesWalk(self, wishes, not_before, guide, shift, watch)

    def augment(self, steps: Steps, rng: np.random.Generator) -> Steps:
        """The same piece in another key and a little faster or slower, as training sees it anew each time.

        Drawn evenly: a transposition of up to a tritone either way that leaves no pitch out of range, and
        a tempo up to 6 % away.
        """
        steps = steps.copy()
        keys = steps[:, KEYS : KEYS + len(self.vocabulary.pitches)]
        used = np.flatnonzero(keys.any(axis=0))
        if len(used):
            low, high = max(-6, -int(used[0])), min(5, keys.shape[1] - 1 - int(used[-1]))
            semitones = int(rng.integers(low, high + 1)) if low <= high else 0
            # What leaves at one side comes in at the other, and is silence.
            keys[:] = np.roll(keys, semitones, axis=1)
            self._transposed(steps, semitones)
        self._at_another_tempo(steps, rng)
        return steps

    def is_pitched(self, program: int) -> bool:
        """Whether there is anyone to play pitches, by the number of the header's word for the program."""
        return self.vocabulary.kinds[self.vocabulary.header_ranges["program"][0] + program] != f"program {NOBODY}"

    # -- inside -----------------------------------------------------------------------------------

    def _steps(self, picture: Picture) -> Steps:
        kinds, ranges, frame = self.vocabulary.kind_index, self.vocabulary.header_ranges, self.vocabulary.frame
        length, pickup = len(picture.cells), picture.pickup
        steps = np.zeros((len(HEADER) + length + 1, len(self.layout)), np.int32)
        body = steps[len(HEADER) :]
        body[:-1, KEYS:] = picture.cells
        body[:, KIND] = kinds["frame"]
        body[-1, KIND] = kinds["end"]
        time = frame * np.arange(length + 1)
        grid = picture.grid
        segment = np.broadcast_to(grid.segment(time), time.shape).copy()
        for tick, meter in picture.meters[1:]:
            body[tick // frame, KIND] = ranges["meter"][0] + meter
            segment[tick // frame] -= 1  # a new metre is told while the old one is still in force
        passed, position = grid.divide(time, segment)
        bars = grid.find(frame * length - 1)[1] + 1 - (pickup > 0)
        body[:, POSITION] = position // frame
        body[:, REMAINING] = np.clip(bars + (pickup > 0) - passed, 0, FAR) if bars <= MAX_BARS else FAR
        body[:, METER] = np.array([meter for _, meter in picture.meters])[segment]
        body[:, KEY] = picture.key
        steps[:, SHIFT] = SHIFTS.index(0)
        steps[: len(HEADER), KIND] = (
            min(bars, MAX_BARS + 1) - 1,
            ranges["meter"][0] + picture.meters[0][1],
            ranges["tempo"][0] + picture.tempo,
            ranges["key"][0] + picture.key,
            ranges["pickup"][0] + pickup // PICKUP,
            picture.program,
        )
        return steps


def _nearest_kind(kind: str, vocabulary: Vocabulary) -> int:
    """The index of a kind, or of the nearest to one that a vocabulary lacks, which only a program can be."""
    if kind in vocabulary.kind_index:
        return vocabulary.kind_index[kind]
    name = kind.split()[1]
    if name == NOBODY or not vocabulary.programs:
        return vocabulary.header_ranges["program"][0]
    return vocabulary.kind_index[f"program {vocabulary.nearest_program(int(name))}"]


__all__ = ["FramesCodec", "Picture", "Steps"]
