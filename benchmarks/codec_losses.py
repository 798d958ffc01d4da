"""What the event codec keeps of real music and what it drops, a line for each style.

    python benchmarks/codec_losses.py [FOLDER]

Compares each piece with its canonical form, `EventsCodec().canonical(score)`, note by note, and prints a Markdown
table. Every folder inside FOLDER (../shared/data if none is given) counts as a style.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kapelle.codecs.events import EventsCodec
from kapelle.codecs.words import METERS, TICKS_PER_QUARTER
from kapelle.errors import KapelleError
from kapelle.files import load
from kapelle.music import Notes, Score
from kapelle.music.edit import rescale

REAL_MUSIC = Path(__file__).resolve().parents[2] / "shared" / "data"
COLUMNS = (
    "style", "pieces", "notes", "kept", "onset > 1/96 off", "mean / most off", "length > 1/24 off",
    "velocity off", "tempo changes", "metre changes", "other metre", "key changes",
)  # fmt: skip


@dataclass
class Losses:
    """Sums over the pieces of a style; distances in quarters."""

    pieces: int = 0
    notes: int = 0
    kept: int = 0
    onset_far: int = 0
    onset_sum: float = 0.0
    onset_most: float = 0.0
    length_far: int = 0
    velocity_sum: float = 0.0
    tempos: int = 0
    meters: int = 0
    other_meter: int = 0
    keys: int = 0

    def add(self, score: Score, canonical: Score) -> None:
        """Count one piece."""
        self.pieces += 1
        self.notes += score.num_notes
        self.kept += canonical.num_notes
        self.tempos += len(set(score.tempos.quarters_per_minute.round(3).tolist())) > 1
        self.meters += len({meter.name for meter in score.meters}) > 1
        self.other_meter += any(meter.name not in METERS for meter in score.meters)
        self.keys += len({key.name for key in score.keys}) > 1
        told = voices(canonical)
        first = min(int(notes.onset[0]) for notes in voices(score).values())
        shift = min(int(notes.onset[0]) for notes in told.values()) - int(rescale(first, score.ticks_per_quarter, 24))
        for place, notes in voices(score).items():
            self._compare(notes, told[(*place[:2], min(place[2], 15))], score.ticks_per_quarter, shift)

    def _compare(self, notes: Notes, told: Notes, unit: int, shift: int) -> None:
        onset = rescale(notes.onset, unit, TICKS_PER_QUARTER)
        off = np.abs(onset / TICKS_PER_QUARTER - notes.onset / unit)
        self.onset_far += int((off > 1 / 96 + 1e-9).sum())
        self.onset_sum += float(off.sum())
        self.onset_most = max(self.onset_most, float(off.max()))
        # Notes stand in the order of onset and of pitch from high to low, so their places ascend.
        told_place, place = told.onset * 128 - told.pitch, (onset + shift) * 128 - notes.pitch
        at = told_place.searchsorted(place)
        if not np.array_equal(told_place[at], place):
            raise AssertionError("expected every note to be told at its place on the grid")
        length_off = np.abs(told.duration[at] / TICKS_PER_QUARTER - notes.duration / unit)
        self.length_far += int((length_off > 1 / 24 + 1e-9).sum())
        self.velocity_sum += float(np.abs(told.velocity[at] - notes.velocity).sum())

    def row(self, style: str) -> str:
        """A line of the table."""
        notes, pieces = max(self.notes, 1), max(self.pieces, 1)
        cells = (
            style, f"{self.pieces:,}", f"{self.notes:,}", f"{self.kept / notes:.2%}", f"{self.onset_far / notes:.1%}",
            f"{self.onset_sum / notes:.4f} / {self.onset_most:.4f}", f"{self.length_far / notes:.1%}",
            f"{self.velocity_sum / notes:.2f}",
            *(f"{count / pieces:.0%}" for count in (self.tempos, self.meters, self.other_meter, self.keys)),
        )  # fmt: skip
        return f"| {' | '.join(cells)} |"


def voices(score: Score) -> dict[tuple[bool, int, int], Notes]:
    """The notes of each track under (drums, program, how many tracks like it came before)."""
    found: dict[tuple[bool, int, int], Notes] = {}
    count: dict[tuple[bool, int], int] = {}
    for track in score.tracks:
        if len(track.notes):
            instrument = (track.is_drum, 0 if track.is_drum else track.program)
            count[instrument] = count.get(instrument, -1) + 1
            found[(*instrument, count[instrument])] = track.notes
    return found


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else REAL_MUSIC
    codec = EventsCodec()
    styles: dict[str, Losses] = {}
    total, refused = Losses(), []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in (".mid", ".midi"):
            continue
        try:
            score = load(path)
            canonical = codec.canonical(score)
        except KapelleError as error:
            refused.append(error)
            continue
        for losses in (styles.setdefault(path.relative_to(folder).parts[0], Losses()), total):
            losses.add(score, canonical)
    styles["all"] = total
    print(f"| {' | '.join(COLUMNS)} |\n|---|{'---:|' * (len(COLUMNS) - 1)}")
    for style, losses in styles.items():
        print(losses.row(style))
    print(f"\n{len(refused)} files could not be read or hold no notes.")


if __name__ == "__main__":
    main()
