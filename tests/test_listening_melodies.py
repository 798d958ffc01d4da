"""What is hummed, whistled and played is written down: notes, tempo, metre, bars and key."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kapelle.errors import FileError
from kapelle.listening import Heard, Recording, melody_of, music_of, read_recording
from kapelle.listening.meters import METERS, readings
from kapelle.music import Notes, Score, TempoMap, Track
from kapelle.rendering.audio import to_audio
from singing import HUM, RATE, WHISTLE, Rows, Voice, f1, performed, sung

# Degrees of the scale and quarters; a tune of four phrases in 3/4, and one in 4/4 with a pickup.
WALTZ = [(4, 2), (2, 1), (0, 2), (2, 1), (4, 1), (5, 1), (4, 1), (2, 3), (1, 2), (3, 1), (4, 2), (3, 1), (2, 1), (1, 1)]
WALTZ += [(-1, 1), (0, 3)]
MARCH = [(-3, 1), (0, 1), (0, 1), (1, 1), (2, 1), (0, 1), (2, 0.5), (1, 0.5), (0, 1), (-1, 1), (4, 1), (4, 1), (3, 1)]
MARCH += [(2, 1), (1, 1), (0, 0.5), (-1, 0.5), (0, 1)]
SCALE = (0, 2, 4, 5, 7, 9, 11)


def rows_of(tune: list[tuple[int, float]], tonic: int, quarter: float, times: int = 2) -> Rows:
    """A tune as (onset, duration, pitch) in seconds, sung so many times."""
    rows, onset = [], 0.3
    for degree, quarters in tune * times:
        octave, step = divmod(degree, 7)
        rows.append((onset, 0.98 * quarters * quarter, tonic + 12 * octave + SCALE[step]))
        onset += quarters * quarter
    return rows


def played(heard: Heard) -> Rows:
    """The notes that were heard, in seconds."""
    notes = heard.as_played.tracks[0].notes
    return [(a / 1000, d / 1000, int(p)) for a, d, p in zip(notes.onset, notes.duration, notes.pitch, strict=True)]


def hear(rows: Rows, voice: Voice = HUM, seed: int = 0, **told: object) -> Heard:
    return melody_of(Recording(sung(rows, np.random.default_rng(seed), voice), RATE), **told)  # type: ignore[arg-type]


@pytest.mark.parametrize("tune", [WALTZ, MARCH])
@pytest.mark.parametrize(("voice", "tonic"), [(HUM, 52), (HUM, 64), (WHISTLE, 79)])
def test_a_melody_is_heard_through_glides_vibrato_drift_and_breath(tune: list, voice: Voice, tonic: int) -> None:
    scores = []
    for seed in range(3):
        rows = performed(rows_of(tune, tonic, 0.5), np.random.default_rng(seed))
        scores.append(f1(rows, played(hear(rows, voice, seed))))
    assert np.mean(scores) >= 0.93
    assert min(scores) >= 0.85


@settings(max_examples=6)
@given(
    tonic=st.integers(45, 72),
    offset=st.floats(-0.4, 0.4),
    quarter=st.floats(0.35, 0.8),
    seed=st.integers(0, 99),
)
def test_key_tuning_and_tempo_of_the_singer_do_not_matter(tonic: int, offset: float, quarter: float, seed: int) -> None:
    rows = rows_of(MARCH, tonic, quarter)
    heard = hear(rows, Voice(offset=offset, drift=0.05), seed)
    assert f1(rows, played(heard)) >= 0.85
    # Half a semitone off, a tune may as well be in the key beside it.
    assert abs((heard.tuning - offset + 0.5) % 1 - 0.5) < 0.15


def test_a_repeated_note_is_two_notes_and_a_glide_is_one() -> None:
    repeated = [(0.3 + 0.4 * at, 0.36, 62) for at in range(8)]
    assert len(played(hear(repeated))) == 8
    time = np.arange(2 * RATE) / RATE
    pitch = np.where(time < 1, 60 + 4 * np.clip((time - 0.1) / 0.06, 0, 1), 64)
    sound = np.sin(2 * np.pi * np.cumsum(440 * 2 ** ((pitch - 69) / 12)) / RATE) * np.minimum(1, 20 * time)
    assert [note[2] for note in played(melody_of(Recording(sound, RATE)))][-1] == 64


def test_loud_notes_have_high_velocities() -> None:
    time = np.arange(RATE // 2) / RATE
    shape = np.minimum(1, np.minimum(time, time[::-1]) * 30)
    sound = [
        level * shape * np.sin(2 * np.pi * 440 * 2 ** (key / 12) * time) for key, level in ((0, 1), (2, 0.1), (4, 1))
    ]
    velocity = melody_of(Recording(np.concatenate(sound), RATE)).score.tracks[0].notes.velocity
    assert velocity[0] == velocity[2] > velocity[1] + 20


@pytest.mark.parametrize(("tune", "meter", "pickup"), [(WALTZ, "3/4", 0), (MARCH, "4/4", 24)])
def test_bars_tempo_and_key_of_a_plain_tune_are_found(tune: list, meter: str, pickup: int) -> None:
    heard = hear(rows_of(tune, 60, 0.55, 3), seed=1)
    assert heard.score.meters[0].name == meter
    # Half or double the tempo would be the same music; the bars are told by the right one.
    pace = heard.score.tempos.quarters_per_minute[0] / (60 / 0.55)
    assert min(abs(pace - 1), abs(pace - 0.5), abs(pace - 2)) < 0.04
    score = hear(rows_of(tune, 60, 0.55, 3), seed=1, tempo=109).score
    assert score.meters[0].name == meter
    assert score.keys[0].name == "C major"
    assert score.pickup == pickup
    assert all(0 <= sure <= 1 for sure in (heard.certainty.tempo, heard.certainty.meter, heard.certainty.key))


def test_tempo_and_metre_are_as_told() -> None:
    rows = rows_of(WALTZ, 60, 0.5)
    assert abs(hear(rows, tempo=60).score.tempos.quarters_per_minute[0] - 60) < 5
    assert abs(hear(rows, tempo=120).score.tempos.quarters_per_minute[0] - 120) < 10
    for name in ("2/4", "6/8", "2/2"):
        assert hear(rows, meter=name).score.meters[0].name == name
    # The beat of 6/8 is a dotted quarter: two beats of 60 are 90 quarters.
    assert abs(hear(rows, tempo=60, meter="6/8").score.tempos.quarters_per_minute[0] - 90) < 8


@pytest.mark.parametrize(
    ("told", "expected"),
    [({"meter": "5/4"}, "one of 2/4, 3/4, 4/4, 6/8, 2/2, got 5/4"), ({"tempo": 3}, "20 to 300 beats a minute, got 3")],
)
def test_what_cannot_be_listened_for_is_refused(told: dict, expected: str) -> None:
    with pytest.raises(FileError, match=expected):
        hear(rows_of(WALTZ, 60, 0.5, 1), **told)


@settings(max_examples=20)
@given(
    onset=st.lists(st.floats(0.06, 2.0), min_size=0, max_size=25).map(lambda steps: np.cumsum([0.0, *steps])),
    pitch=st.integers(30, 90),
    meter=st.sampled_from(METERS),
)
def test_a_reading_keeps_the_order_of_notes_and_begins_inside_a_bar(onset: np.ndarray, pitch: int, meter: str) -> None:
    for reading in readings(onset, np.full(len(onset), pitch), 0, (meter,)):
        assert reading.place[0] == 0
        assert (np.diff(reading.place) >= 1).all()
        assert 0 <= reading.first < reading.meter.bar_quarters * 4
        assert reading.quarters_per_minute > 0


@given(quarter=st.floats(0.3, 0.9), meter=st.sampled_from(["3/4", "4/4"]))
@settings(max_examples=10)
def test_notes_on_a_grid_are_read_at_places_in_proportion(quarter: float, meter: str) -> None:
    quarters = np.cumsum([0, *([1, 1, 0.5, 0.5, 1] * 6)])
    place = readings(quarter * quarters, 60 + np.arange(31) % 5, 0, (meter,))[0].place
    ratio = place[1:] / quarters[1:]
    assert ratio.max() - ratio.min() < 1e-9


# -- what is no melody ----------------------------------------------------------------------------


def noise(color: float, seed: int) -> np.ndarray:
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(0, 1, 6 * RATE))
    sound = np.fft.irfft(spectrum / np.maximum(np.arange(len(spectrum)), 1) ** color)
    return np.asarray(sound / np.abs(sound).max())


@pytest.mark.parametrize("color", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_noise_is_no_melody(color: float, seed: int) -> None:
    with pytest.raises(FileError, match=r"no pitch is heard in 6\.0 seconds"):
        melody_of(Recording(noise(color, seed), RATE))


@pytest.mark.parametrize("samples", [np.zeros(RATE), np.zeros(1), np.full(RATE, 1e-5)])
def test_silence_is_told_as_silence(samples: np.ndarray) -> None:
    with pytest.raises(FileError, match="seconds of silence; check the microphone"):
        melody_of(Recording(samples, RATE))


@pytest.mark.parametrize("samples", [np.ones(1), np.full(RATE, 0.5), np.eye(1, 3 * RATE, RATE)[0]])
def test_a_sample_a_shifted_line_and_a_click_are_no_melody(samples: np.ndarray) -> None:
    with pytest.raises(FileError, match="no pitch is heard"):
        melody_of(Recording(samples, RATE))


def test_a_melody_is_heard_through_noise_clipping_and_a_bad_microphone() -> None:
    rows = rows_of(MARCH, 60, 0.5)
    clean = sung(rows, np.random.default_rng(0))
    for spoilt in (clean + 0.02 * noise(0.5, 0).repeat(4)[: len(clean)], np.clip(4 * clean, -0.7, 0.7), clean * 0.01):
        assert f1(rows, played(melody_of(Recording(spoilt, RATE)))) >= 0.9


# -- notes to sound to notes ----------------------------------------------------------------------


def score_of(tune: list[tuple[int, float]], program: int) -> Score:
    rows, onset = [], 0
    for degree, quarters in tune * 2:
        octave, step = divmod(degree, 7)
        rows.append((onset, round(24 * quarters), 64 + 12 * octave + SCALE[step], 90))
        onset += round(24 * quarters)
    return Score(24, (Track(Notes.of(rows), program),), TempoMap.constant(100.0))


slow = pytest.mark.slow


@pytest.mark.parametrize(
    ("program", "least"),
    [
        pytest.param(0, 0.95, id="piano"),
        pytest.param(73, 0.95, id="flute"),
        pytest.param(40, 0.95, id="violin", marks=slow),
        pytest.param(24, 0.95, id="guitar", marks=slow),
        pytest.param(56, 0.95, id="trumpet", marks=slow),
        pytest.param(52, 0.75, id="choir", marks=slow),
    ],
)
def test_what_an_instrument_plays_is_heard(program: int, least: float) -> None:
    for tune in (WALTZ, MARCH) if program else (MARCH,):
        score = score_of(tune, program)
        notes = score.tracks[0].notes
        rows = [(a / 40, d / 40, int(p)) for a, d, p in zip(notes.onset, notes.duration, notes.pitch, strict=True)]
        heard = music_of(read_recording(to_audio(score, ".wav")))
        assert heard.is_one_voice
        assert f1(rows, played(heard)) >= least


def test_what_a_style_composes_comes_back_through_sound() -> None:
    import kapelle

    score = kapelle.load_style("folk").compose(bars=8, seed=5, tempo=80)
    notes = score.tracks[0].notes
    seconds = score.tempos.seconds(notes.onset, score.ticks_per_quarter)
    rows = [(float(a), 0.1, int(p)) for a, p in zip(seconds, notes.pitch, strict=True)]
    assert f1(rows, played(melody_of(read_recording(to_audio(score, ".flac"))))) >= 0.95
