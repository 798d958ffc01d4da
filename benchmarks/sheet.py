"""How long sheet music takes, and whether every note of real pieces is on it.

    python benchmarks/sheet.py [FOLDER]

First a song of five tracks and 64 bars is made into a PDF by `kapelle engrave`, from the start of the process to its
end. Then pieces of the folders inside FOLDER (../shared/data if that is there), as many from each, are written for
the page as MusicXML and read back, by Kapelle and by music21: every pitched note must have the pitch, onset and
duration that it has in its file, every drum stroke its onset, and every voice of every bar the length of its bar.
Pieces that are not on the grid as a writer puts them are passed over, and counted: they are changed on purpose.
"""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from fractions import Fraction
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from kapelle.errors import KapelleError
from kapelle.files import load, save
from kapelle.files.musicxml import decode
from kapelle.music import Notes, Score, Track
from kapelle.rendering.sheet import Sheet
from kapelle.rendering.sheet.legible import is_written, on_simple_parts

PIECES, MOST_NOTES, RUNS = 100, 3000, 5
REAL_MUSIC = Path(__file__).resolve().parents[2] / "shared" / "data"

Row = tuple[Fraction, Fraction, int | None]


def main() -> None:
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}\n")
    speed()
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else REAL_MUSIC
    if folder.is_dir():
        print()
        fidelity(folder)


def song() -> Score:
    """Five tracks of 64 bars: melody, two hands of chords, a bass and drums; about 1,300 notes."""
    rng = np.random.default_rng(7)
    scale = np.array([0, 2, 4, 5, 7, 9, 11])

    def line(low: int, step: int, length: int) -> list[tuple[int, int, int, int]]:
        steps = np.clip(np.cumsum(rng.integers(-2, 3, 64 * 96 // step)), -7, 7)
        return [
            (at * step, length, int(low + 12 * (each // 7) + scale[each % 7]), int(rng.integers(60, 100)))
            for at, each in enumerate(steps.tolist())
            if rng.random() < 0.85
        ]

    chords = [(96 * bar, 96, 48 + pitch, 70) for bar in range(64) for pitch in (0, 4, 7)]
    beat = [(48 * at, 24, 36 if at % 2 == 0 else 38, 100) for at in range(128)]
    hats = [(24 * at, 12, 42, 70) for at in range(256)]
    tracks = (
        Track(Notes.of(line(72, 24, 24)), 73, name="Flute"),
        Track(Notes.of(line(64, 24, 24)), 40, name="Violin"),
        Track(Notes.of(chords), 0, name="Piano"),
        Track(Notes.of(line(36, 24, 24)), 33, name="Bass"),
        Track(Notes.of(beat + hats), is_drum=True, name="Drums"),
    )
    return Score(24, tracks, title="A song of five tracks")


def speed() -> None:
    """Prints the time of one process, start to end."""
    with tempfile.TemporaryDirectory() as folder:
        score = song()
        save(score, Path(folder) / "song.mid")
        run = [sys.executable, "-m", "kapelle", "engrave", "song.mid", "--to", "song.pdf", "--force"]
        clock, processor = [], []
        for _ in range(RUNS):
            begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(run, cwd=folder, check=True, stdout=subprocess.DEVNULL)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            clock.append(time.perf_counter() - begin)
            processor.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        print("| | notes | by the clock | of the processor |\n|---|---|---|---|")
        print(
            f"| 5 tracks, 64 bars to PDF, process start to end | {score.num_notes:,} "
            f"| {statistics.median(clock):.2f} s | {statistics.median(processor):.2f} s |"
        )


def fidelity(folder: Path) -> None:
    """Prints what two readers find in the notation of real pieces."""
    checked = passed_over = notes = wrong_here = wrong_there = bars = wrong_bars = 0
    genres: Counter[str] = Counter()
    begin = time.perf_counter()
    for path in drawn(folder):
        try:
            score = load(path)
        except KapelleError:
            continue
        if not 0 < score.num_notes <= MOST_NOTES:
            continue
        if not is_kept(score):
            passed_over += 1
            continue
        data = Sheet.of(score).musicxml()
        expected = rows_of(score)
        here = differing(expected, rows_of(decode(data)))
        if here:
            print(f"{path.relative_to(folder)}: {here} notes differ")
        wrong_here += here
        found, counted, wrong = as_music21_reads(data)
        wrong_there += differing(expected, found)
        bars, wrong_bars = bars + counted, wrong_bars + wrong
        notes += score.num_notes
        checked += 1
        genres[path.relative_to(folder).parts[0]] += 1
        if checked == PIECES:
            break
    print(f"{checked} pieces ({', '.join(f'{genre} {many}' for genre, many in sorted(genres.items()))})")
    print(f"{passed_over} more were not on the grid as written; {time.perf_counter() - begin:.0f} s\n")
    print("| reader | notes | not where they are in the file | bars | bars of a wrong length |\n|---|---|---|---|---|")
    print(f"| Kapelle | {notes:,} | {wrong_here} | | |")
    print(f"| music21 | {notes:,} | {wrong_there} | {bars:,} | {wrong_bars} |")


def drawn(folder: Path) -> list[Path]:
    """Files in turn from each folder inside, each folder's spread evenly."""
    groups: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        genre = path.relative_to(folder).parts[0]
        if path.suffix.lower() in (".mid", ".midi", ".mxl") and not genre.startswith("_"):
            groups.setdefault(genre, []).append(path)
    spread = [group[:: max(len(group) // 40, 1)] for group in groups.values()]
    return [path for path in chain.from_iterable(zip_longest(*spread)) if path is not None]


def is_kept(score: Score) -> bool:
    """Whether the page is to show the notes as they are."""
    unit = score.ticks_per_quarter
    drums_fit = all(on_simple_parts([track], unit) for track in score.tracks if track.is_drum)
    return drums_fit and is_written([track for track in score.tracks if not track.is_drum], unit)


def rows_of(score: Score) -> list[Counter[Row]]:
    """The notes of each track in quarters; of drums the onsets."""
    unit = score.ticks_per_quarter
    found = []
    for track in score.tracks:
        if not len(track.notes):
            continue
        columns = (track.notes.onset.tolist(), track.notes.duration.tolist(), track.notes.pitch.tolist())
        if track.is_drum:
            onsets = set(zip(columns[0], columns[2], strict=True))
            found.append(Counter((Fraction(round(Fraction(24 * at, unit)), 24), Fraction(0), None) for at, _ in onsets))
            continue
        found.append(
            Counter((Fraction(a, unit), Fraction(b, unit), pitch) for a, b, pitch in zip(*columns, strict=True))
        )
    return found


def differing(expected: list[Counter[Row]], found: list[Counter[Row]]) -> int:
    """How many notes the one has and the other has not."""
    if len(expected) != len(found):
        return sum(each.total() for each in expected)
    return sum(((one - other) + (other - one)).total() for one, other in zip(expected, found, strict=True))


def as_music21_reads(data: bytes) -> tuple[list[Counter[Row]], int, int]:
    """The notes of each part, how many voices of bars there are, and how many do not fill their bar."""
    import music21

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = music21.converter.parseData(data.decode(), format="musicxml")
    parts: list[list[Any]] = []
    counted = wrong = 0
    for part in read.parts:
        if not str(part.id).endswith("-Staff2"):
            parts.append([])
        for measure in part.getElementsByClass("Measure"):
            start = Fraction(measure.getOffsetBySite(part))
            voices = list(measure.voices) or [measure]
            full = Fraction(measure.barDuration.quarterLength)
            lengths = {
                sum((Fraction(each.quarterLength) for each in voice.notesAndRests), Fraction(0)) for voice in voices
            }
            counted += 1
            # A pickup and a bar that a metre cuts short are shorter, but all their voices agree.
            wrong += len(lengths) > 1 or (max(lengths) > full)
            for voice in voices:
                name = str(voice.id) if len(voices) > 1 else ""
                for element in voice.notes:
                    if "Harmony" in element.classes:
                        continue
                    for note in getattr(element, "notes", [element]):
                        pitch = note.pitch.midi if hasattr(note, "pitch") else None
                        tie = note.tie.type if note.tie else ""
                        length = Fraction(element.quarterLength)
                        parts[-1].append((start + Fraction(element.offset), length, pitch, tie, name))
    return [merged(rows) for rows in parts], counted, wrong


def merged(rows: list[Any]) -> Counter[Row]:
    """Notes with their ties joined; drums as onsets."""
    waiting: list[list[Any]] = []
    found = []
    for onset, duration, pitch, tie, voice in sorted(
        rows, key=lambda row: (row[0], row[3] not in ("stop", "continue"))
    ):
        fitting = [note for note in waiting if note[2] == pitch and note[0] + note[1] == onset]
        if tie in ("stop", "continue") and fitting:
            note = min(fitting, key=lambda note: note[3] != voice)
            waiting.remove(note)
            note[1], note[3] = note[1] + duration, voice
        else:
            note = [onset, duration, pitch, voice]
            found.append(note)
        if tie in ("start", "continue"):
            waiting.append(note)
    return Counter((onset, Fraction(0) if pitch is None else length, pitch) for onset, length, pitch, _ in found)


if __name__ == "__main__":
    main()
