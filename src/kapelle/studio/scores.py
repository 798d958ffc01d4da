"""Scores as plain values: what the page draws, what the takes are kept as, and what an edited one comes back as."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import FileError
from ..evaluation import facts
from ..music import Key, Meter, Notes, Score, TempoMap, Track
from ..music.instruments import name_of
from ..music.notes import Spans

MAX_NOTES = 200_000
MAX_QUARTERS = 40_000
MAX_TRACKS = 256
"""A day of Wagner has fewer; the studio draws and plays scores within these bounds only."""


def to_values(score: Score) -> dict[str, Any]:
    """A score as values that JSON can say; `from_values` gives it back equal.

    Notes are rows of onset, duration, pitch and velocity, in ticks. "bars", "seconds", "key" and the "instrument" of a
    track follow from the rest and are there for the page.

    >>> from_values(to_values(Score(24, (Track(Notes.of([(0, 24, 60, 80)])),)))).num_notes
    1

    Raises:
        FileError: if the score is beyond what the studio shows.
    """
    _check_size(score)
    return {
        "ticks_per_quarter": score.ticks_per_quarter,
        "title": score.title,
        "pickup": score.pickup,
        "tempos": [list(row) for row in zip(*(_plain(a) for a in _columns(score.tempos)), strict=True)],
        "meters": [[meter.onset, meter.numerator, meter.denominator] for meter in score.meters],
        "keys": [[key.onset, key.tonic, key.mode] for key in score.keys],
        "fermatas": list(score.fermatas),
        "tracks": [_track(track) for track in score.tracks],
        "bars": score.bars().tolist(),
        "seconds": score.seconds,
        "key": score.keys[0].name if score.keys else "",
    }


def from_values(values: Any) -> Score:
    """The score that the values say.

    Raises:
        FileError: if they say none, or one that is beyond what the studio shows.
    """
    try:
        tempos = np.array(values["tempos"], dtype=np.float64).reshape(-1, 2)
        score = Score(
            _whole(values["ticks_per_quarter"]),
            tuple(_track_of(track) for track in values["tracks"][: MAX_TRACKS + 1]),
            TempoMap(tempos[:, 0].astype(np.int64), tempos[:, 1]),
            tuple(Meter(_whole(onset), _whole(above), _whole(below)) for onset, above, below in values["meters"]),
            tuple(Key(_whole(onset), _whole(tonic), str(mode)) for onset, tonic, mode in values.get("keys", ())),
            _whole(values.get("pickup", 0)),
            str(values.get("title", ""))[:200],
            tuple(map(_whole, values.get("fermatas", ()))),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        what = f"no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
        raise FileError(f"expected a score as values, got something else: {what[:200]}") from None
    _check_size(score)
    return score


def made(score: Score) -> dict[str, Any]:
    """What a worker gives that has made a score: all that a take keeps of it."""
    return {"title": score.title, "score": to_values(score), "summary": summary(score)}


def summary(score: Score) -> dict[str, Any]:
    """What the list of takes tells of a score."""
    told = facts(score) if score.num_notes else None
    return {
        "bars": len(score.bars()) - 1 - (score.pickup > 0),
        "notes": score.num_notes,
        "seconds": round(score.seconds, 2),
        "key": score.keys[0].name if score.keys else "",
        "meter": score.meters[0].name,
        "tempo": told.tempo if told else 0,
        "tracks": [track["label"] for track in map(_track, score.tracks)],
    }


def _columns(tempos: TempoMap) -> tuple[Any, Any]:
    return tempos.onset, tempos.quarters_per_minute


def _plain(array: Any) -> list[Any]:
    return list(array.tolist())


def _track(track: Track) -> dict[str, Any]:
    instrument = "Drums" if track.is_drum else name_of(track.program)
    notes = track.notes
    columns = np.stack([notes.onset, notes.duration, notes.pitch, notes.velocity], axis=1)
    return {
        "name": track.name,
        "program": track.program,
        "is_drum": track.is_drum,
        "instrument": instrument,
        "label": track.name or instrument,
        "notes": columns.tolist(),
        "pedal": np.stack([track.pedal.onset, track.pedal.duration], axis=1).tolist(),
    }


def _track_of(values: Any) -> Track:
    rows = values["notes"]
    if len(rows) > MAX_NOTES:
        raise FileError(f"expected at most {MAX_NOTES} notes in a track, got {len(rows)}")
    pedal = np.array(values.get("pedal", ()), dtype=np.int64).reshape(-1, 2)
    return Track(
        Notes.of(rows),
        _whole(values.get("program", 0)),
        bool(values.get("is_drum", False)),
        str(values.get("name", ""))[:100],
        Spans.union(pedal[:, 0], pedal[:, 1]),
    )


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"expected a whole number, got {str(value)[:40]!r}")
    return value


def _check_size(score: Score) -> None:
    quarters = score.end / score.ticks_per_quarter
    for what, came, most in (
        ("notes", score.num_notes, MAX_NOTES),
        ("quarters", quarters, MAX_QUARTERS),
        ("tracks", len(score.tracks), MAX_TRACKS),
    ):
        if came > most:
            raise FileError(f"the studio takes music of at most {most:,} {what}, got {came:,.0f}; cut it into parts")
