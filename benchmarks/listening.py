"""How much of what sounds is heard: notes, tempo, metre and key, on music that is rendered and made-up singing.

    python benchmarks/listening.py melodies --tunes 12
    python benchmarks/listening.py bars --tunes 150
    python benchmarks/listening.py chords --folder ../shared/data/classical --pieces 20
    python benchmarks/listening.py speed

Tunes are from music21 (the corpora `essen` and `folk`), of the fifth by which nothing was counted or set; piano pieces
are MIDI files, 25 seconds of each. A note is heard if one of its pitch begins within 50 or 100 ms: F1 of the largest
matching of notes that were played and notes that were heard. With --mir-eval the notes are counted by mir_eval too,
where it is installed; --soundfont takes another bank of sounds than Kapelle's own.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import numpy as np

from kapelle.errors import KapelleError
from kapelle.files import load
from kapelle.listening import Heard, Recording, melody_of, notes_of, read_recording
from kapelle.music import Score, TempoMap, clip
from kapelle.rendering.audio import read_soundfont, to_audio
from listening_meters import tunes
from singing import HUM, WHISTLE, matched, performed, sung

INSTRUMENTS = {"piano": 0, "flute": 73, "violin": 40, "choir": 52, "guitar": 24, "trumpet": 56, "clarinet": 71}
VOICES = {"hum": (HUM, 0), "whistle": (WHISTLE, 12)}
SHORTEST = 0.15
"""Seconds: tunes with shorter notes are not hummed, for a voice takes up to 100 ms from one pitch to the next."""

SUNG = {"essen": "songs", "folk": "fiddle tunes"}
KINDS = {"2/4": "duple", "4/4": "duple", "2/2": "duple", "3/4": "triple", "6/8": "compound"}
MEASURED_BY = (1,)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("melodies", "bars", "chords", "speed"))
    parser.add_argument("--tunes", type=int, default=12)
    parser.add_argument("--pieces", type=int, default=20)
    parser.add_argument("--folder", type=Path, help="of composers' folders with MIDI files in them")
    parser.add_argument("--soundfont", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mir-eval", action="store_true")
    options = parser.parse_args()
    {"melodies": melodies, "bars": bars, "chords": chords, "speed": speed}[options.what](options)


def chosen(corpus: str, count: int, seed: int, shortest: float, metres: Any = KINDS) -> list[Score]:
    """Tunes of 12 to 45 seconds, each at a tempo of its own: up to a fifth slower, up to a quarter faster."""
    rng = np.random.default_rng(seed)
    pool = [score for score in tunes(corpus, MEASURED_BY) if score.meters[0].name in metres]
    found: list[Score] = []
    for index in rng.permutation(len(pool)):
        tempo = float(pool[index].tempos.quarters_per_minute[0] * rng.uniform(0.8, 1.25))
        score = pool[index].replace(tempos=TempoMap.constant(round(tempo, 1)))
        steps = np.diff([row[0] for row in rows_of(score)])
        if 12 < score.seconds < 45 and np.percentile(steps, 5) >= shortest:
            found.append(score)
        if len(found) == count:
            break
    return found


def rows_of(score: Score) -> list[tuple[float, float, int]]:
    """(onset, duration, pitch) of all notes, in seconds."""
    rows = []
    for track in score.tracks:
        onset, end = (
            score.tempos.seconds(ticks, score.ticks_per_quarter) for ticks in (track.notes.onset, track.notes.end)
        )
        rows += [(float(a), float(b - a), int(p)) for a, b, p in zip(onset, end, track.notes.pitch, strict=True)]
    return sorted({(round(row[0], 3), row[2]): row for row in rows}.values())


def melodies(options: Any) -> None:
    """F1 of melodies by who sings or plays them."""
    bank = None if options.soundfont is None else read_soundfont(options.soundfont.read_bytes())
    scores = [
        (corpus, number, score)
        for corpus in ("essen", "folk")
        for number, score in enumerate(chosen(corpus, options.tunes, options.seed, SHORTEST))
    ]
    table = defaultdict(list)
    for corpus, number, score in scores:
        for name, (voice, higher) in VOICES.items():
            rng = np.random.default_rng([options.seed, number])
            rows = [(onset, lasts, pitch + higher) for onset, lasts, pitch in performed(rows_of(score), rng)]
            if name == "hum" and np.median([row[2] for row in rows]) > 70:
                rows = [(onset, lasts, pitch - 12) for onset, lasts, pitch in rows]
            heard = melody_of(Recording(sung(rows, rng, voice), 22050))
            table[f"{name}, {SUNG[corpus]}"].append(figures(rows, heard, options.mir_eval))
        for name, program in INSTRUMENTS.items():
            played = score.replace(tracks=tuple(track.replace(program=program) for track in score.tracks))
            heard = melody_of(read_recording(to_audio(played, ".wav", bank)))
            table[name].append(figures(rows_of(score), heard, options.mir_eval))
    show(table, f"{len(scores)} tunes")


def chords(options: Any) -> None:
    """F1 of piano pieces, whole and as melodies would be heard in them."""
    bank = None if options.soundfont is None else read_soundfont(options.soundfont.read_bytes())
    paths = sorted(options.folder.glob("*/piano_midi_de/*.mid")) + sorted(options.folder.glob("*/mutopia*/*.mid"))
    table, done = defaultdict(list), 0
    for index in np.random.default_rng([7, options.seed]).permutation(len(paths)):
        try:
            score = load(paths[index])
        except KapelleError:
            continue
        if any(track.program > 7 or track.is_drum for track in score.tracks) or score.seconds < 20:
            continue
        ticks = np.arange(0, score.end, max(1, score.ticks_per_quarter // 24))
        piece = clip(
            score, 0, int(ticks[np.searchsorted(score.tempos.seconds(ticks, score.ticks_per_quarter), 25) - 1])
        )
        # As a recording has it: what pedals did to the length of notes does not count, only where they begin.
        rows = rows_of(piece)
        if len(rows) < 60:
            continue
        table["piano pieces"].append(
            figures(rows, notes_of(read_recording(to_audio(piece, ".wav", bank))), options.mir_eval)
        )
        done += 1
        if done == options.pieces:
            break
    show(table, f"{done} pieces")


def figures(rows: list, heard: Heard, by_mir_eval: bool) -> list[float]:
    """F1 within 50 and within 100 ms, precision and recall within 50 ms, and with mir_eval its F1 within 50 ms."""
    told = rows_of(heard.as_played)
    found = [matched(rows, told, tolerance) for tolerance in (0.05, 0.1)]
    scores = [2 * number / (len(rows) + len(told)) for number in found]
    scores += [found[0] / len(told), found[0] / len(rows)]
    if by_mir_eval:
        import mir_eval

        both = [
            (
                np.array([(a, a + max(d, 0.01)) for a, d, _ in notes]),
                440 * 2 ** ((np.array([p for *_, p in notes]) - 69) / 12),
            )
            for notes in (rows, told)
        ]
        scores.append(mir_eval.transcription.precision_recall_f1_overlap(*both[0], *both[1], offset_ratio=None)[2])
    return scores


def show(table: dict[str, list], told: str) -> None:
    """A table in Markdown: means over pieces, and the worst."""
    print(
        f"{told}\n\n| | F1 50 ms | F1 100 ms | precision | recall | worst, 100 ms | mir_eval, 50 ms |\n|---|"
        + "---|" * 6
    )
    for name, rows in table.items():
        mean = np.mean(rows, axis=0)
        checked = f"{mean[4]:.3f}" if len(mean) > 4 else ""
        cells = [*(f"{value:.3f}" for value in mean[:4]), f"{min(row[1] for row in rows):.2f}", checked]
        print(f"| {name} | {' | '.join(cells)} |")


def bars(options: Any) -> None:
    """How often tempo, metre, downbeats and key of hummed tunes are right, and how sure the answers were."""
    rows = defaultdict(list)
    for corpus in ("essen", "folk"):
        for number, score in enumerate(chosen(corpus, options.tunes, options.seed, SHORTEST)):
            rng = np.random.default_rng([options.seed, number])
            played = performed(rows_of(score), rng)
            lower = 12 if np.median([row[2] for row in played]) > 70 else 0
            sound = sung([(a, d, pitch - lower) for a, d, pitch in played], rng)
            rows[corpus].append(right(score, melody_of(Recording(sound, 22050))))
    print("| | tempo | half or double | metre | bar lines | key | tunes |\n|---|---|---|---|---|---|---|")
    for corpus, found in rows.items():
        mean = np.mean([row[:5] for row in found], axis=0)
        print(f"| {corpus} | {' | '.join(f'{value:.2f}' for value in mean)} | {len(found)} |")
    every = np.array(list(itertools.chain(*rows.values())), float)
    print("\n| told as sure | tempo right | metre right | key right |\n|---|---|---|---|")
    for low, high in ((0, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 0.98), (0.98, 1.01)):
        cells = []
        for is_right, sure in ((0, 5), (2, 6), (4, 7)):
            inside = (every[:, sure] >= low) & (every[:, sure] < high)
            cells.append(f"{every[inside, is_right].mean():.2f} of {inside.sum()}" if inside.any() else "none")
        print(f"| {low:.0%} to {min(high, 1):.0%} | {' | '.join(cells)} |")


def right(score: Score, heard: Heard) -> list[float]:
    """Whether tempo, half or double of it, metre, bar lines and key are right, and how sure of three we were.

    Bar lines are right if three in four of those that have a note on them stand where a real one has a note.
    """
    told, sure = heard.score, heard.certainty
    pace = told.tempos.quarters_per_minute[0] / score.tempos.quarters_per_minute[0]
    near = [abs(pace / times - 1) < 0.04 for times in (1, 0.5, 2)]
    real, written = (np.isin(piece.tracks[0].notes.onset, piece.bars()) for piece in (score, told))
    # The singer's tempo wanders: places are compared as shares of the whole.
    shares = []
    for notes, on_line in ((score.tracks[0].notes, real), (heard.as_played.tracks[0].notes, written)):
        onset = notes.onset / 1.0
        shares.append(((onset - onset[0]) / max(onset[-1] - onset[0], 1))[on_line[: len(onset)]])
    off = 0.15 / score.seconds
    hits = [bool(len(shares[0]) and np.abs(shares[0] - share).min() < off) for share in shares[1]]
    agree = bool(hits) and float(np.mean(hits)) > 0.75
    key = bool(score.keys) and (score.keys[0].tonic, score.keys[0].mode) == (told.keys[0].tonic, told.keys[0].mode)
    metre = KINDS[told.meters[0].name] == KINDS[score.meters[0].name]
    return [near[0], near[1] or near[2], metre, agree, key, sure.tempo, sure.meter, sure.key]


def speed(options: Any) -> None:
    """Processor time for 20 seconds, and for an hour."""
    rng = np.random.default_rng(0)
    melody = [(0.4 * index, 0.38, 60 + int(rng.integers(0, 12))) for index in range(9000)]
    for seconds, ways in ((20, (melody_of, notes_of)), (3600, (melody_of,))):
        rows = [row for row in melody if row[0] + row[1] < seconds - 0.5]
        sound = Recording(sung(rows, rng), 22050)
        melody_of(Recording(sound.samples[: 3 * 22050], 22050))
        for listen in ways:
            start = time.process_time()
            heard = listen(sound)
            spent = time.process_time() - start
            print(f"{listen.__name__}: {sound.seconds:.0f} s in {spent:.2f} s, {heard.score.num_notes} notes")


if __name__ == "__main__":
    main()
