"""How fast MIDI is read and encoded on one core, beside symusic's bare parse and music21's.

    python benchmarks/read_encode.py [FOLDER]

Prints a Markdown table of files per second. Every round times all readers on the same files, one after the
other, by the time of this process on the processor; the figures are medians over rounds, and the ratios medians
of each round's ratios, so that a machine that others use too disturbs them little. Files come evenly from the
folders inside FOLDER; without FOLDER from ../shared/data if that is there, else from MIDI made up on the spot.
music21 is timed on a few of the files, once, with everything else beside it on those few, if it is installed.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np
import symusic

from kapelle.codecs.events import EventsCodec
from kapelle.errors import KapelleError
from kapelle.files import load, save
from kapelle.music import Notes, Score, Track

FILES, FILES_OF_MUSIC21, ROUNDS = 200, 8, 9
REAL_MUSIC = Path(__file__).resolve().parents[2] / "shared" / "data"

Reader = Callable[[Path], object]


def main() -> None:
    codec = EventsCodec()
    readers: dict[str, Reader] = {
        "symusic, bare parse": lambda path: symusic.Score(str(path)),
        "kapelle, load": load,
        "kapelle, load and encode": lambda path: codec.encode(load(path)),
    }
    with tempfile.TemporaryDirectory() as made_up:
        if len(sys.argv) > 1:
            paths = drawn(Path(sys.argv[1]))
        else:
            paths = drawn(REAL_MUSIC) if REAL_MUSIC.is_dir() else compose(Path(made_up))
        paths = [path for path in paths if all(can_read(reader, path) for reader in readers.values())]
        if not paths:
            sys.exit("expected a folder with MIDI files, got one without any that can be read")
        notes = statistics.mean(load(path).num_notes for path in paths)
        print(
            f"{len(paths)} files of {notes:,.0f} notes on average; one of {os.cpu_count()} cores, {platform.machine()}"
        )
        report(readers, paths, ROUNDS)
        if find_spec("music21"):
            few = paths[:: max(len(paths) // FILES_OF_MUSIC21, 1)][:FILES_OF_MUSIC21]
            print(f"\nThe same on {len(few)} of them, with music21:")
            report(readers | {"music21, parse": parse_with_music21}, few, 1)


def drawn(folder: Path) -> list[Path]:
    """At most FILES files, as many from each folder inside as it has to give, spread evenly over each."""
    groups: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in (".mid", ".midi"):
            groups.setdefault(path.relative_to(folder).parts[0], []).append(path)
    spread = [group[:: max(len(group) * len(groups) // FILES, 1)] for group in groups.values()]
    return [path for path in chain.from_iterable(zip_longest(*spread)) if path is not None][:FILES]


def compose(folder: Path) -> list[Path]:
    """Files of two tracks of random notes, from a page to half an hour of music."""
    rng = np.random.default_rng(0)
    paths = []
    for number, size in enumerate(rng.integers(50, 2000, FILES // 4)):
        tracks = [
            Track(
                Notes(
                    np.sort(rng.integers(0, 240 * size, size)),
                    rng.integers(60, 960, size),
                    rng.integers(21, 109, size),
                    rng.integers(1, 128, size),
                ),
                program=program,
            )
            for program in (0, 40)
        ]
        paths.append(save(Score(480, tuple(tracks)), folder / f"{number}.mid"))
    return paths


def can_read(reader: Reader, path: Path) -> bool:
    try:
        reader(path)
    except (KapelleError, RuntimeError, ValueError):
        return False
    return True


def parse_with_music21(path: Path) -> object:
    from music21 import converter

    return converter.parse(path, forceSource=True, storePickle=False)


def report(readers: dict[str, Reader], paths: Sequence[Path], rounds: int) -> None:
    taken: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(rounds):
        for name, reader in readers.items():
            start = time.process_time()
            for path in paths:
                reader(path)
            taken[name].append(time.process_time() - start)
    bare = next(iter(taken.values()))
    print("\n| reader | files a second | microseconds a file | times the bare parse |")
    print("|---|---:|---:|---:|")
    for name, seconds in taken.items():
        each = statistics.median(seconds) / len(paths)
        ratio = statistics.median(own / other for own, other in zip(seconds, bare, strict=True))
        print(f"| {name} | {1 / each:,.1f} | {each * 1e6:,.0f} | {ratio:,.1f} |")


if __name__ == "__main__":
    main()
