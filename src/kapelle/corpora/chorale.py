"""Bach's four-part chorales from music21's corpus."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import CorpusError, FileError, MissingExtra
from ..files.barring import Layout, Measure, fit_bars
from ..music import Key, Meter, Notes, Score, TempoMap, Track, key_fit
from .cache import Parsed, cached
from .corpus import Corpus, Piece
from .m21 import cache_key, music21_corpus
from .tunes import Progress

NAME = "chorale"
TITLE = "Bach chorales"
LICENCE = (
    "Notes by J. S. Bach in the public domain. Encodings handed on by music21 with their makers' permission and "
    "without a stated licence."
)
ATTRIBUTION = ("J. S. Bach's chorales, by way of the corpus of music21, https://www.music21.org",)

VOICES = ("Soprano", "Alto", "Tenor", "Bass")

_VERSION = 2
_CHOIR = 52
_VELOCITY = 80
_TEMPO = 72.0
_TICKS_PER_QUARTER = 24


def load(cache: Path | None = None, progress: Progress | None = None) -> Corpus:
    """The chorales written for exactly four voices, each a track, once through, in all metres.

    Tempo, which the encodings do not give, is 72 quarters a minute; the programs are choir (52).

    Source:
        The MusicXML files of the installed music21. Parsed in some twenty seconds the first time, kept in
        `cache` (the user's cache folder without it) from then on.

    Raises:
        MissingExtra: without music21.
    """
    files = sorted(path for path in music21_corpus("bach").glob("bwv*") if path.suffix in (".mxl", ".xml", ".krn"))
    pieces, skipped = cached(cache_key(NAME, _VERSION), lambda: parse_chorales(files, progress), cache)
    return Corpus.of(NAME, pieces, skipped, LICENCE, ATTRIBUTION)


def parse_chorales(files: Sequence[Path], progress: Progress | None = None) -> Parsed:
    """The chorales among these files of music21's corpus, and why the others are left out."""
    try:
        from music21 import converter
    except ImportError as error:
        raise MissingExtra("the chorale corpus", "score") from error
    pieces, skipped = [], []
    for index, path in enumerate(files):
        name = f"BWV {path.stem[3:]}"
        try:
            stream = converter.parse(path, forceSource=True, storePickle=False)
            pieces.append(Piece(chorale_score(stream, name), name, path.name))
        except (CorpusError, FileError) as error:
            skipped.append((name, str(error)))
        if progress is not None:
            progress(index + 1, len(files))
    return tuple(pieces), tuple(skipped)


def chorale_score(stream: Any, title: str) -> Score:
    """A music21 score of four voices as a score of four tracks.

    Raises:
        CorpusError: if it has other parts, if a voice has chords or the bars do not add up.
    """
    names = tuple((part.partName or "").strip() for part in stream.parts)
    if names != VOICES:
        raise CorpusError(f"other parts than four voices: {', '.join(name or 'one without a name' for name in names)}")
    measures = [list(part.getElementsByClass("Measure")) for part in stream.parts]
    layout = fit_bars(_lengths(measures[0]))
    tracks = [
        Track(_voice(voice, layout), program=_CHOIR, name=name) for name, voice in zip(VOICES, measures, strict=True)
    ]
    return Score(
        _TICKS_PER_QUARTER,
        tuple(tracks),
        TempoMap.constant(_TEMPO),
        _meters(measures[0], layout),
        _keys(measures[0], layout, tracks),
        _ticks(layout.pickup),
        title,
        _fermatas(measures, layout),
    )


def _lengths(measures: Sequence[Any]) -> list[Measure]:
    rows = []
    bar = None
    closed = True
    for measure in measures:
        if measure.timeSignature is not None:
            bar = Fraction(measure.timeSignature.barDuration.quarterLength)
        if bar is None:
            raise CorpusError("no metre")
        # A repeat, a double bar and a fermata at a line's end may all split a bar between two measures.
        rows.append(Measure(Fraction(measure.highestTime), bar, closed or measure.leftBarline is not None))
        closed = measure.rightBarline is not None or rows[-1].length < bar
    return rows


def _voice(measures: Sequence[Any], layout: Layout) -> Notes:
    if len(measures) != len(layout.onsets):
        raise CorpusError("voices with different numbers of measures")
    rows: list[list[int]] = []
    open_tie = -1
    for measure, at in zip(measures, layout.onsets, strict=True):
        if measure.voices or measure.getElementsByClass("Chord"):
            raise CorpusError("a voice with chords")
        for note in measure.getElementsByClass("Note"):
            if note.duration.isGrace:
                continue
            start = at + Fraction(note.offset)
            onset, end = _ticks(start), _ticks(start + Fraction(note.quarterLength))
            pitch = int(note.pitch.midi)
            if open_tie == pitch and rows[-1][0] + rows[-1][1] == onset:
                rows[-1][1] = end - rows[-1][0]
            else:
                rows.append([onset, max(end - onset, 1), pitch, _VELOCITY])
            tied = note.tie is not None and note.tie.type in ("start", "continue")
            open_tie = pitch if tied else -1
    if not rows:
        raise CorpusError("an empty voice")
    return Notes(*np.array(rows, np.int64).T)


def _fermatas(voices: Sequence[Sequence[Any]], layout: Layout) -> tuple[int, ...]:
    """Where lines end: the onsets of notes with a fermata in any voice, one for those that overlap."""
    spans = sorted(
        (_ticks(at + Fraction(note.offset)), _ticks(at + Fraction(note.offset) + Fraction(note.quarterLength)))
        for measures in voices
        for measure, at in zip(measures, layout.onsets, strict=True)
        for note in measure.getElementsByClass("Note")
        if any("Fermata" in expression.classes for expression in note.expressions)
    )
    onsets: list[int] = []
    end = 0
    for onset, stop in spans:
        if onset >= end:
            onsets.append(onset)
        end = max(end, stop)
    return tuple(onsets)


def _meters(measures: Sequence[Any], layout: Layout) -> tuple[Meter, ...]:
    meters: list[Meter] = []
    for measure, at in zip(measures, layout.onsets, strict=True):
        sign = measure.timeSignature
        if sign is None:
            continue
        meter = Meter(_ticks(at), int(sign.numerator), int(sign.denominator))
        if not meters or meters[-1].name != meter.name:
            meters.append(meter)
    return tuple(meters)


def _keys(measures: Sequence[Any], layout: Layout, tracks: Sequence[Track]) -> tuple[Key, ...]:
    pitch = np.concatenate([track.notes.pitch for track in tracks])
    duration = np.concatenate([track.notes.duration for track in tracks])
    fit = key_fit(np.bincount(pitch % 12, weights=duration, minlength=12))
    keys: list[Key] = []
    for measure, at in zip(measures, layout.onsets, strict=True):
        if measure.keySignature is None:
            continue
        # A bare signature leaves two keys open; the notes tell which.
        both = [Key.from_fifths(measure.keySignature.sharps, mode, _ticks(at)) for mode in ("major", "minor")]
        key = both[int(fit[12 + both[1].tonic] > fit[both[0].tonic])]
        if not keys or (keys[-1].tonic, keys[-1].mode) != (key.tonic, key.mode):
            keys.append(key)
    return tuple(keys)


def _ticks(quarters: Fraction) -> int:
    return round(quarters * _TICKS_PER_QUARTER)
