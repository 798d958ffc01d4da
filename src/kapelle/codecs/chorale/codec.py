"""One step per sixteenth: the codec of music in four voices.

A piece is nine header facts (length in bars, metre, tempo, key, pickup, and who sings each of the voices), then one
step for each sixteenth from the first bar line on, a pickup's silence included, then an end. A step is a row of 76
columns, of which six hold a choice: `kind` (a header fact, a sixteenth, a sixteenth that begins a new metre, or the
end), `phrase` and the four voices; the others follow from what was told before. See `lines` for the columns of the
voices, and `phrases` for how fermatas are told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import CodecError
from ...music import IntArray, Score, Wishes
from ...music.partwriting import VOICES
from ..facts import FactsCodec, Steps
from ..words import FAR, MAX_BARS, SHIFTS
from . import lines, phrases
from .piece import Piece, bar_steps, read, score_of, voices_of
from .vocabulary import HEADER, NOBODY, STEP, Vocabulary

if TYPE_CHECKING:
    from .. import Watch
    from .walk import ChoraleWalk

POSITION, REMAINING, METER, KEY, SHIFT, TONIC = range(6)
DEGREE = 6
"""The first of four columns: the degree, in semitones above the tonic, of what each voice sounded last."""
FIRST = DEGREE + 4
KIND = FIRST + len(lines.BEFORE)
PHRASE, UNTIL = KIND + 1, KIND + 2
FOLLOWING = lines.FOLLOWING + 1
"""Columns of each voice: those of `lines`, and the degree that it has then."""
VOICE = tuple(UNTIL + 1 + FOLLOWING * lines.ORDER.index(voice) for voice in range(4))
"""The column of each voice, in the order S A T B."""


class Given(NamedTuple):
    """What of a piece is given in advance.

    Attributes:
        steps: words, shape (T, 76); what is not given may be anything.
        shown: which fields are given, shape (T, 76).
        moved: sixteenths by which the score of the steps lies later than the one that was given.
    """

    steps: Steps
    shown: NDArray[np.bool_]
    moved: int = 0


class ChoraleCodec(FactsCodec[Vocabulary]):
    """Between a Score of up to four voices and its steps, an array of shape (steps, 76).

    Kept: onset, end and pitch of each voice on a grid of sixteenths, which voice it is, its program, metre and its
    changes, pickup, key, mean tempo, fermatas; voices may cross and meet. Dropped: what is shorter than a sixteenth,
    loudness, titles, pedal, drums, changes of tempo and key, all tracks after the fourth, and of notes that start
    together in one track all but the highest; a voice sounds one note at a time. Tracks that are named Soprano, Alto,
    Tenor and Bass are these voices, others are from the first on.

    Args:
        vocabulary: what each column can say; everything, if not given.
    """

    name = "chorale"
    in_voices = True
    in_windows = False
    keys = 0
    onward: tuple[int, ...] = VOICE
    taste = (0.7, 0.95, 1.25)
    header_steps = len(HEADER)
    steps_per_quarter = 4
    words_type = Vocabulary
    kind_column, key_column, shift_column = KIND, KEY, SHIFT

    @cached_property
    def layout(self) -> tuple[tuple[str, int, bool], ...]:
        """For each column its name, how many words it has, and whether it is given for free."""
        return self.vocabulary.layout

    @classmethod
    def for_scores(cls, scores: Iterable[Score]) -> ChoraleCodec:
        """A codec narrowed to what the scores have: their programs, and their pitches and a tritone around."""
        tracks = [track for score in scores for _, track in voices_of(score)]
        if not tracks:
            return cls()
        low = min(int(track.notes.pitch.min()) for track in tracks)
        high = max(int(track.notes.pitch.max()) for track in tracks)
        programs = tuple(sorted({track.program for track in tracks}))
        return cls(Vocabulary(max(low - 6, 0), min(high + 6, 127), programs))

    # -- Score to steps ---------------------------------------------------------------------------

    def encode(self, score: Score) -> Steps:
        """The steps of a score, shape (steps, 76), each an index into its column's words.

        Raises:
            CodecError: if the score has no pitched notes, or more than MAX_STEPS sixteenths.
        """
        return self._steps(read(score, self.vocabulary))

    def canonical(self, score: Score) -> Score:
        """What the codec keeps of a score: `decode(encode(score))`, without going through steps."""
        return score_of(read(score, self.vocabulary), self.vocabulary)

    def decode(self, steps: Steps) -> Score:
        """The score that steps tell.

        Steps that any walk through the masks gives, or `encode`, always decode. They may lack the end.

        Raises:
            CodecError: if they do not start with the nine header facts, or hold an index out of range.
        """
        steps = self._checked(steps)
        facts = self._facts(steps)
        body = steps[len(HEADER) :].astype(np.int64)
        body = body[body[:, KIND] != self.vocabulary.kind_index["end"]]
        sounds, struck = lines.heard(body[:, list(VOICE)])
        first, stop = self.vocabulary.header_ranges["meter"]
        meters = [(0, facts["meter"])]
        for step in np.flatnonzero((body[:, KIND] >= first) & (body[:, KIND] < stop)).tolist():
            if body[step, KIND] - first != meters[-1][1]:
                meters.append((step, int(body[step, KIND]) - first))
        programs = tuple((-1, *self.vocabulary.programs)[facts[voice]] for voice in VOICES)
        pickup = facts["pickup"]
        silent = bar_steps(facts["meter"]) - pickup if pickup else 0
        fermatas = phrases.fermatas(body[:, PHRASE], silent)
        piece = Piece(sounds, struck, programs, tuple(meters), pickup, facts["tempo"], facts["key"], fermatas)
        return score_of(piece, self.vocabulary)

    def paid(self, steps: Steps) -> NDArray[np.bool_]:
        """Which fields of the steps are a choice, shape (steps, 76): voices only where somebody sings them."""
        facts = self._facts(steps)
        paid = np.zeros(steps.shape, bool)
        paid[:, KIND] = True
        silent = 0
        if facts["pickup"]:
            silent = bar_steps(facts["meter"]) - facts["pickup"]
            paid[len(HEADER) : len(HEADER) + silent, KIND] = False
        told = steps[:, KIND] != self.vocabulary.kind_index["end"]
        told[: len(HEADER) + silent] = False
        due = len(HEADER) + np.array(phrases.due(steps[len(HEADER) :, PHRASE], silent), np.int64)
        paid[due, PHRASE] = told[due]
        for voice, column in zip(VOICES, VOICE, strict=True):
            paid[:, column] = told & (facts[voice] > 0)
        return paid

    def num_notes(self, steps: Steps) -> int:
        """How many notes start in the steps."""
        return int((steps[len(HEADER) :, list(VOICE)] > 1).sum())

    def nearest_words(self, other: ChoraleCodec) -> dict[str, IntArray]:
        """For each column, the index of the word of another codec nearest to each word of this one."""
        mine, theirs = self.vocabulary, other.vocabulary
        heights = np.array([theirs.folded(mine.low + height) - theirs.low for height in range(mine.heights)])
        words = {}
        for name, size, _ in self.layout:
            what = name.split()[0]
            words[name] = np.arange(size)
            if what in lines.FIRST_HEIGHT:
                first = lines.FIRST_HEIGHT[what]
                words[name][first:] = heights + first
        index = theirs.kind_index
        words["tonic"][1:] = 1 + (np.arange(12) + mine.low - theirs.low) % 12
        words["kind"] = np.array([index[kind] if kind in index else _played(kind, theirs) for kind in mine.kinds])
        return words

    def given(
        self, score: Score, written: Sequence[int], first: int = 0, stop: int | None = None, fermatas: bool = True
    ) -> Given:
        """What is given where some voices of a score are to be written anew, or at all.

        Beside notes these are its facts, its key if it says one, and its fermatas if it has any.

        Args:
            score: what there is, at least one of its voices.
            written: the voices to be written, 0 for the soprano to 3 for the bass.
            first: the bar of the score in which they start to be written, counted from 0, a pickup being one.
            stop: the bar before which they are written; None for the end.
            fermatas: whether those of the score are given too.

        Raises:
            CodecError: if the score has no pitched notes, or there are no such voices or bars.
        """
        piece = read(score, self.vocabulary)
        steps = self._steps(piece)
        if not written or not set(written) <= set(range(4)):
            raise CodecError(f"expected voices of 0 to 3 to be written, got {list(written)}")
        bars = len(score.bars()) - 1
        stop = bars if stop is None else stop
        if not 0 <= first < stop <= bars:
            raise CodecError(f"expected bars of 0 to {bars - 1} to be written, got {first} to {stop - 1}")
        shown = np.zeros(steps.shape, bool)
        shown[:, [KIND, *VOICE]] = True
        shown[HEADER.index("key"), KIND] = bool(score.keys)
        shown[:, PHRASE] = bool(score.fermatas) and fermatas
        starts = 4 * score.bars() // score.ticks_per_quarter + piece.moved + self._silent(piece)
        body = slice(*np.clip(len(HEADER) + starts[[first, stop]], len(HEADER), len(steps) - 1).tolist())
        shown[body, [VOICE[voice] for voice in written]] = False
        # Who writes nothing yet sings as the others do.
        kinds = self.vocabulary.kinds
        who = [kinds[steps[HEADER.index(voice), KIND]].split()[1] for voice in VOICES]
        singer = next(name for name in who if name != NOBODY)
        for voice in written:
            if who[voice] == NOBODY:
                row = HEADER.index(VOICES[voice])
                steps[row, KIND] = self.vocabulary.kind_index[f"{VOICES[voice]} {singer}"]
        return Given(steps, shown, piece.moved)

    def walk(
        self,
        wishes: Wishes | None = None,
        not_before: int = 0,
        guide: int | None = None,
        shift: int = 0,
        watch: Watch | None = None,
        given: Given | None = None,
    ) -> ChoraleWalk:
        """The masks of a piece to be written; see `ChoraleWalk`."""
        from .walk import ChoraleWalk

        return ChoraleWalk(self, wishes, not_before, guide, shift, watch, given)

    def augment(self, steps: Steps, rng: np.random.Generator) -> Steps:
        """The same piece in another key and a little faster or slower, as training sees it anew each time.

        Drawn evenly: a transposition of up to a tritone either way that leaves no pitch out of range, and
        a tempo up to 6 % away.
        """
        steps = steps.copy()
        body = steps[len(HEADER) :]
        voices = body[:, list(VOICE)]
        if (voices > 1).any():
            heights = voices[voices > 1] - 2
            low = max(-6, -int(heights.min()))
            high = min(5, self.vocabulary.heights - 1 - int(heights.max()))
            semitones = int(rng.integers(low, high + 1)) if low <= high else 0
            body[:] = lines.transposed(body, [name for name, _, _ in self.layout], semitones)
            body[:, TONIC] = self.vocabulary.tonic(self._transposed(steps, semitones))
        self._at_another_tempo(steps, rng)
        return steps

    def _silent(self, piece: Piece) -> int:
        """Sixteenths of silence before the pickup."""
        return bar_steps(piece.meters[0][1]) - piece.pickup if piece.pickup else 0

    # -- inside -----------------------------------------------------------------------------------

    def _steps(self, piece: Piece) -> Steps:
        kinds, ranges = self.vocabulary.kind_index, self.vocabulary.header_ranges
        length = len(piece.sounds)
        steps = np.zeros((len(HEADER) + length + 1, len(self.layout)), np.int32)
        body = steps[len(HEADER) :]
        # The end is told in a step in which all goes on.
        sounds = np.vstack([piece.sounds, piece.sounds[-1:]])
        struck = np.vstack([piece.struck, np.zeros((1, 4), bool)])
        told = lines.told(sounds, struck)
        body[:, FIRST:KIND] = told[:, : len(lines.BEFORE)]
        voices = body[:, UNTIL + 1 :].reshape(len(body), 4, FOLLOWING)
        voices[:, :, :-1] = told[:, len(lines.BEFORE) :].reshape(len(body), 4, -1)
        tonic = self.vocabulary.tonic(piece.key)
        body[:, TONIC] = tonic
        voices[:, :, -1] = degrees(voices[:, :, 1], tonic)
        body[:, DEGREE:FIRST] = degrees(told[:, :4], tonic)
        silent = self._silent(piece)
        body[:-1, PHRASE], body[:-1, UNTIL] = phrases.told(piece.fermatas, silent, length)
        time = STEP * np.arange(length + 1)
        grid = piece.grid
        segment = grid.segment(time)
        bars = grid.find(STEP * (length - 1))[1] + 1 - (piece.pickup > 0)
        body[:, KIND] = kinds["sixteenth"]
        body[-1, KIND] = kinds["end"]
        for step, meter in piece.meters[1:]:
            body[step, KIND] = ranges["meter"][0] + meter
            segment[step] -= 1  # a new metre is told while the old one is still in force
        passed, position = grid.divide(time, segment)
        body[:, POSITION] = position // STEP
        left = max(bars, 1) + (piece.pickup > 0) - passed if bars <= MAX_BARS else np.full(length + 1, FAR)
        body[:, REMAINING] = np.clip(left, 0, FAR)
        body[:, METER] = np.array([meter for _, meter in piece.meters])[segment]
        body[:, KEY] = piece.key
        steps[:, SHIFT] = SHIFTS.index(0)
        facts = {
            "bars": min(max(bars, 1), MAX_BARS + 1) - 1, "meter": piece.meters[0][1], "tempo": piece.tempo,
            "key": piece.key, "pickup": piece.pickup,
        }  # fmt: skip
        for voice, program in zip(VOICES, piece.programs, strict=True):
            facts[voice] = (-1, *self.vocabulary.programs).index(program)
        steps[: len(HEADER), KIND] = [ranges[fact][0] + facts[fact] for fact in HEADER]
        return steps


def degrees(words: NDArray[Any], tonic: int) -> NDArray[Any]:
    """The words of columns of degrees: 0 for none, 1 and the semitones above the tonic.

    Args:
        words: of heights, 0 for none and 1 + h for the height h, any shape.
        tonic: the word of the column `tonic`.
    """
    return np.where((words > 0) & (tonic > 0), 1 + (words - tonic) % 12, 0)


def _played(kind: str, vocabulary: Vocabulary) -> int:
    """The index of the kind nearest to one that a vocabulary lacks, which only the programs of voices can be."""
    voice, who = kind.split()
    return vocabulary.kind_index[f"{voice} {NOBODY if who == NOBODY else vocabulary.nearest_program(int(who))}"]


__all__ = ["ChoraleCodec", "Given", "Piece", "Steps"]
