"""Soundfonts: any bytes are a bank or a FileError, and a bank means what the specification says."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapelle.errors import FileError
from kapelle.music import Notes, Score, Track
from kapelle.rendering.audio import SoundFont, bundled_soundfont, read_soundfont, synthesize
from kapelle.rendering.audio.patch import Layer, layers_of
from sf2_bytes import sine, soundfont

WHOLE = soundfont()
CHORD = Score(24, (Track(Notes.of([(0, 12, 57, 90), (0, 12, 69, 1), (6, 12, 127, 127), (6, 12, 0, 64)])),))


def layer(bank: SoundFont | bytes, key: int = 69, velocity: int = 127) -> Layer:
    """The one sound that a note of a bank's first preset sets off."""
    bank = read_soundfont(bank) if isinstance(bank, bytes) else bank
    (only,) = layers_of(bank, 0, key, velocity, 44_100)
    return only


def play_if_readable(data: bytes) -> None:
    """Whatever the bytes are: a bank that plays something finite, or a refusal."""
    try:
        bank = read_soundfont(data)
    except FileError:
        return
    sound = synthesize(CHORD, bank, rate=8000)
    assert np.isfinite(sound).all()
    assert len(sound) < 8000 * 200


# -- any bytes ------------------------------------------------------------------------------------


@given(st.binary(max_size=300))
def test_any_bytes_are_a_bank_or_a_file_error(data: bytes) -> None:
    play_if_readable(data)


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_changed_bytes_are_a_bank_or_a_file_error(changes: list[tuple[int, int]]) -> None:
    data = bytearray(WHOLE)
    for place, value in changes:
        data[place] = value
    play_if_readable(bytes(data))


HEAD = WHOLE.index(b"pdta")


@given(
    st.lists(
        st.tuples(st.integers(HEAD, len(WHOLE) - 2), st.sampled_from([0, 1, 0x7FFF, 0x8000, 0xFFFF])),
        min_size=1,
        max_size=8,
    )
)
def test_settings_at_their_extremes_are_a_bank_or_a_file_error(changes: list[tuple[int, int]]) -> None:
    data = bytearray(WHOLE)
    for place, value in changes:
        struct.pack_into("<H", data, place, value)
    play_if_readable(bytes(data))


@given(st.integers(0, len(WHOLE)))
def test_a_bank_that_is_cut_short_is_a_bank_or_a_file_error(length: int) -> None:
    play_if_readable(WHOLE[:length])


@given(
    st.dictionaries(st.integers(0, 60).filter(lambda kind: kind != 53), st.integers(-32768, 32767), max_size=8),
    st.lists(st.tuples(*[st.integers(0, 0xFFFF)] * 2, st.integers(-32768, 32767), st.integers(0, 0xFFFF)), max_size=2),
)
def test_any_settings_and_modulators_play_something_finite(
    settings: dict[int, int], modulators: list[tuple[int, int, int, int]]
) -> None:
    play_if_readable(soundfont(zones=[settings], modulators=modulators))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "expected a soundfont"),
        (b"MThd" + bytes(40), "expected a soundfont"),
        (b"RIFF\0\0\0\0WAVE", "expected a soundfont"),
        (b"RIFF\4\0\0\0sfbk", "phdr"),
        (soundfont(presets=()), "presets"),
    ],
)
def test_what_is_no_bank_is_refused_in_one_line(data: bytes, expected: str) -> None:
    with pytest.raises(FileError, match=expected):
        read_soundfont(data)


def test_zones_that_lead_nowhere_are_silent_and_places_out_of_order_are_refused() -> None:
    for kind in (41, 53):
        astray = WHOLE.replace(struct.pack("<HH", kind, 0), struct.pack("<HH", kind, 7))
        assert astray != WHOLE
        assert not synthesize(CHORD, read_soundfont(astray)).any()
    end = WHOLE.index(b"EOP\0") + 24
    for bag in (0xFFFF, 2):
        with pytest.raises(FileError, match="places in order in 'phdr'"):
            read_soundfont(WHOLE[:end] + struct.pack("<H", bag) + WHOLE[end + 2 :])


# -- what a bank means ----------------------------------------------------------------------------


def test_the_bundled_bank_has_every_program_and_a_drum_kit() -> None:
    presets = bundled_soundfont().presets
    assert {(0, program) for program in range(128)} <= set(presets)
    assert (128, 0) in presets


def test_a_note_plays_only_the_zones_that_its_key_and_velocity_fall_into() -> None:
    low, high, loud = {43: 60 << 8}, {43: 127 << 8 | 61}, {44: 127 << 8 | 100}
    bank = read_soundfont(soundfont(zones=[low, high, loud]))
    assert [len(layers_of(bank, 0, key, velocity, 44_100)) for key, velocity in ((60, 99), (61, 99), (61, 100))] == [
        1,
        1,
        2,
    ]


def test_an_octave_is_twice_the_speed_and_a_setting_of_the_root_moves_it() -> None:
    assert layer(WHOLE, 81).tone.step == pytest.approx(2 * layer(WHOLE, 69).tone.step)
    assert layer(soundfont(zones=[{58: 57}]), 69).tone.step == pytest.approx(2 * layer(WHOLE, 69).tone.step)
    assert layer(soundfont(zones=[{56: 0}]), 30).tone.step == pytest.approx(layer(WHOLE, 69).tone.step)
    assert layer(soundfont(zones=[{51: 12, 52: 50}])).tone.step == pytest.approx(
        2 ** (12.5 / 12) * layer(WHOLE).tone.step
    )


def test_gain_is_the_square_of_velocity() -> None:
    assert layer(WHOLE, velocity=64).gain / layer(WHOLE).gain == pytest.approx((64 / 127) ** 2)


def test_attenuation_counts_four_tenths() -> None:
    assert layer(soundfont(zones=[{48: 100}])).gain / layer(WHOLE).gain == pytest.approx(10 ** (-100 * 0.4 / 200))


def test_a_modulator_of_the_bank_replaces_the_one_that_everything_has() -> None:
    deaf = soundfont(modulators=[(0x0502, 48, 0, 0)])
    assert layer(deaf, velocity=1).gain == layer(deaf, velocity=127).gain


def test_a_modulator_by_key_moves_its_setting() -> None:
    # Key number, rising in a straight line, moves the cutoff by up to 1,200 cents.
    tracked = soundfont(zones=[{8: 6000}], modulators=[(0x0003, 8, 1270, 0)])
    assert layer(tracked, key=100).tone.cutoff == pytest.approx(7000)


def test_a_wish_for_a_preset_that_is_missing_is_met_by_the_nearest_and_told() -> None:
    from kapelle.rendering.audio import Performance

    bank = read_soundfont(soundfont(presets=[(0, 5), (0, 0), (8, 40)]))
    score = Score(
        24, (Track(Notes.of([(0, 24, 60, 80)]), program=40), Track(Notes.of([(0, 24, 40, 80)]), is_drum=True))
    )
    performance = Performance(score, bank)
    assert performance.remarks == [
        "the soundfont has not program 40 (Violin): bank 0, program 0 plays it",
        "the soundfont has not a drum kit: bank 0, program 0 plays it",
    ]
    assert performance.frames


def test_compressed_samples_play_and_damaged_ones_are_silent() -> None:
    soundfile = pytest.importorskip("soundfile")
    file = io.BytesIO()
    soundfile.write(file, sine().astype(np.float32) / 32768, 22_050, format="OGG", subtype="VORBIS")
    packed = file.getvalue()
    data = bytearray(soundfont(pcm=np.frombuffer(packed + b"\0" * (len(packed) % 2), "<i2"), loop=(0, 2205)))
    head = data.index(b"sine" + bytes(16))
    # Start and end count bytes, and the kind says that it is compressed.
    struct.pack_into("<II", data, head + 20, 0, len(packed))
    struct.pack_into("<H", data, head + 44, 0x11)
    score = Score(24, (Track(Notes.of([(0, 24, 69, 100)])),))
    assert hertz(synthesize(score, read_soundfont(bytes(data)))) == pytest.approx(440, rel=0.002)
    where = data.index(b"OggS") + 30
    data[where : where + 60] = bytes(60)
    assert not synthesize(score, read_soundfont(bytes(data))).any()


def hertz(sound: np.ndarray, rate: int = 44_100) -> float:
    """Where the spectrum of the first half second is strongest."""
    mono = sound[: rate // 2, 0] * np.hanning(len(sound[: rate // 2]))
    spectrum = np.abs(np.fft.rfft(mono, 2**19))
    return float(spectrum.argmax() * rate / 2**19)
