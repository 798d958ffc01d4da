"""Reads SoundFont 2 banks from bytes: any bytes give a bank or a FileError.

After the SoundFont Technical Specification 2.04 (E-mu Systems, 2006), sections 4 to 8. A bank holds presets; a
preset's zones point to instruments, whose zones point to samples. Zones limit keys and velocities and carry
generators (settings) and modulators (what moves a setting).
"""

from __future__ import annotations

import functools
import io
import pkgutil
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import FileError

KEYS, VELOCITIES, SAMPLE, INSTRUMENT = 43, 44, 53, 41
"""Generators that say which keys and velocities a zone is for, and where it leads."""

_MODULATOR = [("source", "<u2"), ("target", "<u2"), ("amount", "<i2"), ("scale", "<u2"), ("transform", "<u2")]
_GENERATOR = [("kind", "<u2"), ("amount", "<i2")]
_BAG = [("generators", "<u2"), ("modulators", "<u2")]
_TABLES: dict[bytes, Any] = {
    b"phdr": [("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("rest", "V12")],
    b"pbag": _BAG,
    b"pmod": _MODULATOR,
    b"pgen": _GENERATOR,
    b"inst": [("name", "S20"), ("bag", "<u2")],
    b"ibag": _BAG,
    b"imod": _MODULATOR,
    b"igen": _GENERATOR,
    b"shdr": [
        ("name", "S20"),
        ("start", "<u4"),
        ("end", "<u4"),
        ("loop_start", "<u4"),
        ("loop_end", "<u4"),
        ("rate", "<u4"),
        ("root", "u1"),
        ("correction", "i1"),
        ("link", "<u2"),
        ("kind", "<u2"),
    ],
}
_OF_SAMPLE = ("start", "end", "loop_start", "loop_end", "rate", "root", "correction")
_COMPRESSED, _READ_ONLY_MEMORY = 0x10, 0x8000
_LONGEST_SAMPLE = 2**26
"""Frames; a compressed sample is decoded no further."""


@dataclass(frozen=True, slots=True)
class Modulator:
    """What moves a setting: its source, the source that scales it, and by how much, as the bank codes them."""

    source: int
    target: int
    amount: int
    scale: int


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of a preset or an instrument.

    Attributes:
        keys, velocities: the lowest and the highest that it is for.
        generators: setting by its number.
        modulators: those that it names.
        target: the instrument or sample that it leads to; -1 for a zone that holds for all others.
    """

    keys: tuple[int, int]
    velocities: tuple[int, int]
    generators: dict[int, int]
    modulators: tuple[Modulator, ...]
    target: int

    def holds(self, key: int, velocity: int) -> bool:
        """Whether a note with this key and velocity sounds in it."""
        return self.keys[0] <= key <= self.keys[1] and self.velocities[0] <= velocity <= self.velocities[1]


@dataclass(frozen=True, slots=True)
class Sample:
    """Where a recording lies, and how high it is.

    Attributes:
        start, end: its first frame and the one after its last, in the bank's memory of samples.
        loop_start, loop_end: of the part that is repeated, counted like `start`.
        rate: frames a second.
        root: the key it was recorded at, 0..127.
        correction: cents to add to its pitch.
        compressed: whether start and end count bytes of a compressed file, and the loop counts its frames.
        elsewhere: whether it lies in the read-only memory of some sound card, and so cannot be had.
    """

    start: int
    end: int
    loop_start: int
    loop_end: int
    rate: int
    root: int
    correction: int
    compressed: bool
    elsewhere: bool


class SoundFont:
    """A bank of sounds.

    Attributes:
        name: its own, maybe empty.
        presets: the number of each preset by (bank, program).

    >>> bundled = bundled_soundfont()
    >>> len(bundled.presets), bundled.name
    (132, 'SONiVOX EAS GM Wavetable')
    """

    def __init__(self, name: str, tables: dict[bytes, Any], memory: Any) -> None:
        self.name = name
        self._tables = tables
        self._memory = memory
        self._words: NDArray[np.int16] = np.frombuffer(memory, "<i2", len(memory) // 2)
        headers = tables[b"phdr"]
        places = zip(headers["bank"].tolist(), headers["program"].tolist(), strict=True)
        # Of two presets in one place the first is played.
        self.presets = {place: number for number, place in reversed(list(enumerate(places))[:-1])}
        self.instrument = functools.lru_cache(None)(self._instrument)
        self.preset = functools.lru_cache(None)(self._preset)
        self.recording = functools.lru_cache(64)(self._recording)

    def _preset(self, number: int) -> tuple[Zone, ...]:
        """The zones of a preset, the one for all others first if there is one."""
        return self._zones(b"p", self._tables[b"phdr"]["bag"], number, INSTRUMENT, len(self._tables[b"inst"]) - 1)

    def _instrument(self, number: int) -> tuple[Zone, ...]:
        """The zones of an instrument, the one for all others first if there is one."""
        return self._zones(b"i", self._tables[b"inst"]["bag"], number, SAMPLE, len(self._tables[b"shdr"]) - 1)

    def _zones(self, level: bytes, bags: Any, number: int, pointer: int, targets: int) -> tuple[Zone, ...]:
        bag = self._tables[level + b"bag"]
        generators, modulators = self._tables[level + b"gen"], self._tables[level + b"mod"]
        zones: list[Zone] = []
        for place in range(int(bags[number]), int(bags[number + 1])):
            first, last = bag[place], bag[place + 1]
            settings = dict(generators[first["generators"] : last["generators"]].tolist())
            target = settings.pop(pointer, -1) & 0xFFFF if pointer in settings else -1
            # A zone that leads nowhere is for all others if it is the first, and else means nothing.
            if target >= targets or (target < 0 and zones):
                continue
            moves = tuple(
                Modulator(*row[:4])
                for row in modulators[first["modulators"] : last["modulators"]].tolist()
                if row[2] or row[0]
            )
            keys, velocities = (_range(settings.pop(kind, 0x7F00)) for kind in (KEYS, VELOCITIES))
            zones.append(Zone(keys, velocities, settings, moves, target))
        return tuple(zones)

    def sample(self, number: int) -> Sample:
        """Where the sample of a number lies."""
        row = self._tables[b"shdr"][number]
        kind = int(row["kind"])
        start, end, loop_start, loop_end, rate, root, correction = (int(row[field]) for field in _OF_SAMPLE)
        return Sample(
            start,
            end,
            loop_start,
            loop_end,
            rate,
            root,
            correction,
            compressed=bool(kind & _COMPRESSED),
            elsewhere=bool(kind & _READ_ONLY_MEMORY),
        )

    def _recording(self, number: int) -> NDArray[np.float32]:
        """The frames of a sample, -1..1, shape (frames,); none if the bank lacks them."""
        sample = self.sample(number)
        if sample.compressed:
            return _decoded(bytes(self._memory[sample.start : sample.end]))
        if sample.elsewhere:
            return np.zeros(0, np.float32)
        return self._words[sample.start : max(sample.end, sample.start)].astype(np.float32) / np.float32(32768)


def read_soundfont(data: bytes) -> SoundFont:
    """The bank that the bytes of an .sf2 file hold, or of an .sf3 file, whose samples are compressed.

    Raises:
        FileError: if they hold none, or a damaged one, or one without presets.
    """
    view = memoryview(data)
    if len(view) < 12 or bytes(view[:4]) != b"RIFF" or bytes(view[8:12]) != b"sfbk":
        raise FileError("expected a soundfont, an .sf2 or .sf3 file, got something else")
    lists: dict[bytes, Any] = {}
    for kind, body in _chunks(view[12:]):
        if kind == b"LIST" and len(body) >= 4:
            lists.setdefault(bytes(body[:4]), dict(_chunks(body[4:])))
    tables = {kind: _table(lists.get(b"pdta", {}), kind) for kind in _TABLES}
    for level, heads in ((b"p", b"phdr"), (b"i", b"inst")):
        bags = tables[level + b"bag"]
        _check_order(tables[heads]["bag"], len(bags), heads)
        _check_order(bags["generators"], len(tables[level + b"gen"]) + 1, level + b"bag")
        _check_order(bags["modulators"], len(tables[level + b"mod"]) + 1, level + b"bag")
    if len(tables[b"phdr"]) < 2:
        raise FileError("expected a soundfont with presets, got one without any")
    name = bytes(lists.get(b"INFO", {}).get(b"INAM", b"")).split(b"\0")[0].decode("latin-1").strip()
    return SoundFont(name, tables, lists.get(b"sdta", {}).get(b"smpl", b""))


@functools.cache
def bundled_soundfont() -> SoundFont:
    """The bank that comes with Kapelle: 128 General MIDI programs and four drum kits."""
    data = pkgutil.get_data(__package__, "sonivox/sonivox.sf2")
    assert data is not None, "the package lacks its soundfont"
    return read_soundfont(data)


def bundled_file() -> Any:
    """Where the bank that comes with Kapelle lies in the package, as `importlib.resources` tells it."""
    from importlib.resources import files

    return files(__package__).joinpath("sonivox", "sonivox.sf2")


def _chunks(view: Any) -> list[tuple[bytes, Any]]:
    """(kind, body) of every RIFF chunk; the last one may be cut short."""
    found, place = [], 0
    while place + 8 <= len(view):
        size = int.from_bytes(view[place + 4 : place + 8], "little")
        found.append((bytes(view[place : place + 4]), view[place + 8 : place + 8 + size]))
        place += 8 + size + size % 2
    return found


def _table(chunks: dict[bytes, Any], kind: bytes) -> Any:
    layout = np.dtype(_TABLES[kind])
    body = chunks.get(kind, b"")
    rows = np.frombuffer(body, layout, len(body) // layout.itemsize)
    # Each ends in a row that only says where the one before it stops.
    if not len(rows) and not kind.endswith(b"mod") and not kind.endswith(b"gen"):
        raise FileError(f"expected a soundfont with a list {kind.decode()!r}, got none; is the file damaged?")
    return rows


def _check_order(bounds: Any, rows: int, kind: bytes) -> None:
    """Bounds that rise keep the work on a bank in proportion to its size."""
    bounds = bounds.astype(np.int64)
    if (np.diff(bounds) < 0).any() or bounds[-1] >= max(rows, 1):
        raise FileError(f"expected places in order in {kind.decode()!r}, got others; the soundfont is damaged")


def _range(amount: int) -> tuple[int, int]:
    return amount & 0x7F, amount >> 8 & 0x7F


def _decoded(data: bytes) -> NDArray[np.float32]:
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            frames = file.read(min(file.frames, _LONGEST_SAMPLE), "float32", always_2d=True)
    except (soundfile.SoundFileError, ValueError, TypeError, MemoryError):
        return np.zeros(0, np.float32)
    return np.ascontiguousarray(frames[:, 0])
