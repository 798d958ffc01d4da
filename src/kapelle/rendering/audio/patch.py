"""What a note of a program sounds like: the zones it falls into, with every setting worked out.

After the SoundFont specification 2.04, sections 8 and 9. Where it leaves things open, or where banks are made for
another reading, the reading is FluidSynth's: attenuation counts 0.4 of what is written, volume stands at 100, and
velocity by itself moves no filter. Nothing moves while a note sounds but its own envelopes and oscillators, so
every modulator is worked out when the note starts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .envelope import Envelope, Wave
from .soundfont import Modulator, SoundFont, Zone

DRUM_BANK = 128
MOST_ZONES = 32
"""Sounds that one note may set off; banks have two or four."""

_DEFAULTS = dict.fromkeys((21, 23, 25, 26, 27, 28, 30, 33, 34, 35, 36, 38), -12000)
_DEFAULTS |= {8: 13500, 46: -1, 56: 100, 58: -1}
_OF_INSTRUMENTS = frozenset((0, 1, 2, 3, 4, 12, 45, 46, 50, 54, 57, 58))
"""Settings that mean nothing in a preset."""

_BY_VELOCITY, _BY_VOLUME = Modulator(0x0502, 48, 960, 0), Modulator(0x0587, 48, 960, 0)
_CONTROLLERS = {7: 100, 10: 64, 11: 127}
"""Where controllers stand; all others at 0."""

_ATTENUATION, _CUTOFF, _RESONANCE, _PAN, _FINE, _COARSE = 48, 8, 9, 17, 52, 51


@dataclass(frozen=True, slots=True)
class Tone:
    """All that the sound of a note depends on before its volume, hashable: notes with equal tones share it.

    Attributes:
        sample: the number of the recording.
        start, end, loop_start, loop_end: in its frames.
        loops: 0 plays it once; 1 repeats the loop; 3 repeats it until the note is released.
        step: frames of the recording for each frame of sound.
        vibrato, tremolo: low oscillators; the second moves pitch, cutoff and volume, and the first pitch.
        contour: the envelope of pitch and cutoff.
        vibrato_pitch, tremolo_pitch, contour_pitch: how far these move the pitch, in cents.
        cutoff: of the low-pass filter, in cents above 8.176 Hz.
        resonance: of the filter, in dB.
        tremolo_cutoff, contour_cutoff: how far these move the cutoff, in cents.
        tremolo_volume: how far it moves the volume, in dB.
    """

    sample: int
    start: int
    end: int
    loop_start: int
    loop_end: int
    loops: int
    step: float
    vibrato: Wave
    tremolo: Wave
    contour: Envelope
    vibrato_pitch: float
    tremolo_pitch: float
    contour_pitch: float
    cutoff: float
    resonance: float
    tremolo_cutoff: float
    contour_cutoff: float
    tremolo_volume: float

    @property
    def bends(self) -> bool:
        """Whether its pitch moves."""
        return bool(self.vibrato_pitch or self.tremolo_pitch or self.contour_pitch)

    @property
    def sweeps(self) -> bool:
        """Whether its filter moves."""
        return bool(self.tremolo_cutoff or self.contour_cutoff)

    @property
    def knows_release(self) -> bool:
        """Whether it sounds otherwise, not only softer, once it is released."""
        return self.loops == 3 or bool(self.contour_pitch or self.contour_cutoff)


@dataclass(frozen=True, slots=True)
class Layer:
    """One of the sounds that a note sets off.

    Attributes:
        tone: what sounds.
        loudness: its envelope.
        gain: how loud it is, 0..1.
        pan: from 0, left, to 1, right.
        exclusive: sounds of one track with the same number, other than 0, silence each other.
    """

    tone: Tone
    loudness: Envelope
    gain: float
    pan: float
    exclusive: int


def layers_of(bank: SoundFont, preset: int, key: int, velocity: int, rate: int) -> list[Layer]:
    """What a note sets off; nothing if no zone is for it.

    Args:
        preset: its number in the bank.
        key, velocity: 0..127.
        rate: frames a second of the sound.
    """
    layers: list[Layer] = []
    outer = bank.preset(preset)
    for zone in outer:
        if zone.target < 0 or not zone.holds(key, velocity):
            continue
        inner = bank.instrument(zone.target)
        for part in inner:
            if part.target >= 0 and part.holds(key, velocity) and len(layers) < MOST_ZONES:
                settings = _settings(inner, part, outer, zone, key, velocity)
                layer = _layer(bank, part.target, settings, key, rate)
                if layer is not None:
                    layers.append(layer)
    return layers


def _settings(
    inner: tuple[Zone, ...], part: Zone, outer: tuple[Zone, ...], zone: Zone, key: int, velocity: int
) -> Callable[[int], float]:
    """Every setting of a sound: the instrument's, moved by the preset's and by all modulators."""
    written, shift = _over(inner, part), _over(outer, zone)
    moves = {_identity(move): move for move in (_BY_VELOCITY, _BY_VOLUME)}
    moves |= {_identity(move): move for move in _moves(inner, part)}
    moved: dict[int, float] = {}
    # Those of a preset come on top of the instrument's.
    for move in (*moves.values(), *_moves(outer, zone)):
        source = _controller(move.source, key, velocity, 0.0)
        amount = move.amount * source * _controller(move.scale, key, velocity, 1.0)
        moved[move.target] = moved.get(move.target, 0.0) + amount

    def setting(kind: int) -> float:
        value = float(written.get(kind, _DEFAULTS.get(kind, 0)))
        if kind not in _OF_INSTRUMENTS:
            value += shift.get(kind, 0)
        if kind == _ATTENUATION:
            value *= 0.4
        return value + moved.get(kind, 0.0)

    return setting


def _over(zones: tuple[Zone, ...], zone: Zone) -> dict[int, int]:
    return (zones[0].generators if zones[0].target < 0 else {}) | zone.generators


def _moves(zones: tuple[Zone, ...], zone: Zone) -> list[Modulator]:
    everywhere = zones[0].modulators if zones[0].target < 0 else ()
    return list({_identity(move): move for move in (*everywhere, *zone.modulators)}.values())


def _identity(move: Modulator) -> tuple[int, int, int]:
    return move.source, move.target, move.scale


def _controller(code: int, key: int, velocity: int, without: float) -> float:
    """What a source of modulation gives when the note starts: 0..1, or -1..1 if it has two sides."""
    index = code & 0x7F
    if code & 0x80:
        value = _CONTROLLERS.get(index, 0) / 127
        if index in (8, 10):
            value = max(_CONTROLLERS.get(index, 64) - 1, 0) / 126
    elif index == 0:
        return without
    else:
        # Velocity, key, the pitch wheel at rest, its range of two semitones; pressure is 0.
        value = {2: velocity / 127, 3: key / 127, 14: 0.5, 16: 2 / 127}.get(index, 0.0)
    falls, two_sided, shape = bool(code & 0x100), bool(code & 0x200), code >> 10
    if not two_sided:
        return _shaped(shape, 1 - value if falls else value)
    sign = -1.0 if falls else 1.0
    value = 2 * value - 1
    return sign * math.copysign(_shaped(shape, abs(value)), value) if shape != 3 else sign * (1 if value >= 0 else -1)


def _shaped(shape: int, value: float) -> float:
    """Linear, concave, convex, or a switch."""
    if shape == 1:
        return 1.0 if value >= 1 else min(-(400 / 960) * math.log10(1 - value), 1.0)
    if shape == 2:
        return 0.0 if value <= 0 else max(1 + (400 / 960) * math.log10(value), 0.0)
    if shape == 3:
        return 1.0 if value >= 0.5 else 0.0
    return value


def _layer(bank: SoundFont, number: int, setting: Callable[[int], float], key: int, rate: int) -> Layer | None:
    recording, sample = bank.recording(number), bank.sample(number)
    # A loop is told in frames of the bank, that of a compressed sample in its own.
    origin = 0 if sample.compressed else sample.start
    length = len(recording)
    start = _within(setting(0) + 32768 * setting(4), 0, length)
    end = _within(length + setting(1) + 32768 * setting(12), 0, length)
    loop_start = _within(sample.loop_start - origin + setting(2) + 32768 * setting(45), 0, end)
    loop_end = _within(sample.loop_end - origin + setting(3) + 32768 * setting(50), 0, end)
    if start >= end or not sample.rate:
        return None
    loops = int(setting(54)) & 3
    if loop_end - loop_start < 2 or loop_start < start:
        loops = 0
    if setting(46) >= 0:
        key = _within(setting(46), 0, 127)
    step = _step(setting, key, sample.root, sample.correction) * sample.rate / rate
    tone = Tone(
        number, start, end, loop_start, loop_end, loops if loops in (1, 3) else 0, step, **_movement(setting, key)
    )
    attenuation = min(max(setting(_ATTENUATION), 0.0), 1440.0)
    pan = min(max(setting(_PAN), -500.0), 500.0) / 1000 + 0.5
    return Layer(tone, _envelope(setting, 33, 39, key, -7200), 10 ** (-attenuation / 200), pan, int(setting(57)))


def _step(setting: Callable[[int], float], key: int, root: int, correction: int) -> float:
    if 0 <= setting(58) <= 127:
        root = int(setting(58))
    elif root > 127:
        root = 60
    cents = 100.0 * root - correction
    played = setting(56) * (key - cents / 100) + cents + 100 * setting(_COARSE) + setting(_FINE)
    return float(2 ** (min(max(played - cents, -12000), 12000) / 1200))


def _movement(setting: Callable[[int], float], key: int) -> dict[str, Any]:
    contour_pitch, contour_cutoff = _bound(setting(7)), _bound(setting(11))
    vibrato_pitch, tremolo_pitch, tremolo_cutoff = _bound(setting(6)), _bound(setting(5)), _bound(setting(10))
    tremolo_volume = min(max(setting(13), -960), 960) / 10
    # What moves nothing must not keep two tones apart.
    still = Wave(0.0, 1.0)
    return {
        "vibrato": _wave(setting, 23) if vibrato_pitch else still,
        "tremolo": _wave(setting, 21) if tremolo_pitch or tremolo_cutoff or tremolo_volume else still,
        "contour": _envelope(setting, 25, 31, key, -12000) if contour_pitch or contour_cutoff else Envelope.flat(),
        "vibrato_pitch": vibrato_pitch,
        "tremolo_pitch": tremolo_pitch,
        "contour_pitch": contour_pitch,
        "cutoff": min(max(setting(_CUTOFF), 1500), 13500),
        "resonance": min(max(setting(_RESONANCE), 0), 960) / 10,
        "tremolo_cutoff": tremolo_cutoff,
        "contour_cutoff": contour_cutoff,
        "tremolo_volume": tremolo_volume,
    }


def _bound(cents: float) -> float:
    return min(max(cents, -12000.0), 12000.0)


def _wave(setting: Callable[[int], float], first: int) -> Wave:
    hertz = 8.176 * 2 ** (min(max(setting(first + 1), -16000), 4500) / 1200)
    return Wave(_seconds(setting(first), 5000), hertz)


def _envelope(setting: Callable[[int], float], first: int, by_key: int, key: int, shortest: float) -> Envelope:
    """The envelope whose six settings start at a number, and whose two by the key at another."""
    return Envelope(
        delay=_seconds(setting(first), 5000),
        attack=_seconds(setting(first + 1), 8000),
        hold=_seconds(setting(first + 2) + setting(by_key) * (60 - key), 5000),
        decay=_seconds(setting(first + 3) + setting(by_key + 1) * (60 - key), 8000),
        sustain=1 - min(max(setting(first + 4), 0.0), 1000.0) / 1000,
        release=_seconds(max(setting(first + 5), shortest), 8000),
    )


def _seconds(timecents: float, longest: float) -> float:
    return float(2 ** (min(max(timecents, -12000), longest) / 1200))


def _within(value: float, low: int, high: int) -> int:
    return int(min(max(value, low), high))
