"""Facts about a score: what `kapelle show` prints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kapelle.music import IntArray, Key, Notes, Score, detect_key, key_fit, spell
from kapelle.music.instruments import name_of

from .loops import Loop, Silence, longest_loop, longest_silence, looped_bars

CERTAIN = 0.1
"""Above this certainty a detected key is told without a perhaps; see `Facts.key_certainty`."""

MIDI_TEMPO_ERROR = 0.005
"""Beats a minute. Half a microsecond a quarter is less: 0.0027 at 400 halves a minute."""

NOTE_VALUES = {
    0.25: "a sixteenth",
    0.375: "a dotted sixteenth",
    0.5: "an eighth",
    0.75: "a dotted eighth",
    1.0: "a quarter",
    1.5: "a dotted quarter",
    2.0: "a half",
    3.0: "a dotted half",
    4.0: "a whole note",
}
"""Names of lengths in quarters."""

COMPOUND_UNITS = {8: "eighth", 16: "sixteenth", 32: "thirty-second", 64: "sixty-fourth"}


@dataclass(frozen=True, slots=True)
class TrackFacts:
    """One track.

    Attributes:
        name: its own, or else that of its instrument.
        program: General MIDI program 0..127.
        is_drum: whether it is a drum track.
        num_notes: notes in it.
        lowest: lowest pitch; None without notes.
        highest: highest pitch; None without notes.
    """

    name: str
    program: int
    is_drum: bool
    num_notes: int
    lowest: int | None
    highest: int | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where something in a score is, as musicians say it.

    Attributes:
        bar: 1 for the first whole bar; 0 for a pickup.
        count: 1.0 at the bar line, and from there in units of `unit`.
        unit: "beat"; in compound metres, whose beats are counted in threes, their note value, such as "eighth".
        bar_beats: beats in a bar of the metre there.

    >>> print(Place(3, 2.5, "beat", 4.0), "-", Place(3, 1.0, "beat", 4.0), "-", Place(3, 4.0, "eighth", 2.0))
    bar 3, beat 2.5 - bar 3 - bar 3, eighth 4
    """

    bar: int
    count: float
    unit: str
    bar_beats: float

    def __str__(self) -> str:
        if not self.bar:
            return "the pickup"
        count = f"{self.count:.3g}"
        return f"bar {self.bar:,}" + ("" if count == "1" else f", {self.unit} {count}")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a score is like, in numbers.

    Attributes:
        title: may be empty.
        key: the first key given; None if none is.
        detected_key: the key its pitched notes suggest, weighted by duration; None without pitched notes.
        key_certainty: by how much the detected key fits better than the next best one, as a difference of
            correlations, 0..2. Of 223 pieces of many styles the signature was right in 91 % above 0.1, in 65 % below.
        meters: names of the metres in order of their first appearance.
        quarters_per_minute: total quarters over total time.
        beats_per_minute: the same in beats of the metre that lasts longest.
        bars: whole bars, as musicians count them: a pickup is none.
        pickup_quarters: length of the pickup, 0.0 for none.
        seconds: playing time up to the end of the last note.
        tracks: one entry for each, empty ones included.
        num_notes: notes in all tracks.
        lowest: lowest pitch of pitched tracks; None without pitched notes.
        highest: highest pitch of pitched tracks; None without pitched notes.
        mean_polyphony: pitched notes that sound at once, on average over the time in which any does.
        max_polyphony: pitched notes that sound at once, at most.
        notes_per_second: drums included.
        in_scale: share of pitched notes in the scale of the key in force (the detected one if none is given), 0..1.
        longest_silence: see `longest_silence`.
        silence_place: where it begins.
        longest_loop: see `longest_loop`.
        loop_place: where it begins; None without one.
        looped_bars: see `looped_bars`.
    """

    title: str
    key: Key | None
    detected_key: Key | None
    key_certainty: float
    meters: tuple[str, ...]
    quarters_per_minute: float
    beats_per_minute: float
    bars: int
    pickup_quarters: float
    seconds: float
    tracks: tuple[TrackFacts, ...]
    num_notes: int
    lowest: int | None
    highest: int | None
    mean_polyphony: float
    max_polyphony: int
    notes_per_second: float
    in_scale: float
    longest_silence: Silence
    silence_place: Place
    longest_loop: Loop | None
    loop_place: Place | None
    looped_bars: float

    def lines(self) -> list[str]:
        """The facts for people, one a line, names in a first column.

        >>> from kapelle.music import Track
        >>> facts(Score(24, (Track(Notes.of([(0, 24, 60, 80), (24, 24, 64, 80)])),))).lines()[4]
        'length    1 bar, 0:01'
        """
        spelling = self.key or self.detected_key or Key()
        rows = [
            ("title", _one_line(self.title) or "(none)"),
            ("key", self._key_text()),
            ("metre", ", ".join(self.meters[:6]) + (" and others" if len(self.meters) > 6 else "")),
            ("tempo", self._tempo_text()),
            ("length", self._length_text()),
            ("notes", f"{self.num_notes:,}, {self.notes_per_second:.1f} a second"),
        ]
        for track in self.tracks:
            where = "drums" if track.is_drum else _range(track.lowest, track.highest, spelling)
            rows.append(("track", f"{_one_line(track.name)}: {_count(track.num_notes, 'note')}, {where}"))
        if self.lowest is not None:
            if sum(track.lowest is not None and not track.is_drum for track in self.tracks) > 1:
                rows.append(("range", _range(self.lowest, self.highest, spelling)))
            rows.append(("at once", self._at_once_text()))
            rows.append(("in scale", f"{self.in_scale:.0%} of notes"))
        rows.append(("silence", self._silence_text()))
        rows.append(("repeats", self._loop_text()))
        return [f"{name:<10}{text}" for name, text in rows]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    @property
    def tempo(self) -> int:
        """Beats a minute as people say them: the nearest whole number, halves upwards.

        A MIDI file holds a tempo in whole microseconds, so that 79.5 comes back as 79.499998: what differs from
        a half by no more than that is one.
        """
        return int(self.beats_per_minute + 0.5 + MIDI_TEMPO_ERROR)

    def _key_text(self) -> str:
        if self.detected_key is None:
            return self.key.name if self.key else "(none)"
        heard = self.detected_key.name
        sure = self.key_certainty > CERTAIN
        if self.key is None:
            return f"{heard} by ear" if sure else f"perhaps {heard}, by ear"
        if self.key.name == heard:
            return heard
        return f"{self.key.name} as written; by ear {'' if sure else 'perhaps '}{heard}"

    def _tempo_text(self) -> str:
        beat = NOTE_VALUES.get(round(self.quarters_per_minute / self.beats_per_minute, 4), "")
        return f"{self.tempo} beats a minute" + (f", each {beat}" if beat and beat != "a quarter" else "")

    def _length_text(self) -> str:
        minutes, seconds = divmod(round(self.seconds), 60)
        quarters = self.pickup_quarters
        pickup = f"a pickup of {NOTE_VALUES.get(quarters, f'{quarters:.3g} quarters')}"
        bars = f"{_count(self.bars, 'bar')} after {pickup}" if quarters else _count(self.bars, "bar")
        return f"{bars if self.bars else pickup}, {minutes}:{seconds:02d}"

    def _at_once_text(self) -> str:
        if self.max_polyphony == 1:
            return "one note at a time"
        return f"{self.mean_polyphony:.1f} notes on average, {self.max_polyphony} at most"

    def _silence_text(self) -> str:
        silence = self.longest_silence
        if silence.bars * self.silence_place.bar_beats < 0.5:
            return "less than half a beat"
        return f"{_span(silence.bars, self.silence_place)} at most, from {self.silence_place}"

    def _loop_text(self) -> str:
        loop, place = self.longest_loop, self.loop_place
        if loop is None or place is None:
            return "nothing twice in a row"
        what = (
            "one note" if loop.period_notes == 1 else f"{loop.period_notes:,} notes ({_span(loop.period_bars, place)})"
        )
        times = "twice" if loop.repetitions == 2 else f"{loop.repetitions:,} times"
        line = f"{what} {times} in a row from {place}"
        if self.looped_bars < 1:
            return line
        return f"{line}; in all {_number(self.looped_bars)} of {_count(self.bars, 'bar')} repeat what was heard twice"


def facts(score: Score) -> Facts:
    """The facts about any score; one without notes has counts of 0."""
    pitched = _pitched(score)
    detected, certainty = _key(pitched, score.ticks_per_quarter)
    lowest, highest = _extremes(pitched.pitch)
    mean, most = _polyphony(pitched)
    quarters = score.tempos.mean(score.end)
    silence, loop = longest_silence(score), longest_loop(score)
    return Facts(
        title=score.title,
        key=score.keys[0] if score.keys else None,
        detected_key=detected,
        key_certainty=certainty,
        meters=tuple(dict.fromkeys(meter.name for meter in score.meters)),
        quarters_per_minute=quarters,
        beats_per_minute=quarters / _main_beat(score),
        bars=len(score.bars()) - 1 - (score.pickup > 0),
        pickup_quarters=score.pickup / score.ticks_per_quarter,
        seconds=score.seconds,
        tracks=tuple(
            TrackFacts(
                track.name or ("Drums" if track.is_drum else name_of(track.program)),
                track.program,
                track.is_drum,
                len(track.notes),
                *_extremes(track.notes.pitch),
            )
            for track in score.tracks
        ),
        num_notes=score.num_notes,
        lowest=lowest,
        highest=highest,
        mean_polyphony=mean,
        max_polyphony=most,
        notes_per_second=score.num_notes / score.seconds if score.num_notes else 0.0,
        in_scale=_in_scale(pitched, score.keys or ((detected,) if detected else ())),
        longest_silence=silence,
        silence_place=_place(score, silence.start),
        longest_loop=loop,
        loop_place=None if loop is None else _place(score, loop.start),
        looped_bars=looped_bars(score),
    )


def _pitched(score: Score) -> Notes:
    parts = [track.notes for track in score.tracks if not track.is_drum]
    if not parts:
        return Notes.of([])
    names = ("onset", "duration", "pitch", "velocity")
    return Notes(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _key(notes: Notes, ticks_per_quarter: int) -> tuple[Key | None, float]:
    """The detected key and by how much it fits better than the next."""
    if not len(notes):
        return None, 0.0
    # As when training: a drone does not outweigh the tune by its length alone.
    weight = np.minimum(notes.duration, 4 * ticks_per_quarter)
    fits = np.sort(key_fit(np.bincount(notes.pitch % 12, weights=weight, minlength=12)))
    return detect_key(notes.pitch, weight), float(fits[-1] - fits[-2])


def _extremes(pitch: IntArray) -> tuple[int | None, int | None]:
    return (int(pitch.min()), int(pitch.max())) if len(pitch) else (None, None)


def _polyphony(notes: Notes) -> tuple[float, int]:
    """Mean over the sounding time, and maximum, of the notes that sound at once."""
    if not len(notes):
        return 0.0, 0
    tick = np.concatenate([notes.onset, notes.end])
    change = np.repeat([1, -1], len(notes))
    # Ends go before onsets of the same tick: a note that follows another does not sound with it.
    order = np.lexsort((change, tick))
    sounding = np.cumsum(change[order])
    length = np.diff(tick[order])
    return float(notes.duration.sum() / length[sounding[:-1] > 0].sum()), int(sounding.max())


def _in_scale(notes: Notes, keys: tuple[Key, ...]) -> float:
    if not len(notes) or not keys:
        return 0.0
    member = np.array([[degree in key.pitch_classes for degree in range(12)] for key in keys])
    at = np.searchsorted([key.onset for key in keys], notes.onset, side="right") - 1
    return float(member[np.maximum(at, 0), notes.pitch % 12].mean())


def _main_beat(score: Score) -> float:
    """Quarters in a beat of the metre that lasts longest."""
    onsets = [min(meter.onset, score.end) for meter in score.meters]
    lengths: dict[float, int] = {}
    for meter, length in zip(score.meters, np.diff([*onsets, score.end]).tolist(), strict=True):
        lengths[meter.beat_quarters] = lengths.get(meter.beat_quarters, 0) + length
    return max(lengths, key=lambda beat: lengths[beat])


def _place(score: Score, tick: int) -> Place:
    """The place of a tick; one after the last bar line counts on in the last bar."""
    bars = score.bars()
    index = int(np.clip(np.searchsorted(bars, tick, side="right") - 1, 0, len(bars) - 2))
    meter = score.meter_at(tick)
    quarters = (tick - int(bars[index])) / score.ticks_per_quarter
    unit, length = "beat", meter.beat_quarters
    if meter.is_compound:
        unit, length = COMPOUND_UNITS[meter.denominator], 4 / meter.denominator
    return Place(index + (score.pickup == 0), 1 + quarters / length, unit, meter.bar_quarters / meter.beat_quarters)


def _span(bars: float, place: Place) -> str:
    """A length in bars, or in beats where it is less than one."""
    return _count(round(bars, 1), "bar") if bars > 0.99 else _count(round(bars * place.bar_beats, 1), "beat")


def _number(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")


def _range(lowest: int | None, highest: int | None, key: Key) -> str:
    if lowest is None or highest is None:
        return "no pitch"
    names = ["{}{}".format(*spell(pitch, key)) for pitch in (lowest, highest)]
    return f"{names[0]} to {names[1]}"


def _count(number: float, noun: str) -> str:
    text = f"{number:,}" if isinstance(number, int) else f"{number:g}"
    return f"{text} {noun}" + ("" if number == 1 else "s")


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text).strip()
