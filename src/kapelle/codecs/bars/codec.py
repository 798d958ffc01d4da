"""Windows of whole bars: the codec of music that is taken in at one glance.

A window is as many bars as its style says, in one metre. Each step of its grid is a row of columns:

    meter      the metre                        } follow from where the step is: they are there
    bar        bars since the window began      } for the network to see and cost nothing
    position   steps since the bar line         }
    melody     of a line: silent, held, or struck with a pitch
    kick ...   of each drum: silent or struck
    ... loudness, timing   of what was struck just before, where the style tells them
    chord      of the bar, where it is told; given, and heard by nobody but who tells the window
    heard ...  what of the window is heard before it is told; see `hearing`

A window knows nothing of the bars around it: a note that sounds on from before is struck at its start, and notes that
sound in its last step end with it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import CodecError, StyleError
from ...music import Meter, Score, TempoMap, Track, resample, together
from ...music.notes import MAX_UNIT
from .cutting import Laid, Steps, Tiles, cut, lay, window
from .drums import class_of
from .harmony import harmony, in_chords
from .hearing import heard, overheard, tempo_word
from .measures import measured
from .moving import disguised, moved
from .narrowing import narrowed
from .roles import Asked, assign
from .sounding import TICKS_PER_QUARTER, track_of
from .vocabulary import GIVEN, HELD, SILENT, STRUCK, Vocabulary

VELOCITIES = tuple(range(12, 128, 10))
"""The classes of loudness, where a style tells it."""
HARMONISED = 0.5
"""Share of the windows learnt from that are told their chords."""
TIMING = 8
"""Words of timing each side of a step's own time, where a style tells it: a sixteenth of a step apart."""


class BarsCodec:
    """Between a Score and windows of it, arrays of shape (steps, 3 + columns).

    Kept, on the grid and in the window: onset, end and pitch of a line's highest notes, hits of drums by class; and
    loudness and timing where the vocabulary has words for them. Who plays which part says `roles.assign`.

    Args:
        vocabulary: what each column can say; melodies in 4/4 if not given.
        asked: which track is to play a part; see `roles.assign`.
    """

    name = "bars"
    in_voices = False
    in_windows = True
    keys = 0
    onward: tuple[int, ...] = ()
    taste = (0.9, 0.98, 1.0)
    header_steps = 0

    def __init__(self, vocabulary: Vocabulary | None = None, asked: Asked | None = None) -> None:
        self.vocabulary = vocabulary or Vocabulary()
        self.asked = dict(asked or {})

    @cached_property
    def layout(self) -> tuple[tuple[str, int, bool], ...]:
        """For each column its name, how many words it has, and whether it is given for free."""
        return self.vocabulary.layout

    @classmethod
    def for_scores(
        cls,
        scores: Iterable[Score],
        kind: str = "melody",
        bars: int = 2,
        velocities: tuple[int, ...] = (),
        timing: int = 0,
        asked: Asked | None = None,
        hears: tuple[str, ...] = (),
    ) -> BarsCodec:
        """A codec narrowed to what the scores have; see `Vocabulary` and `narrowed`.

        Raises:
            CodecError: if none of them has all parts of the kind.
        """
        return cls(narrowed(scores, kind, bars, velocities, timing, asked, tuple(hears)), asked)

    # -- Score to windows -------------------------------------------------------------------------

    def windows(self, score: Score) -> tuple[list[Steps], Counter[str]]:
        """Every window of a score, one from each bar on, and why others are none.

        Where windows can be heard, all that can be is heard of them in turn.

        Raises:
            CodecError: if nobody plays one of the parts.
        """
        found, dropped = cut(lay(score, self.vocabulary, self.asked), self.vocabulary)
        windows = [self.at_tempo(steps, score) for _, steps in found]
        if hears := self.vocabulary.hears:
            windows = [self.heard(steps, hears[number % len(hears)]) for number, steps in enumerate(windows)]
        return windows, dropped

    def players(self, score: Score) -> list[Track]:
        """The track of each part; an empty one where a part is missing that may be.

        Raises:
            CodecError: if nobody plays one of the parts.
        """
        return assign(score, self.vocabulary.parts, self.asked, self.vocabulary.loose)

    def places(self, score: Score) -> dict[str, int]:
        """At which place among a score's tracks each part's is, by what the codec calls the part; of drums the first.

        Raises:
            CodecError: if nobody plays one of the parts.
        """
        found: dict[str, int] = {}
        for title, player in zip(self.vocabulary.titles, self.players(score), strict=True):
            for at, track in enumerate(score.tracks):
                if track is player or (track.is_drum and player.is_drum):
                    found.setdefault(title, at)
        return found

    def starts(self, score: Score) -> list[int]:
        """The bars of a score, from 0, at which its windows start; a pickup is bar 0."""
        return [bar for bar, _ in cut(lay(score, self.vocabulary, self.asked), self.vocabulary)[0]]

    def encode(self, score: Score, bar: int | None = None) -> Steps:
        """One window of a score: that from a bar on, or from the first bar that is no pickup.

        What the score lacks to a whole window is silence.

        Raises:
            CodecError: if nobody plays a part, the window is empty, or its metre is not the style's.
        """
        laid = lay(score, self.vocabulary, self.asked)
        first = int(score.pickup > 0) if bar is None else bar
        meters = laid.meters[first : first + self.vocabulary.bars]
        if not len(meters) or (meters < 0).any() or (meters != meters[0]).any():
            names = ", ".join(self.vocabulary.meters)
            own = ", ".join(dict.fromkeys(sign.name for sign in score.meters))
            raise CodecError(f"expected whole bars in one metre of {names}, got {own}")
        steps = self._filled(window(laid, first, self.vocabulary), int(meters[0]))
        if not self.num_notes(steps):
            bars, what = self.vocabulary.bars, self.vocabulary.reach
            raise CodecError(f"expected notes ({what}) in the {bars} bars from bar {first + 1} on, got none")
        return steps

    def tiles(self, score: Score) -> tuple[Laid, Tiles]:
        """A score of drums on the grid, and the windows that cover it one after the other, each with its steps there.

        Bars that are cut short, or in a metre that the style does not know, are in none. Silence fills a window that is
        followed by nothing, or by another metre. The tempo of the windows is heard, and nothing else.

        Raises:
            CodecError: if there are no drums.
        """
        laid = lay(score, self.vocabulary, self.asked)
        found: Tiles = []
        bar = 0
        while bar < len(laid.meters):
            meter = int(laid.meters[bar])
            alike = laid.meters[bar : bar + self.vocabulary.bars] == meter
            count = len(alike) if alike.all() else int(alike.argmin())
            if meter >= 0:
                place = slice(int(laid.bars[bar]), int(laid.bars[bar + count]))
                found.append((place, self.at_tempo(self._filled(laid.steps[place], meter), score)))
            bar += count
        return laid, found

    def _filled(self, steps: Steps, meter: int) -> Steps:
        """A window of whole length, silent at its end."""
        full = self.empty(self.vocabulary.meters[meter])
        full[: len(steps), GIVEN:] = steps[:, GIVEN:]
        return full

    def empty(self, meter: str) -> Steps:
        """A silent window in a metre, with what is given in place.

        Raises:
            CodecError: if the style does not know the metre.
        """
        if meter not in self.vocabulary.meters:
            raise CodecError(f"expected a metre of {', '.join(self.vocabulary.meters)}, got {meter}")
        length = self.vocabulary.bar_steps[number := self.vocabulary.meters.index(meter)]
        steps = np.zeros((length * self.vocabulary.bars, len(self.layout)), np.int32)
        steps[:, 0] = number
        steps[:, 1], steps[:, 2] = np.divmod(np.arange(len(steps)), length)
        return steps

    def last_bars(self, score: Score, count: int) -> Steps:
        """The steps of the last bars of a score, as a window would begin with them.

        Raises:
            CodecError: if nobody plays a part, the bars are silent, or they are not in one metre of the style.
        """
        first = len(score.bars()) - 1 - count
        if first < int(score.pickup > 0):
            raise CodecError(f"expected at least {count} whole bars to go on from, got fewer")
        whole = self.encode(score, first)
        return whole[: count * self.vocabulary.bar_steps[int(whole[0, 0])]]

    def appended(self, score: Score, steps: Steps) -> Score:
        """A score, and what steps tell from its last bar line on, played by who plays each part in it."""
        new = self.decode(steps)
        unit = math.lcm(score.ticks_per_quarter, new.ticks_per_quarter)
        if unit > MAX_UNIT:
            raise CodecError(f"expected ticks that go into those of the style, got {score.ticks_per_quarter} a quarter")
        whole, new = resample(score, unit), resample(new, unit)
        start = int(whole.bars()[-1])
        places, tracks = self.places(whole), list(whole.tracks)
        for track in new.tracks:
            later = track.replace(notes=track.notes.replace(onset=track.notes.onset + start))
            at = places.get(track.name)
            if at is not None:
                tracks[at] = tracks[at].replace(notes=together([tracks[at].notes, later.notes]))
            elif len(later.notes):
                tracks.append(later)
        return whole.replace(tracks=tuple(tracks))

    def canonical(self, score: Score) -> Score:
        """What the codec keeps of a score's first window."""
        return self.decode(self.encode(score))

    # -- windows to Score -------------------------------------------------------------------------

    def decode(self, steps: Steps) -> Score:
        """The score that a window tells, or several of one metre one after the other.

        Whatever words there are: what is held where nothing sounds is silent.

        Raises:
            CodecError: if they are not whole bars of this vocabulary.
        """
        steps = np.asarray(steps)
        sizes = np.array([size for _, size, _ in self.layout])
        if steps.ndim != 2 or steps.shape[1] != len(sizes) or not len(steps):
            raise CodecError(f"expected steps of shape (1 or more, {len(sizes)}), got {steps.shape}")
        if (steps < 0).any() or (steps >= sizes).any() or (steps[:, 0] != steps[0, 0]).any():
            raise CodecError("expected steps inside the vocabulary: were they made by another style?")
        meter = self.vocabulary.meters[int(steps[0, 0])]
        parts = (track_of(steps, part, self.vocabulary) for part in range(len(self.vocabulary.parts)))
        tracks = tuple(track for track in parts if len(track.notes) or not self.vocabulary.loose)
        tempos = TempoMap.constant(self.vocabulary.tempo)
        return Score(TICKS_PER_QUARTER, tracks, tempos, (Meter.parse(meter),))

    # -- what training asks -----------------------------------------------------------------------

    def paid(self, steps: Steps) -> NDArray[np.bool_]:
        """Which fields of the steps are a choice, shape (steps, 3 + columns)."""
        paid = np.ones(steps.shape, bool)
        paid[:, [column for column, (_, _, given) in enumerate(self.layout) if given]] = False
        for at, field in enumerate(self.vocabulary.fields):
            if field.event >= 0:
                paid[:, GIVEN + at] = steps[:, GIVEN + field.event] >= field.strikes
        return paid

    def follows(self, column: int, before: Steps | None) -> NDArray[np.bool_]:
        """Which words of a column may come after the rows (N, F) of the step before; None at the start of windows.

        Nothing can be held where nothing sounds.

        Returns:
            Shape (N, words), or (1, words) at the start.
        """
        field, size = self.vocabulary.fields[column - GIVEN], self.layout[column][1]
        fits = np.ones((1 if before is None else len(before), size), bool)
        if field.event < 0 and field.key < 0:
            fits[:, HELD] = False if before is None else before[:, column] != SILENT
        return fits

    def speaks(self, column: int, rows: Steps) -> NDArray[np.bool_]:
        """In which of the rows (N, F) of a step being told a column has something to say, shape (N,)."""
        field = self.vocabulary.fields[column - GIVEN]
        if field.event < 0:
            return np.ones(len(rows), bool)
        return np.asarray(rows[:, GIVEN + field.event] >= field.strikes)

    def drum_of(self, keys: NDArray[Any]) -> NDArray[np.int64]:
        """Which of the vocabulary's drums each drum key 0..127 sounds as."""
        return np.asarray(class_of(self.vocabulary.drum_keys)[keys])

    def at_tempo(self, steps: Steps, score: Score) -> Steps:
        """Windows (..., F) in the tempo of a score, which is heard with what else is; as they are if nothing can be."""
        told = steps.copy()
        if self.vocabulary.hears:
            told[..., -1] = tempo_word(score.tempos.mean(score.end))
        return told

    def heard(self, steps: Steps, what: str, **more: Any) -> Steps:
        """Windows (..., F) of which something of HEARINGS is heard; see `hearing.heard`. As they are if nothing can."""
        return heard(steps, self.vocabulary, what, **more) if self.vocabulary.hears else steps

    def measures(self, steps: Steps) -> dict[str, NDArray[np.float64]]:
        """What can be measured of windows (N, T, F) of one metre; see `measured`."""
        return measured(steps, self.vocabulary)

    def allowed(self, classes: Iterable[int] | None = None, low: int = 0, high: int = 127) -> NDArray[np.bool_]:
        """Which words of all columns some pitch classes and a range leave, shape (words of all columns,).

        Raises:
            CodecError: if they leave a line no pitch.
        """
        rows = [np.ones(size, bool) for _, size, _ in self.layout]
        pitch = np.arange(self.vocabulary.low, self.vocabulary.high + 1)
        fits = (pitch >= low) & (pitch <= high)
        if classes is not None:
            fits &= np.isin(pitch % 12, sorted(classes))
        for at, field in enumerate(self.vocabulary.fields):
            if field.event < 0 and field.key < 0:
                if not fits.any():
                    raise CodecError(f"expected a range and a key with pitches of {pitch[0]}..{pitch[-1]}, got none")
                rows[GIVEN + at][STRUCK:] = fits
        return np.concatenate(rows)

    @property
    def events(self) -> list[int]:
        """The columns that say what is struck or held, and not how it is played."""
        return [GIVEN + at for at, field in enumerate(self.vocabulary.fields) if field.event < 0]

    def num_notes(self, steps: Steps) -> int:
        """How many notes start in the steps."""
        return int(sum((steps[:, at] >= self.vocabulary.fields[at - GIVEN].strikes).sum() for at in self.events))

    def augment(self, steps: Steps, rng: np.random.Generator) -> Steps:
        """The same window in another key: all lines higher or lower by up to a tritone, inside their range.

        Every other window is told its chords, as they are heard in it, where windows can be told any. Of a window that
        can be heard, something else is.
        """
        if self.vocabulary.hears:
            return overheard(steps, self.vocabulary, rng)
        steps = moved(steps, self.vocabulary, rng)
        if self.vocabulary.chords and rng.random() < HARMONISED:
            return self.with_chords(steps, harmony(steps, self.vocabulary))
        return steps

    def disguised(self, steps: Steps, rng: np.random.Generator) -> Steps:
        """What is heard of a window that is told its chords; see `moving.disguised`."""
        told = self.vocabulary.chords and steps[:, -1].any()
        return disguised(steps, self.vocabulary, rng) if told else steps

    def with_chords(self, steps: Steps, chords: NDArray[Any]) -> Steps:
        """Windows (..., T, F) that are told chords, words of TRIADS of shape (..., bars), 0 saying nothing."""
        told = steps.copy()
        told[..., -1] = np.take_along_axis(np.asarray(chords), steps[..., 1], -1)
        return told

    def harmony(self, steps: Steps) -> NDArray[np.int64]:
        """The chord that is heard in each bar of a window, as words of TRIADS, shape (bars,)."""
        return harmony(steps, self.vocabulary)

    def in_chords(self, steps: Steps, chords: NDArray[Any]) -> float:
        """Share of what sounds on the beats of a window that is of its bar's chord; NaN where nothing can be said."""
        return in_chords(steps, chords, self.vocabulary)

    def to_json(self) -> dict[str, Any]:
        """The codec as plain values."""
        return {"name": self.name, "vocabulary": self.vocabulary.to_json(), "asked": self.asked}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> BarsCodec:
        """The codec that `to_json` wrote.

        Raises:
            StyleError: if the description is damaged or of a newer version.
        """
        asked = values.get("asked", {})
        if not isinstance(values.get("vocabulary"), dict) or not isinstance(asked, dict):
            raise StyleError("the style has no vocabulary: fetch or train the style again")
        return cls(Vocabulary.from_json(values["vocabulary"]), {str(part): str(name) for part, name in asked.items()})

    def played(self, tempo: float | None = None, programs: tuple[int, ...] = ()) -> BarsCodec:
        """The same codec with another tempo, in quarters per minute, or other instruments of its lines, in order."""
        own = list(self.vocabulary.programs)
        for part, program in zip(self.vocabulary.lines, programs, strict=False):
            own[part] = program
        vocabulary = replace(self.vocabulary, tempo=tempo or self.vocabulary.tempo, programs=tuple(own))
        return BarsCodec(vocabulary, self.asked)


__all__ = ["TIMING", "VELOCITIES", "BarsCodec"]
