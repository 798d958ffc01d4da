"""Which track of a score plays which part: by a stated rule, or as the user says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from ...errors import CodecError
from ...music import Notes, Score, Track, together

LEAD_NAMES = re.compile(r"melod|lead|vocal|vox|voice|sing|gesang|canto|cantus|sopran|tune", re.IGNORECASE)
BASS_NAMES = re.compile(r"\bbass|bajo|basso|kontrab|contrab", re.IGNORECASE)
BASSES = range(32, 40)
"""General MIDI's basses."""
ALONE = 0.7
"""A track is a line where so large a share of its notes starts after those before have ended."""
BUSY = 0.25
"""Of the lines that might lead, those with fewer notes than so large a share of the busiest are only fills."""
DEEP = 52
"""A line whose mean pitch is below this may be a bass, whatever its program says."""

Asked = Mapping[str, str]
"""Part -> the track that is to play it: its name or a piece of it, or its number from 1 on."""


def alone(notes: Notes) -> float:
    """The share of notes that start after those before have ended, or nearly so."""
    if len(notes) < 2:
        return 1.0
    held = np.maximum.accumulate(notes.end)[:-1] - notes.onset[1:]
    return 1 - float((held > notes.duration[1:] // 4).mean())


def assign(score: Score, parts: Sequence[str], asked: Asked | None = None) -> list[Track]:
    """The track of each part.

    The rule: drums are all drum tracks together. The bass is a track called so, else one with a bass program, else
    the deepest line below E3. A lead is a track called melody, lead, vocals or the like; else, of the lines with a
    quarter of the notes of the busiest, the highest; only where no track is a line, the top notes of the highest
    track. Several leads are the next ones by that rule.

    Args:
        score: any score.
        parts: names of the parts, such as ("lead", "bass", "drums").
        asked: what the user says goes before the rule.

    Raises:
        CodecError: if there is nobody to play a part.
    """
    pitched = [track for track in score.tracks if len(track.notes) and not track.is_drum]
    found: dict[int, Track] = {}
    for part, wanted in (asked or {}).items():
        if part in parts:
            found[parts.index(part)] = _named(score, part, wanted)
    taken = [id(track) for track in found.values()]
    for number in sorted(set(range(len(parts))) - set(found), key=lambda number: parts[number] != "bass"):
        # The bass is found first, so that it does not lead.
        rest = [track for track in pitched if id(track) not in taken]
        name = parts[number]
        track = _drums(score) if name == "drums" else _bass(rest) if name == "bass" else _lead(rest)
        if track is None:
            raise CodecError(f"no track for {'the ' if name != 'drums' else ''}{name}")
        taken.append(id(track))
        found[number] = track
    return [found[number] for number in range(len(parts))]


def _named(score: Score, part: str, wanted: str) -> Track:
    tracks = score.tracks
    if wanted.isdigit() and 1 <= int(wanted) <= len(tracks):
        return tracks[int(wanted) - 1]
    for track in tracks:
        if wanted.lower() in track.name.lower() and len(track.notes):
            return track
    raise CodecError(f"no track '{wanted}' for the {part}")


def _drums(score: Score) -> Track | None:
    drums = [track for track in score.tracks if track.is_drum and len(track.notes)]
    if len(drums) < 2:
        return drums[0] if drums else None
    return drums[0].replace(notes=together([track.notes for track in drums]))


def _bass(tracks: Sequence[Track]) -> Track | None:
    named = [track for track in tracks if BASS_NAMES.search(track.name)]
    programs = [track for track in tracks if track.program in BASSES]
    deep = [track for track in tracks if _height(track) < DEEP and alone(track.notes) >= ALONE]
    for candidates in (named, programs, deep):
        if candidates:
            return min(candidates, key=_height)
    return None


def _lead(tracks: Sequence[Track]) -> Track | None:
    named = [track for track in tracks if LEAD_NAMES.search(track.name)]
    if named:
        return max(named, key=lambda track: (alone(track.notes) >= ALONE, len(track.notes)))
    others = [track for track in tracks if track.program not in BASSES and not BASS_NAMES.search(track.name)] or tracks
    lines = [track for track in others if alone(track.notes) >= ALONE]
    if lines:
        busiest = max(len(track.notes) for track in lines)
        return max((track for track in lines if len(track.notes) >= BUSY * busiest), key=_height)
    return max(others, key=_height, default=None)


def _height(track: Track) -> float:
    return float(track.notes.pitch.mean())
