"""Writes a score as the kind of MIDI file that sequencers and notation programs like.

Type 1; 480 ticks a quarter or the next multiple of the score's own unit, so that no time is rounded; a first
track with title, tempo, metre and key; one chunk, one name, one program and one channel a track; drums on
channel 10; the sustain pedal as controller 64; note-offs before note-ons; every chunk ends on the bar line.

More than fifteen melodic tracks do not fit on the channels of one MIDI port. Then tracks with the same program
and no pedal share a channel, and if that is not enough the rest goes to further ports by the "port" event
(FF 21) that notation programs write. A sequencer plays every track rightly in either case; a simple player that
knows one port only will give the tracks beyond the fifteenth another one's instrument.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import FileError
from ..music import Meter, Score, Spans, Track
from ..music.edit import resample
from ..music.instruments import name_of
from .midi_repair import variable_length

MAX_TICK = 0x0FFFFFFF
"""The longest pause that MIDI can say; no time in a written file lies beyond it."""

_DRUM_CHANNEL = 9
_MELODIC_CHANNELS = tuple(channel for channel in range(16) if channel != _DRUM_CHANNEL)


def encode(score: Score) -> bytes:
    """The bytes of a type 1 MIDI file.

    Reading them back gives the same music in the file's unit of time, except:

    - Tracks without notes are left out; a track without a name gets its instrument's.
    - Names and titles lose the space around them; a title such as "Conductor" is not read as one.
    - Tempos are rounded to whole microseconds a quarter; 3.58 is the slowest.
    - Notes of one pitch in one track end in the order in which they start.
    - A pickup that no metre can say (5/48 of a whole note) becomes a full bar that starts with a rest, and a
      short first metre of one bar is read as a pickup.

    Raises:
        FileError: if the score is too long for the format, or has too many tracks.
    """
    score = _with_written_pickup(_in_unit(score))
    tracks = [track for track in score.tracks if len(track.notes)]
    if len(tracks) > 1000:
        raise FileError(f"a MIDI file is written with at most 1,000 tracks, got {len(tracks)}; merge some")
    end = int(score.bars()[-1])
    bodies = [_conductor(score, end)]
    places = _places(tracks)
    with_ports = any(port for port, _ in places)
    for track, (port, channel) in zip(tracks, places, strict=True):
        bodies.append(_track(track, channel, port if with_ports else None, end))
    parts = [b"MThd\0\0\0\6\0\1", len(bodies).to_bytes(2, "big"), score.ticks_per_quarter.to_bytes(2, "big")]
    for body in bodies:
        parts += [b"MTrk", len(body).to_bytes(4, "big"), body]
    return b"".join(parts)


def plain(text: str) -> str:
    """A name or title as files can carry it: no NUL, nothing that is no character, no space around it.

    >>> plain(" Right hand\\0 ")
    'Right hand'
    """
    return text.encode("utf-8", "ignore").decode().replace("\0", "").replace("\ufffd", "").strip()


def _in_unit(score: Score) -> Score:
    """The score in the unit of the file, and without a time that cannot be written."""
    unit = score.ticks_per_quarter
    if unit < 480:
        unit *= -(-480 // unit)
    elif unit > 0x7FFF:
        unit = 0x7FFF // 480 * 480
    times = [int(track.pedal.end[-1]) for track in score.tracks if len(track.pedal)]
    times += [score.end, int(score.tempos.onset[-1]), score.meters[-1].onset, *(key.onset for key in score.keys)]
    longest = max(meter.bar_length(score.ticks_per_quarter) for meter in score.meters)
    if (max(times) + 2 * longest) * unit // score.ticks_per_quarter > MAX_TICK:
        raise FileError(
            f"a MIDI file holds {MAX_TICK // unit:,} quarters at {unit} ticks each, got a score with events up to "
            f"quarter {max(times) // score.ticks_per_quarter:,}; cut it or resample it to fewer ticks per quarter"
        )
    return resample(score, unit)


def _with_written_pickup(score: Score) -> Score:
    """A score without a pickup whose bars are the same: the pickup is a metre of its own, or a rest fills it up."""
    pickup = score.pickup
    if not pickup:
        return score
    later = {max(meter.onset, pickup): meter for meter in score.meters}
    short = _meter_of(pickup, score)
    if short is not None:
        meters = [short, *(replace(meter, onset=onset) for onset, meter in later.items())]
        return score.replace(meters=meters, pickup=0)
    # The bar that is filled up is one of the metre in force where it ends, if that has room for the pickup.
    full = score.meter_at(pickup)
    if full.bar_length(score.ticks_per_quarter) > pickup:
        del later[pickup]
    else:
        full = score.meters[0]
    shift = full.bar_length(score.ticks_per_quarter) - pickup
    tempos = score.tempos.onset + shift
    tempos[0] = 0
    return score.replace(
        tracks=[
            track.replace(
                notes=track.notes.replace(onset=track.notes.onset + shift),
                pedal=Spans(track.pedal.onset + shift, track.pedal.duration),
            )
            for track in score.tracks
        ],
        tempos=replace(score.tempos, onset=tempos),
        meters=[replace(full, onset=0), *(replace(meter, onset=onset + shift) for onset, meter in later.items())],
        keys=[replace(key, onset=key.onset + shift if key.onset else 0) for key in score.keys],
        pickup=0,
    )


def _meter_of(length: int, score: Score) -> Meter | None:
    """The metre whose bar has that many ticks: in the score's own beats if it can be."""
    whole = 4 * score.ticks_per_quarter
    for denominator in (score.meters[0].denominator, 4, 8, 16, 32, 64):
        if length * denominator % whole == 0 and 1 <= length * denominator // whole <= 64:
            return Meter(0, length * denominator // whole, denominator)
    return None


def _places(tracks: list[Track]) -> list[tuple[int, int]]:
    """(port, channel) of each track."""
    melodic = [index for index, track in enumerate(tracks) if not track.is_drum]
    crowded = len(melodic) > len(_MELODIC_CHANNELS)
    seats: dict[tuple[int, int], int] = {}
    places = []
    for index, track in enumerate(tracks):
        if track.is_drum:
            places.append((0, _DRUM_CHANNEL))
            continue
        alone = not crowded or len(track.pedal)
        seat = seats.setdefault((track.program, index if alone else -1), len(seats))
        port, place = divmod(seat, len(_MELODIC_CHANNELS))
        places.append((min(port, 127), _MELODIC_CHANNELS[place]))
    return places


def _conductor(score: Score, end: int) -> bytes:
    events: list[tuple[int, bytes]] = []
    title = plain(score.title).encode()
    if title:
        events.append((0, b"\xff\x03" + variable_length(len(title)) + title))
    for meter in score.meters:
        clocks = min(round(24 * meter.beat_quarters), 255)
        power = meter.denominator.bit_length() - 1
        events.append((meter.onset, bytes((0xFF, 0x58, 4, meter.numerator, power, clocks, 8))))
    for key in score.keys:
        events.append((key.onset, bytes((0xFF, 0x59, 2, key.fifths & 0xFF, key.mode == "minor"))))
    for onset, rate in zip(score.tempos.onset.tolist(), score.tempos.quarters_per_minute.tolist(), strict=True):
        length = min(max(round(60e6 / rate), 1), 0xFFFFFF)
        events.append((onset, b"\xff\x51\x03" + length.to_bytes(3, "big")))
    events.sort(key=lambda event: event[0])
    parts = []
    now = 0
    for tick, event in events:
        parts += [variable_length(tick - now), event]
        now = tick
    return b"".join([*parts, variable_length(max(end - now, 0)), b"\xff\x2f\x00"])


def _track(track: Track, channel: int, port: int | None, end: int) -> bytes:
    name = (plain(track.name) or ("Drums" if track.is_drum else name_of(track.program))).encode()
    start = b"\x00\xff\x03" + variable_length(len(name)) + name
    if port is not None:
        start += bytes((0, 0xFF, 0x21, 1, port))
    start += bytes((0, 0xC0 | channel, track.program))
    notes, pedal = track.notes, track.pedal
    # (tick, what goes first at one tick, status, first data byte, second data byte)
    groups = (
        (notes.end, 0, 0x80, notes.pitch, 64),
        (pedal.end, 1, 0xB0, 64, 0),
        (pedal.onset, 2, 0xB0, 64, 127),
        (notes.onset, 3, 0x90, notes.pitch, notes.velocity),
    )
    ticks = np.concatenate([group[0] for group in groups])
    rank = np.concatenate([np.full(len(group[0]), group[1]) for group in groups])
    order = np.argsort(ticks * 4 + rank, kind="stable")
    ticks = ticks[order]
    bytes_out = np.empty((len(ticks), 7), np.uint8)
    for column in range(3):
        values = [np.broadcast_to(group[2 + column], len(group[0])) for group in groups]
        bytes_out[:, 4 + column] = np.concatenate(values)[order]
    bytes_out[:, 4] |= channel
    delta = np.diff(ticks, prepend=0)
    bytes_out[:, :4] = delta[:, None] >> np.array([21, 14, 7, 0]) & 127
    bytes_out[:, :3] |= 128
    needed = np.ones(bytes_out.shape, bool)
    needed[:, :3] = delta[:, None] >= np.array([1 << 21, 1 << 14, 1 << 7])
    last = int(ticks[-1])
    return start + bytes_out[needed].tobytes() + variable_length(max(end - last, 0)) + b"\xff\x2f\x00"
