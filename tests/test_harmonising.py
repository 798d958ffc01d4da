"""Voices for a melody: what is given stays to the tick, and what was done to it is told."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")
import tiny
from kapelle import load, save
from kapelle.errors import WishError
from kapelle.evaluation import voice_leading
from kapelle.music import Key, Meter, Notes, Score, Track, resample
from kapelle.music.partwriting import NAMES
from kapelle.styles import Style, learn, save_style
from kapelle.styles.harmonising import choir_of
from strategies import monophonic_notes
from terminal import Terminal

SMALL = {"embed_dim": 8, "hidden_dim": 16, "inner_dim": 12, "attention_dim": 8, "num_heads": 2, "reveal_dim": 8}


def hymn(seed: int = 0, bars: int = 4) -> Score:
    """Four voices in quarters."""
    rng = np.random.default_rng(seed)
    chords = np.array([[72, 67, 64, 48], [74, 67, 62, 55], [76, 69, 60, 45], [71, 67, 62, 43]])
    chosen = chords[rng.integers(0, 4, 4 * bars)]
    tracks = tuple(
        Track(Notes.of([(24 * beat, 24, int(pitch), 80) for beat, pitch in enumerate(line)]), 52, name=name)
        for line, name in zip(chosen.T, NAMES, strict=True)
    )
    return Score(24, tracks, meters=(Meter(),), keys=(Key.parse("C major"),))


@functools.cache
def choir() -> Style:
    return learn(tiny.corpus(8, make=hymn), "choir", "chorale", epochs=1, threads=1, **SMALL)


@pytest.fixture
def style() -> Style:
    return choir()


def melody(*rows: tuple[int, int, int], unit: int = 24, **others: object) -> Score:
    return Score(unit, (Track(Notes.of([(*row, 80) for row in rows]), 73),), **{"meters": (Meter(),), **others})


def told(score: Score, letters: str | None = None) -> list[str]:
    lines: list[str] = []
    choir_of(score, letters, lines.append)
    return lines


# -- what is given stays ---------------------------------------------------------------------------


@settings(max_examples=12)
@given(
    notes=monophonic_notes(pitches=(60, 80)).filter(len),
    unit=st.sampled_from([24, 40, 480]),
    meter=st.sampled_from(["4/4", "3/4", "7/8", "6/8"]),
    pickup=st.booleans(),
    seed=st.integers(0, 9),
)
def test_a_melody_stays_to_the_tick_in_any_metre_and_unit(
    notes: Notes, unit: int, meter: str, pickup: bool, seed: int
) -> None:
    score = Score(24, (Track(notes, 73),), meters=(Meter.parse(meter),), pickup=24 if pickup else 0)
    score = resample(score, unit)
    harmony = choir().harmonize(score, seed=seed).score
    common = harmony.ticks_per_quarter // unit
    assert harmony.tracks[0].name == "Soprano"
    assert harmony.tracks[0].notes == resample(score, unit * common).tracks[0].notes
    assert harmony.meters == resample(score, unit * common).meters
    assert harmony.pickup == score.pickup * common
    # Who is written sings while the melody does: not a sixteenth before its first bar, nor after its end.
    last = harmony.tracks[0].notes.end.max() + harmony.ticks_per_quarter // 4
    for track in harmony.tracks[1:]:
        assert track.notes.onset.min() >= 0
        assert track.notes.end.max() <= last


def test_a_melody_that_begins_after_silent_bars_is_harmonised_where_it_is(style: Style) -> None:
    here = melody(*((24 * beat, 24, 67 + beat % 5) for beat in range(8)))
    later = here.replace(tracks=(here.tracks[0].replace(notes=here.tracks[0].notes.replace(
        onset=here.tracks[0].notes.onset + 192)),))  # fmt: skip
    first, second = (style.harmonize(score, seed=3).score for score in (here, later))
    for one, other in zip(first.tracks, second.tracks, strict=True):
        assert np.array_equal(one.notes.onset + 192, other.notes.onset)
        assert np.array_equal(one.notes.pitch, other.notes.pitch)


def test_bars_are_written_anew_and_all_around_them_stays_to_the_tick(style: Style) -> None:
    score = hymn(5)
    for seed in range(4):
        other = style.harmonize(score, write="AB", bars=(2, 3), seed=seed).score
        for place, track in enumerate(score.tracks):
            mine, theirs = track.notes, other.tracks[place].notes
            if place in (0, 2):
                assert theirs == mine
                continue
            for notes in (mine, theirs):
                assert (np.diff(notes.onset) > 0).all()
            assert mine.where(mine.onset < 72) == theirs.where(theirs.onset < 72)
            assert mine.where(mine.onset >= 288) == theirs.where(theirs.onset >= 288)
            assert (notes.end[:-1] <= notes.onset[1:]).all()


def test_tempo_key_and_title_of_the_given_score_stay(style: Style) -> None:
    score = hymn().replace(title="A hymn", keys=(Key.parse("Eb major"),))
    other = style.harmonize(score, write="T", seed=1).score
    assert (other.title, other.keys, other.tempos) == (score.title, score.keys, score.tempos)


def test_the_same_seed_gives_the_same_voices_and_their_cost_is_what_they_are_ranked_by(style: Style) -> None:
    tune = melody(*((24 * beat, 24, 67 + beat % 5) for beat in range(8)))
    one, again, other = (style.harmonize(tune, seed=seed) for seed in (1, 1, 2))
    assert one == again
    assert one.score != other.score
    assert one.nats > 0
    wild = np.mean([style.harmonize(tune, seed=seed, temperature=3.0).nats for seed in range(4)])
    likely = style.harmonize(tune, seed=0, temperature=0.0)
    assert likely.nats < wild
    assert style.harmonize(tune, seed=5, temperature=0.0).score == likely.score


def test_rules_and_fermatas_are_obeyed_beside_what_is_given(style: Style) -> None:
    tune = melody(*((24 * beat, 24, 67 + beat % 5) for beat in range(16)))
    harmony = style.harmonize(tune, rules=("parallels",), fermatas=(2, 4), seed=1).score
    assert voice_leading([harmony]).parallels == 0
    assert [onset // 96 + 1 for onset in harmony.fermatas] == [2, 4]


# -- who sings what --------------------------------------------------------------------------------


def test_names_tell_voices_and_without_them_the_order_does() -> None:
    named = hymn()
    shuffled = named.replace(tracks=tuple(named.tracks[place] for place in (3, 0, 2)))
    choir = choir_of(shuffled, None, print)
    assert (choir.voices, choir.written) == ((0, 2, 3), (1,))
    nameless = named.replace(tracks=tuple(track.replace(name="") for track in named.tracks[:3]))
    assert choir_of(nameless, "bass", print).voices == (0, 1, 2)
    assert choir_of(nameless, "S", print).voices == (1, 2, 3)
    alone = nameless.replace(tracks=nameless.tracks[:1])
    assert choir_of(alone, None, print).written == (1, 2, 3)
    assert choir_of(alone, "tenor, SA", print).voices == (3,)


@pytest.mark.parametrize(
    ("score", "letters", "line"),
    [
        (Score(24), None, "expected a melody, got a score without pitched notes"),
        (hymn(), None, "got all four: say which is to be written anew, such as --write bass"),
        (hymn(), "X", "expected voices such as ATB or bass to write, got 'X'"),
        (hymn().replace(tracks=hymn().tracks * 2), None, "expected at most four voices, got 8 tracks"),
        (melody((0, 24, 60)), "SATB", "expected the 0 voices that are not written, or all four, got 1 tracks"),
    ],
)
def test_what_cannot_be_a_choir_is_refused(score: Score, letters: str | None, line: str) -> None:
    with pytest.raises(WishError, match=line):
        choir_of(score, letters, print)


# -- what is done is told --------------------------------------------------------------------------


def test_chords_in_a_melody_leave_their_top_line_and_that_is_told() -> None:
    score = melody((0, 48, 72), (0, 48, 64), (24, 12, 60), (48, 24, 74), (60, 24, 76))
    choir = choir_of(score, None, print)
    notes = choir.score.tracks[0].notes
    assert notes.pitch.tolist() == [72, 74, 76]
    assert notes.duration.tolist() == [48, 12, 24]
    assert told(score) == ["several notes at once in the soprano: the highest are taken, 2 are left out"]


def test_a_melody_out_of_range_is_sung_octaves_away_and_that_is_told(style: Style) -> None:
    low = melody((0, 24, 43), (24, 24, 45))
    assert told(low) == ["what is given is sung 2 octaves higher, where its voices lie"]
    assert style.harmonize(low, seed=1).score.tracks[0].notes.pitch.tolist() == [67, 69]
    wide = melody((0, 24, 30), (24, 24, 100))
    assert told(wide)[-1].endswith("notes of the soprano lie outside its range")


def test_triplets_and_drums_are_told() -> None:
    triplets = melody((0, 8, 67), (8, 8, 69), (16, 8, 71))
    assert told(triplets) == [
        "4 beginnings and ends of notes lie between sixteenths: they stay, and are heard on the nearest one"
    ]
    drums = melody((0, 24, 67))
    drums = drums.replace(tracks=(*drums.tracks, drums.tracks[0].replace(is_drum=True, program=0)))
    assert told(drums) == ["the drums are left out"]


def test_a_style_that_was_not_learnt_in_voices_harmonises_nothing_and_knows_no_fermatas() -> None:
    other = tiny.style(epochs=1)
    for ask in (lambda: other.harmonize(hymn(), "B"), lambda: other.compose(bars=2, fermatas=(2,))):
        with pytest.raises(WishError, match="are for styles that were learnt in voices"):
            ask()


# -- at the terminal -------------------------------------------------------------------------------


def test_a_melody_is_harmonised_at_the_terminal(terminal: Terminal, style: Style) -> None:
    save_style(style, Path("choir.safetensors"))
    save(melody(*((24 * beat, 24, 67 + beat % 5) for beat in range(8))), Path("tune.mid"))
    said = terminal.run("harmonize tune.mid --style choir.safetensors --count 3 --seed 3 --formats mid,musicxml")
    lines = said.out.splitlines()
    assert sorted(line for line in lines if line.startswith("tune-")) == sorted(
        f"tune-choir-{seed}.{suffix}" for seed in (3, 4, 5) for suffix in ("mid", "musicxml")
    )
    costs = [int(line.split()[-2]) for line in lines if line.endswith(" nats")]
    assert len(costs) == 3
    assert costs == sorted(costs)
    assert lines[-1].endswith("the likeliest first")
    assert [track.name for track in load("tune-choir-3.musicxml").tracks] == list(NAMES)
    terminal.refuses("harmonize tune.mid --style choir.safetensors --seed 3", "exists already")
    terminal.refuses("harmonize tune.mid --style choir.safetensors --bars 9", "expected bars between 1 and 2 to write")
    terminal.refuses("harmonize tune.mid --style choir.safetensors --bars x", "expected --bars such as 5-8 or 5")
    terminal.refuses("harmonize tune.mid --style choir.safetensors --rules fifths", "got 'fifths'")
    terminal.refuses("harmonize tune.mid --style choir.safetensors --fermatas 2,x", "got '2,x'")
    terminal.refuses("harmonize none.mid --style choir.safetensors", "none.mid")


def test_what_is_composed_in_voices_is_in_a_key_that_the_pieces_are_in(style: Style) -> None:
    assert {style.compose(bars=1, seed=seed).keys[0].name for seed in range(12)} <= set(style.habits.keys)
