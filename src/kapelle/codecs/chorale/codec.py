"""One step per sixteenth: the codec of music in four voices.

A piece is nine header facts (length in bars, metre, tempo, key, pickup, and who sings each of the voices), then one
step for each sixteenth from the first bar line on, a pickup's silence included, then an end. A step is a row of 65
columns, of which five hold a choice: `kind` (a header fact, a sixteenth, a sixteenth that begins a new metre, or the
end) and the four voices; the others follow from what was told before. See `lines` for the columns of the voices.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import CodecError, StyleError
from ...music import IntArray, Key, Meter, Notes, Score, TempoMap, Track, Wishes
from ...music.edit import resample
from ..events.table import Grid, _bar_lines
from ..events.vocabulary import FAR, KEYS, MAX_BARS, METERS, SHIFTS, TEMPO_RATES, TEMPOS, nearest
from . import lines
from .vocabulary import HEADER, NOBODY, STEP, TICKS_PER_QUARTER, Vocabulary

if TYPE_CHECKING:
    from .. import Watch
    from .walk import ChoraleWalk

Steps = NDArray[np.int32]

NAMES = ("Soprano", "Alto", "Tenor", "Bass")
VELOCITY = 80
MAX_STEPS = 2**16
"""Sixteenths of the longest piece."""

POSITION, REMAINING, METER, KEY, SHIFT = range(5)
KIND = 5 + len(lines.BEFORE)
VOICE = tuple(KIND + 1 + lines.FOLLOWING * lines.ORDER.index(voice) for voice in range(4))
"""The column of each voice, in the order S A T B."""


class Piece(NamedTuple):
    """What the codec keeps of a score, on its grid.

    Attributes:
        sounds: height of each voice in each sixteenth from the first bar line on, -1 for silence, shape (T, 4).
        struck: where a note starts, shape (T, 4).
        programs: of each voice, -1 for nobody.
        meters: (sixteenth, index into METERS), the first at 0.
        pickup: in sixteenths.
        tempo, key: indices into TEMPOS and KEYS.
    """

    sounds: IntArray
    struck: NDArray[np.bool_]
    programs: tuple[int, ...]
    meters: tuple[tuple[int, int], ...]
    pickup: int
    tempo: int
    key: int

    @property
    def grid(self) -> Grid:
        """The bar lines in ticks from the first bar line on."""
        return Grid.of([(STEP * step, meter) for step, meter in self.meters], 0)


class ChoraleCodec:
    """Between a Score of up to four voices and its steps, an array of shape (steps, 65).

    Kept: onset, end and pitch of each voice on a grid of sixteenths, which voice it is, its program, metre and its
    changes, pickup, key, mean tempo; voices may cross and meet. Dropped: what is shorter than a sixteenth, loudness,
    titles, pedal, drums, changes of tempo and key, all tracks after the fourth, and of notes that start together in
    one track all but the highest; a voice sounds one note at a time. Tracks that are named Soprano, Alto, Tenor and
    Bass are these voices, others are from the first on.

    Args:
        vocabulary: what each column can say; everything, if not given.
    """

    name = "chorale"
    header_steps = len(HEADER)

    def __init__(self, vocabulary: Vocabulary | None = None) -> None:
        self.vocabulary = vocabulary or Vocabulary()

    @cached_property
    def layout(self) -> tuple[tuple[str, int, bool], ...]:
        """For each column its name, how many words it has, and whether it is given for free."""
        return self.vocabulary.layout

    @classmethod
    def for_scores(cls, scores: Iterable[Score]) -> ChoraleCodec:
        """A codec narrowed to what the scores have: their programs, and their pitches and a tritone around."""
        tracks = [track for score in scores for _, track in _voices(score)]
        if not tracks:
            return cls()
        low = min(int(track.notes.pitch.min()) for track in tracks)
        high = max(int(track.notes.pitch.max()) for track in tracks)
        programs = tuple(sorted({track.program for track in tracks}))
        return cls(Vocabulary(max(low - 6, 0), min(high + 6, 127), programs))

    # -- Score to steps ---------------------------------------------------------------------------

    def encode(self, score: Score) -> Steps:
        """The steps of a score, shape (steps, 65), each an index into its column's words.

        Raises:
            CodecError: if the score has no pitched notes, or more than MAX_STEPS sixteenths.
        """
        return self._steps(self._piece(score))

    def canonical(self, score: Score) -> Score:
        """What the codec keeps of a score: `decode(encode(score))`, without going through steps."""
        return self._score(self._piece(score))

    def decode(self, steps: Steps) -> Score:
        """The score that steps tell.

        Steps that any walk through the masks gives, or `encode`, always decode. They may lack the end.

        Raises:
            CodecError: if they do not start with the nine header facts, or hold an index out of range.
        """
        steps = np.asarray(steps)
        sizes = np.array([size for _, size, _ in self.layout])
        if steps.ndim != 2 or steps.shape[1] != len(sizes) or len(steps) < len(HEADER):
            raise CodecError(f"expected steps of shape (9 or more, {len(sizes)}), got {steps.shape}")
        if (steps < 0).any() or (steps >= sizes).any():
            raise CodecError(
                "expected steps inside the vocabulary, got an index out of range: were they made by another style?"
            )
        facts = self._facts(steps)
        body = steps[len(HEADER) :].astype(np.int64)
        body = body[body[:, KIND] != self.vocabulary.kind_index["end"]]
        sounds, struck = lines.heard(body[:, list(VOICE)])
        first, stop = self.vocabulary.header_ranges["meter"]
        meters = [(0, facts["meter"])]
        for step in np.flatnonzero((body[:, KIND] >= first) & (body[:, KIND] < stop)).tolist():
            if body[step, KIND] - first != meters[-1][1]:
                meters.append((step, int(body[step, KIND]) - first))
        programs = tuple((-1, *self.vocabulary.programs)[facts[voice]] for voice in lines.VOICES)
        return self._score(
            Piece(sounds, struck, programs, tuple(meters), facts["pickup"], facts["tempo"], facts["key"])
        )

    def paid(self, steps: Steps) -> NDArray[np.bool_]:
        """Which fields of the steps are a choice, shape (steps, 65): voices only where somebody sings them."""
        facts = self._facts(steps)
        paid = np.zeros(steps.shape, bool)
        paid[:, KIND] = True
        silent = 0
        if facts["pickup"]:
            silent = self._bar(facts["meter"]) - facts["pickup"]
            paid[len(HEADER) : len(HEADER) + silent, KIND] = False
        told = steps[:, KIND] != self.vocabulary.kind_index["end"]
        told[: len(HEADER) + silent] = False
        for voice, column in zip(lines.VOICES, VOICE, strict=True):
            paid[:, column] = told & (facts[voice] > 0)
        return paid

    def num_notes(self, steps: Steps) -> int:
        """How many notes start in the steps."""
        return int((steps[len(HEADER) :, list(VOICE)] > 1).sum())

    def facts(self, steps: Steps) -> dict[str, str]:
        """What the header of steps says: {"bars": "16", "meter": "4/4", "S": "52", ...}."""
        words = (self.vocabulary.kinds[kind].split(" ", 1)[1] for kind in steps[: len(HEADER), KIND])
        return dict(zip(HEADER, words, strict=True))

    def with_facts(
        self, steps: Steps, bars: int | None = None, quarters_per_minute: float | None = None, shift: int | None = None
    ) -> Steps:
        """Steps that say another length or tempo, the nearest there is a word for, or another shift, -6..5."""
        steps = steps.copy()
        if bars is not None:
            steps[HEADER.index("bars"), KIND] = min(bars, MAX_BARS + 1) - 1
        if quarters_per_minute is not None:
            word = nearest(np.array([quarters_per_minute]), np.array(TEMPOS))[0]
            steps[HEADER.index("tempo"), KIND] = self.vocabulary.header_ranges["tempo"][0] + word
        if shift is not None:
            steps[:, SHIFT] = SHIFTS.index(shift)
        return steps

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
        words["kind"] = np.array([index[kind] if kind in index else _played(kind, theirs) for kind in mine.kinds])
        return words

    def walk(
        self,
        wishes: Wishes | None = None,
        not_before: int = 0,
        guide: int | None = None,
        shift: int = 0,
        watch: Watch | None = None,
    ) -> ChoraleWalk:
        """The masks of a piece to be written; see `ChoraleWalk`."""
        from .walk import ChoraleWalk

        return ChoraleWalk(self, wishes, not_before, guide, shift, watch)

    def augment(self, steps: Steps, rng: np.random.Generator) -> Steps:
        """The same piece in another key and a little faster or slower, as training sees it anew each time.

        Drawn evenly: a transposition of up to a tritone either way that leaves no pitch out of range, and
        a tempo up to 6 % away.
        """
        steps = steps.copy()
        body = steps[len(HEADER) :]
        voices = body[:, list(VOICE)]
        ranges = self.vocabulary.header_ranges
        if (voices > 1).any():
            heights = voices[voices > 1] - 2
            low = max(-6, -int(heights.min()))
            high = min(5, self.vocabulary.heights - 1 - int(heights.max()))
            semitones = int(rng.integers(low, high + 1)) if low <= high else 0
            body[:] = lines.transposed(body, [name for name, _, _ in self.layout], semitones)
            steps[:, SHIFT] += semitones
            first, fact = ranges["key"][0], HEADER.index("key")
            key = int(steps[fact, KIND]) - first
            if key:
                key = 1 + 12 * ((key - 1) // 12) + (key - 1 + semitones) % 12
                steps[fact, KIND] = first + key
                body[:, KEY] = key
        first, stop = ranges["tempo"]
        fact = HEADER.index("tempo")
        steps[fact, KIND] = np.clip(steps[fact, KIND] + rng.integers(-2, 3), first, stop - 1)
        return steps

    def to_json(self) -> dict[str, Any]:
        """The codec as plain values, its words written out."""
        return {"name": self.name, "vocabulary": self.vocabulary.to_json()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> ChoraleCodec:
        """The codec that `to_json` wrote.

        Raises:
            StyleError: if the description is damaged or of a newer version.
        """
        if not isinstance(values.get("vocabulary"), dict):
            raise StyleError("the style has no vocabulary: fetch or train the style again")
        return cls(Vocabulary.from_json(values["vocabulary"]))

    # -- inside -----------------------------------------------------------------------------------

    def _facts(self, steps: Steps) -> dict[str, int]:
        """Which word each header fact has, counted from its first; the pickup in sixteenths."""
        facts = {}
        for fact, kind in zip(HEADER, steps[: len(HEADER), KIND].tolist(), strict=True):
            first, stop = self.vocabulary.header_ranges[fact]
            if not first <= kind < stop:
                raise CodecError(f"expected the fact '{fact}' in the header, got '{self.vocabulary.kinds[kind]}'")
            facts[fact] = kind - first
        return facts

    def _bar(self, meter: int) -> int:
        """Sixteenths in a bar."""
        return Meter.parse(METERS[meter]).bar_length(TICKS_PER_QUARTER) // STEP

    def _piece(self, score: Score) -> Piece:
        voices = _voices(score)
        if not voices:
            raise CodecError("expected music with pitched notes, got none: choose another file")
        longest = score.end // score.ticks_per_quarter
        if longest >= MAX_STEPS // 4 - 32:
            raise CodecError(f"expected music of at most {MAX_STEPS // 4} quarters, got {longest}")
        score = resample(score, 4)
        voices = _voices(score)
        first = min(int(track.notes.onset.min()) for _, track in voices)
        meters, pickup, moved = _bar_lines(score, STEP * first)
        # From the first bar line on; `_bar_lines` counts from the first note of a pickup.
        before = (self._bar(meters[0][1]) - pickup // STEP) if pickup else 0
        moved = moved // STEP + before
        stop = max(int(track.notes.end.max()) for _, track in voices) + moved
        sounds = np.full((stop, 4), -1)
        struck = np.zeros((stop, 4), bool)
        programs = [-1] * 4
        for voice, track in voices:
            programs[voice] = self.vocabulary.nearest_program(track.program)
            self._lay(track.notes, moved, sounds[:, voice], struck[:, voice])
        sounding = np.flatnonzero((sounds >= 0).any(1))[-1] + 1
        if before + pickup // STEP >= sounding:
            pickup = 0  # nothing comes after the pickup: it is the end of a bar that is silent before
        tempo = int(nearest(np.array([score.tempos.mean(score.end)]), TEMPO_RATES)[0])
        return Piece(
            sounds[:sounding], struck[:sounding], tuple(programs),
            tuple(
                (tick // STEP + before if tick else 0, meter) for tick, meter in meters
                if tick // STEP + before < sounding or not tick
            ),
            pickup // STEP, tempo, KEYS.index(score.keys[0].name) if score.keys else 0,
        )  # fmt: skip

    def _lay(self, notes: Notes, moved: int, sounds: IntArray, struck: NDArray[np.bool_]) -> None:
        """Write the notes of a track into its voice: the highest of those that start together, each up to the next."""
        rows = sorted(zip(notes.onset.tolist(), notes.pitch.tolist(), notes.end.tolist(), strict=True))
        for index, (onset, pitch, end) in enumerate(rows):
            following = rows[index + 1][0] if index + 1 < len(rows) else end
            if following == onset:
                continue
            sounds[onset + moved : min(end, following) + moved] = self.vocabulary.folded(pitch) - self.vocabulary.low
            struck[onset + moved] = True

    def _steps(self, piece: Piece) -> Steps:
        kinds, ranges = self.vocabulary.kind_index, self.vocabulary.header_ranges
        length = len(piece.sounds)
        steps = np.zeros((len(HEADER) + length + 1, len(self.layout)), np.int32)
        body = steps[len(HEADER) :]
        # The end is told in a step in which all goes on.
        sounds = np.vstack([piece.sounds, piece.sounds[-1:]])
        struck = np.vstack([piece.struck, np.zeros((1, 4), bool)])
        told = lines.told(sounds, struck)
        body[:, 5:KIND] = told[:, : len(lines.BEFORE)]
        body[:, KIND + 1 :] = told[:, len(lines.BEFORE) :]
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
        for voice, program in zip(lines.VOICES, piece.programs, strict=True):
            facts[voice] = (-1, *self.vocabulary.programs).index(program)
        steps[: len(HEADER), KIND] = [ranges[fact][0] + facts[fact] for fact in HEADER]
        return steps

    def _score(self, piece: Piece) -> Score:
        before = self._bar(piece.meters[0][1]) - piece.pickup if piece.pickup else 0
        tracks = []
        for voice, program in enumerate(piece.programs):
            sounds, struck = piece.sounds[:, voice], piece.struck[:, voice]
            onset = np.flatnonzero(struck & (sounds >= 0))
            if program < 0 or not len(onset):
                continue
            changes = np.append(np.flatnonzero(struck | (np.diff(sounds, prepend=-1) != 0)), len(sounds))
            end = changes[np.searchsorted(changes, onset, side="right")]
            notes = Notes(
                STEP * (onset - before), STEP * (end - onset), sounds[onset] + self.vocabulary.low,
                np.full(len(onset), VELOCITY),
            )  # fmt: skip
            tracks.append(Track(notes, program, name=NAMES[voice]))
        return Score(
            TICKS_PER_QUARTER,
            tuple(tracks),
            TempoMap.constant(float(TEMPOS[piece.tempo])),
            tuple(Meter.parse(METERS[meter], STEP * max(step - before, 0)) for step, meter in piece.meters),
            () if piece.key == 0 else (Key.parse(KEYS[piece.key]),),
            STEP * piece.pickup,
        )


def _voices(score: Score) -> list[tuple[int, Track]]:
    """The tracks that are told, each with its voice 0..3."""
    tracks: Sequence[Track] = [track for track in score.tracks if len(track.notes) and not track.is_drum]
    names = [track.name for track in tracks]
    if set(names) <= set(NAMES) and len(set(names)) == len(names):
        return sorted(((NAMES.index(track.name), track) for track in tracks), key=lambda pair: pair[0])
    return list(enumerate(tracks[:4]))


def _played(kind: str, vocabulary: Vocabulary) -> int:
    """The index of the kind nearest to one that a vocabulary lacks, which only the programs of voices can be."""
    voice, who = kind.split()
    return vocabulary.kind_index[f"{voice} {NOBODY if who == NOBODY else vocabulary.nearest_program(int(who))}"]


__all__ = ["ChoraleCodec", "Piece", "Steps"]
