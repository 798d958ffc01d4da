"""Rewrites the bytes of a MIDI file so that symusic reads all of its notes.

symusic is fast and strict: it refuses a file with one bad byte, drops a note that never ends, takes a file of
independent sequences as one with simultaneous tracks, and lets ticks wrap at 2**32. So the bytes are put right
first. `with_endings` is the quick way for files whose chunks are sound; it looks at no event. `mend` walks every
event in Python, some fifty times slower, for the few files that need it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ..errors import FileError

FAR = 4 * 0x0FFFFFFF
"""Ticks, more than any accepted piece has: `with_endings` ends what nobody else ended at this tick or later."""

MAX_TRACKS = 1024
MAX_MENDED_BYTES = 8 * 2**20

_END = b"\xff\x2f\x00"
_NOTHING = b"\xff\x7f\x00"
_MARKER = b"\xff\x06\x01x"

# A marker where the track ended, and four of the longest pauses that MIDI knows.
_FAR_AWAY = _MARKER + (b"\xff\xff\xff\x7f" + _NOTHING) * 4

# For each channel: all 128 note-offs as running status.
_RELEASES = tuple(
    bytes((0, 0x80 | channel, 0, 0)) + b"".join(bytes((0, pitch, 0)) for pitch in range(1, 128))
    for channel in range(16)
)
_PEDAL_UP = tuple(bytes((0, 0xB0 | channel, 64, 0)) for channel in range(16))


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things are in a MIDI file.

    Attributes:
        kind: 0, 1 or 2 as the header says; 1 for a kind that the standard does not know.
        division: the header's 16 bits for the unit of time, as they are.
        tracks: first and last byte + 1 of the events of each track chunk.
        sound: whether every chunk has the length it claims and ends with an end-of-track event.
    """

    kind: int
    division: int
    tracks: tuple[tuple[int, int], ...]
    sound: bool


def unwrap(data: bytes) -> bytes:
    """The bytes from MThd on, out of a RIFF container or after bytes that do not belong there.

    Raises:
        FileError: if there is no MIDI header at all.
    """
    at = data.find(b"MThd")
    if at < 0 or len(data) < at + 14:
        raise FileError(_no_midi(data))
    if at >= 8 and data[:4] == b"RIFF" and data[at - 8 : at - 4] == b"data":
        return data[at : at + int.from_bytes(data[at - 4 : at], "little")]
    return data[at:] if at else data


def layout(data: bytes) -> Layout:
    """The header and the track chunks of bytes that start with MThd.

    Raises:
        FileError: if there are more tracks than any real file has.
    """
    kind, division = int.from_bytes(data[8:10], "big"), int.from_bytes(data[12:14], "big")
    at = 8 + max(int.from_bytes(data[4:8], "big"), 6)
    tracks: list[tuple[int, int]] = []
    sound = True
    while sound and at + 8 <= len(data):
        stop = at + 8 + int.from_bytes(data[at + 4 : at + 8], "big")
        if data[at : at + 4] == b"MTrk":
            sound = stop <= len(data) and data.endswith(_END, at + 8, stop)
            tracks.append((at + 8, stop))
        at = stop
    # Fewer tracks than promised: either the promise is wrong, or a length that swallows another track.
    promised = int.from_bytes(data[10:12], "big")
    if not sound or (len(tracks) < promised and data.count(b"MTrk") > len(tracks)):
        sound = False
        tracks = list(_track_starts(data))
    if len(tracks) > MAX_TRACKS:
        raise FileError(f"expected at most {MAX_TRACKS} tracks in a MIDI file, got {len(tracks)}")
    return Layout(kind if kind in (0, 2) else 1, division, tuple(tracks), sound)


def with_endings(data: bytes, plan: Layout, ticks_per_quarter: int) -> bytes:
    """The same tracks under a plain header, each with the pedal up first, and up with all keys at its far end.

    Notes and pedals that end at `FAR` or later had no end of their own. The pedal goes up first because symusic
    takes it for down from tick 0 on all channels but the first. A marker at the end of each track tells whether
    ticks stayed where symusic can count them.
    """
    parts = [_header(len(plan.tracks), ticks_per_quarter)]
    for start, stop in plan.tracks:
        body = data[start : stop - 3]
        raised, ending = _frame(tuple([channel for channel in range(16) if 0x90 | channel in body]))
        size = len(raised) + len(body) + len(ending)
        parts += [b"MTrk", size.to_bytes(4, "big"), raised, body, ending]
    return b"".join(parts)


@lru_cache(256)
def _frame(channels: tuple[int, ...]) -> tuple[bytes, bytes]:
    """What comes before and after the events of a track that may play on these channels."""
    raised = b"".join([_PEDAL_UP[channel] for channel in channels])
    return raised, b"".join([_FAR_AWAY, raised, *[_RELEASES[channel] for channel in channels], b"\x00", _END])


def mend(data: bytes, plan: Layout, ticks_per_quarter: int, until: int) -> bytes:
    """A plain file with every event that came before damage, and an end for every note.

    A note without a note-off ends where the same key is struck again, else with its track, but at most a bar of
    four quarters after the last event of the track. Events after `until` ticks go, except notes.

    Raises:
        FileError: if a note starts after `until`, or the file is too large to be walked in Python.
    """
    size = sum(stop - start for start, stop in plan.tracks)
    if size > MAX_MENDED_BYTES:
        raise FileError(f"expected sound MIDI, got damage in a file too large to mend ({size:,} bytes of events)")
    parts = [_header(len(plan.tracks), ticks_per_quarter)]
    for start, stop in plan.tracks:
        events, end = _Walk(data, start, stop).events(until)
        body = _written(_closed(events, end, 4 * ticks_per_quarter))
        parts += [b"MTrk", len(body).to_bytes(4, "big"), body]
    return b"".join(parts)


def first_name(data: bytes, start: int, stop: int) -> bytes:
    """The text of the first track-name event among the meta events at tick 0; empty if there is none."""
    at = start
    while at + 4 <= stop and data[at] == 0 and data[at + 1] == 0xFF:
        length, body = _number(data, at + 3, stop)
        if data[at + 2] == 3:
            return data[body : min(body + length, stop)]
        at = body + length
    return b""


def plays(data: bytes, start: int, stop: int) -> bool:
    """Whether there is a note among the events of a track."""
    walk = _Walk(data, start, stop)
    return any(event[0] >> 4 == 9 for _, event in walk if event)


def track_names(data: bytes) -> Iterator[bytes]:
    """The texts of what look like track-name events anywhere, at most some thousands."""
    at = -1
    for _ in range(4 * MAX_TRACKS):
        at = data.find(b"\xff\x03", at + 1)
        if at < 0:
            return
        length, body = _number(data, at + 2, len(data))
        yield data[body : body + length]


def _no_midi(data: bytes) -> str:
    if not data:
        return "expected a MIDI file (starting with MThd), got an empty one"
    if data.startswith(b"version https://git-lfs"):
        return "expected a MIDI file, got a Git LFS pointer to one; fetch the file itself with 'git lfs pull'"
    if b"MThd" in data[:64]:
        return f"expected a MIDI file, got only {len(data)} bytes of its header; is it cut off?"
    return (
        f"expected a MIDI file (starting with MThd), got {len(data):,} bytes of something else; is it another format?"
    )


def _header(num_tracks: int, ticks_per_quarter: int) -> bytes:
    return b"MThd\0\0\0\6\0\1" + num_tracks.to_bytes(2, "big") + ticks_per_quarter.to_bytes(2, "big")


def _track_starts(data: bytes) -> Iterator[tuple[int, int]]:
    """All track chunks of a file whose lengths are not to be trusted: each reaches to the next one."""
    at = data.find(b"MTrk")
    while at >= 0:
        following = data.find(b"MTrk", at + 4)
        yield at + 8, following if following >= 0 else len(data)
        at = following


def _number(data: bytes, at: int, stop: int) -> tuple[int, int]:
    """A variable-length number and where it ends; a number that is cut off or has five bytes ends the data."""
    value = 0
    for place in range(at, min(at + 4, stop)):
        value = value << 7 | data[place] & 127
        if data[place] < 128:
            return value, place + 1
    return 0, stop + 1


class _Walk:
    """Walks the events of one track chunk and stops at its end or at the first thing that makes no sense."""

    def __init__(self, data: bytes, start: int, stop: int) -> None:
        self.data, self.at, self.stop = data, start, stop
        self.status = 0

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """(tick, bytes without delta time) of every event, the end of the track too; no bytes for no music."""
        tick = 0
        while self.at < self.stop:
            delta, self.at = _number(self.data, self.at, self.stop)
            event = self._event() if self.at < self.stop else None
            if event is None:
                return
            tick += delta
            yield tick, event
            if event == _END:
                return

    def events(self, until: int) -> tuple[list[tuple[int, bytes]], int]:
        """The events up to the tick `until`, and the tick of the end of the track, at most `until`."""
        tick = 0
        kept = []
        for tick, event in self:
            if not event or event == _END:
                continue
            if tick <= until:
                kept.append((tick, event))
            elif event[0] >> 4 == 9 and event[2]:
                raise FileError(f"expected notes up to tick {until:,}, got one at tick {tick:,}: too long to be music")
        return kept, min(tick, until)

    def _event(self) -> bytes | None:
        """The next event; empty if it says nothing about music, None if it is cut off."""
        status = self.data[self.at]
        if status >= 0x80:
            self.at += 1
        else:
            status = self.status
        if status < 0x80:
            return None
        if status == 0xFF:
            return self._meta()
        if status in (0xF0, 0xF7):
            return self._skip()
        if status > 0xF0:
            # System common and real-time bytes do not belong in files; 1 and 3 carry one byte, 2 carries two.
            self.at += {0xF1: 1, 0xF2: 2, 0xF3: 1}.get(status, 0)
            return b""
        self.status = status
        size = 1 if status >> 4 in (0xC, 0xD) else 2
        body = self.data[self.at : self.at + size]
        self.at += size
        if self.at > self.stop:
            return None
        return bytes((status, *(min(byte, 127) for byte in body)))

    def _meta(self) -> bytes | None:
        start = self.at - 1
        if self._skip(1) is None:
            return None
        return self.data[start : self.at]

    def _skip(self, before: int = 0) -> bytes | None:
        length, body = _number(self.data, self.at + before, self.stop)
        self.at = body + length
        return None if self.at > self.stop else b""


def _closed(events: list[tuple[int, bytes]], end: int, bar: int) -> list[tuple[int, bytes]]:
    """The events with an end for every note."""
    sounding: dict[tuple[int, int], list[int]] = {}
    for tick, event in events:
        kind = event[0] >> 4
        if kind == 9 and event[2]:
            sounding.setdefault((event[0] & 15, event[1]), []).append(tick)
        elif kind in (8, 9):
            starts = sounding.get((event[0] & 15, event[1]))
            if starts:
                starts.pop(0)
    hanging = {key for key, starts in sounding.items() if starts}
    if not hanging:
        return events
    last = events[-1][0]
    close = min(max(end, last), last + bar)
    closed: list[tuple[int, bytes]] = []
    started: dict[tuple[int, int], int] = {}
    for tick, event in events:
        key = (event[0] & 15, event[1] if len(event) > 1 else 0)
        if event[0] >> 4 == 9 and event[2] and key in hanging:
            closed.append((tick, bytes((0x80 | key[0], key[1], 0))))
            started[key] = tick
        closed.append((tick, event))
    stops = sorted((close if close > start else start + bar, key) for key, start in started.items())
    return closed + [(tick, bytes((0x80 | channel, pitch, 0))) for tick, (channel, pitch) in stops]


def _written(events: list[tuple[int, bytes]]) -> bytes:
    parts: list[bytes] = []
    now = 0
    for tick, event in events:
        while tick - now > 0x0FFFFFFF:
            parts += [b"\xff\xff\xff\x7f", _NOTHING]
            now += 0x0FFFFFFF
        parts += [variable_length(tick - now), event]
        now = tick
    return b"".join([*parts, b"\x00", _END])


def variable_length(value: int) -> bytes:
    """A number 0..2**28 - 1 as MIDI writes delta times: seven bits a byte, the highest bit set in all but the last.

    >>> variable_length(0).hex(), variable_length(480).hex()
    ('00', '8360')
    """
    low = bytes((value & 127,))
    while value := value >> 7:
        low = bytes((0x80 | value & 127,)) + low
    return low
