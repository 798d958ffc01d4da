"""How near Kapelle's sampler is to FluidSynth, and how fast it plays.

    python benchmarks/audio.py distance [--soundfont FILE] [--all]
    python benchmarks/audio.py speed [--runs 5]

distance: both play a phrase of ten single notes from C2 to C6, at velocities of 45 to 120, and a chord, once in each of
the 128 programs, and every key of the drum kit from 27 to 87, from the same soundfont; FluidSynth with its
reverberation and chorus off. Of each sound left and right are averaged, the shorter one is filled up with silence, and
both are brought to the same root mean square. Power spectra of 4,096 frames every 1,024 (Hann window) are summed in 59
bands whose edges rise by equal ratios from 40 Hz to 16 kHz, and averaged over time. The distance is the mean over the
bands of the absolute difference in decibels, where whatever is 60 dB below the strongest band of both counts as 60 dB
below it. The second figure is stricter: the same difference in every frame and band, with the floor 60 dB below the
strongest of all frames, averaged. Needs the program fluidsynth.

speed: a piece of five tracks (flute, piano, bass, strings, drums) with 1,300 notes of random pitch and velocity in 128
seconds, made into sound by a process of its own; processor time, and the peak of its memory as the operating system
tells it. Then what each file format takes on top of it.
"""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import io
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from kapelle.files.midi import encode as to_midi
from kapelle.music import Notes, Score, TempoMap, Track
from kapelle.music.instruments import PROGRAM_NAMES
from kapelle.rendering.audio import RATE, SUFFIXES, bundled_file, encode, read_soundfont, synthesize
from kapelle.rendering.audio.encoding import rate_of

WINDOW, HOP, FLOOR = 4096, 1024, 1e-6
EDGES = np.geomspace(40, 16_000, 60)
LINE = ((36, 100), (43, 60), (48, 110), (55, 80), (60, 90), (64, 45), (67, 120), (72, 75), (79, 100), (84, 64))
CHORD = (48, 60, 64, 67)
DRUMS = 128


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    near = commands.add_parser("distance")
    near.add_argument("--soundfont", type=Path, default=Path(str(bundled_file())))
    near.add_argument("--all", action="store_true", help="a line for each program")
    commands.add_parser("speed").add_argument("--runs", type=int, default=5)
    # What a run of `speed` starts.
    commands.add_parser("play-once")
    given = parser.parse_args()
    if given.command == "distance":
        distances(given.soundfont, given.all)
    elif given.command == "speed":
        speed(given.runs)
    else:
        play_once()


# -- distance -------------------------------------------------------------------------------------


def distances(path: Path, each: bool) -> None:
    font = read_soundfont(path.read_bytes())
    found = []
    for program in range(129):
        score = phrase(program)
        theirs, ours = fluidsynth(score, path), synthesize(score, font)
        found.append((*distance(theirs, ours), program))
    pitched = found[:DRUMS]
    rows = [
        ("mean of 128 programs", *np.mean([row[:2] for row in pitched], 0)),
        ("median", *np.median([row[:2] for row in pitched], 0)),
        ("drum kit, keys 27 to 87", *found[DRUMS][:2]),
    ]
    shown = pitched if each else sorted(pitched, reverse=True)[:8]
    rows += [(f"{program} {PROGRAM_NAMES[program]}", mean, strict) for mean, strict, program in shown]
    print("| | distance, dB | frame by frame, dB |\n|---|---|---|")
    for name, mean, strict in rows:
        print(f"| {name} | {mean:.2f} | {strict:.2f} |")


def phrase(program: int) -> Score:
    """What is compared; 128 stands for the drum kit."""
    if program == DRUMS:
        rows = [(12 * place, 6, key, (100, 60, 120)[place % 3]) for place, key in enumerate(range(27, 88))]
        return Score(24, (Track(Notes.of(rows), is_drum=True),))
    rows = [(24 * place, 20, pitch, velocity) for place, (pitch, velocity) in enumerate(LINE)]
    rows += [(24 * len(LINE), 60, pitch, 90) for pitch in CHORD]
    return Score(24, (Track(Notes.of(rows), program=program),))


def fluidsynth(score: Score, font: Path) -> np.ndarray:
    """What FluidSynth plays, shape (frames, 2)."""
    with tempfile.TemporaryDirectory() as folder:
        midi, wav = Path(folder, "score.mid"), Path(folder, "sound.wav")
        midi.write_bytes(to_midi(score))
        plain = ["-niq", "-R", "0", "-C", "0", "-g", "0.2", "-r", str(RATE), "-O", "float", "-T", "wav"]
        command = ["fluidsynth", *plain, "-F", str(wav), str(font), str(midi)]
        subprocess.run(command, check=True, capture_output=True)
        return soundfile.read(wav, always_2d=True)[0]


def distance(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """The mean absolute difference in dB of two sounds: of their average spectra, and frame by frame."""
    length = max(len(one), len(other)) + WINDOW
    spectra = []
    for sound in (one, other):
        mono = np.pad(sound.mean(1), (0, length - len(sound)))
        spectra.append(bands(mono / (np.sqrt((mono**2).mean()) + 1e-12)))
    return difference(*(frames.mean(0) for frames in spectra)), difference(*spectra)


def difference(one: np.ndarray, other: np.ndarray) -> float:
    least = FLOOR * max(one.max(), other.max())
    decibels = [10 * np.log10(np.maximum(power, least)) for power in (one, other)]
    return float(np.abs(decibels[0] - decibels[1]).mean())


def bands(mono: np.ndarray) -> np.ndarray:
    """Power in 59 bands, shape (frames, 59); a line of the spectrum that an edge crosses is shared out."""
    windows = np.lib.stride_tricks.sliding_window_view(mono, WINDOW)[::HOP] * np.hanning(WINDOW)
    power = np.abs(np.fft.rfft(windows)) ** 2
    summed = np.concatenate((np.zeros((len(power), 1)), np.cumsum(power, 1)), 1)
    lines = (np.arange(summed.shape[1]) - 0.5) * RATE / WINDOW
    return np.diff(np.array([np.interp(EDGES, lines, row) for row in summed]))


# -- speed ----------------------------------------------------------------------------------------


def piece() -> Score:
    """Five tracks of 260 notes in 128 seconds."""
    rng = np.random.default_rng(0)
    tracks = []
    for program, low, high in ((73, 65, 88), (0, 48, 79), (32, 33, 52), (48, 55, 76), (DRUMS, 0, 0)):
        onset = np.arange(260) * (128 * 48) // 260
        pitch = rng.choice([36, 38, 42, 46, 49], 260) if program == DRUMS else rng.integers(low, high, 260)
        notes = Notes(onset, rng.choice([6, 12, 24, 48], 260), pitch, rng.integers(60, 110, 260))
        tracks.append(Track(notes, program=program % 128, is_drum=program == DRUMS))
    return Score(24, tuple(tracks), tempos=TempoMap.constant(120))


def play_once() -> None:
    score = piece()
    start = time.process_time()
    sound = synthesize(score)
    print(time.process_time() - start, len(sound) / RATE)


def speed(runs: int) -> None:
    inside, whole, peaks, seconds = [], [], [], 0.0
    for _ in range(runs):
        process = subprocess.Popen([sys.executable, __file__, "play-once"], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        spent, seconds = map(float, process.stdout.read().split())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        inside.append(spent)
        whole.append(usage.ru_utime + usage.ru_stime)
        peaks.append(usage.ru_maxrss / 1024)
    music = piece().seconds
    print("| what | median | range |\n|---|---|---|")
    rows = (
        (f"`synthesize`, {music:.0f} s of music ({seconds:.0f} s with tails)", inside, "s"),
        ("times real time", [music / spent for spent in inside], ""),
        ("whole process, imports and all", whole, "s"),
        ("times real time, whole process", [music / spent for spent in whole], ""),
        ("peak memory of the process", peaks, "MB"),
    )
    for what, values, unit in rows:
        print(f"| {what} | {statistics.median(values):.3g} {unit} | {min(values):.3g} to {max(values):.3g} |")
    print("\n| file | s | MB a minute |\n|---|---|---|")
    for suffix in SUFFIXES:
        sound = synthesize(piece(), rate=rate_of(suffix))
        start = time.process_time()
        data = encode([sound], suffix)
        spent = time.process_time() - start
        assert soundfile.info(io.BytesIO(data)).channels == 2
        print(f"| `{suffix}` | {spent:.2f} | {len(data) / 1e6 / (len(sound) / rate_of(suffix) / 60):.2f} |")


if __name__ == "__main__":
    main()
