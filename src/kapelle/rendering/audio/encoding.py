"""A score as the bytes of an audio file."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import FileError
from ...music import Score
from ...music.instruments import name_of
from .performance import BLOCK, RATE, Performance, gain_of, peak_of
from .soundfont import SoundFont


class _Format(NamedTuple):
    """What the encoder calls it, its frames a second, and bytes a second, more than music of several kinds took."""

    container: str
    coding: str
    rate: int
    bytes_per_second: int


_FORMATS = {
    ".wav": _Format("WAV", "PCM_16", RATE, 4 * RATE),
    ".flac": _Format("FLAC", "PCM_16", RATE, 2 * RATE),
    ".ogg": _Format("OGG", "VORBIS", RATE, 29_000),
    # Opus knows 48 kHz only.
    ".opus": _Format("OGG", "OPUS", 48_000, 29_000),
    ".mp3": _Format("MP3", "MPEG_LAYER_III", RATE, 29_000),
}

SUFFIXES = tuple(_FORMATS)
"""Endings of file names in small letters, with the dot."""

MAX_BYTES = 8 * 3600 * RATE
"""A file is made whole in memory, so that it is written whole or not at all: two hours of WAV, six of lossy ones."""

_AT_HAND = 2**23
"""Frames of a mix that are kept while it is played (64 MiB, three minutes); a longer piece is played twice, once
for its peak and once to be written."""


def to_audio(score: Score, suffix: str, soundfont: SoundFont | None = None) -> bytes:
    """A score as the bytes of a sound file: 16 bits at 44.1 kHz in .wav and .flac, lossy in .ogg, .opus and .mp3.

    Args:
        suffix: one of `SUFFIXES`.
        soundfont: the sounds; those that come with Kapelle if None.

    Raises:
        KeyError: if nothing is written as the suffix.
        FileError: if the score has no notes, or is too long for the format.

    >>> from kapelle.music import Notes, Track
    >>> to_audio(Score(24, (Track(Notes.of([(0, 24, 60, 80)])),)), ".flac")[:4]
    b'fLaC'
    """
    performance = performed(score, suffix, soundfont)
    if performance.frames > _AT_HAND:
        gain = performance.gain()
        return encode((block * np.float32(gain) for block in performance.blocks()), suffix, score.title)
    sound = performance.mix()
    sound *= gain_of(peak_of(sound))
    return encode([sound], suffix, score.title)


def stems_to_audio(score: Score, suffix: str, soundfont: SoundFont | None = None) -> Iterator[tuple[str, bytes]]:
    """The name and the bytes of a sound file for each track with notes, one after the other.

    All are as long as the whole and have its gain, so that they add up to it.

    Args:
        suffix: one of `SUFFIXES`.

    Raises:
        KeyError, FileError: as `to_audio`.

    >>> from kapelle.music import Notes, Track
    >>> track = Track(Notes.of([(0, 24, 60, 80)]), name="Left hand")
    >>> [(name, data[:4]) for name, data in stems_to_audio(Score(24, (track,)), ".wav")]
    [('1-left-hand', b'RIFF')]
    """
    performance = performed(score, suffix, soundfont)
    gain = np.float32(performance.gain())
    for number, name in stem_names(score).items():
        yield name, encode((block * gain for block in performance.blocks(number)), suffix, name)


def stem_names(score: Score) -> dict[int, str]:
    """What the stem of each track with notes is called, by the track's place: its number and its name.

    >>> from kapelle.music import Notes, Track
    >>> stem_names(Score(24, (Track(Notes.of([])), Track(Notes.of([(0, 24, 60, 80)]), program=40))))
    {1: '2-violin'}
    """
    names = {}
    for number, track in enumerate(score.tracks):
        if len(track.notes):
            name = track.name.strip() or ("drums" if track.is_drum else name_of(track.program))
            word = re.sub(r"[\W_]+", "-", name.casefold()).strip("-")[:40].strip("-")
            names[number] = f"{number + 1}-{word}" if word else str(number + 1)
    return names


def performed(score: Score, suffix: str, soundfont: SoundFont | None) -> Performance:
    """A score at the rate of a format.

    Raises:
        KeyError: if nothing is written as the suffix.
        FileError: if the score has no notes, or is too long for the format.
    """
    form = _FORMATS[suffix]
    if not score.num_notes:
        raise FileError("expected a score with notes to play, got one without any")
    performance = Performance(score, soundfont, form.rate)
    longest = MAX_BYTES / form.bytes_per_second
    if performance.seconds > longest:
        minutes = performance.seconds / 60
        others = "" if form.coding != "PCM_16" else "; .mp3, .ogg and .opus hold six hours"
        raise FileError(f"{suffix} files hold at most {longest / 60:.0f} minutes, got {minutes:.0f}{others}")
    return performance


def rate_of(suffix: str) -> int:
    """Frames a second of a format."""
    return _FORMATS[suffix].rate


def encode(blocks: Iterable[NDArray[np.float32]], suffix: str, title: str = "") -> bytes:
    """The bytes of a sound file.

    Args:
        blocks: the sound in turn, at the format's rate (48 kHz in .opus, 44.1 in all others), each of shape
            (frames, 2); what is outside -1..1 is clipped.
        suffix: one of `SUFFIXES`.
        title: to be written into the file.
    """
    import soundfile

    form = _FORMATS[suffix]
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", form.rate, 2, form.coding, format=form.container) as out:
        if words := " ".join("".join(c if c.isprintable() else " " for c in title).split()):
            out.title = words.encode("utf-8", "ignore").decode()
        for block in blocks:
            # Longer writes have crashed the encoder of Vorbis (libsndfile issue 1095).
            for first in range(0, len(block), BLOCK):
                out.write(np.clip(block[first : first + BLOCK], -1, 1))
    return file.getvalue()


def to_wav(score: Score) -> bytes:
    """`to_audio` as .wav."""
    return to_audio(score, ".wav")


def to_flac(score: Score) -> bytes:
    """`to_audio` as .flac."""
    return to_audio(score, ".flac")


def to_ogg(score: Score) -> bytes:
    """`to_audio` as .ogg."""
    return to_audio(score, ".ogg")


def to_opus(score: Score) -> bytes:
    """`to_audio` as .opus."""
    return to_audio(score, ".opus")


def to_mp3(score: Score) -> bytes:
    """`to_audio` as .mp3."""
    return to_audio(score, ".mp3")
