"""What a style knows about itself besides how to compose: where it comes from, how good it is, its habits."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ..errors import StyleError
from ..evaluation import facts, longest_silence, looped_bars
from ..music import Key, Score, Track, with_detected_key


def places(score: Score) -> list[str]:
    """For each track its instrument and which of the tracks with it it is, such as "52/0" or "drums/0"."""
    seen: Counter[str] = Counter()
    names = []
    for track in score.tracks:
        instrument = "drums" if track.is_drum else str(track.program)
        names.append(f"{instrument}/{seen[instrument]}")
        seen[instrument] += 1
    return names


LINEUPS = 100
"""So many line-ups a style remembers."""


def lineup_of(score: Score) -> tuple[int, ...]:
    """The programs of the tracks that play, ascending; 128 for drums."""
    return tuple(sorted(128 if track.is_drum else track.program for track in score.tracks if len(track.notes)))


@dataclass(frozen=True)
class Habits:
    """Bounds that the pieces a style was learnt from keep, measured, not learnt.

    Attributes:
        notes_per_bar: median over the pieces.
        bars: median.
        loop_share: share of bars that are exact repetition after the second time; 98 % of the pieces have less.
        silence_bars: longest silence in bars; 98 % of the pieces have less.
        monophonic: whether each pitched track plays one note at a time, in 98 % of the pieces.
        ends_on_tonic: whether most of the pieces end on the tonic or its triad.
        names: of tracks that most pieces call alike: "52/0" for the first with program 52, "drums/0".
        keys: how many of the pieces are in each key, by its name.
        polyphony: pitched notes that sound at once, at most; 98 % of the pieces have no more. 0 if not known.
        low, high: lowest and highest pitch of all pieces, MIDI numbers.
        lineups: how many of the pieces are for these instruments, by the programs of their tracks, 128 for drums,
            as in "30 30 33 128"; the most common ones, and none if not known.
    """

    notes_per_bar: float = 8.0
    bars: int = 16
    loop_share: float = 0.2
    silence_bars: float = 1.0
    monophonic: bool = False
    ends_on_tonic: bool = False
    names: dict[str, str] = field(default_factory=dict)
    keys: dict[str, int] = field(default_factory=dict)
    polyphony: int = 0
    low: int = 0
    high: int = 127
    lineups: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, scores: Iterable[Score]) -> Habits:
        """The habits of scores; with none of them, the defaults."""
        rows = []
        called: dict[str, Counter[str]] = {}
        keys: Counter[str] = Counter()
        lineups: Counter[str] = Counter()
        pitches = np.zeros(128, np.int64)
        for score in scores:
            for place, track in zip(places(score), score.tracks, strict=True):
                called.setdefault(place, Counter())[track.name] += 1
            key = with_detected_key(score).keys
            for track in score.tracks:
                if not track.is_drum:
                    pitches += np.bincount(track.notes.pitch, minlength=128)
            keys.update(sign.name for sign in key)
            lineups[" ".join(map(str, lineup_of(score)))] += 1
            tonic = bool(key) and closes_on(score, key[0].tonic)
            bars = len(score.bars()) - 1
            alone = all(_is_monophonic(track) for track in score.tracks if not track.is_drum)
            loop, silence = looped_bars(score) / bars, longest_silence(score).bars
            rows.append((score.num_notes / bars, bars, loop, silence, alone, tonic, facts(score).max_polyphony))
        if not rows:
            return cls()
        table = np.array(rows)
        high = np.quantile(table, 0.98, axis=0)
        heard = np.flatnonzero(pitches) if pitches.any() else np.array([0, 127])
        names = {}
        for place, counts in called.items():
            name, times = counts.most_common(1)[0]
            if name and times > 0.6 * counts.total():
                names[place] = name
        return cls(
            notes_per_bar=float(np.median(table[:, 0])),
            bars=int(np.median(table[:, 1])),
            loop_share=float(high[2]),
            silence_bars=float(high[3]),
            monophonic=bool(table[:, 4].mean() >= 0.98),
            ends_on_tonic=bool(table[:, 5].mean() > 0.5),
            names=names,
            keys=dict(keys.most_common()),
            polyphony=int(high[6]),
            low=int(heard[0]),
            high=int(heard[-1]),
            lineups=dict(lineups.most_common(LINEUPS)),
        )

    def draw_lineup(self, rng: np.random.Generator, pitched: int = 0) -> tuple[int, ...] | None:
        """The programs of a band, drawn as often as pieces have it; None where any instruments may come.

        Args:
            rng: where chance comes from.
            pitched: so many tracks without drums are wished, 0 for any number; the bands that come nearest count.
        """
        bands = {tuple(map(int, lineup.split())): times for lineup, times in self.lineups.items()}
        if pitched:
            off = {band: abs(sum(program < 128 for program in band) - pitched) for band in bands}
            bands = {band: times for band, times in bands.items() if off[band] == min(off.values())}
        if len(bands) < 2:
            return next(iter(bands), None)
        times = np.array(list(bands.values()))
        return list(bands)[rng.choice(len(times), p=times / times.sum())]

    def draw_key(self, rng: np.random.Generator) -> Key | None:
        """A key, drawn as often as pieces are in it; None where they say none."""
        if not self.keys:
            return None
        times = np.array(list(self.keys.values()))
        return Key.parse(list(self.keys)[rng.choice(len(times), p=times / times.sum())])

    def shift_to(self, key: Key | None) -> int:
        """Semitones, -6..5, from a key that the pieces are often in to the wished one; the fewer the better.

        A style knows every key from transposed pieces, and knows by the shift in which register that is.
        """
        if key is None:
            return 0
        shifts = sorted(range(-6, 6), key=abs)
        return max(shifts, key=lambda shift: self.keys.get(key.transpose(-shift).name, 0) * 0.8 ** abs(shift))


def closes_on(score: Score, tonic: int) -> bool:
    """Whether the lowest of the pitched notes that sound to the end is the tonic and the others are of its triads."""
    pitched = [track.notes for track in score.tracks if not track.is_drum and len(track.notes)]
    if not pitched:
        return False
    last = max(int(notes.onset.max()) for notes in pitched)
    pitch = np.concatenate([notes.pitch[notes.end > last] for notes in pitched])
    return int(pitch.min()) % 12 == tonic and bool(np.isin((pitch - tonic) % 12, (0, 3, 4, 7)).all())


def _is_monophonic(track: Track) -> bool:
    """Whether no two notes of a track sound at once, but for an overlap of a hair."""
    notes = track.notes
    held = notes.end[:-1] - notes.onset[1:]
    return not len(held) or bool((held <= notes.duration[:-1] // 8).all())


@dataclass(frozen=True)
class Card:
    """Where a style comes from and how good it is.

    Attributes:
        title: for people.
        licence: of the weights, or what is known of it.
        attribution: lines that credit the sources.
        pieces: learnt from, without held-out ones.
        notes: learnt from.
        corpus: hash of the corpus.
        network: name of the network's configuration.
        parameters: weights in the network.
        command: that made it.
        seconds: of training.
        seed: of split and training.
        figures: by name, such as "valid nats per note".
        curve: one row a look: epoch, seconds, train and valid nats per note.
        remarks: what people should know.
    """

    title: str = ""
    licence: str = ""
    attribution: tuple[str, ...] = ()
    pieces: int = 0
    notes: int = 0
    corpus: str = ""
    network: str = ""
    parameters: int = 0
    command: str = ""
    seconds: float = 0.0
    seed: int = 0
    figures: dict[str, float] = field(default_factory=dict)
    curve: tuple[tuple[float, float, float, float], ...] = ()
    remarks: tuple[str, ...] = ()


def to_json(value: Card | Habits) -> dict[str, Any]:
    """Plain values."""
    return asdict(value)


def card_from_json(values: Any) -> Card:
    """The card that `to_json` wrote; what this version does not know is left out.

    Raises:
        StyleError: if it is no card.
    """
    known = _known(Card, values, "card")
    with _damage("card"):
        for name in ("attribution", "remarks"):
            known[name] = tuple(map(str, known.get(name, ())))
        known["figures"] = {str(name): float(value) for name, value in known.get("figures", {}).items()}
        known["curve"] = tuple(
            (float(epoch), float(_finite(seconds)), float(train), float(valid))
            for epoch, seconds, train, valid in known.get("curve", ())
        )
        return Card(**known)


def habits_from_json(values: Any) -> Habits:
    """The habits that `to_json` wrote."""
    known = _known(Habits, values, "habits")
    with _damage("habits"):
        known["names"] = {str(place): str(name) for place, name in known.get("names", {}).items()}
        for name in ("keys", "lineups"):
            known[name] = {str(what): int(_finite(count)) for what, count in known.get(name, {}).items()}
        for lineup, count in known["lineups"].items():
            if count < 1 or not all(0 <= int(program) <= 128 for program in lineup.split()):
                raise ValueError("no line-up")
    habits = Habits(**known)
    if habits.notes_per_bar <= 0 or habits.bars < 1 or not 0 <= habits.low <= habits.high <= 127:
        raise StyleError("the style's habits are damaged: fetch or train the style again")
    return habits


def _known(kind: type[Any], values: Any, what: str) -> dict[str, Any]:
    """The values whose names `kind` knows, each of the type it has there, and finite."""
    if not isinstance(values, dict):
        raise StyleError(f"the style's {what} is damaged: fetch or train the style again")
    known = {}
    for name, default in asdict(kind()).items():
        if name not in values:
            continue
        value, plain = values[name], list if isinstance(default, tuple) else type(default)
        with _damage(f"{what} at '{name}'"):
            if isinstance(value, (int, float)) and isinstance(default, (int, float)):
                value = type(default)(_finite(value))
            elif not isinstance(value, plain):
                raise TypeError(f"expected {plain.__name__}")
        known[name] = value
    return known


def _finite(value: Any) -> Any:
    if not math.isfinite(value):
        raise ValueError("expected a finite number")
    return value


@contextmanager
def _damage(where: str) -> Iterator[None]:
    """What cannot be understood inside becomes the user's error."""
    try:
        yield
    except (TypeError, ValueError, OverflowError):
        raise StyleError(f"the style's {where} is damaged: fetch or train the style again") from None
