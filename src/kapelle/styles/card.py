"""What a style knows about itself besides how to compose: where it comes from, how good it is, its habits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ..errors import StyleError
from ..evaluation import longest_silence, looped_bars
from ..music import Score, Track


def places(score: Score) -> list[str]:
    """For each track its instrument and which of the tracks with it it is, such as "52/0" or "drums/0"."""
    seen: Counter[str] = Counter()
    names = []
    for track in score.tracks:
        instrument = "drums" if track.is_drum else str(track.program)
        names.append(f"{instrument}/{seen[instrument]}")
        seen[instrument] += 1
    return names


@dataclass(frozen=True)
class Habits:
    """Bounds that the pieces a style was learnt from keep, measured, not learnt.

    Attributes:
        notes_per_bar: median over the pieces.
        bars: median.
        loop_share: share of bars that are exact repetition after the second time; 98 % of the pieces have less.
        silence_bars: longest silence in bars; 98 % of the pieces have less.
        monophonic: whether each pitched track plays one note at a time, in 98 % of the pieces.
        names: of tracks that most pieces call alike: "52/0" for the first with program 52, "drums/0".
    """

    notes_per_bar: float = 8.0
    bars: int = 16
    loop_share: float = 0.2
    silence_bars: float = 1.0
    monophonic: bool = False
    names: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, scores: Iterable[Score]) -> Habits:
        """The habits of scores; with none of them, the defaults."""
        rows = []
        called: dict[str, Counter[str]] = {}
        for score in scores:
            for place, track in zip(places(score), score.tracks, strict=True):
                called.setdefault(place, Counter())[track.name] += 1
            bars = len(score.bars()) - 1
            alone = all(_is_monophonic(track) for track in score.tracks if not track.is_drum)
            rows.append((score.num_notes / bars, bars, looped_bars(score) / bars, longest_silence(score).bars, alone))
        if not rows:
            return cls()
        table = np.array(rows)
        high = np.quantile(table, 0.98, axis=0)
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
            names=names,
        )


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
    for name in ("attribution", "remarks"):
        known[name] = tuple(map(str, known.get(name, ())))
    known["curve"] = tuple(tuple(map(float, row)) for row in known.get("curve", ()))
    return Card(**known)


def habits_from_json(values: Any) -> Habits:
    """The habits that `to_json` wrote."""
    known = _known(Habits, values, "habits")
    known["names"] = {str(place): str(name) for place, name in known.get("names", {}).items()}
    return Habits(**known)


def _known(kind: type[Any], values: Any, what: str) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise StyleError(f"the style's {what} is damaged: fetch or train the style again")
    defaults = asdict(kind())
    for name, value in values.items():
        default = defaults.get(name)
        plain = (
            list if isinstance(default, tuple) else (int, float) if isinstance(default, (int, float)) else type(default)
        )
        if name in defaults and not isinstance(value, plain):
            raise StyleError(f"the style's {what} is damaged at '{name}': fetch or train the style again")
    return {name: value for name, value in values.items() if name in defaults}
