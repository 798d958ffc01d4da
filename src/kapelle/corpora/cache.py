"""Corpora that take long to parse, kept as arrays in the user's cache folder."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FileError
from ..files import write_atomically
from ..music import Key, Meter, Notes, Score, TempoMap, Track
from .corpus import Piece

Parsed = tuple[tuple[Piece, ...], tuple[tuple[str, str], ...]]


def cached(key: str, parse: Callable[[], Parsed], cache: Path | None = None) -> Parsed:
    """What `parse` gives, parsed once for each key.

    The key must name everything the result depends on. A damaged cache is made anew; where none can be
    written, the result is given without one.

    Args:
        key: becomes the file's name.
        parse: gives pieces without groups or pedal, and what was left out.
        cache: the folder; the user's own cache folder without it.
    """
    if cache is None:
        import platformdirs

        cache = platformdirs.user_cache_path("kapelle", appauthor=False)
    path = cache / f"{key}.npz"
    try:
        return _load(path)
    except (OSError, ValueError, KeyError, TypeError, IndexError, EOFError, zipfile.BadZipFile):
        parsed = parse()
    # A home that cannot be written only costs the time of parsing again.
    with contextlib.suppress(OSError, FileError):
        _save(path, parsed)
    return parsed


def _save(path: Path, parsed: Parsed) -> None:
    pieces, skipped = parsed
    tracks = [track for piece in pieces for track in piece.score.tracks]
    columns = {
        name: _joined([getattr(track.notes, name) for track in tracks])
        for name in ("onset", "duration", "pitch", "velocity")
    }
    text = json.dumps({"pieces": [_describe(piece) for piece in pieces], "skipped": skipped})
    buffer = io.BytesIO()
    np.savez_compressed(buffer, text=np.frombuffer(text.encode(), np.uint8), **columns)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, buffer.getvalue(), force=True)


def _load(path: Path) -> Parsed:
    # From memory: numpy leaves a file open whose archive is damaged.
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
        described = json.loads(file["text"].tobytes().decode())
        columns = [file[name].astype(np.int64) for name in ("onset", "duration", "pitch", "velocity")]
    at = 0
    pieces = []
    for row in described["pieces"]:
        tracks = []
        for count, program, is_drum, name in row["tracks"]:
            notes = Notes(*(column[at : at + count] for column in columns))
            tracks.append(Track(notes, program, is_drum, name))
            at += count
        score = Score(
            row["ticks_per_quarter"],
            tuple(tracks),
            TempoMap(np.array(row["tempos"][0], np.int64), np.array(row["tempos"][1])),
            tuple(Meter(*meter) for meter in row["meters"]),
            tuple(Key(*key) for key in row["keys"]),
            row["pickup"],
            row["title"],
            tuple(row["fermatas"]),
        )
        pieces.append(Piece(score, row["name"], row["source"]))
    if at != len(columns[0]):
        raise ValueError("the cache holds other notes than it says")
    return tuple(pieces), tuple((name, reason) for name, reason in described["skipped"])


def _describe(piece: Piece) -> dict[str, Any]:
    score = piece.score
    return {
        "name": piece.name,
        "source": piece.source,
        "title": score.title,
        "ticks_per_quarter": score.ticks_per_quarter,
        "tracks": [(len(track.notes), track.program, track.is_drum, track.name) for track in score.tracks],
        "tempos": (score.tempos.onset.tolist(), score.tempos.quarters_per_minute.tolist()),
        "meters": [(meter.onset, meter.numerator, meter.denominator) for meter in score.meters],
        "keys": [(key.onset, key.tonic, key.mode) for key in score.keys],
        "pickup": score.pickup,
        "fermatas": score.fermatas,
    }


def _joined(columns: Sequence[Any]) -> Any:
    return np.concatenate(columns) if columns else np.empty(0, np.int64)
