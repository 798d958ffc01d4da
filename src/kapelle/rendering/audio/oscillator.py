"""Plays a tone: the recording at its pitch, looped, filtered, in chunks that can be asked for in any order.

Notes of a piece share tones far more often than not, so a chunk is made once and used by all of them. Envelopes
and oscillators that move pitch, cutoff and volume are followed in steps of 64 frames, as FluidSynth does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .envelope import decibels
from .patch import Tone
from .soundfont import SoundFont

CHUNK, STEP = 8192, 64

Sound = NDArray[np.float32]
_RAMP = np.arange(STEP, dtype=np.float32) / STEP


class Oscillator:
    """One tone.

    Args:
        bank: where its recording is.
        tone: what to play.
        rate: frames a second.
        released: frames after the start at which the note is released, where that is heard (`Tone.knows_release`).
    """

    def __init__(self, bank: SoundFont, tone: Tone, rate: int, released: int | None) -> None:
        self.tone, self.rate = tone, rate
        self._bank = bank
        self.released = float("inf") if released is None else released / rate
        self._source = bank.recording(tone.sample)
        self._places = [float(tone.start)]
        self._states = [(0.0, 0.0)]
        top = tone.cutoff >= 13500 and not tone.resonance and not tone.sweeps
        self._filters = not top

    def chunk(self, number: int) -> Sound:
        """Frames number * CHUNK and on, -1..1, shape (CHUNK,)."""
        tone = self.tone
        if self._filters:
            for earlier in range(len(self._states) - 1, number):
                self._filtered(self._interpolated(self._positions(earlier)), earlier)
        sound = self._interpolated(self._positions(number))
        if self._filters:
            sound = self._filtered(sound, number)
        if tone.tremolo_volume:
            wave = tone.tremolo.level(self._times(number))
            sound = sound * between(decibels(-wave * tone.tremolo_volume))
        return sound

    def let_go(self, released: int) -> Oscillator:
        """The tone as it is if it is released after some frames; what this one knows of the time before is kept."""
        other = Oscillator(self._bank, self.tone, self.rate, released)
        known = released // CHUNK + 1
        other._states, other._places = self._states[:known], self._places[:known]
        return other

    def frames(self) -> float:
        """How many frames there are; infinite if it loops."""
        tone = self.tone
        if tone.loops == 1:
            return float("inf")
        if tone.bends or (tone.loops and self.released == float("inf")):
            # A bend is followed only as far as it is played.
            return float("inf")
        return self._until_end() / tone.step

    def _until_end(self) -> float:
        """Frames of the recording from its start to its end, with the rounds of a loop that is left at last."""
        tone = self.tone
        straight = float(tone.end - tone.start)
        if tone.loops != 3:
            return straight
        return straight + max(self._rounds(), 0) * (tone.loop_end - tone.loop_start)

    def _rounds(self) -> int:
        """How often a loop is gone back to before the release."""
        tone = self.tone
        if self.released == float("inf"):
            return 2**40
        reached = tone.start + self.released * self.rate * tone.step
        return max(int((reached - tone.loop_end) // (tone.loop_end - tone.loop_start)) + 1, 0)

    def _times(self, number: int) -> Any:
        """Seconds at the steps of a chunk, both ends among them."""
        return np.arange(number * CHUNK, (number + 1) * CHUNK + 1, STEP) / self.rate

    def _positions(self, number: int) -> NDArray[np.float64]:
        """Where in the recording the frames of a chunk lie, as if loops were laid end to end."""
        tone = self.tone
        if not tone.bends:
            first = tone.start + number * CHUNK * tone.step
            return np.asarray(first + np.arange(CHUNK) * tone.step)
        while len(self._places) <= number + 1:
            self._places.append(self._places[-1] + float(self._speeds(len(self._places) - 1).sum()) * STEP)
        speeds = self._speeds(number)
        first_of_step = self._places[number] + STEP * (np.cumsum(speeds) - speeds)
        return np.asarray((first_of_step[:, None] + speeds[:, None] * np.arange(STEP)).ravel())

    def _speeds(self, number: int) -> NDArray[np.float64]:
        """Frames of the recording per frame, in each step of a chunk."""
        tone, times = self.tone, self._times(number)[:-1]
        cents = tone.contour_pitch * tone.contour.contour(times, self.released)
        cents += tone.vibrato_pitch * tone.vibrato.level(times) + tone.tremolo_pitch * tone.tremolo.level(times)
        return np.asarray(tone.step * 2 ** (np.clip(cents, -12000, 12000) / 1200))

    def _interpolated(self, positions: NDArray[np.float64]) -> Sound:
        """The recording at places between its frames: a cubic through four of them (Catmull and Rom, 1974)."""
        first, last = int(positions[0]), int(positions[-1])
        around = self._stretch(first - 1, last + 3)
        local = positions - (first - 1)
        index = local.astype(np.intp)
        x = (local - index).astype(np.float32)
        a, b, c, d = (around.take(index + offset) for offset in (-1, 0, 1, 2))
        return np.asarray(b + 0.5 * x * (c - a + x * (2 * a - 5 * b + 4 * c - d + x * (3 * (b - c) + d - a))))

    def _stretch(self, first: int, stop: int) -> Sound:
        """Frames of the recording with its loop unrolled; silence before its start and after its end."""
        tone = self.tone
        if first >= tone.start and stop <= (tone.loop_end if tone.loops else tone.end):
            return self._source[first:stop]
        places = np.arange(first, stop)
        if tone.loops:
            length = tone.loop_end - tone.loop_start
            rounds = np.maximum((places - tone.loop_start) // length, 0)
            if tone.loops == 3:
                rounds = np.minimum(rounds, self._rounds())
            places -= rounds * length
        inside = (places >= tone.start) & (places < tone.end)
        return np.where(inside, self._source.take(np.clip(places, tone.start, tone.end - 1)), np.float32(0))

    def _filtered(self, sound: Sound, number: int) -> Sound:
        """A chunk after the low-pass filter, whose poles are others in each step if it sweeps.

        The recursion goes through the frames of all steps side by side, once from rest and once from each of the
        two states of one; which state a step really begins in is found afterwards, and the three are added up.
        """
        pole, square, through = self._coefficients(number)
        lines = _recursions(pole, square, sound.reshape(-1, STEP).T * through)
        state = self._states[number]
        states = [state]
        for a, a_one, a_two, b, b_one, b_two in np.transpose(lines[:-3:-1].reshape(6, -1)).tolist():
            one, two = state
            state = a + a_one * one + a_two * two, b + b_one * one + b_two * two
            states.append(state)
        if len(self._states) == number + 1:
            self._states.append(state)
        one, two = np.array(states[:-1]).T
        rest, after_one, after_two = np.moveaxis(lines, 1, 0)
        middle = after_one * one
        middle += after_two * two
        middle += rest
        heard = middle[2:] + middle[:-2]
        heard += 2 * middle[1:-1]
        return np.asarray(heard.T, np.float32).ravel()

    def _coefficients(self, number: int) -> tuple[Any, Any, Any]:
        """Of the filter in each step of a chunk: what the last frame counts, minus the one before it, and the gain.

        The bilinear low-pass of R. Bristow-Johnson's cookbook; as in FluidSynth, resonance counts from 3.01 dB
        below its value, and half of it is taken off the whole.
        """
        tone, times = self.tone, self._times(number)
        cents = np.full(2, tone.cutoff)
        if tone.sweeps:
            cents = tone.cutoff + tone.contour_cutoff * tone.contour.contour(times, self.released)
            cents += tone.tremolo_cutoff * tone.tremolo.level(times)
            if np.ptp(cents) < 1:
                cents = cents[[0, -1]]
        hertz = np.clip(8.176 * 2 ** (np.clip(cents, 0, 15000) / 1200), 5.0, 0.45 * self.rate)
        omega = 2 * np.pi * hertz / self.rate
        quality = 10 ** ((tone.resonance - 3.01) / 20)
        alpha, cosine = np.sin(omega) / (2 * quality), np.cos(omega)
        through = (1 - cosine) / 2 / (1 + alpha) / np.sqrt(quality)
        first, second = 2 * cosine / (1 + alpha), (1 - alpha) / (1 + alpha)
        return tuple(x[:-1] + np.diff(x) * _RAMP[:, None] for x in (first, second, through))


def _recursions(pole: Any, square: Any, frames: NDArray[np.float64]) -> NDArray[np.float64]:
    """x[n] = frames[n] + pole[n] * x[n - 1] - square[n] * x[n - 2] in many columns.

    Shape (STEP + 2, 3, columns): from rest, and without any frames from either of the two states of 1. The first two
    rows are what each begins with.
    """
    columns = frames.shape[1]
    lines = np.zeros((STEP + 2, 3, columns))
    lines[1, 1] = lines[0, 2] = 1
    work = np.empty((3, columns))
    if pole.shape[1] == 1:
        # A plain number is multiplied with a row in half the time of an array of one.
        pole, square = pole.ravel().tolist(), square.ravel().tolist()
    for place in range(STEP):
        line = lines[place + 2]
        np.multiply(lines[place + 1], pole[place], out=line)
        np.multiply(lines[place], square[place], out=work)
        line -= work
        line[0] += frames[place]
    return lines


def between(values: NDArray[np.float64]) -> Sound:
    """Values at steps joined by straight lines, shape (steps + 1,) to (steps * STEP,)."""
    start = values[:-1].astype(np.float32)
    return np.asarray((start[:, None] + np.diff(values).astype(np.float32)[:, None] * _RAMP).ravel())
