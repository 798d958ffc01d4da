"""The sampler: laws of what is played, each against something simpler."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kapelle.errors import FileError
from kapelle.music import Notes, Score, Spans, TempoMap, Track
from kapelle.rendering.audio import (
    PEAK,
    RATE,
    SUFFIXES,
    Performance,
    bundled_soundfont,
    encode,
    read_soundfont,
    stem_names,
    stems_to_audio,
    synthesize,
    synthesize_stems,
    to_audio,
)
from kapelle.rendering.audio.envelope import Envelope, Wave
from kapelle.rendering.audio.oscillator import CHUNK, STEP, Oscillator
from kapelle.rendering.audio.patch import Tone, layers_of
from kapelle.rendering.audio.performance import BLOCK
from sf2_bytes import soundfont
from strategies import scores
from test_audio_soundfont import hertz

SLOW = 8000
SINE = read_soundfont(soundfont())
CLICK = read_soundfont(soundfont(zones=[{54: 0}], pcm=np.array([0, 30_000, 0, 0, 0, 0, 0, 0], "<i2"), loop=(0, 0)))


def one(*rows: tuple[int, int, int, int], **track: object) -> Score:
    """One track at 60 quarters a minute, 24 ticks a second."""
    return Score(24, (Track(Notes.of(rows), **track),), tempos=TempoMap.constant(60))  # type: ignore[arg-type]


def short(score: Score) -> Score:
    """The score at a tempo at which it is over in seconds."""
    return score.replace(tempos=TempoMap.constant(max(60.0, 20 * score.end / score.ticks_per_quarter)))


def rms(sound: np.ndarray) -> float:
    return float(np.sqrt((sound.astype(np.float64) ** 2).mean())) if sound.size else 0.0


# -- what is played -------------------------------------------------------------------------------


@pytest.mark.parametrize("pitch", [33, 57, 60, 69, 81, 96])
def test_a_note_has_its_pitch(pitch: int) -> None:
    sound = synthesize(one((0, 24, pitch, 90)), SINE)
    assert 1200 * np.log2(hertz(sound) / (440 * 2 ** ((pitch - 69) / 12))) == pytest.approx(0, abs=3)


@pytest.mark.parametrize("program", [0, 19, 24, 40, 48, 56, 68, 73, 79])
def test_a_program_of_the_bundled_bank_plays_in_tune_and_in_its_octave(program: int) -> None:
    sound = synthesize(one((0, 24, 69, 90), program=program))
    mono = sound[RATE // 5 : RATE // 5 + 16_384].sum(1)
    likeness = np.fft.irfft(np.abs(np.fft.rfft(mono, 2**16)) ** 2)
    low, high = RATE // 1100, RATE // 190
    most = likeness[low:high].max()
    # The shortest delay at which the sound is most like itself.
    period = next(lag for lag in range(low, high) if likeness[lag] == likeness[lag - 9 : lag + 10].max() > 0.8 * most)
    assert RATE / period == pytest.approx(440, rel=0.012)


def test_every_program_and_every_drum_sounds() -> None:
    tracks = [Track(Notes.of([(0, 6, 60, 100)]), program=program) for program in range(128)]
    stems = synthesize_stems(Score(24, tuple(tracks)), rate=SLOW)
    assert [program for program, stem in enumerate(stems) if rms(stem[: SLOW // 4]) < 1e-5] == []
    for key in range(35, 82):
        assert len(layers_of(bundled_soundfont(), bundled_soundfont().presets[128, 0], key, 100, RATE)), key


def test_notes_start_where_the_tempos_say() -> None:
    rows = [(tick, 2, 69, 100) for tick in (0, 24, 48, 60, 72, 96)]
    score = one(*rows).replace(tempos=TempoMap(np.array([0, 48]), np.array([60.0, 240.0])))
    sound = synthesize(score, CLICK)[:, 0]
    loud = np.flatnonzero(np.abs(sound) > 0.1)
    starts = loud[np.diff(loud, prepend=-1000) > 500]
    assert np.abs(starts / RATE - [0, 1, 2, 2.125, 2.25, 2.5]).max() < 0.001


@settings(max_examples=15)
@given(scores(max_tracks=2, max_notes=5))
def test_a_piece_that_starts_later_is_the_same_sound_later(score: Score) -> None:
    score = score.replace(tempos=TempoMap.constant(240))
    # Three quarters are 6,000 frames: neither a block nor a chunk.
    shift, frames = 3 * score.ticks_per_quarter, 6000
    later = score.replace(
        tracks=tuple(
            track.replace(
                notes=track.notes.replace(onset=track.notes.onset + shift),
                pedal=Spans(track.pedal.onset + shift, track.pedal.duration),
            )
            for track in score.tracks
        )
    )
    first, second = Performance(score, None, SLOW).mix(), Performance(later, None, SLOW).mix()
    assert len(second) == (len(first) + frames if score.num_notes else 0)
    assert not second[:frames].any()
    assert np.abs(second[frames:] - first).max(initial=0) < 1e-4


@settings(max_examples=15)
@given(scores(max_tracks=4, max_notes=6))
def test_stems_are_as_long_as_the_whole_and_add_up_to_it(score: Score) -> None:
    performance = Performance(short(score), None, SLOW)
    whole = performance.mix()
    stems = [performance.mix(track) for track in range(len(score.tracks))]
    assert all(stem.shape == whole.shape for stem in stems)
    assert np.abs(sum(stems, np.zeros_like(whole)) - whole).max(initial=0) < 1e-5


@settings(max_examples=15)
@given(scores(max_tracks=2, max_notes=6))
def test_a_piece_has_its_peak_and_ends_in_silence(score: Score) -> None:
    sound = synthesize(short(score), None, SLOW)
    # A kit has no sound for some of its keys.
    if sound.any():
        assert np.abs(sound).max() == pytest.approx(PEAK, abs=1e-5)
        assert np.abs(sound[-2:]).max() < 0.03
    assert np.isfinite(sound).all()


def test_a_piece_of_many_blocks_is_the_sum_of_its_notes() -> None:
    rng = np.random.default_rng(3)
    rows = [(int(rng.integers(0, 480)), int(rng.integers(1, 300)), pitch, 100) for pitch in rng.permutation(24) + 50]
    whole = Performance(one(*rows), None, SLOW).mix()
    assert len(whole) > 2 * BLOCK
    summed = np.zeros_like(whole)
    for row in rows:
        alone = Performance(one(row), None, SLOW).mix()
        length = min(len(alone), len(summed))
        summed[:length] += alone[:length]
    # Each note by itself ends where it is 80 dB below itself, and fades out there.
    assert np.abs(summed - whole).max() < 1e-3


def test_a_recording_that_breaks_off_at_the_end_of_the_piece_fades() -> None:
    bank = read_soundfont(soundfont(zones=[{54: 0, 38: 2400}], pcm=np.full(2205, 20_000, "<i2"), loop=(0, 0)))
    sound = synthesize(one((0, 1, 69, 100)), bank)[:, 0]
    assert sound[len(sound) // 2] > 0.5
    assert np.abs(np.diff(sound[-500:])).max() < 0.01


def test_equal_scores_give_equal_sound() -> None:
    score = one((0, 24, 60, 80), (12, 24, 64, 80))
    assert synthesize(score).tobytes() == synthesize(score).tobytes()


def test_left_is_left_and_right_is_right() -> None:
    for pan, silent in ((-500, 1), (500, 0)):
        sound = synthesize(one((0, 24, 69, 80)), read_soundfont(soundfont(zones=[{54: 1, 17: pan}])))
        assert rms(sound[:, silent]) < 1e-6 < rms(sound[:, 1 - silent])


def test_the_pedal_holds_a_note_until_it_goes_up() -> None:
    held = one((0, 6, 69, 80), (96, 1, 30, 1), pedal=Spans(np.array([3]), np.array([45])))
    sound = synthesize(held, SINE)
    assert rms(sound[RATE : 2 * RATE - 500]) > 0.5
    assert rms(sound[2 * RATE + 2000 : 3 * RATE]) < 1e-3


def test_a_pitch_that_is_struck_again_under_the_pedal_lets_go_of_itself() -> None:
    pedal = Spans(np.array([0]), np.array([48]))
    twice = synthesize(one((0, 6, 69, 80), (24, 6, 69, 80), pedal=pedal), SINE)
    assert rms(twice[RATE + 2000 : 2 * RATE]) == pytest.approx(rms(twice[2000:RATE]), rel=0.01)


def test_a_drum_silences_the_others_of_its_class() -> None:
    open_hat, closed = (0, 24, 46, 100), (6, 6, 42, 100)
    alone = Performance(one(open_hat, is_drum=True)).mix()
    both = Performance(one(open_hat, closed, is_drum=True)).mix()
    only_closed = Performance(one(closed, is_drum=True)).mix()
    later = slice(round(0.6 * RATE), round(0.8 * RATE))
    rest = both[later] - np.pad(only_closed, ((0, max(len(both) - len(only_closed), 0)), (0, 0)))[later]
    assert rms(rest) < 0.2 * rms(alone[later])


def test_a_pitch_that_is_bent_while_the_key_is_down_comes_back_from_the_release_on() -> None:
    # An octave up while held, and back in a tenth of a second; the volume takes four seconds to go.
    bank = read_soundfont(soundfont(zones=[{54: 1, 7: 1200, 30: -3986, 38: 2400}]))
    short_note = Score(240, (Track(Notes.of([(0, 24, 69, 100)])),), tempos=TempoMap.constant(60))
    mono = Performance(short_note, bank).mix()[:, 0]
    for begin, end, least, most in ((0.05, 0.1, 870, 890), (0.15, 0.18, 480, 650), (0.3, 0.4, 435, 445)):
        part = mono[round(begin * RATE) : round(end * RATE)]
        rises = np.flatnonzero((part[:-1] < 0) & (part[1:] >= 0))
        assert least < RATE / np.diff(rises).mean() < most


def test_a_fall_that_is_cut_short_goes_on_from_where_it_was() -> None:
    slow = {54: 1, 38: 1200, 57: 1}
    bank = read_soundfont(soundfont(presets=[(128, 0)], zones=[slow]))
    sound = Performance(one((0, 24, 69, 100), (36, 1, 21, 1), is_drum=True), bank).mix()[:, 0]
    loud = np.array([np.abs(sound[round(at * RATE) :][:441]).max() for at in (0.9, 1.25, 1.5, 1.75, 2.0)])
    # 96 dB in two seconds from 1 on, and in 0.89 seconds from 1.5 on.
    assert 20 * np.log10(loud / loud[0]) == pytest.approx([0, -12, -24, -24 - 27, -24 - 54], abs=1.0)


# -- its parts ------------------------------------------------------------------------------------


times = st.floats(0.001, 2.0)


@given(times, times, times, times, st.floats(0, 1), times)
def test_an_envelope_is_what_following_it_step_by_step_gives(
    delay: float, attack: float, hold: float, decay: float, sustain: float, release: float
) -> None:
    envelope = Envelope(delay, attack, hold, decay, sustain, release)
    level, expected, step = 0.0, [], 0.001
    at = np.arange(0, 6, step)
    for now in at:
        expected.append(level)
        if now >= delay + attack + hold:
            level = max(level - step / decay, sustain)
        elif now >= delay:
            level = min(level + step / attack, 1.0)
    assert np.abs(envelope.level(at) - expected).max() < 3 * step * max(1 / attack, 1 / decay) + 1e-6
    assert envelope.gain(at).max() <= 1


def test_a_wave_starts_at_nothing_rises_and_turns_at_its_ends() -> None:
    wave = Wave(delay=1.0, hertz=0.5)
    assert wave.level([0, 1, 1.25, 1.5, 2, 2.5, 3, 5]) == pytest.approx([0, 0, 0.5, 1, 0, -1, 0, 0])


def tone(**changes: object) -> Tone:
    base = layers_of(SINE, 0, 69, 127, RATE)[0].tone
    values = {name: getattr(base, name) for name in base.__slots__}
    return Tone(**{**values, **changes})


@pytest.mark.parametrize("sweep", [0.0, 3000.0])
@pytest.mark.parametrize("resonance", [0.0, 20.0])
def test_the_filter_is_the_one_of_the_cookbook_frame_by_frame(sweep: float, resonance: float) -> None:
    contour = Envelope(0.001, 0.05, 0.001, 0.3, 0.2, 1.0)
    filtered = Oscillator(
        SINE, tone(step=0.37, cutoff=7000.0, resonance=resonance, contour_cutoff=sweep, contour=contour), RATE, None
    )
    plain = Oscillator(SINE, tone(step=0.37), RATE, None)
    sound = np.concatenate([plain.chunk(number) for number in range(3)]).astype(np.float64)
    at = np.arange(0, 3 * CHUNK + 1, STEP) / RATE
    cents = 7000 + sweep * contour.contour(at, np.inf)
    omega = 2 * np.pi * 8.176 * 2 ** (cents / 1200) / RATE
    quality = 10 ** ((resonance - 3.01) / 20)
    alpha = np.sin(omega) / 2 / quality
    gain = (1 - np.cos(omega)) / 2 / (1 + alpha) / np.sqrt(quality)
    first, second = 2 * np.cos(omega) / (1 + alpha), (1 - alpha) / (1 + alpha)
    rows = [np.interp(np.arange(3 * CHUNK), np.arange(len(at)) * STEP, row) for row in (gain, first, second)]
    one_ago = two_ago = 0.0
    expected = []
    for frame, b, a_one, a_two in zip(sound, *rows, strict=True):
        middle = b * frame + a_one * one_ago - a_two * two_ago
        expected.append(middle + 2 * one_ago + two_ago)
        one_ago, two_ago = middle, one_ago
    # Asked for out of order, as after a chunk was thrown away.
    found = [filtered.chunk(number) for number in (2, 0, 1)]
    assert np.abs(np.concatenate([found[1], found[2], found[0]]) - expected).max() < 1e-4


def test_a_tone_that_is_let_go_is_like_one_that_was_to_be_let_go_from_its_start() -> None:
    contour = Envelope(0.001, 0.05, 0.001, 3.0, 0.2, 0.5)
    moving = tone(step=0.37, cutoff=7000.0, contour_cutoff=3000.0, contour_pitch=200.0, contour=contour)
    released = 2 * CHUNK + 10 * STEP
    held, fresh = (Oscillator(SINE, moving, RATE, frames) for frames in (None, released))
    before = [held.chunk(number) for number in range(4)]
    after = [held.let_go(released).chunk(number) for number in range(4)]
    for number in range(4):
        assert np.array_equal(after[number], fresh.chunk(number))
    assert np.array_equal(before[1], after[1])
    assert not np.array_equal(before[2], after[2])


def test_a_low_filter_takes_the_high_away() -> None:
    dull = synthesize(one((0, 24, 69, 127)), read_soundfont(soundfont(zones=[{54: 1, 8: 4500}], pcm=SQUARE)))
    bright = synthesize(one((0, 24, 69, 127)), read_soundfont(soundfont(pcm=SQUARE)))
    share = [np.abs(np.fft.rfft(sound[:8192, 0]))[400:].sum() / rms(sound[:8192]) for sound in (dull, bright)]
    assert share[0] < 0.3 * share[1]


SQUARE = np.where(np.arange(2205) * 440 % 22_050 < 11_025, 15_000, -15_000).astype("<i2")


def test_a_loop_goes_round_without_a_seam() -> None:
    sound = np.concatenate([Oscillator(SINE, tone(step=0.5), RATE, None).chunk(number) for number in range(6)])
    bends = np.abs(np.diff(sound, 2))
    assert bends[2000:].max() < 1.1 * bends[100:2000].max()


def test_a_loop_that_is_left_at_the_release_plays_on_to_the_end() -> None:
    leaving = Oscillator(SINE, tone(step=1.0, loops=3, loop_start=500, loop_end=1501, end=2205), RATE, 3000)
    assert leaving.frames() == 2205 + 2 * 1001
    assert np.abs(leaving.chunk(0)[4100:4200]).max() > 0.1
    assert not leaving.chunk(0)[4210:].any()


def test_a_bend_of_next_to_nothing_is_none() -> None:
    bent, plain = (Oscillator(SINE, tone(step=0.5, vibrato_pitch=cents), RATE, None) for cents in (1e-6, 0.0))
    for number in (2, 0):
        assert np.abs(bent.chunk(number) - plain.chunk(number)).max() < 1e-3


def test_vibrato_goes_both_ways_round_the_pitch() -> None:
    shaking = tone(step=0.5, vibrato=Wave(0.0, 5.0), vibrato_pitch=100.0)
    sound = np.concatenate([Oscillator(SINE, shaking, RATE, None).chunk(number) for number in range(5)])
    rises = np.flatnonzero((sound[:-1] < 0) & (sound[1:] >= 0))
    exact = rises - sound[rises] / (sound[rises + 1] - sound[rises])
    cents = 1200 * np.log2(RATE / np.diff(exact) / 440)
    assert (cents.min(), cents.max()) == pytest.approx((-100, 100), abs=12)


# -- odd pieces -----------------------------------------------------------------------------------


def test_a_piece_without_notes_gives_no_frames_and_no_file() -> None:
    assert synthesize(Score(24)).shape == (0, 2)
    assert synthesize_stems(Score(24, (Track(Notes.of([])),)))[0].shape == (0, 2)
    with pytest.raises(FileError, match="without any"):
        to_audio(Score(24), ".wav")


def test_the_lowest_the_highest_and_the_shortest_notes_play() -> None:
    assert len(synthesize(one((0, 1, 0, 1), (0, 1, 127, 127), (1, 1, 0, 127), (1, 1, 127, 1)), rate=SLOW))


@pytest.mark.slow
def test_a_note_of_an_hour_is_not_cut() -> None:
    performance = Performance(one((0, 24 * 3500, 69, 100)), SINE, SLOW)
    assert performance.seconds == pytest.approx(3500, abs=1)
    *_, last = performance.blocks()
    assert rms(last[: len(last) // 2]) > 0.01


def test_too_many_hours_are_refused_in_one_line() -> None:
    with pytest.raises(FileError, match=r"at most 6 hours to play, got 8\.0"):
        Performance(one((0, 24 * 3600 * 8, 69, 100)))
    with pytest.raises(FileError, match=r"at most 6 hours"):
        Performance(one((0, 2**40, 69, 100)))
    long = one((0, 24 * 3600 * 5, 69, 100))
    with pytest.raises(FileError, match=r"\.wav files hold at most 120 minutes, got 300; .mp3"):
        to_audio(long, ".wav", SINE)
    with pytest.raises(FileError, match="an hour"):
        synthesize(long, SINE, SLOW)
    with pytest.raises(ValueError, match="8000"):
        synthesize(long, SINE, 7999)


# -- files ----------------------------------------------------------------------------------------

SONG = one((0, 12, 60, 90), (12, 12, 67, 90), (24, 24, 72, 90)).replace(title="A\nsong ♪")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_holds_the_sound_and_the_title(suffix: str) -> None:
    soundfile = pytest.importorskip("soundfile")
    data = to_audio(SONG, suffix)
    rate = 48_000 if suffix == ".opus" else RATE
    sound = synthesize(SONG, rate=rate)
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        assert (file.samplerate, file.channels, file.title) == (rate, 2, "A song ♪")
        written = file.read(dtype="float32")
    assert abs(len(written) - len(sound)) <= 1
    most = min(len(written), len(sound))
    likeness = np.corrcoef(written[:most, 0], sound[:most, 0])[0, 1]
    assert likeness > (0.9999 if suffix in (".wav", ".flac") else 0.97)


def test_a_piece_that_is_played_twice_is_the_same_file(monkeypatch: pytest.MonkeyPatch) -> None:
    once = to_audio(SONG, ".wav")
    monkeypatch.setattr("kapelle.rendering.audio.encoding._AT_HAND", 1000)
    soundfile = pytest.importorskip("soundfile")
    first, second = (soundfile.read(io.BytesIO(data))[0] for data in (once, to_audio(SONG, ".wav")))
    assert np.abs(first - second).max() < 1e-4


def test_stems_are_named_by_number_and_name_and_share_the_gain_of_the_whole() -> None:
    soundfile = pytest.importorskip("soundfile")
    tracks = (
        Track(Notes.of([(0, 24, 60, 80)]), name="Left / hand"),
        Track(Notes.of([])),
        Track(Notes.of([(0, 24, 67, 80)]), program=40),
        Track(Notes.of([(0, 24, 38, 80)]), is_drum=True),
        Track(Notes.of([(0, 24, 72, 80)]), name="///"),
        Track(Notes.of([(0, 24, 76, 80)]), name="バイオリン"),
    )
    score = Score(24, tracks)
    assert list(stem_names(score).values()) == ["1-left-hand", "3-violin", "4-drums", "5", "6-バイオリン"]
    stems = {name: soundfile.read(io.BytesIO(data))[0] for name, data in stems_to_audio(score, ".wav")}
    whole = soundfile.read(io.BytesIO(to_audio(score, ".wav")))[0]
    assert list(stems) == list(stem_names(score).values())
    assert np.abs(sum(stems.values()) - whole).max() < 5 / 32768


def test_what_is_too_loud_is_clipped_and_long_blocks_are_cut_up() -> None:
    soundfile = pytest.importorskip("soundfile")
    data = encode([np.full((200_000, 2), 1.5, np.float32)], ".wav")
    assert soundfile.read(io.BytesIO(data))[0].min() > 0.999
    assert soundfile.info(io.BytesIO(encode([np.zeros((1_000_000, 2), np.float32)], ".ogg"))).frames == 1_000_000
