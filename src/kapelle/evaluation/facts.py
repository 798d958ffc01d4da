"""Facts about a score: what `kapelle show` prints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kapelle.music import IntArray, Key, Notes, Score, detect_key, key_fit, spell
from kapelle.music.instruments import name_of

from .loops import Loop, Silence, longest_loop, longest_silence, looped_bars


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
        longest_loop: see `longest_loop`.
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
    longest_loop: Loop | None
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
            rows.append(("range", _range(self.lowest, self.highest, spelling)))
            rows.append(("at once", f"{self.mean_polyphony:.1f} notes on average, {self.max_polyphony} at most"))
            rows.append(("in scale", f"{self.in_scale:.0%} of notes"))
        rows.append(("silence", f"{self.longest_silence.bars:.1f} bars at most"))
        rows.append(("loop", self._loop_text()))
        return [f"{name:<10}{text}" for name, text in rows]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def _key_text(self) -> str:
        if self.detected_key is None:
            return self.key.name if self.key else "(none)"
        detected = f"{self.detected_key.name} detected, certainty {self.key_certainty:.2f}"
        return f"{self.key.name} given, {detected}" if self.key else detected

    def _tempo_text(self) -> str:
        beats = f"{self.beats_per_minute:.0f} beats a minute"
        if round(self.beats_per_minute) == round(self.quarters_per_minute):
            return beats
        return f"{beats} ({self.quarters_per_minute:.0f} quarters)"

    def _length_text(self) -> str:
        minutes, seconds = divmod(round(self.seconds), 60)
        pickup = f" after a pickup of {_count(self.pickup_quarters, 'quarter')}" if self.pickup_quarters else ""
        return f"{_count(self.bars, 'bar')}{pickup}, {minutes}:{seconds:02d}"

    def _loop_text(self) -> str:
        loop = self.longest_loop
        if loop is None:
            return "nothing is played twice in a row"
        what = f"{_count(loop.period_notes, 'note')} in {_count(round(loop.period_bars, 2), 'bar')}"
        return f"{what}, {loop.repetitions} times from tick {loop.start}; {self.looped_bars:.1f} bars in all are loops"


def facts(score: Score) -> Facts:
    """The facts about any score; one without notes has counts of 0."""
    pitched = _pitched(score)
    detected, certainty = _key(pitched, score.ticks_per_quarter)
    lowest, highest = _extremes(pitched.pitch)
    mean, most = _polyphony(pitched)
    quarters = score.tempos.mean(score.end)
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
        longest_silence=longest_silence(score),
        longest_loop=longest_loop(score),
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
