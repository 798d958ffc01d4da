"""Standard MIDI files: what sounds in them, read whole whatever state they are in.

Decided here, where files leave it open:

- Types 0 and 1 give simultaneous tracks; the sequences of a type 2 file follow each other, each on a bar line.
- A track is what one chunk plays with one program on one channel; a change of program starts another track.
  Channel 10 is drums. Tracks without notes are left out.
- Two notes of one pitch at once in one track end in the order in which they started.
- A note of no length gets one tick. A note without an end gets one (see `midi_repair.mend`).
- A first metre that lasts one bar only and is shorter than the next is a pickup.
- Metres, keys and tempos that say nothing possible (0/4, eight sharps, 0 microseconds) are left out, as are
  those far beyond the last note; without any, 4/4 and 120 quarters a minute hold.
- Time in frames (SMPTE) becomes quarters at a constant tempo that take as long.
- Text that is not UTF-8 is read as Windows-1252, the commonest of the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import repeat
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError, KapelleError
from ..music import Key, Meter, Notes, Score, Spans, TempoMap, Track
from . import midi_repair
from .midi_write import encode, plain

__all__ = ["MAX_HOURS", "MAX_QUARTERS", "NAME", "SUFFIXES", "decode", "encode"]

NAME = "midi"
SUFFIXES = (".mid", ".midi", ".rmi", ".kar", ".smf")

MAX_HOURS = 6
MAX_QUARTERS = 360_000
"""Longer than any music, and short enough that grids of it fit in memory: six hours at 1,000 quarters a minute."""

# What notation and sequencer programs call the track that only holds the tempo; not a title.
_NO_TITLES = {"control track", "conductor", "conductor track", "tempo", "tempo track", "tempo map", "master track"}
_NO_TITLES |= {"untitled", "unnamed", "new song"}

Sign = TypeVar("Sign", Meter, Key)


def decode(data: bytes) -> Score:
    """The score that the bytes of a MIDI file hold.

    Damaged files give what came before the damage, if that is at least one note.

    Raises:
        FileError: if the bytes are no MIDI file, hold damage and no note, or notes for more than six hours.
        KapelleError: if the installed symusic is older than 0.6, which crashes on damaged files.
    """
    data = midi_repair.unwrap(data)
    plan = midi_repair.layout(data)
    unit, constant = _unit(plan.division)
    if plan.kind == 2 and len(plan.tracks) > 1:
        parts = [_sequence(data, replace(plan, kind=0, tracks=(track,)), unit) for track in plan.tracks]
        score = _one_after_the_other([part for part in parts if part.num_notes] or parts[:1])
    else:
        score = _with_pickup(_sequence(data, plan, unit))
    if constant:
        score = score.replace(tempos=TempoMap.constant(constant))
    # The slowest tempo throughout is a bound that costs next to nothing.
    longest = score.end * 60 / (unit * score.tempos.quarters_per_minute.min())
    if longest > MAX_HOURS * 3600 and score.seconds > MAX_HOURS * 3600:
        raise FileError(f"expected at most {MAX_HOURS} hours of music, got {score.seconds / 3600:,.0f}")
    return score


def _unit(division: int) -> tuple[int, float]:
    """Ticks per quarter, and the one tempo that goes with them in a file timed in frames, else 0."""
    if not division:
        raise FileError("expected a unit of time in the MIDI header, got 0 ticks per quarter; was it damaged?")
    if division < 0x8000:
        return division, 0.0
    frames, ticks = 256 - (division >> 8), division & 255
    if frames not in (24, 25, 29, 30) or not ticks:
        raise FileError(f"expected 24, 25, 29 or 30 frames a second in the MIDI header, got {frames} of {ticks} ticks")
    # 29 stands for 30 * 1000 / 1001 frames a second, as in NTSC television.
    nominal, slowed = (30, 1000 / 1001) if frames == 29 else (frames, 1.0)
    return (nominal * ticks, 60.0 * slowed) if nominal * ticks % 2 else (nominal * ticks // 2, 120.0 * slowed)


def _sequence(data: bytes, plan: midi_repair.Layout, unit: int) -> Score:
    """The tracks of a layout as they sound together; a pickup is not looked for yet."""
    until = min(MAX_QUARTERS * unit, midi_repair.FAR - 1)
    parsed = _parse(midi_repair.with_endings(data, plan, unit)) if plan.sound else None
    sounding, columns = _sounding(parsed)
    if parsed is None or not _is_whole(parsed, columns, until):
        mended = midi_repair.mend(data, plan, unit, until)
        parsed = _parse(midi_repair.with_endings(mended, midi_repair.layout(mended), unit))
        sounding, columns = _sounding(parsed)
    if not sounding and not plan.sound and any(stop > start for start, stop in plan.tracks):
        raise FileError("expected MIDI events, got damage before the first note; is there another copy of the file?")
    tracks = tuple(map(_track, sounding, _notes(sounding, columns), repeat(data)))
    title = _title(data, plan)
    # The first of several chunks names the piece unless it plays itself; then it names its own track.
    if len(plan.tracks) > 1 and tracks and tracks[0].name == title and midi_repair.plays(data, *plan.tracks[0]):
        title = ""
    return Score(
        unit,
        tracks,
        tempos=_tempos(parsed, until),
        meters=_meters(parsed, until),
        keys=_keys(parsed, until),
        title=title,
    )


def _parse(data: bytes) -> Any:
    """What symusic makes of the bytes, or None if it refuses them."""
    import symusic

    version = getattr(symusic, "__version__", "0")
    if tuple(int(part) if part.isdecimal() else 0 for part in version.split(".")[:2]) < (0, 6):
        raise KapelleError(f"reading MIDI needs symusic 0.6 or newer, got {version}: pip install -U symusic")
    try:
        return symusic.Score.from_midi(data, sanitize_data=True)
    except (RuntimeError, ValueError, MemoryError):
        return None


Columns = dict[str, NDArray[Any]]
"""The time, duration, pitch and velocity of symusic's notes, in 32 and 8 bits."""


def _sounding(parsed: Any) -> tuple[list[Any], Columns]:
    """The tracks that have notes, and the notes of all of them, one track after the other."""
    tracks = [track for track in parsed.tracks if len(track.notes)] if parsed is not None else []
    if not tracks:
        return [], {}
    notes = tracks[0].notes.copy()
    for track in tracks[1:]:
        notes.extend(track.notes)
    return tracks, notes.numpy()


def _is_whole(parsed: Any, columns: Columns, until: int) -> bool:
    """Whether all ticks are where they should be: no note without an end, none where symusic loses count."""
    if not all(0 <= marker.time <= until for marker in parsed.markers):
        return False
    return not columns or bool(
        columns["time"].min() >= 0 and (columns["time"].astype(np.int64) + columns["duration"]).max() <= until
    )


def _notes(sounding: list[Any], columns: Columns) -> list[Notes]:
    if not sounding:
        return []
    sizes = [len(track.notes) for track in sounding]
    duration = np.maximum(columns["duration"], 1)
    return Notes.of_tracks(columns["time"], duration, columns["pitch"], columns["velocity"], sizes)


def _track(track: Any, notes: Notes, data: bytes) -> Track:
    name = track.name
    return Track(
        notes=notes,
        program=track.program,
        is_drum=track.is_drum,
        name=plain(_true_name(name, data) if "\ufffd" in name else name),
        pedal=_pedal(track.pedals, notes),
    )


def _pedal(pedals: Any, notes: Notes) -> Spans:
    """Where the pedal is down; one that is never lifted is up with the last note."""
    # `with_endings` leaves a pedal of no length in most tracks.
    if not any(pedal.duration > 0 for pedal in pedals):
        return Spans.none()
    columns = pedals.numpy()
    onset, duration = columns["time"].astype(np.int64), columns["duration"]
    if duration.max() >= midi_repair.FAR // 2:
        duration = np.where(duration >= midi_repair.FAR // 2, int(notes.end.max()) - onset, duration)
    if duration.min() <= 0:
        onset, duration = onset[duration > 0], duration[duration > 0]
    try:
        return Spans(onset, duration)
    except ValueError:
        # They overlap, which symusic was never seen to give: `Spans` looks anyway.
        return Spans.union(onset, duration)


def _tempos(parsed: Any, until: int) -> TempoMap:
    if parsed is None or not len(parsed.tempos):
        return TempoMap.constant(120.0)
    columns = parsed.tempos.numpy()
    onset, length = columns["time"], columns["mspq"]
    if len(onset) == 1 and onset[0] == 0 and length[0] > 0:
        return TempoMap.constant(60e6 / length.item())
    if onset[0] or length.min() <= 0 or onset[-1] > until or not (onset[1:] > onset[:-1]).all():
        last = {0: 500_000}
        for tick, value in sorted(zip(onset.tolist(), length.tolist(), strict=True), key=lambda event: event[0]):
            if value > 0 and 0 <= tick <= until:
                last[tick] = value
        onset, length = np.array(list(last)), np.array(list(last.values()))
    return TempoMap(onset, 60e6 / length)


def _meters(parsed: Any, until: int) -> tuple[Meter, ...]:
    signs = parsed.time_signatures if parsed is not None else ()
    possible = (
        Meter(sign.time, sign.numerator, sign.denominator)
        for sign in signs
        if 0 <= sign.time <= until and 1 <= sign.numerator <= 64 and sign.denominator in (1, 2, 4, 8, 16, 32, 64)
    )
    meters = _in_order(possible)
    return meters if meters and not meters[0].onset else (Meter(), *meters)


def _keys(parsed: Any, until: int) -> tuple[Key, ...]:
    signs = parsed.key_signatures if parsed is not None else ()
    if not len(signs):
        return ()
    return _in_order(
        Key.from_fifths(sign.key, ("major", "minor")[sign.tonality], sign.time)
        for sign in signs
        if 0 <= sign.time <= until and -7 <= sign.key <= 7 and sign.tonality in (0, 1)
    )


def _in_order(signs: Iterable[Sign]) -> tuple[Sign, ...]:
    """The signs by onset; of several at one tick the last one holds."""
    last = {sign.onset: sign for sign in signs}
    return tuple(last[onset] for onset in sorted(last))


def _with_pickup(score: Score) -> Score:
    if len(score.meters) < 2:
        return score
    first, second = score.meters[:2]
    unit = score.ticks_per_quarter
    if second.onset != first.bar_length(unit) or second.onset >= second.bar_length(unit):
        return score
    return score.replace(meters=(replace(second, onset=0), *score.meters[2:]), pickup=second.onset)


def _title(data: bytes, plan: midi_repair.Layout) -> str:
    """The name of the first chunk, if it can be a title."""
    if not plan.tracks:
        return ""
    raw = midi_repair.first_name(data, *plan.tracks[0])
    title = plain(_text(raw)) if raw else ""
    return "" if title.casefold() in _NO_TITLES else title


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _true_name(name: str, data: bytes) -> str:
    """The name whose bytes symusic could not read, found again in the file; else the name as it is."""
    for raw in midi_repair.track_names(data):
        if plain(raw.decode("utf-8", "replace")) == plain(name):
            return _text(raw)
    return name


def _one_after_the_other(parts: list[Score]) -> Score:
    """One score of several in one unit: tracks of one name and instrument become one."""
    tracks: dict[tuple[str, int, bool], list[Track]] = {}
    tempos, meters, keys = [], [], []
    start = 0
    for part in parts:
        for track in part.tracks:
            moved = track.replace(
                notes=track.notes.replace(onset=track.notes.onset + start),
                pedal=Spans(track.pedal.onset + start, track.pedal.duration),
            )
            tracks.setdefault((track.name, track.program, track.is_drum), []).append(moved)
        stop = start + int(part.bars()[-1])
        inside = part.tempos.onset + start < stop
        tempos.append((part.tempos.onset[inside] + start, part.tempos.quarters_per_minute[inside]))
        meters += [replace(sign, onset=sign.onset + start) for sign in part.meters if sign.onset + start < stop]
        keys += [replace(sign, onset=sign.onset + start) for sign in part.keys if sign.onset + start < stop]
        start = stop
    return parts[0].replace(
        tracks=tuple(_joined(same) for same in tracks.values()),
        tempos=TempoMap(*(np.concatenate(column) for column in zip(*tempos, strict=True))),
        meters=tuple(meters),
        keys=tuple(keys),
    )


def _joined(tracks: list[Track]) -> Track:
    names = ("onset", "duration", "pitch", "velocity")
    notes = Notes(*(np.concatenate([getattr(track.notes, name) for track in tracks]) for name in names))
    onset = np.concatenate([track.pedal.onset for track in tracks])
    duration = np.concatenate([track.pedal.duration for track in tracks])
    return tracks[0].replace(notes=notes, pedal=Spans.union(onset, duration))
