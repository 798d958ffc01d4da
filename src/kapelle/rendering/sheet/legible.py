"""A score as it goes on the page: notes that can be read, one key, few tempos, names of parts."""

from __future__ import annotations

import itertools
import re
from collections import Counter

import numpy as np

from ...files.musicxml.canonical import canonical, check_length
from ...files.musicxml.hands import pairs_of_hands
from ...music import IntArray, Notes, Score, TempoMap, Track, resample, with_detected_key
from ...music.instruments import name_of
from .beats import on_beats
from .quantising import GRID, quantised, quantised_onsets
from .strokes import written_strokes

_FINE_GRID = 2 * GRID

_MOSTLY = 0.9
"""The share of onsets on thirty-seconds or triplets from which on music was written and not played."""

_DETACHED = 0.08
"""From this share of short silences on, note ends are where a player let go."""

_FEW_TEMPOS = 8
_TEMPO_BARS, _NEW_TEMPO = 4, 0.18

_LONGEST_NAME = 26
_NO_NAME = re.compile(
    r"(https?:|www\.|@|\(c\)|©|copyright|^\W*$|^(midi|track|staff|channel|voice|part|untitled|inst\w*|new|out|port)?[\W_]*\d*\W*$)",
    re.IGNORECASE,
)
_SHORTER = (
    ("Acoustic Grand Piano", "Piano"), ("Bright Acoustic Piano", "Piano"), ("Electric Grand Piano", "Electric Piano"),
    ("Acoustic Guitar", "Guitar"), ("Lead", "Synth Lead"), ("Pad", "Synth Pad"), ("String Ensemble", "Strings"),
)  # fmt: skip


def for_page(score: Score) -> Score:
    """The score as sheet music shows it, in the form that `kapelle.files.musicxml.canonical` gives.

    - A piece whose pitched notes all start and end on the grid (thirty-seconds, their triplets, sixty-fourths), and
      that is not full of short silences, is left as it is, note for note. Of any other, onsets go to simple parts
      of the beat, and ends to the next onset or a plain value.
    - A drum stroke lasts to the next one or to the next beat.
    - A piece in C major by its file that is clearly in another key gets that.
    - Of many tempos those remain that hold for bars.
    - Parts without a name of use are called after their instrument; a part alone needs no name.

    Raises:
        FileError: if the score is longer than 100,000 quarters.
    """
    check_length(score)
    tracks = tuple(track for track in score.tracks if len(track.notes)) or score.tracks[:1]
    score = score.replace(tracks=tracks)
    if not on_simple_parts(list(tracks), score.ticks_per_quarter):
        score = on_beats(score)
    tracks = score.tracks
    score = score.replace(tempos=_few_tempos(score))
    pitched = [track for track in tracks if not track.is_drum]
    written = is_written(pitched, score.ticks_per_quarter)
    grid = GRID if not written or _fits(pitched, score.ticks_per_quarter, GRID) else _FINE_GRID
    hands = {index for pair in pairs_of_hands(tracks) for index in pair}
    notes = [
        _notes(track, score.ticks_per_quarter, grid, one_hand=index in hands, written=written)
        for index, track in enumerate(tracks)
    ]
    score = resample(score.replace(tracks=()), grid).replace(
        tracks=tuple(track.replace(notes=each) for track, each in zip(tracks, notes, strict=True))
    )
    return _with_strokes(canonical(_with_key(score).replace(tracks=_named(score.tracks))))


def _fits(tracks: list[Track], unit: int, grid: int) -> bool:
    return not any(np.any(times * grid % unit) for track in tracks for times in (track.notes.onset, track.notes.end))


def is_written(tracks: list[Track], unit: int) -> bool:
    """Whether the notes lie on the grid as a writer puts them, not by chance."""
    if not (_fits(tracks, unit, GRID) or _fits(tracks, unit, _FINE_GRID)):
        return False
    ends = [track.replace(notes=track.notes.replace(onset=track.notes.end)) for track in tracks]
    simple = on_simple_parts(tracks, unit) and on_simple_parts(ends, unit)
    return simple and _detached(tracks, unit) < _DETACHED


def _detached(tracks: list[Track], unit: int) -> float:
    """The share of onsets before which there is a silence shorter than an eighth, a quarter or less after the last.

    Writers let notes last and put dots over them; players let go, and what they played is full of such silences.
    """
    short = total = 0
    for track in tracks:
        onset, first = np.unique(track.notes.onset, return_index=True)
        if len(onset) < 2:
            continue
        end = np.maximum.accumulate(np.maximum.reduceat(track.notes.end, first))[:-1]
        silence = onset[1:] - end
        step = onset[1:] - onset[:-1]
        short += int(((silence > 0) & (2 * silence < unit) & (step <= unit)).sum())
        total += len(silence)
    return short / max(total, 1)


def on_simple_parts(tracks: list[Track], unit: int) -> bool:
    """Whether nine onsets of ten are on thirty-seconds or on triplets of sixteenths."""
    onsets = np.concatenate([track.notes.onset for track in tracks] or [np.zeros(0, np.int64)])
    if not len(onsets):
        return True
    place = onsets * GRID
    simple = (place % unit == 0) & ((place // unit % 3 == 0) | (place // unit % 4 == 0))
    return bool(simple.mean() >= _MOSTLY)


def _notes(track: Track, unit: int, grid: int, *, one_hand: bool, written: bool) -> Notes:
    notes = track.notes
    if track.is_drum:
        raw = notes.onset / unit
        onset = np.round(raw * GRID) if on_simple_parts([track], unit) else quantised_onsets(raw)
        onset = onset.astype(np.int64) * (grid // GRID)
        return Notes(onset, np.ones(len(notes), np.int64), notes.pitch, notes.velocity)
    if written:
        return notes.replace(onset=notes.onset * grid // unit, duration=notes.duration * grid // unit)
    found = quantised(track, unit, one_hand=one_hand, keep_onsets=on_simple_parts([track], unit))
    return found.replace(onset=found.onset * (grid // GRID), duration=found.duration * (grid // GRID))


def _with_strokes(score: Score) -> Score:
    if not any(track.is_drum for track in score.tracks):
        return score
    beats = _beats(score)
    return score.replace(
        tracks=tuple(
            track.replace(notes=written_strokes(track.notes, beats, score.ticks_per_quarter))
            if track.is_drum
            else track
            for track in score.tracks
        )
    )


def _beats(score: Score) -> IntArray:
    """Where beats start, bar by bar, one after the last note too."""
    bars = score.bars().tolist()
    found: list[int] = []
    for start, stop in itertools.pairwise(bars):
        meter = score.meter_at(start)
        beat = meter.beat_length(score.ticks_per_quarter) if meter.is_compound else score.ticks_per_quarter
        # The beats of a pickup are counted from its end.
        first = stop - (stop - start) // beat * beat if start == 0 and score.pickup else start
        found += [*([start] if first > start else []), *range(first, stop, beat)]
    return np.array([*found, bars[-1]], np.int64)


def _with_key(score: Score) -> Score:
    keys = score.keys
    if len(keys) > 1 or (keys and keys[0].fifths != 0):
        return score
    detected = with_detected_key(score).keys
    if not detected or not keys:
        return score.replace(keys=detected)
    # Many programs write C major into every file.
    pitch = np.concatenate([track.notes.pitch for track in score.tracks if not track.is_drum]) % 12
    strange = 1 - np.isin(pitch, list(keys[0].pitch_classes)).mean()
    left = 1 - np.isin(pitch, list(detected[0].pitch_classes)).mean()
    return score.replace(keys=detected) if strange > 0.15 and left < 0.5 * strange else score


def _few_tempos(score: Score) -> TempoMap:
    """The tempos that hold for bars, if there are many: those that come from rubato stay out."""
    tempos = score.tempos
    if len(tempos.onset) <= _FEW_TEMPOS:
        return tempos
    bars = score.bars()
    seconds = tempos.seconds(bars, score.ticks_per_quarter)
    ahead = np.minimum(np.arange(len(bars) - 1) + _TEMPO_BARS, len(bars) - 1)
    here = np.arange(len(bars) - 1)
    rate = 60 * (bars[ahead] - bars[here]) / score.ticks_per_quarter / (seconds[ahead] - seconds[here])
    kept = [(0, float(round(rate[0])))]
    for bar, each in enumerate(rate.tolist()):
        next_bar = rate[min(bar + 1, len(rate) - 1)]
        if abs(np.log(each / kept[-1][1])) > _NEW_TEMPO and abs(np.log(each / next_bar)) < 0.5 * _NEW_TEMPO:
            kept.append((int(bars[bar]), float(round(each))))
    found = dict(kept)
    return TempoMap(np.array(list(found)), np.array(list(found.values())))


def _named(tracks: tuple[Track, ...]) -> tuple[Track, ...]:
    """Parts with names of use: their own, else their instrument's, numbered where there are several."""
    pairs = dict(pairs_of_hands(tracks))
    if len(tracks) == 1 or (pairs == {0: 1} and len(tracks) == 2):
        return tuple(track.replace(name="") for track in tracks)
    names = [_own_name(track.name) or instrument_of(track) for track in tracks]
    for upper, lower in pairs.items():
        names[upper], names[lower] = instrument_of(tracks[upper]), ""
    total, count = Counter(names), Counter[str]()
    found = []
    for track, name in zip(tracks, names, strict=True):
        count[name] += 1
        found.append(track.replace(name=f"{name} {count[name]}" if name and total[name] > 1 else name))
    return tuple(found)


def _own_name(name: str) -> str:
    name = " ".join(name.split()).strip(" :;,.-_")
    return "" if _NO_NAME.search(name) or len(name) > _LONGEST_NAME else name


def instrument_of(track: Track) -> str:
    """What a part is called after its instrument, such as "Violin"."""
    if track.is_drum:
        return "Drums"
    name = re.sub(r"\s*\(.*\)", "", name_of(track.program))
    name = re.sub(r" \d$", "", name)
    return next((short for start, short in _SHORTER if name.startswith(start)), name)
