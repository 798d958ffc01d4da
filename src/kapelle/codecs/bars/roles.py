"""Which track of a score plays which part: by a stated rule, or as the user says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from ...errors import CodecError
from ...music import Notes, Score, Track, together
from .vocabulary import titles

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

FAMILIES = {
    "guitar": (*range(24, 32), *range(104, 112)),
    "keys": (*range(24), *range(96, 104)),
    "strings": (*range(40, 56), *range(88, 96)),
    "winds": range(56, 88),
}
"""General MIDI programs of parts that are found by their instruments: what is plucked; what has keys, and effects; what
is bowed or sung, and pads; what is blown, and synthesizers that lead."""

Asked = Mapping[str, str]
"""Part -> the track that is to play it: its name or a piece of it, or its number from 1 on."""


def alone(notes: Notes) -> float:
    """The share of notes that start after those before have ended, or nearly so."""
    if len(notes) < 2:
        return 1.0
    held = np.maximum.accumulate(notes.end)[:-1] - notes.onset[1:]
    return 1 - float((held > notes.duration[1:] // 4).mean())


def assign(score: Score, parts: Sequence[str], asked: Asked | None = None, loose: bool = False) -> list[Track]:
    """The track of each part.

    The rule: drums are all drum tracks together. What is called just as a part's track is called by the codec is that
    part. Else the bass is a track called so, else one with a bass program, else the deepest line below E3. A lead is a
    track called melody, lead, vocals or the like; else, of the lines with a quarter of the notes of the busiest, the
    highest; only where no track is a line, the top notes of the highest track. Several leads are the next ones by that
    rule. Parts of FAMILIES are the busiest tracks of that family.

    Args:
        score: any score.
        parts: names of the parts, such as ("lead", "bass", "drums").
        asked: what the user says goes before the rule.
        loose: whether parts may be missing, all but one: an empty track plays them then.

    Raises:
        CodecError: if there is nobody to play a part.
    """
    pitched = [track for track in score.tracks if len(track.notes) and not track.is_drum]
    found: dict[int, Track] = {}
    for part, wanted in (asked or {}).items():
        if part in parts:
            found[parts.index(part)] = _named(score, part, wanted)
    for number, title in enumerate(titles(parts)):
        own = [track for track in pitched if track.name == title]
        if number not in found and len(own) == 1:
            found[number] = own[0]
    taken = [id(track) for track in found.values()]
    for number in sorted(set(range(len(parts))) - set(found), key=lambda number: parts[number] != "bass"):
        # The bass is found first, so that it does not lead.
        track = _played(score, parts[number], [track for track in pitched if id(track) not in taken])
        if track is not None:
            taken.append(id(track))
            found[number] = track
        elif not loose:
            raise CodecError(f"no track for {'the ' if parts[number] != 'drums' else ''}{parts[number]}")
    if not found:
        raise CodecError(f"no track for any of {', '.join(dict.fromkeys(parts))}")
    return [found.get(number, Track(Notes.of(()))) for number in range(len(parts))]


def _played(score: Score, part: str, rest: Sequence[Track]) -> Track | None:
    """Who plays a part, of those who are left; None if nobody does."""
    if part == "drums":
        return _drums(score)
    if part in FAMILIES:
        own = [track for track in rest if track.program in FAMILIES[part]]
        return max(own, key=lambda track: len(track.notes), default=None)
    return _bass(rest) if part == "bass" else _lead(rest)


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
