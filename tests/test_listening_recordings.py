"""Recordings: any audio file, or any bytes, as sound on one channel, or one line that says why not."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from kapelle.errors import FileError
from kapelle.listening import RATE, Recording, melody_of, read_recording
from kapelle.listening.recording import MAX_SECONDS
from kapelle.listening.resampling import Resampler


def tone(hertz: float, rate: int, seconds: float = 1.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


def file_of(samples: np.ndarray, rate: int, form: str = "WAV", subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=form, subtype=subtype)
    return file.getvalue()


FORMATS = (
    ("WAV", "PCM_U8", 44100),
    ("WAV", "PCM_16", 44100),
    ("WAV", "PCM_24", 96000),
    ("WAV", "PCM_32", 192000),
    ("WAV", "FLOAT", 8000),
    ("WAV", "DOUBLE", 22050),
    ("FLAC", "PCM_16", 48000),
    ("OGG", "VORBIS", 44100),
    ("OGG", "OPUS", 48000),
    ("MP3", "MPEG_LAYER_III", 44100),
    ("AIFF", "PCM_16", 32000),
)


@pytest.mark.parametrize(("form", "subtype", "rate"), FORMATS)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_format_depth_rate_and_number_of_channels_gives_the_same_tone(
    form: str, subtype: str, rate: int, channels: int
) -> None:
    samples = np.repeat(tone(440, rate, 1.5)[:, None], channels, axis=1)
    recording = read_recording(file_of(samples, rate, form, subtype))
    assert recording.rate == RATE
    assert abs(recording.seconds - 1.5) < 0.1
    notes = melody_of(recording).as_played.tracks[0].notes
    assert notes.pitch.tolist() == [69]


@settings(max_examples=15)
@given(
    rate=st.sampled_from([8000, 11025, 16000, 22050, 32000, 44056, 44100, 48000, 96000, 192000]),
    hertz=st.floats(60, 3000),
    cuts=st.lists(st.floats(0, 1), max_size=4),
)
def test_resampling_keeps_a_tone_and_its_time_however_it_is_cut(rate: int, hertz: float, cuts: list[float]) -> None:
    # Longer than a block, so that blocks are told as they are filled.
    samples = tone(hertz, rate, 6.0)
    resampler = Resampler(rate, RATE)
    places = sorted(int(cut * len(samples)) for cut in cuts)
    told = np.concatenate([*(resampler.push(part) for part in np.split(samples, places)), resampler.finish()])
    assert len(told) == -(-len(samples) * RATE // rate)
    inside = slice(RATE // 4, -RATE // 4)
    assert np.abs(told - tone(hertz, RATE, 6.1)[: len(told)])[inside].max() < 0.01


def test_what_lies_above_the_new_rate_does_not_come_back_as_a_lower_tone() -> None:
    resampler = Resampler(48000, RATE)
    told = np.concatenate([resampler.push(tone(13000, 48000)), resampler.finish()])
    assert np.abs(told[RATE // 4 : -RATE // 4]).max() < 0.005


def test_a_shift_of_the_zero_line_and_rumble_are_not_heard() -> None:
    samples = tone(330, 44100) + 0.4 + 0.3 * np.sin(2 * np.pi * 5 * np.arange(44100) / 44100)
    recording = read_recording(file_of(samples / 2, 44100, "WAV", "FLOAT"))
    assert abs(float(recording.samples[RATE // 4 : -RATE // 4].mean())) < 0.01
    assert melody_of(recording).as_played.tracks[0].notes.pitch.tolist() == [64]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_samples_that_are_no_numbers_are_silence(bad: float) -> None:
    samples = tone(440, 44100).astype(np.float32)
    samples[::4000] = bad
    assert np.isfinite(read_recording(file_of(samples, 44100, "WAV", "FLOAT")).samples).all()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "can be played"),
        (b"RIFF", "can be played"),
        (b"no sound at all" * 100, "can be played"),
        (file_of(np.zeros((0, 1)), 44100), "is empty: it holds no sound"),
        (file_of(tone(440, 2000), 2000), "4000 to 400000 samples a second, got 2000"),
    ],
)
def test_what_is_no_recording_is_refused_in_one_line(data: bytes, expected: str) -> None:
    with pytest.raises(FileError, match=expected) as refusal:
        read_recording(data)
    assert "\n" not in str(refusal.value)


@given(st.binary(max_size=300), st.sampled_from(["WAV", "FLAC", "OGG", "AIFF", "MP3"]), st.integers(0, 2000))
def test_any_bytes_give_a_recording_or_one_line(noise: bytes, form: str, place: int) -> None:
    whole = file_of(tone(440, 8000, 0.2), 8000, form)
    said, samples = "", np.zeros(1)
    try:
        samples = read_recording(whole[:place] + noise + whole[place + len(noise) :]).samples
    except FileError as error:
        said = str(error)
    assert "\n" not in said
    assert np.isfinite(samples).all()


def test_a_cut_file_gives_what_is_left_of_it() -> None:
    whole = file_of(tone(440, 44100, 2.0), 44100)
    assert 0.9 < read_recording(whole[: len(whole) // 2]).seconds < 1.1


def test_more_than_two_hours_are_refused_before_they_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_SECONDS == 7200
    monkeypatch.setattr("kapelle.listening.recording.MAX_SECONDS", 10)
    with pytest.raises(FileError, match="at most 0 hours, got a longer one; cut it"):
        read_recording(file_of(np.zeros(11 * 8000), 8000))


@pytest.mark.slow
def test_a_long_recording_is_read_in_little_more_room_than_it_takes() -> None:
    import tracemalloc

    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", 44100, 2, "PCM_16", format="FLAC") as sound:
        minute = np.repeat(tone(440, 44100, 60)[:, None], 2, axis=1)
        for _ in range(6):
            sound.write(minute)
    file.seek(0)
    tracemalloc.start()
    recording = read_recording(file)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert recording.seconds == 360
    # The samples once in pieces and once whole, and what is worked on.
    assert most < 2.2 * recording.samples.nbytes + 2**24, most


@pytest.mark.parametrize(
    ("samples", "rate"),
    [(np.zeros(0), 22050), (np.zeros((4, 2)), 22050), (np.zeros(4), 10), (np.array([np.nan]), 22050)],
)
def test_a_recording_is_checked_where_it_is_made(samples: np.ndarray, rate: int) -> None:
    with pytest.raises(ValueError, match="recording"):
        Recording(samples, rate)
