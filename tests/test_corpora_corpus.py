"""Corpora: which pieces are the same music, and that a split keeps them together."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kapelle.corpora import Corpus, Piece, Split, deduplicate, digest, fingerprint, group_near, split
from kapelle.errors import CorpusError
from kapelle.music import Notes, Score, TempoMap, Track, transpose
from strategies import scores


def tune(seed: int, length: int = 40, changed: int = 0) -> Score:
    """A random line of eighths and quarters; `changed` notes at its end differ from the tune of the same seed."""
    rng, other = np.random.default_rng(seed), np.random.default_rng(seed + 10_000)
    pitch, duration = rng.integers(55, 80, length), rng.integers(1, 3, length) * 12
    if changed:
        pitch[-changed:] = other.integers(55, 80, changed)
    onset = np.concatenate(([0], np.cumsum(duration)[:-1]))
    return Score(24, (Track(Notes(onset, duration, pitch, np.full(length, 80))),))


def pieces(*music: Score) -> list[Piece]:
    return [Piece(score, f"piece {index}", f"{index}.mid") for index, score in enumerate(music)]


@given(scores(), st.integers(-12, 12))
def test_a_fingerprint_is_the_same_in_every_key(score: Score, semitones: int) -> None:
    pitches = [int(p) for track in score.tracks if not track.is_drum for p in track.notes.pitch]
    if all(0 <= pitch + semitones <= 127 for pitch in pitches):
        assert fingerprint(transpose(score, semitones)) == fingerprint(score)


@given(scores(), st.integers(2, 7), st.floats(20, 300))
def test_a_fingerprint_is_the_same_at_every_tempo(score: Score, times: int, tempo: float) -> None:
    slower = tuple(
        track.replace(notes=track.notes.replace(onset=track.notes.onset * times, duration=track.notes.duration * times))
        for track in score.tracks
    )
    stretched = score.replace(tracks=slower, tempos=TempoMap.constant(tempo), meters=score.meters[:1])
    assert fingerprint(stretched) == fingerprint(score)


def test_a_fingerprint_tells_pitch_order_and_rhythm_apart() -> None:
    base = [(0, 24, 60, 80), (24, 24, 64, 80), (48, 24, 67, 80), (96, 24, 60, 80)]
    other_pitch = [*base[:3], (96, 24, 61, 80)]
    other_rhythm = [*base[:3], (72, 24, 60, 80)]
    as_chord = [(0, 24, 60, 80), (0, 24, 64, 80), (48, 24, 67, 80), (96, 24, 60, 80)]
    music = [Score(24, (Track(Notes.of(rows)),)) for rows in (base, other_pitch, other_rhythm, as_chord)]
    assert len({fingerprint(score) for score in music}) == 4


def test_a_fingerprint_tells_drum_patterns_apart() -> None:
    kick, snare = (Score(24, (Track(Notes.of([(0, 6, key, 90)]), is_drum=True),)) for key in (36, 38))
    assert fingerprint(kick) != fingerprint(snare)


@given(st.lists(st.integers(0, 4), max_size=12))
def test_deduplicating_twice_changes_nothing_more(seeds: list[int]) -> None:
    kept, dropped = deduplicate(pieces(*(tune(seed) for seed in seeds)))
    again, more = deduplicate(kept)
    assert (again, more) == (kept, ())
    assert len(kept) == len(set(seeds))
    assert len(kept) + len(dropped) == len(seeds)


def test_of_two_equal_pieces_the_same_one_stays_in_whatever_order_they_come() -> None:
    both = pieces(tune(1), transpose(tune(1), 3))
    assert deduplicate(both)[0] == deduplicate(both[::-1])[0]


def test_duplicates_are_left_out_and_counted() -> None:
    corpus = Corpus.of("test", pieces(tune(1), transpose(tune(1), 2), tune(2)))
    assert len(corpus.pieces) == 2
    assert corpus.num_duplicates == 1
    assert "left out 1: the same notes as another piece (1)" in corpus.summary()


def test_near_duplicates_are_kept_and_share_a_group() -> None:
    corpus = Corpus.of("test", pieces(tune(1), tune(1, changed=8), tune(2)))
    first, second, third = (piece.group for piece in corpus.pieces)
    assert first == second != third


def test_groups_join_through_others() -> None:
    first, whole = tune(1, 60), tune(1, 90)
    end = whole.replace(tracks=(Track(whole.tracks[0].notes.where(np.arange(90) >= 50)),))
    grouped = group_near(pieces(first, end, whole))
    assert len({piece.group for piece in grouped}) == 1
    assert len({piece.group for piece in group_near(pieces(first, end))}) == 2


def test_groups_do_not_depend_on_the_order_of_files() -> None:
    music = pieces(*(tune(seed, changed=changed) for seed in range(6) for changed in (0, 6)))
    shuffled = random.Random(3).sample(music, len(music))
    assert {p.name: p.group for p in group_near(music)} == {p.name: p.group for p in group_near(shuffled)}


def test_chords_struck_by_hand_are_told_as_the_same_piece() -> None:
    plain = tune(1, 60).tracks[0].notes
    onset = np.concatenate([plain.onset, plain.onset]) * 20
    pitch = np.concatenate([plain.pitch, plain.pitch - 12])
    written = Notes(onset, np.full(120, 200), pitch, np.full(120, 80))
    played = written.replace(onset=written.onset + np.random.default_rng(0).integers(0, 20, 120))
    versions = [Score(480, (Track(notes),)) for notes in (written, played)]
    assert len({piece.group for piece in group_near(pieces(*versions))}) == 1


def test_a_hundred_versions_of_one_piece_are_one_group() -> None:
    versions = group_near(pieces(*(tune(1, 60, changed=1 + index % 3) for index in range(100))))
    assert len({piece.group for piece in versions}) == 1


def test_four_thousand_tunes_are_grouped_in_a_few_seconds() -> None:
    music = pieces(*(tune(seed, 100) for seed in range(4000)))
    start = time.process_time()
    corpus = Corpus.of("many", music)
    assert time.process_time() - start < 20
    assert len(corpus.groups) == 4000


@given(scores(), st.text(max_size=5))
def test_a_digest_does_not_depend_on_titles(score: Score, title: str) -> None:
    assert digest(score.replace(title=title)) == digest(score)


def test_a_corpus_fingerprint_tells_contents_not_order() -> None:
    one, two = pieces(tune(1), tune(2)), pieces(tune(2), tune(1))
    assert Corpus.of("a", one).fingerprint == Corpus.of("b", two).fingerprint
    assert Corpus.of("a", one).fingerprint != Corpus.of("a", pieces(tune(1), tune(3))).fingerprint


corpora = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 6)), min_size=1, max_size=30).map(
    lambda choices: Corpus.of("test", pieces(*(tune(seed, changed=changed) for seed, changed in choices)))
)


@settings(max_examples=60, deadline=None)
@given(corpora, st.integers(0, 5))
def test_a_split_never_separates_a_group(corpus: Corpus, seed: int) -> None:
    parts = split(corpus, seed)
    if len(corpus.groups) == 1:
        return
    sides = [{piece.group for piece in side} for side in (parts.train, parts.valid, parts.test)]
    assert sum(map(len, sides)) == len(set().union(*sides))
    assert parts.train
    assert parts.valid
    everything = sorted(piece.source for side in (parts.train, parts.valid, parts.test) for piece in side)
    assert everything == sorted(piece.source for piece in corpus.pieces)


@settings(max_examples=30, deadline=None)
@given(corpora, st.integers(0, 5), st.randoms(use_true_random=False))
def test_a_split_depends_on_seed_and_notes_not_on_order_or_names(corpus: Corpus, seed: int, rng: random.Random) -> None:
    shuffled = list(corpus.pieces)
    rng.shuffle(shuffled)
    renamed = Corpus.of("other", [Piece(piece.score, "x", "y") for piece in shuffled])
    assert _music(split(corpus, seed)) == _music(split(renamed, seed))


def _music(parts: Split) -> list[list[str]]:
    return [[digest(piece.score) for piece in side] for side in (parts.train, parts.valid, parts.test)]


def test_another_seed_gives_another_split() -> None:
    corpus = Corpus.of("test", pieces(*(tune(seed) for seed in range(40))))
    first, second = split(corpus, 1), split(corpus, 2)
    assert [len(first.train), len(first.valid), len(first.test)] == [32, 4, 4]
    assert _music(first) != _music(second)


def test_few_pieces_leave_nothing_for_testing() -> None:
    parts = split(Corpus.of("few", pieces(*(tune(seed) for seed in range(9)))), 0)
    assert (len(parts.train), len(parts.valid), len(parts.test)) == (8, 1, 0)
    assert "nothing is set aside for testing" in parts.note


def test_groups_too_large_for_validation_still_leave_both_sides_full() -> None:
    parts = split(Corpus.of("two", pieces(*(tune(seed, changed=c) for seed in (1, 2) for c in range(5)))), 0)
    assert (len(parts.train), len(parts.valid)) == (5, 5)


def test_one_piece_is_split_by_bars() -> None:
    score = tune(1, 400)
    parts = split(Corpus.of("one", pieces(score)), 0)
    bars = [len(piece.score.bars()) - 1 for piece in (*parts.train, *parts.valid)]
    assert sum(bars) == len(score.bars()) - 1
    assert bars[0] / sum(bars) == pytest.approx(0.85, abs=0.02)
    assert parts.test == ()
    assert "first 85 %" in parts.note


def test_one_piece_of_one_bar_is_refused_with_a_reason() -> None:
    score = Score(24, (Track(Notes.of([(0, 24, 60, 80), (24, 24, 62, 80)])),))
    with pytest.raises(CorpusError, match="single bar"):
        split(Corpus.of("short", pieces(score)), 0)


def test_an_empty_corpus_is_refused_with_a_reason() -> None:
    with pytest.raises(CorpusError, match="at least one piece"):
        split(Corpus.of("none", []), 0)
