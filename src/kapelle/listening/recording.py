"""Recordings: sound as one array, read from the bytes of any common audio file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError
from .resampling import Resampler

RATE = 22050
"""Samples a second of what is listened to: pitches up to 4 kHz with their overtones, at half the work of a CD."""

RATES = range(4000, 400_001)
"""Samples a second that a recording may have."""

MAX_SECONDS = 7200
"""An hour is 318 MB at the rate of listening and its analysis half of that again: two hours are what a laptop holds."""

_CHUNK = 65_536
"""Frames that are read at once: an hour of stereo at 96 kHz would be 2.8 GB."""

_LOUDEST = 1e6
"""Floating-point files may hold anything; beyond this it is a mistake, and its square must stay finite."""


@dataclass(frozen=True, eq=False, slots=True)
class Recording:
    """Sound as it was recorded, on one channel.

    Attributes:
        samples: float32, finite, usually -1..1, shape (N,), N >= 1.
        rate: samples a second, 4,000 to 400,000.

    >>> Recording(np.zeros(22050), 22050).seconds
    1.0
    """

    samples: NDArray[np.float32]
    rate: int

    def __post_init__(self) -> None:
        samples = np.asarray(self.samples)
        if samples.ndim != 1 or not len(samples) or samples.dtype.kind not in "fiu":
            came = f"{samples.dtype} of shape {samples.shape}"
            raise ValueError(f"a recording needs a one-dimensional array of at least one sample, got {came}")
        if self.rate not in RATES:
            raise ValueError(f"a recording needs {RATES[0]} to {RATES[-1]} samples a second, got {self.rate}")
        samples = samples.astype(np.float32, copy=False)
        # No copy is made of what may be an hour; a comparison with NaN is false.
        if not (samples.min() >= -_LOUDEST and samples.max() <= _LOUDEST):
            raise ValueError(f"the samples of a recording must be finite, and not beyond {_LOUDEST:g}")
        object.__setattr__(self, "samples", samples)

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.rate

    def resampled(self, rate: int = RATE) -> Recording:
        """The same sound at another rate, without what lies below hearing; itself if it has that rate already."""
        if rate == self.rate:
            return self
        resampler = Resampler(self.rate, rate)
        parts = [resampler.push(part) for part in np.array_split(self.samples, -(-len(self.samples) // _CHUNK))]
        return Recording(_whole([*parts, resampler.finish()], "the recording"), rate)


def read_recording(source: bytes | BinaryIO, rate: int = RATE) -> Recording:
    """The sound in an audio file, mixed to one channel.

    Everything that libsndfile reads: WAV (8 to 32 bits, float), FLAC, Ogg Vorbis, Opus, MP3, AIFF and others, told
    by its first bytes. It is read in pieces, so that a long recording takes no more room than what comes of it.

    Args:
        source: the bytes of the file, or the file itself, opened for reading bytes.
        rate: samples a second that are wanted.

    Raises:
        FileError: if it is no such file, damaged, empty, longer than two hours, or of a rate beyond 4 to 400 kHz.

    >>> import io, soundfile
    >>> file = io.BytesIO()
    >>> soundfile.write(file, np.zeros((4410, 2)), 44100, format="WAV")
    >>> read_recording(file.getvalue()).samples.shape
    (2205,)
    """
    import soundfile

    file = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        with soundfile.SoundFile(file) as sound:
            if sound.samplerate not in RATES:
                came = f"got {sound.samplerate}; save it with 44100"
                raise FileError(f"expected a recording of {RATES[0]} to {RATES[-1]} samples a second, {came}")
            resampler = Resampler(sound.samplerate, rate)
            parts = [resampler.push(part) for part in _mono(sound)]
    except (soundfile.LibsndfileError, TypeError, RuntimeError) as error:
        reason = " ".join(str(getattr(error, "error_string", error)).split()).rstrip(".")
        raise FileError(
            f"expected a recording that can be played (wav, flac, ogg, opus, mp3 or aiff): {reason}; save it as wav"
        ) from error
    return Recording(_whole([*parts, resampler.finish()], "the file"), rate)


def _mono(sound: Any) -> Iterator[NDArray[np.float32]]:
    """The frames of an opened file, their channels averaged; what is no number is silence."""
    longest = MAX_SECONDS * sound.samplerate
    done = 0
    # What the head of a file says of its length may be wrong: only what is read counts.
    while len(part := sound.read(_CHUNK, dtype="float32", always_2d=True)):
        done += len(part)
        if done > longest:
            raise FileError(
                f"expected a recording of at most {MAX_SECONDS // 3600} hours, got a longer one; cut it into parts"
            )
        if not np.isfinite(part).all() or np.abs(part).max() > _LOUDEST:
            part = np.nan_to_num(part, nan=0, posinf=0, neginf=0).clip(-_LOUDEST, _LOUDEST)
        yield part.mean(axis=1)


def _whole(parts: list[NDArray[np.float32]], what: str) -> NDArray[np.float32]:
    samples = np.concatenate(parts)
    if not len(samples):
        raise FileError(f"expected a recording, but {what} is empty: it holds no sound at all; record it again")
    return samples
