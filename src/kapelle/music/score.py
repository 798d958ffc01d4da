"""The score: what Kapelle learns from, composes, draws and writes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .key import Key
from .meter import Meter, bar_starts
from .notes import MAX_TICK, MAX_UNIT, IntArray, Notes, Spans, check_int, checked_ints


@dataclass(frozen=True, eq=False, slots=True)
class TempoMap:
    """Tempo over time.

    Attributes:
        onset: ticks, ascending, the first 0, shape (N,), N >= 1.
        quarters_per_minute: > 0, from that tick on, shape (N,).
    """

    onset: IntArray
    quarters_per_minute: NDArray[np.float64]

    def __post_init__(self) -> None:
        onset = checked_ints(self.onset, "tempo onset", 0, MAX_TICK)
        rate = np.array(self.quarters_per_minute, dtype=np.float64)
        if not len(onset) or onset.shape != rate.shape:
            raise ValueError(
                f"a tempo map needs as many onsets as tempos, at least one, got shapes {onset.shape} and {rate.shape}"
            )
        if onset[0] or (onset[1:] <= onset[:-1]).any():
            raise ValueError(f"tempo onsets must start at 0 and ascend, got {onset}")
        # A comparison with NaN is false.
        if not (rate.min() > 0 and rate.max() < np.inf):
            raise ValueError(f"tempos must be above 0 and finite, got {rate[~((rate > 0) & (rate < np.inf))][0]}")
        onset.flags.writeable = rate.flags.writeable = False
        object.__setattr__(self, "onset", onset)
        object.__setattr__(self, "quarters_per_minute", rate)

    @classmethod
    @lru_cache(256)
    def constant(cls, quarters_per_minute: float) -> TempoMap:
        """One tempo throughout."""
        return cls(np.zeros(1, np.int64), np.array([quarters_per_minute]))

    def seconds(self, ticks: NDArray[Any] | int, ticks_per_quarter: int) -> NDArray[np.float64]:
        """The time in seconds of ticks of any shape.

        >>> TempoMap([0, 24], [60, 120]).seconds(48, ticks_per_quarter=24)
        array(1.5)
        """
        rate = 60.0 / (self.quarters_per_minute * ticks_per_quarter)
        passed = np.concatenate(([0.0], np.cumsum(np.diff(self.onset) * rate[:-1])))
        at = np.searchsorted(self.onset, ticks, side="right") - 1
        return np.asarray(passed[at] + (ticks - self.onset[at]) * rate[at])

    def mean(self, until: int) -> float:
        """Quarters per minute of the whole stretch [0, until): total quarters over total time."""
        if until <= 0:
            return float(self.quarters_per_minute[0])
        if len(self.onset) == 1:
            return until / (until / self.quarters_per_minute.item())
        reached = np.append(np.minimum(self.onset, until), until)
        return until / float(((reached[1:] - reached[:-1]) / self.quarters_per_minute).sum())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TempoMap):
            return NotImplemented
        return np.array_equal(self.onset, other.onset) and np.array_equal(
            self.quarters_per_minute, other.quarters_per_minute
        )

    def __hash__(self) -> int:
        return hash((self.onset.tobytes(), self.quarters_per_minute.tobytes()))


@dataclass(frozen=True, slots=True)
class Track:
    """One part: an instrument and what it plays.

    Attributes:
        notes: its notes.
        program: General MIDI program 0..127; 0 = piano. Without meaning in a drum track.
        is_drum: whether pitches are General MIDI drum keys.
        name: as shown to people; may be empty.
        pedal: where the sustain pedal is down.
    """

    notes: Notes
    program: int = 0
    is_drum: bool = False
    name: str = ""
    pedal: Spans = field(default_factory=Spans.none)

    def __post_init__(self) -> None:
        check_int(self.program, "track program", 0, 127)

    def replace(self, **changes: Any) -> Track:
        """The same track with some attributes exchanged."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class Score:
    """A piece of music.

    Attributes:
        ticks_per_quarter: the unit of every time in it, 1..2**22.
        tracks: its parts.
        tempos: tempo over time.
        meters: time signatures, in order, the first at 0.
        keys: key signatures, in order; none if not known.
        pickup: ticks of an incomplete first bar, 0 for none, less than a bar of the first metre.
        title: may be empty.
        fermatas: onsets of notes that are held beyond their time, ascending, as at the ends of a chorale's lines.

    >>> score = Score(24, (Track(Notes.of([(0, 24, 60, 80)])),))
    >>> score.end, score.bars().tolist()
    (24, [0, 96])
    """

    ticks_per_quarter: int
    tracks: tuple[Track, ...] = ()
    tempos: TempoMap = field(default_factory=lambda: TempoMap.constant(120.0))
    meters: tuple[Meter, ...] = (Meter(),)
    keys: tuple[Key, ...] = ()
    pickup: int = 0
    title: str = ""
    fermatas: tuple[int, ...] = ()
    _end: int = field(default=-1, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_int(self.ticks_per_quarter, "ticks_per_quarter", 1, MAX_UNIT)
        for name in ("tracks", "meters", "keys", "fermatas"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if not self.meters or self.meters[0].onset != 0:
            raise ValueError(f"a score needs a metre at tick 0, got {[meter.onset for meter in self.meters]}")
        signs = (("metres", [meter.onset for meter in self.meters]), ("keys", [key.onset for key in self.keys]))
        for name, onsets in signs:
            if any(a >= b for a, b in itertools.pairwise(onsets)):
                raise ValueError(f"{name} must be in order of onset, got {onsets}")
        for onset in self.fermatas:
            check_int(onset, "fermata", 0, MAX_TICK)
        if any(a >= b for a, b in itertools.pairwise(self.fermatas)):
            raise ValueError(f"fermatas must be in order of onset, got {list(self.fermatas)}")
        check_int(self.pickup, "pickup", 0, MAX_TICK)
        if self.pickup >= self.meters[0].bar_length(self.ticks_per_quarter):
            raise ValueError(f"a pickup must be shorter than the first bar, got {self.pickup} ticks")

    @property
    def end(self) -> int:
        """Ticks at which the last note stops; 0 without notes."""
        if self._end < 0:
            # Everybody asks for it, often more than once.
            end = max((int(track.notes.end.max()) for track in self.tracks if len(track.notes)), default=0)
            object.__setattr__(self, "_end", end)
        return self._end

    @property
    def num_notes(self) -> int:
        """Notes in all tracks."""
        return sum(len(track.notes) for track in self.tracks)

    @property
    def seconds(self) -> float:
        """Playing time up to the end of the last note."""
        return float(self.tempos.seconds(self.end, self.ticks_per_quarter))

    def bars(self) -> IntArray:
        """Where bars start, and where the last one stops, shape (bars + 1,); they cover every note.

        A pickup is the first bar. At least one bar is given.
        """
        return bar_starts(self.meters, self.pickup, self.ticks_per_quarter, self.end)

    def meter_at(self, tick: int) -> Meter:
        """The metre in force at a tick."""
        return [meter for meter in self.meters if meter.onset <= tick][-1]

    def replace(self, **changes: Any) -> Score:
        """The same score with some attributes exchanged."""
        return replace(self, **changes)
