"""From a score to sound: which tone sounds when, and the mix of them block by block, in flat memory."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import FileError
from ...music import Score, Track
from ...music.instruments import name_of
from .envelope import FULL_SCALE
from .oscillator import CHUNK, STEP, Oscillator, Sound, between
from .patch import DRUM_BANK, Layer, layers_of
from .soundfont import SoundFont, bundled_soundfont

RATE = 44_100
"""Frames a second, unless a file format wants another rate."""

PEAK = 10 ** (-1 / 20)
"""The largest amplitude of a finished piece: one decibel under full scale, which lossy formats overshoot."""

BLOCK = 2**16
"""Frames that are mixed at a time; encoders are given no more at once, since longer writes have crashed them."""

MAX_HOURS = 6
"""As long as the longest music that is read from a file."""

_QUIET = 1e-4
"""A voice ends 80 dB below the loudest of its piece."""

_SHORTEST, _CUT_SHORT, _FADE = 0.010, 2 ** (-200 / 1200), 0.010
"""Seconds: of the shortest note, of the fall of a drum that another one silences, of the fade at the very end."""

_KEPT = 2048
"""Chunks of tones that are kept, 32 KiB each."""

_VOICE = [(name, "<i8") for name in ("start", "release", "cut", "end", "part", "track")] + [("level", "<f8")]
_NEVER = 2**62
_Key = tuple[int, int | None]


@dataclass(frozen=True, slots=True)
class _Part:
    """What the voices of one track, pitch and velocity share; equal tones have equal numbers, and so have envelopes."""

    layer: Layer
    tone: int
    loudness: int


class Performance:
    """A score as it is played, before it is played.

    It lasts until the end of its last note, and until its last voice has died away: held by key or pedal to its
    release, then until it is 80 dB below the loudest voice of the piece, or its recording ends. The last 10 ms fade
    to nothing.

    Args:
        score: of at most `MAX_HOURS`.
        soundfont: the sounds; those that come with Kapelle if None.
        rate: frames a second.

    Attributes:
        rate: frames a second.
        frames: how long it is.
        remarks: one line for each program that the soundfont lacks, and what plays instead.

    Raises:
        FileError: if the score is longer.
    """

    def __init__(self, score: Score, soundfont: SoundFont | None = None, rate: int = RATE) -> None:
        self.rate = rate
        self.remarks: list[str] = []
        self._bank = soundfont or bundled_soundfont()
        self._parts: list[_Part] = []
        self._numbers: dict[Hashable, int] = {}
        tracks = [self._voices(score, track, number) for number, track in enumerate(score.tracks)]
        voices = np.concatenate([np.zeros(0, _VOICE), *(group for track in tracks for group in track)])
        self._bind(voices)
        voices = voices[np.argsort(voices["start"], kind="stable")]
        self._voices_in_order = voices[voices["end"] > voices["start"]]
        end = int(self._frame(score, np.array([score.end]))[0]) if score.num_notes else 0
        self.frames = max(int(self._voices_in_order["end"].max(initial=0)), end)

    @property
    def seconds(self) -> float:
        """How long it is, tails and all."""
        return self.frames / self.rate

    def blocks(self, track: int | None = None) -> Iterator[Sound]:
        """The sound in turn, each time at most `BLOCK` frames of shape (frames, 2), not normalised.

        Args:
            track: the one to be heard, counted from 0; all if None. The tracks add up to the whole.
        """
        voices = self._voices_in_order
        if track is not None:
            voices = voices[voices["track"] == track]
        mixer = _Mixer(self._bank, self._parts, self.rate)
        sounding = voices[:0]
        begun = 0
        for first in range(0, self.frames, BLOCK):
            last = min(first + BLOCK, self.frames)
            begin = int(np.searchsorted(voices["start"], last))
            sounding = np.concatenate((sounding[sounding["end"] > first], voices[begun:begin]))
            begun = begin
            out = mixer.block(sounding, first, last)
            fade = (self.frames - np.arange(first, last)) / (_FADE * self.rate)
            if fade[-1] < 1:
                out *= np.minimum(fade, 1).astype(np.float32)
            yield out.T

    def mix(self, track: int | None = None) -> Sound:
        """The whole sound, or that of one track, shape (frames, 2), not normalised."""
        out = np.empty((self.frames, 2), np.float32)
        first = 0
        for block in self.blocks(track):
            out[first : first + len(block)] = block
            first += len(block)
        return out

    def gain(self) -> float:
        """What brings the whole to `PEAK`; this plays it through once."""
        return gain_of(max(map(peak_of, self.blocks()), default=0.0))

    def _voices(self, score: Score, track: Track, number: int) -> list[NDArray[np.void]]:
        """The voices of a track, as many arrays as it has different sounds; ends are not known yet."""
        notes = track.notes
        if not len(notes):
            return []
        preset = self._preset(track)
        held = _held_until(track)
        seconds = float(score.tempos.seconds(int(held.max()), score.ticks_per_quarter))
        if not seconds <= MAX_HOURS * 3600:
            raise FileError(f"expected at most {MAX_HOURS} hours to play, got {seconds / 3600:,.1f}; cut the piece")
        start = self._frame(score, notes.onset)
        release = np.maximum(self._frame(score, held), start + round(_SHORTEST * self.rate))
        groups = []
        code = notes.pitch * 128 + notes.velocity
        for pair in np.unique(code).tolist():
            chosen = code == pair
            for layer in layers_of(self._bank, preset, pair >> 7, pair & 127, self.rate):
                voices = np.zeros(int(chosen.sum()), _VOICE)
                voices["start"], voices["release"], voices["cut"] = start[chosen], release[chosen], _NEVER
                voices["part"], voices["track"] = len(self._parts), number
                self._parts.append(self._part(layer))
                groups.append(voices)
        _silence_each_other(groups, [self._parts[group["part"][0]].layer.exclusive for group in groups])
        return groups

    def _part(self, layer: Layer) -> _Part:
        tone = self._numbers.setdefault(layer.tone, len(self._numbers))
        loudness = self._numbers.setdefault(layer.loudness, len(self._numbers))
        return _Part(layer, tone, loudness)

    def _frame(self, score: Score, ticks: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.rint(score.tempos.seconds(ticks, score.ticks_per_quarter) * self.rate).astype(np.int64)

    def _preset(self, track: Track) -> int:
        """The preset that plays a track, the nearest one if the bank has not what it wants."""
        presets: dict[tuple[int, int], int] = self._bank.presets
        wanted = (DRUM_BANK, 0) if track.is_drum else (0, track.program)
        if wanted in presets:
            return presets[wanted]
        bank, program = wanted

        def farness(place: tuple[int, int]) -> tuple[int, ...]:
            return place[0] != bank, place[1] != program, place != (0, 0), *place

        found = min(presets, key=farness)
        name = "a drum kit" if track.is_drum else f"program {track.program} ({name_of(track.program)})"
        remark = f"the soundfont has not {name}: bank {found[0]}, program {found[1]} plays it"
        if remark not in self.remarks:
            self.remarks.append(remark)
        return presets[found]

    def _bind(self, voices: NDArray[np.void]) -> None:
        """Say when each voice ends."""
        rate = self.rate
        gains = np.array([max(part.layer.gain, 1e-9) for part in self._parts])
        floors = _QUIET * gains.max(initial=0) / gains
        # Parts that differ in nothing but how loud they are end alike.
        alike: dict[tuple[int, int], list[int]] = {}
        for number, part in enumerate(self._parts):
            alike.setdefault((part.tone, part.loudness), []).append(number)
        order = np.argsort(voices["part"], kind="stable")
        bounds = np.searchsorted(voices["part"][order], np.arange(len(self._parts) + 1))
        for numbers in alike.values():
            mine = np.concatenate([order[bounds[number] : bounds[number + 1]] for number in numbers])
            group, layer = voices[mine], self._parts[numbers[0]].layer
            floor = floors[group["part"]]
            held = np.minimum(group["release"], group["cut"]) - group["start"]
            amplitude = layer.loudness.gain(held / rate)
            voices["level"][mine] = amplitude
            with np.errstate(divide="ignore"):
                drop = np.maximum(20 * np.log10(amplitude / floor), 0)
            # Released first and cut short later: the fall is followed at its own speed, and then faster.
            slow, fast = layer.loudness.release / FULL_SCALE, _CUT_SHORT / FULL_SCALE
            is_cut = group["cut"] < _NEVER
            before = np.where(is_cut, np.maximum(group["cut"] - group["release"], 0) / rate, np.inf)
            tail = np.minimum(drop * slow, before) + np.maximum(drop - before / slow, 0) * fast
            most = np.minimum(layer.loudness.seconds_above(floor) * rate, 2.0**60)
            most = np.minimum(most, Oscillator(self._bank, layer.tone, rate, None).frames())
            voices["end"][mine] = group["start"] + np.minimum(held + np.ceil(tail * rate), most).astype(np.int64)


def _held_until(track: Track) -> NDArray[np.int64]:
    """The tick at which each note is let go: by key and pedal, and at the latest where its pitch is struck again."""
    notes, pedal = track.notes, track.pedal
    until = notes.end
    if len(pedal):
        # A pedal that goes down in the tick of the note's end comes too late.
        span = np.maximum(np.searchsorted(pedal.onset, until, side="left") - 1, 0)
        caught = (pedal.onset[span] < until) & (until <= pedal.end[span])
        until = np.where(caught, pedal.end[span], until)
    order = np.lexsort((notes.onset, notes.pitch))
    pitch, onset = notes.pitch[order], notes.onset[order]
    # The next onset that is later, of the same pitch: the first place after all with the same pitch and onset.
    place = pitch * (int(onset.max()) + 1) + onset
    later = np.searchsorted(place, place, side="right")
    again = np.append(onset, 0)[later]
    same = np.append(pitch, -1)[later] == pitch
    until[order] = np.where(same, np.minimum(until[order], again), until[order])
    return until


def _silence_each_other(groups: list[NDArray[np.void]], exclusive: list[int]) -> None:
    """Cut voices short where another of their class starts: an open hi-hat where a closed one is struck."""
    for number in set(exclusive) - {0}:
        of_class = [group for group, own in zip(groups, exclusive, strict=True) if own == number]
        starts = np.unique(np.concatenate([group["start"] for group in of_class]))
        after = np.append(starts, _NEVER)
        for group in of_class:
            group["cut"] = after[np.searchsorted(starts, group["start"], side="right")]


class _Mixer:
    """Adds voices up, and keeps the chunks of tones that were used last."""

    def __init__(self, bank: SoundFont, parts: list[_Part], rate: int) -> None:
        self._bank, self._parts, self._rate = bank, parts, rate
        self._oscillators: OrderedDict[Hashable, Oscillator] = OrderedDict()
        self._chunks: OrderedDict[Hashable, Sound] = OrderedDict()
        self._swells: OrderedDict[Hashable, Sound] = OrderedDict()
        self._falls: dict[float, Sound] = {}

    def block(self, voices: NDArray[np.void], first: int, last: int) -> Sound:
        """Frames first to last of all voices, shape (2, last - first)."""
        # Voices that come from the same side are added up first, and then go to left and right together.
        sides: dict[float, Sound] = {}
        for start, release, cut, end, number, _, level in voices.tolist():
            part = self._parts[number]
            begin, stop = max(first, start) - start, min(last, end) - start
            key = part.tone, self._released(part.layer, release - start)
            side = sides.get(part.layer.pan)
            if side is None:
                side = sides[part.layer.pan] = np.zeros(last - first, np.float32)
            gain = np.float32(part.layer.gain)
            for chunk in range(begin // CHUNK, -(-stop // CHUNK)):
                near, far = max(begin - chunk * CHUNK, 0), min(stop - chunk * CHUNK, CHUNK)
                sound = self._voice(part, key, chunk, release - start, cut - start, level, near, far)
                at = start - first + chunk * CHUNK
                sound *= gain
                side[at + near : at + far] += sound
        out = np.zeros((2, last - first), np.float32)
        for pan, side in sides.items():
            angle = pan * math.pi / 2
            out[0] += side * np.float32(math.cos(angle))
            out[1] += side * np.float32(math.sin(angle))
        return out

    def _released(self, layer: Layer, release: int) -> int | None:
        """When the note is released, if that is heard in its tone."""
        release -= release % STEP
        tone = layer.tone
        if tone.loops == 3 or (tone.knows_release and tone.contour.level(release / self._rate) > 0):
            return release
        return None

    def _voice(
        self, part: _Part, key: _Key, chunk: int, release: int, cut: int, level: float, near: int, far: int
    ) -> Sound:
        """Frames near to far of a chunk of one voice, with its envelope; `level` is that at its release."""
        layer = part.layer
        origin = chunk * CHUNK
        let_go = min(release, cut)
        split = min(max(let_go - origin, near), far)
        dry = self._chunk(part, key, chunk)
        pieces = []
        if split > near:
            pieces.append(dry[near:split] * self._swell(part, chunk)[near:split])
        # The first fall lasts until the voice is cut short, if it is.
        turn = min(max(cut - origin, split), far)
        if turn > split:
            fall = self._fall(layer.loudness.release, origin + split - release, level)
            pieces.append(dry[split:turn] * fall[: turn - split])
        if far > turn:
            level *= _left(layer.loudness.release, max(cut - release, 0), self._rate)
            fall = self._fall(_CUT_SHORT, origin + turn - cut, level)
            pieces.append(dry[turn:far] * fall[: far - turn])
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def _fall(self, release: float, passed: int, level: float) -> Sound:
        """A release from some frames after its start on, shape (CHUNK,)."""
        if release not in self._falls:
            self._falls[release] = np.array(
                10 ** (-FULL_SCALE / 20 * np.arange(CHUNK) / (release * self._rate)), np.float32
            )
        return self._falls[release] * np.float32(level * _left(release, passed, self._rate))

    def _chunk(self, part: _Part, key: _Key, number: int) -> Sound:
        """A chunk of a tone, without its envelope."""
        tone, released = key
        if released is not None and (number + 1) * CHUNK <= released:
            # Before it is released it is like all others.
            key = tone, None
        place = (*key, number)
        if place in self._chunks:
            self._chunks.move_to_end(place)
            return self._chunks[place]
        self._chunks[place] = self._oscillator(part.layer, key).chunk(number)
        if len(self._chunks) > _KEPT:
            self._chunks.popitem(last=False)
        return self._chunks[place]

    def _swell(self, part: _Part, number: int) -> Sound:
        """A chunk of the envelope of a sound while it is held."""
        place = part.loudness, number
        if place not in self._swells:
            times = np.arange(number * CHUNK, (number + 1) * CHUNK + 1, STEP) / self._rate
            self._swells[place] = between(part.layer.loudness.gain(times))
            if len(self._swells) > _KEPT // 4:
                self._swells.popitem(last=False)
        return self._swells[place]

    def _oscillator(self, layer: Layer, key: _Key) -> Oscillator:
        if key not in self._oscillators:
            tone, released = key
            if released is None:
                self._oscillators[key] = Oscillator(self._bank, layer.tone, self._rate, None)
            else:
                self._oscillators[key] = self._oscillator(layer, (tone, None)).let_go(released)
            if len(self._oscillators) > _KEPT:
                self._oscillators.popitem(last=False)
        return self._oscillators[key]


def _left(release: float, passed: int, rate: int) -> float:
    """What a release leaves of the amplitude after so many frames."""
    return float(10 ** (-FULL_SCALE / 20 * passed / (release * rate)))


def peak_of(sound: Sound) -> float:
    """The largest amplitude."""
    return max(float(sound.max(initial=0)), -float(sound.min(initial=0)))


def gain_of(peak: float) -> float:
    """What brings a peak to `PEAK`; silence stays as it is."""
    return PEAK / peak if peak > 0 else 1.0
