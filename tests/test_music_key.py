"""Laws of keys, of spelling, of pitches and instruments by name."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kapelle.music import Key, detect_key, key_fit, parse_pitch, spell
from kapelle.music.instruments import PROGRAM_NAMES, name_of, program_of

KEYS = [Key(0, tonic, mode) for mode in ("major", "minor") for tonic in range(12)]
NATURAL = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
each_key = pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
a_key = st.sampled_from(KEYS)


def sounds_at(name: str, octave: int) -> int:
    """The pitch of a name, counted on the fingers: white keys from C, one up for each sharp, one down for each flat."""
    white = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}[name[0]]
    return 12 * (octave + 1) + white + name[1:].count("#") - name[1:].count("b")


@each_key
def test_a_key_is_read_back_from_its_name(key: Key) -> None:
    assert Key.parse(key.name) == key
    assert Key.parse(f"  {key.name}  ".replace(" m", "-m"), onset=7) == Key(7, key.tonic, key.mode)


@each_key
def test_a_key_is_read_back_from_its_signature(key: Key) -> None:
    assert -6 <= key.fifths <= 6
    assert Key.from_fifths(key.fifths, key.mode) == key


@each_key
def test_a_fifth_up_is_one_sharp_more(key: Key) -> None:
    assert (key.transpose(7).fifths - key.fifths) % 12 == 1


@each_key
def test_relative_keys_share_their_signature_but_for_the_one_with_six(key: Key) -> None:
    relative = Key(0, (key.tonic + 3) % 12, "major") if key.mode == "minor" else Key(0, (key.tonic - 3) % 12, "minor")
    assert (relative.fifths - key.fifths) % 12 == 0
    assert relative.fifths == key.fifths or abs(key.fifths) == 6


def test_signatures_are_those_on_paper() -> None:
    assert [Key.parse(name).fifths for name in ("C", "G", "D", "A", "E", "B", "F#")] == list(range(7))
    assert [Key.parse(name).fifths for name in ("Am", "Dm", "Gm", "Cm", "Fm", "Bbm", "Ebm")] == [-n for n in range(7)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("D minor", "D minor"),
        ("D Minor", "D minor"),
        ("C MAJOR", "C major"),
        ("Am", "A minor"),
        ("AM", "A major"),
        ("E", "E major"),
        ("e", "E minor"),
        ("bb", "Bb minor"),
        ("F♯ min", "F# minor"),
        ("c-moll", "C minor"),
        ("G dur", "G major"),
        ("Cb major", "B major"),
    ],
)
def test_keys_are_read_as_musicians_write_them(text: str, name: str) -> None:
    assert Key.parse(text).name == name


@pytest.mark.parametrize("text", ["", "H", "D dorian", "C##", "minor", "C major major", "Dm 4"])
def test_what_is_no_key_is_refused_with_what_came(text: str) -> None:
    with pytest.raises(ValueError, match="expected a key in major or minor") as error:
        Key.parse(text)
    assert repr(text) in str(error.value)


@given(st.integers(0, 11), st.sampled_from(["dorian", "phrygian", "Lydian", "mixolydian", "locrian"]))
def test_of_a_church_mode_the_major_key_with_its_notes_is_named(tonic: int, mode: str) -> None:
    """Whole and half steps over the tonic, as they stand in every book, are those of the key that is named."""
    steps = {
        "dorian": "2122212",
        "phrygian": "1222122",
        "lydian": "2221221",
        "mixolydian": "2212212",
        "locrian": "1221222",
    }
    notes = {tonic + sum(map(int, steps[mode.lower()][:degree])) for degree in range(7)}
    name = Key(0, tonic).name.removesuffix(" major")
    with pytest.raises(ValueError, match="its notes are those of") as error:
        Key.parse(f"{name} {mode}")
    assert Key.parse(str(error.value).split("those of ")[1]).pitch_classes == {note % 12 for note in notes}


@pytest.mark.parametrize("fifths", [-8, 8])
def test_a_signature_of_eight_sharps_or_flats_is_refused(fifths: int) -> None:
    with pytest.raises(ValueError, match=f"got {fifths}"):
        Key.from_fifths(fifths, "major")


@each_key
def test_each_degree_of_a_scale_has_its_own_letter(key: Key) -> None:
    names = [spell(key.tonic + step, key)[0] for step in NATURAL[key.mode]]
    letters = "CDEFGAB"
    first = letters.index(names[0][0])
    assert [name[0] for name in names] == [letters[(first + step) % 7] for step in range(7)]
    assert sum(name.count("#") - name.count("b") for name in names) == key.fifths


@pytest.mark.parametrize("key", KEYS[12:], ids=lambda key: key.name)
def test_the_raised_sixth_and_seventh_of_minor_keep_their_letters(key: Key) -> None:
    for natural, raised in ((8, 9), (10, 11)):
        assert spell(key.tonic + raised, key)[0] == (spell(key.tonic + natural, key)[0] + "#").replace("b#", "")


@given(a_key, st.integers(0, 127))
def test_spelled_names_sound_at_their_pitch_and_are_read_back(key: Key, pitch: int) -> None:
    name, octave = spell(pitch, key)
    assert sounds_at(name, octave) == pitch
    assert parse_pitch(f"{name}{octave}") == pitch
    assert parse_pitch(str(pitch)) == pitch


@pytest.mark.parametrize("text", ["", "H4", "C", "C#b4", "C###4", "60.5", "C10", "-1"])
def test_what_is_no_pitch_is_refused_with_what_came(text: str) -> None:
    with pytest.raises(ValueError, match="a pitch") as error:
        parse_pitch(text)
    assert text in str(error.value)


@pytest.mark.parametrize(("text", "pitch"), [("128", 128), ("G#9", 128), ("Cb-1", -1)])
def test_a_pitch_beyond_midi_is_refused_with_its_number(text: str, pitch: int) -> None:
    with pytest.raises(ValueError, match=f"{text} = {pitch}"):
        parse_pitch(text)


# -- detection ------------------------------------------------------------------------------------


@each_key
def test_a_scale_that_rests_on_its_tonic_is_heard_in_its_key(key: Key) -> None:
    steps = [0, 2, 4, 5, 7, 9, 11, 12, 7, 0] if key.mode == "major" else [0, 2, 3, 5, 7, 8, 11, 12, 7, 0]
    pitch = 60 + key.tonic + np.array(steps)
    weight = np.array([2, 1, 1, 1, 2, 1, 1, 2, 1, 4])
    assert detect_key(pitch, weight) == key
    assert key_fit(np.bincount(pitch % 12, weights=weight, minlength=12)).shape == (24,)


@given(st.lists(st.tuples(st.integers(24, 100), st.integers(1, 96)), min_size=1, max_size=30), st.integers(-24, 24))
def test_transposing_moves_the_detected_key(notes: list[tuple[int, int]], semitones: int) -> None:
    pitch, weight = map(np.array, zip(*notes, strict=True))
    best = np.sort(key_fit(np.bincount(pitch % 12, weights=weight, minlength=12)))
    assume(best[-1] - best[-2] > 1e-9)
    assert detect_key(pitch + semitones, weight) == detect_key(pitch, weight).transpose(semitones)


@given(st.lists(st.integers(0, 127), max_size=30), st.integers(1, 50))
def test_only_the_shares_of_the_weights_count(pitch: list[int], weight: int) -> None:
    values = np.array(pitch, np.int64)
    best = np.sort(key_fit(np.bincount(values % 12, minlength=12)))
    # Two keys that fit alike are told apart by nothing but rounding.
    assume(len(pitch) == 0 or best[-1] - best[-2] > 1e-9)
    assert detect_key(values) == detect_key(values, np.full(len(values), weight))


def test_without_a_note_and_with_all_alike_the_key_is_c_major() -> None:
    assert detect_key(np.array([])) == Key() == detect_key(np.arange(12))


@given(a_key, st.integers(-30, 30))
def test_a_scale_moves_with_its_key(key: Key, semitones: int) -> None:
    moved = key.transpose(semitones)
    assert moved.pitch_classes == {(pitch + semitones) % 12 for pitch in key.pitch_classes}
    assert moved.transpose(-semitones) == key
    assert len(key.pitch_classes) == (7 if key.mode == "major" else 9)


# -- instruments ----------------------------------------------------------------------------------


def test_there_are_128_instruments_with_128_names() -> None:
    assert len(set(PROGRAM_NAMES)) == len(PROGRAM_NAMES) == 128


@pytest.mark.parametrize("program", range(128))
def test_an_instrument_is_found_by_its_name_and_its_number(program: int) -> None:
    name = name_of(program)
    assert program_of(name) == program_of(name.upper()) == program_of(f" {program} ") == program


@pytest.mark.parametrize("program", [-1, 128])
def test_a_program_that_is_none_is_refused_with_its_number(program: int) -> None:
    with pytest.raises(ValueError, match=f"got {program}"):
        name_of(program)


def test_plain_words_mean_what_musicians_mean() -> None:
    words = {
        "strings": 48,
        "organ": 19,
        "choir": 52,
        "harp": 46,
        "guitar": 24,
        "piano": 0,
        "horn": 60,
        "sax": 65,
        "double bass": 43,
    }
    assert {word: program_of(word) for word in words} == words


@pytest.mark.parametrize("word", ["drums", "Drum", "drum kit", "drum-kit", "percussion"])
def test_what_people_call_drums_is_no_instrument_with_pitches(word: str) -> None:
    with pytest.raises(ValueError, match=f"got '{word}': a style brings its own drum kit or has none; .*Steel Drums"):
        program_of(word)


def test_an_instrument_with_a_slip_is_refused_with_what_is_near() -> None:
    with pytest.raises(ValueError, match=r"'vioiln'; did you mean .*Violin"):
        program_of("vioiln")


@given(st.text(max_size=12))
def test_any_text_is_an_instrument_or_refused_with_it(text: str) -> None:
    try:
        program = program_of(text)
    except ValueError as error:
        program, line = 0, str(error)
    else:
        line = repr(text)
    assert 0 <= program <= 127
    assert repr(text) in line
