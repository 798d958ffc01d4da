"""A made-up singer: melodies as somebody hums or whistles them, so that what is heard can be compared with the truth.

No two notes are alike: glides between notes and into them, vibrato that sets in late, pitch that wanders by a quarter
of a semitone, soft attacks, breaths, the noise of a room.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

RATE = 22050
Rows = list[tuple[float, float, int]]
"""Notes as (onset, duration, pitch), in seconds and MIDI numbers, one after the other."""


@dataclass(frozen=True)
class Voice:
    """How somebody makes a sound.

    Attributes:
        overtones: level of each partial, the first included.
        drift: how far the pitch wanders during the recording, in semitones.
        offset: how far it is off from the start.
        slip: standard deviation of each note's own error, in semitones.
        vibrato: deepest, in semitones.
        breath: level of the noise in the tone, and of a breath, beside a tone of 1.
        legato: the share of notes that glide on without a new attack.
    """

    overtones: tuple[float, ...] = (1.0, 0.55, 0.3, 0.12, 0.07, 0.04, 0.03, 0.02)
    drift: float = 0.25
    offset: float = 0.3
    slip: float = 0.08
    vibrato: float = 0.35
    breath: float = 0.02
    legato: float = 0.5
    room: float = 0.0015


HUM = Voice()
WHISTLE = Voice((1.0, 0.02), drift=0.2, offset=-0.2, slip=0.06, vibrato=0.2, breath=0.04, legato=0.6)


def performed(rows: Iterable[tuple[float, float, int]], rng: np.random.Generator, jitter: float = 0.015) -> Rows:
    """Notes as a person times them: the tempo wanders by 3 per cent, each onset is off by `jitter` seconds or so."""
    rows = list(rows)
    onset = np.array([row[0] for row in rows])
    length = onset[-1] + 1
    wander = 0.03 * length / (4 * np.pi) * np.sin(4 * np.pi * onset / length + rng.uniform(0, 6.28))
    played = onset + wander - wander[0] + rng.normal(0, jitter, len(onset)).clip(-3 * jitter, 3 * jitter)
    played = np.maximum.accumulate(played - played[0] + onset[0] + 0.002 * np.arange(len(onset)))
    gap = np.append(np.diff(played) - np.diff(onset), 0)
    lasts = np.array([row[1] for row in rows]) + gap
    return [(float(a), max(float(d), 0.06), row[2]) for a, d, row in zip(played, lasts, rows, strict=True)]


def sung(rows: Rows, rng: np.random.Generator, voice: Voice = HUM, rate: int = RATE) -> np.ndarray:
    """The sound of notes that do not overlap, float32 at `rate`, peak 0.7, with half a second of room at either end."""
    length = int((rows[-1][0] + rows[-1][1] + 0.5) * rate)
    time = np.arange(length) / rate
    pitch, level = _lines(rows, rng, voice, time)
    curve = np.cumsum(rng.normal(0, 1, max(4, length // rate + 2)))
    curve = voice.drift * curve / max(np.abs(curve).max(), 1e-9)
    pitch += voice.offset + np.interp(time, np.linspace(0, time[-1], len(curve)), curve)
    pitch += np.interp(time, time[::220], rng.normal(0, 0.03, len(time[::220])))
    phase = 2 * np.pi * np.cumsum(440 * 2 ** ((pitch - 69) / 12)) / rate
    tone = sum(share * np.sin((n + 1) * phase + n) for n, share in enumerate(voice.overtones))
    # Breath is dull noise: white noise, averaged over four samples.
    noise = np.convolve(rng.normal(0, 1, length), np.ones(4) / 2, "same")
    level *= 1 + 0.1 * np.interp(time, time[::1000], rng.normal(0, 1, len(time[::1000])))
    sound = level * tone + noise * (voice.breath * level + _breaths(rows, rng, voice, time) + voice.room)
    return (0.7 * sound / np.abs(sound).max()).astype(np.float32)


def _lines(rows: Rows, rng: np.random.Generator, voice: Voice, time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pitch in semitones, and the level, at each time."""
    pitch, level = np.full(len(time), float(rows[0][2])), np.zeros(len(time))
    rate = 1 / (time[1] - time[0])
    before_end, before = -1.0, 0.0
    for index, (onset, duration, number) in enumerate(rows):
        target = number + rng.normal(0, voice.slip)
        follows = rows[index + 1][0] if index + 1 < len(rows) else onset + duration
        # A phrase breathes at its end; within it notes nearly touch.
        sounding = min(duration * (1 if rng.random() < voice.legato else rng.uniform(0.82, 0.97)), follows - onset)
        start, stop = int(onset * rate), int((onset + sounding) * rate)
        at = time[start:stop] - onset
        touches = onset - before_end < 0.04
        glide, takes = (before - target, rng.uniform(0.03, 0.10)) if touches else (-rng.uniform(0, 1.5), 0.07)
        vibrato = rng.uniform(0.2, 1) * voice.vibrato * np.clip((at - 0.18) / 0.25, 0, 1)
        line = (
            target
            + glide * np.exp(-((at / takes) ** 2) * 1.5)
            + vibrato * np.sin(2 * np.pi * rng.uniform(4.8, 6.5) * at + rng.uniform(0, 6.28))
        )
        pitch[start:] = target
        pitch[start:stop] = line
        attack = rng.uniform(0.03, 0.08)
        again = touches and (round(before - target) == 0 or rng.random() > voice.legato)
        low = 0.0 if not touches else rng.uniform(0.08, 0.25) if again else rng.uniform(0.55, 0.9)
        swell = low + (1 - low) * np.clip(at / attack, 0, 1) ** 1.5
        fade = np.clip((onset + sounding - time[start:stop]) / 0.03, low if touches else 0, 1)
        level[start:stop] = rng.uniform(0.6, 1) * swell * fade * (1 - 0.25 * at / max(sounding, 0.3))
        before_end, before = onset + sounding, target
    return pitch, level


def _breaths(rows: Rows, rng: np.random.Generator, voice: Voice, time: np.ndarray) -> np.ndarray:
    """The level of the breaths that are drawn where there is time for one."""
    level = np.zeros(len(time))
    for (onset, duration, _), (follows, _, _) in itertools.pairwise(rows):
        if follows - onset - duration > 0.25:
            middle = follows - rng.uniform(0.1, 0.15)
            level += 2 * voice.breath * np.exp(-(((time - middle) / 0.06) ** 2))
    return level


def matched(truth: Rows, heard: Rows, tolerance: float) -> int:
    """How many notes of the truth have a note of their own among those heard: same pitch, onset within the tolerance.

    The largest matching, by augmenting paths.
    """
    near = [
        [at for at, note in enumerate(heard) if note[2] == pitch and abs(note[0] - onset) <= tolerance]
        for onset, _, pitch in truth
    ]
    owner: dict[int, int] = {}

    def find(index: int, seen: set[int]) -> bool:
        for at in near[index]:
            if at not in seen:
                seen.add(at)
                if at not in owner or find(owner[at], seen):
                    owner[at] = index
                    return True
        return False

    return sum(find(index, set()) for index in range(len(truth)))


def f1(truth: Rows, heard: Rows, tolerance: float = 0.1) -> float:
    """Of notes played and notes heard, how many are both: 0..1."""
    return 2 * matched(truth, heard, tolerance) / max(len(truth) + len(heard), 1)
