"""Copying is found wherever it is, in whatever key; and what must not be copied is not."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tiny
from kapelle.codecs import codecs
from kapelle.evaluation import Memory, Originality, Sources, originality
from kapelle.evaluation.originality.lines import LEAST_NOTES, grams, lines, windows
from kapelle.evaluation.originality.memory import GRAM, LEAST_PIECES, LIMIT
from kapelle.music import Meter, Notes, Score, Track, Wishes, resample, transpose
from strategies import scores


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def wild(seed: int, notes: int = 200) -> Score:
    """A line that has nothing in common with another one."""
    chance = np.random.default_rng(seed)
    onset = 6 * np.cumsum(chance.integers(1, 9, notes))
    return Score(24, (Track(Notes(onset, np.full(notes, 6), chance.integers(30, 90, notes), np.full(notes, 80))),))


def with_pitch(score: Score, note: int, by: int) -> Score:
    """The score with one note of its first track at another pitch."""
    notes = score.tracks[0].notes
    pitch = notes.pitch.copy()
    pitch[note] += by
    return score.replace(tracks=(score.tracks[0].replace(notes=notes.replace(pitch=pitch)), *score.tracks[1:]))


def spliced(*parts: Score) -> Score:
    """One line after the other, a quarter between them."""
    rows, now = [], 0
    for part in parts:
        notes = part.tracks[0].notes
        moved = notes.onset - notes.onset[0] + now
        rows += list(
            zip(moved.tolist(), notes.duration.tolist(), notes.pitch.tolist(), notes.velocity.tolist(), strict=True)
        )
        now = int(moved[-1]) + 24
    return Score(24, (Track(Notes.of(rows)),))


def part(score: Score, first: int, notes: int) -> Score:
    every = score.tracks[0].notes
    return score.replace(tracks=(Track(every.where(np.arange(first, first + notes))),))


def shared_notes(one: Score, other: Score) -> int:
    """The longest shared passage, found by comparing every note with every note."""
    best = 0
    for mine in lines(one):
        for theirs in lines(other):
            length = np.zeros(len(theirs.moves) + 1, int)
            for word in mine.moves.tolist():
                length[1:] = np.where(theirs.moves == word, length[:-1] + 1, 0)
                best = max(best, int(length.max()) + 1)
    return best if best > 1 else 0


def notes_of(score: Score, memory: Memory) -> int:
    found = memory.longest(score)
    return 0 if found is None else found.notes


# -- the full index -------------------------------------------------------------------------------


@given(st.lists(scores(), min_size=1, max_size=4), scores())
def test_the_longest_passage_is_the_one_that_comparing_every_note_finds(known: list[Score], score: Score) -> None:
    found = Sources.of([(str(index), piece) for index, piece in enumerate(known)]).longest(score)
    assert (0 if found is None else found.notes) == max(shared_notes(score, piece) for piece in known)


@given(st.integers(0, 50), st.integers(2, 199), st.integers(-20, 20))
def test_a_passage_is_found_whole_in_any_key_with_its_source_and_its_bars(
    first: int, notes: int, semitones: int
) -> None:
    notes = min(max(notes, 6), 200 - first)
    sources = Sources.of([(str(seed), wild(seed)) for seed in range(5)])
    copy = transpose(part(wild(3), first, notes), semitones)
    found = sources.longest(spliced(wild(90, 30), copy, wild(91, 30)))
    assert found is not None
    assert found.notes == notes
    assert found.source == "3"
    assert found.source_bars is not None
    onset = wild(3).tracks[0].notes.onset[[first, first + notes - 1]]
    assert found.source_bars == tuple((onset // 96 + 1).tolist())
    assert found.beats == (onset[1] - onset[0]) / 24


def test_a_piece_of_the_corpus_is_found_whole_in_every_figure() -> None:
    corpus = [tiny.band(seed) for seed in range(6)]
    sources = Sources.of([(f"tune {seed}", score) for seed, score in enumerate(corpus)])
    found = originality([transpose(corpus[4], 3)], sources, rng())
    assert {figure.value for figure in (*found.windows.values(), *found.grams.values())} == {1.0}
    assert found.passage is not None
    assert found.passage.notes == corpus[4].tracks[0].notes.onset.size
    assert (found.passage.source, found.passage.track) == ("tune 4", 0)
    assert found.passage.bars == found.passage.source_bars == (1, 8)


@given(st.integers(0, 199), st.sampled_from([-1, 1, 5]))
def test_a_piece_with_one_note_changed_is_copied_only_up_to_that_note(note: int, by: int) -> None:
    found = Sources.of([("one", wild(0))]).longest(with_pitch(wild(0), note, by))
    assert found is not None
    assert found.notes == max(note, 199 - note)


@given(scores())
def test_transposition_does_not_matter(score: Score) -> None:
    sources = Sources.of([("itself", score), ("another", tiny.tune(0))])
    if all(track.is_drum or track.notes.pitch.max(initial=0) < 127 for track in score.tracks):
        first, second = (originality([music], sources, rng()) for music in (score, transpose(score, 1)))
        assert (first.windows, first.grams, first.passages) == (second.windows, second.grams, second.passages)


def test_the_unit_of_time_instruments_lengths_loudness_and_drums_do_not_matter() -> None:
    score = resample(tiny.band(0), 480)
    lead = score.tracks[0]
    other = lead.replace(program=73, notes=lead.notes.replace(duration=lead.notes.duration // 2))
    drums = Track(Notes.of([(5 * at, 5, 40, 90) for at in range(50)]), is_drum=True)
    sources = Sources.of([("one", tiny.band(0))])
    first = originality([score], sources, rng())
    second = originality([score.replace(tracks=(other, score.tracks[1], drums))], sources, rng())
    assert (first.windows, first.grams, first.passages) == (second.windows, second.grams, second.passages)


def test_windows_start_on_beats_and_need_a_handful_of_notes() -> None:
    score = tiny.tune(0)
    onset = score.tracks[0].notes.onset
    full = [((onset >= 24 * beat) & (onset < 24 * (beat + 4))).sum() >= LEAST_NOTES for beat in range(29)]
    assert len(windows(score, 4)) == sum(full)
    compound = score.replace(meters=(Meter(0, 6, 8),))
    assert len(windows(compound, 4)) <= 32 * 24 // 36
    assert len(windows(score, 33)) == 0


@given(st.lists(scores(), min_size=1, max_size=3))
def test_figures_are_shares_inside_their_intervals_unless_a_draw_has_nothing_to_count(pieces: list[Score]) -> None:
    found = originality(pieces, Sources.of([("one", pieces[0])]), rng())
    assert len(found.passages) == len(pieces)
    for figure in (*found.windows.values(), *found.grams.values()):
        assert 0 <= figure.low <= figure.high <= 1
        assert 0 <= figure.value <= 1
    assert found.longest.low <= found.longest.value <= found.longest.high


def test_pieces_of_one_s_own_are_like_human_ones_copies_are_copies_and_noise_is_suspicious() -> None:
    known = [tiny.tune(seed) for seed in range(40)]
    sources = Sources.of([(str(seed), score) for seed, score in enumerate(known)])

    def look(pieces: list[Score]) -> Originality:
        return originality(pieces, sources, rng())

    human = look([tiny.tune(seed) for seed in range(100, 140)])
    assert look([tiny.tune(seed) for seed in range(200, 220)]).against(human, rng()) == "like human pieces"
    assert look(known[:5]).against(human, rng()) == "copies"
    assert look([wild(seed) for seed in range(20)]).against(human, rng()) == "suspiciously little"
    # At half the speed only the runs of intervals are still the same, and that is enough.
    slow = look([score.replace(ticks_per_quarter=12) for score in known[:5]])
    assert slow.windows[4].value < human.windows[4].value + 0.01
    assert slow.against(human, rng()) == "copies"
    # Without a baseline there is only the length of what is copied.
    assert look(known[:5]).against(None, rng()) == "copies"
    assert look([wild(seed) for seed in range(20)]).against(None, rng()) == "like human pieces"


def test_nothing_is_found_in_no_sources_and_no_notes_have_no_passage() -> None:
    empty = Score(24, ())
    assert Sources.of([]).longest(wild(0)) is None
    assert originality([empty], Sources.of([("one", wild(0)), ("none", empty)]), rng()).passages == (None,)
    assert Memory.of([]).longest(wild(0)) is None


# -- the memory -----------------------------------------------------------------------------------


@given(st.lists(scores(), min_size=1, max_size=4), scores())
def test_a_memory_misses_nothing_that_the_full_index_finds(known: list[Score], score: Score) -> None:
    found = Sources.of([("", piece) for piece in known]).longest(score)
    if found is not None and found.notes >= GRAM:
        assert notes_of(score, Memory.of(known)) >= found.notes


@given(st.integers(0, 60), st.integers(GRAM, 80), st.integers(-20, 20))
def test_a_memory_finds_a_passage_in_any_key_and_little_more(first: int, notes: int, semitones: int) -> None:
    memory = Memory.of([wild(seed) for seed in range(20)])
    copy = transpose(part(wild(3), first, notes), semitones)
    found = memory.longest(spliced(wild(90, 30), copy, wild(91, 30)))
    assert found is not None
    # Each further note is known by mistake in a ninth of cases.
    assert notes <= found.notes <= notes + 8


def test_only_what_begins_late_enough_counts() -> None:
    memory = Memory.of([wild(0)])
    begun = int(wild(0).tracks[0].notes.onset[150])
    found = memory.longest(wild(0), begun)
    assert found is not None
    assert found.notes == 50
    assert found.bars[0] == begun // 96 + 1
    assert memory.longest(wild(0), wild(0).end) is None


def test_unknown_runs_seem_known_no_more_often_than_is_stated() -> None:
    memory = Memory.of([wild(seed, 2000) for seed in range(20)])
    moves = np.concatenate([line.moves for seed in range(100, 150) for line in lines(wild(seed, 2000))])
    measured = memory.knows(moves).mean()
    assert memory.false_positives == pytest.approx(0.1153, abs=0.004)
    assert measured == pytest.approx(memory.false_positives, abs=0.006)


def test_a_memory_takes_four_and_a_half_bits_a_run_and_never_more_than_a_megabyte(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert len(Memory.of([wild(0, 8011)]).bits) == 8000 * 4.5 / 8
    monkeypatch.setattr(sys.modules[Memory.__module__], "MOST_BYTES", 2000)
    large = [wild(seed, 1000) for seed in range(20)]
    memory = Memory.of(large, [wild(seed, 1000) for seed in range(100, 120)])
    assert len(memory.bits) == 2000
    assert 0.6 < memory.false_positives < 0.8
    # It errs often, and so do the held-out pieces that the limit is measured on.
    assert notes_of(part(large[3], 500, 300), memory) >= 300
    assert notes_of(wild(99, 1000), memory) < 100
    assert 20 < memory.limit < 100


def test_no_notes_can_be_read_from_a_memory() -> None:
    # Whatever the pieces, their memory is a row of even noise, whose bits are the same in any order of the pieces
    # and the same for a piece in any key: of a run of notes it holds three bits, which many other runs share.
    for piece in (tiny.tune(0, 400), wild(0, 1600), tiny.band(1, 400)):
        bits = np.unpackbits(Memory.of([piece]).bits)
        assert abs(bits.mean() - 0.487) < 0.04
        near = np.corrcoef(bits[1:], bits[:-1])[0, 1]
        assert abs(near) < 0.08
    known = [wild(seed) for seed in range(10)]
    bits = Memory.of(known).bits
    assert np.array_equal(bits, Memory.of(known[::-1]).bits)
    assert np.array_equal(bits, Memory.of([transpose(piece, 7) for piece in known]).bits)
    # Who has all notes of a run but the last is led to many others as soon as to the right one.
    memory, line = Memory.of(known), lines(known[0])[0]
    start = line.moves[50 : 50 + GRAM - 2]
    guesses = np.array([[*start, 256 * gap + step] for gap in range(1, 49) for step in range(256)])
    assert memory.knows(guesses).sum() > 1000


def test_the_limit_is_what_95_percent_of_held_out_pieces_keep_or_16_notes_where_they_are_few() -> None:
    known = [tiny.tune(seed) for seed in range(60)]
    held_out = [tiny.tune(seed) for seed in range(100, 140)]
    memory = Memory.of(known, held_out)
    longest = sorted(notes_of(piece, memory) for piece in held_out)
    assert sum(notes <= memory.limit for notes in longest) >= 38
    assert memory.limit <= longest[-1]
    assert Memory.of(known, held_out[: LEAST_PIECES - 1]).limit == Memory.of(known).limit == LIMIT


@pytest.mark.parametrize(
    "damage",
    [{"gram": 1}, {"limit": 3}, {"probes": 0}, {"limit": "many"}, {"gram": True, "limit": 2.5}],
)
def test_a_damaged_memory_is_refused(damage: dict[str, object]) -> None:
    memory = Memory.of([wild(0)])
    assert Memory.from_json(memory.to_json(), memory.bits).longest(wild(0)) == memory.longest(wild(0))
    with pytest.raises(ValueError, match=r"memory|gram"):
        Memory.from_json(memory.to_json() | damage, memory.bits)
    for bits in (memory.bits.astype(np.int64), memory.bits[:0], memory.bits.reshape(1, -1)):
        with pytest.raises(ValueError, match="row of bytes"):
            Memory.from_json(memory.to_json(), bits)


# -- the watch ------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(GRAM, 24))
def test_a_line_that_never_takes_a_forbidden_pitch_has_a_passage_of_the_limit_and_none_longer(
    seed: int, limit: int
) -> None:
    known = [wild(number, 60) for number in range(4)]
    memory = Memory.of(known)
    chance, watch = np.random.default_rng(seed), memory.watch(limit)
    notes = known[0].tracks[0].notes
    rows = []
    for onset, wished in zip(notes.onset.tolist(), notes.pitch.tolist(), strict=True):
        forbidden = watch.forbidden(7, onset)
        pitch = int(chance.choice(np.flatnonzero(~forbidden))) if forbidden[wished] else wished
        watch.write(7, onset, pitch)
        watch.write(8, onset, int(chance.integers(128)))
        rows.append((onset, 6, pitch, 80))
    written = notes_of(Score(24, (Track(Notes.of(rows)),)), memory)
    # All is copied that may be: a watch forbids nothing below the limit.
    assert written == limit


def test_a_watch_forbids_only_what_goes_on_with_the_copy() -> None:
    memory = Memory.of([wild(0)])
    watch = memory.watch(20)
    notes = wild(0).tracks[0].notes
    for at in range(20):
        assert not watch.forbidden(0, int(notes.onset[at])).any()
        watch.write(0, int(notes.onset[at]), int(notes.pitch[at]))
    forbidden = watch.forbidden(0, int(notes.onset[20]))
    assert forbidden[notes.pitch[20]]
    assert forbidden.sum() < 40
    assert not watch.forbidden(1, int(notes.onset[20])).any()


def test_a_copy_of_a_watch_goes_its_own_way() -> None:
    memory = Memory.of([wild(0)])
    watch = memory.watch()
    notes = list(zip(wild(0).tracks[0].notes.onset.tolist(), wild(0).tracks[0].notes.pitch.tolist(), strict=True))
    for onset, pitch in notes[:LIMIT]:
        watch.write(0, onset, pitch)
    other = watch.copy()
    other.write(0, notes[LIMIT][0], 0)
    assert watch.forbidden(0, notes[LIMIT][0])[notes[LIMIT][1]]
    assert not other.forbidden(0, notes[LIMIT + 1][0]).any()


def test_a_limit_below_what_a_memory_can_see_is_refused() -> None:
    with pytest.raises(ValueError, match="limit"):
        Memory.of([wild(0)]).watch(GRAM - 1)


def test_runs_of_every_row_are_hashed_as_if_each_were_alone() -> None:
    rows = np.random.default_rng(0).integers(0, 9, (5, 30))
    assert np.array_equal(grams(rows, 7), np.array([grams(row, 7) for row in rows]))
    assert grams(rows, 31).shape == (5, 0)


# -- the walk -------------------------------------------------------------------------------------


class Stubborn:
    """A player that tells one piece word for word, as long as it may: what a network does that knows no other."""

    def __init__(self, codec: object, score: Score) -> None:
        self.steps = codec.encode(score)  # type: ignore[attr-defined]

    def walk(self, walk: object, layout: tuple[tuple[str, int, bool], ...]) -> np.ndarray:
        rows = []
        for step in self.steps:
            row = []
            for column, (_, _, is_given) in enumerate(layout):
                if is_given:
                    word = walk.given(column)  # type: ignore[attr-defined]
                else:
                    allowed = np.flatnonzero(walk.allowed(column))  # type: ignore[attr-defined]
                    assert len(allowed)
                    word = int(allowed[np.abs(allowed - step[column]).argmin()])
                row.append(walk.put(column, word))  # type: ignore[attr-defined]
            rows.append(row)
            if walk.finished:  # type: ignore[attr-defined]
                break
        return np.array(rows, np.int32)


@settings(deadline=None, max_examples=30)
@given(scores().filter(lambda score: score.num_notes > 0), st.sampled_from([GRAM, LIMIT]))
def test_a_walk_that_tells_a_piece_word_for_word_is_led_away_from_it_at_the_limit(score: Score, limit: int) -> None:
    codec = codecs()["events"].for_scores([score])
    score = codec.canonical(score)
    memory = Memory.of([score])
    steps = Stubborn(codec, score).walk(codec.walk(watch=memory.watch(limit)), codec.layout)
    assert notes_of(codec.decode(steps), memory) <= limit


def test_a_walk_whose_every_pitch_is_forbidden_goes_on_all_the_same() -> None:
    score = Score(24, (Track(Notes.of([(24 * at, 24, 60, 80) for at in range(64)])),))
    codec = codecs()["events"].for_scores([score])
    memory = Memory.of([score])
    walk = codec.walk(Wishes(low=60, high=60), watch=memory.watch(GRAM))
    steps = Stubborn(codec, score).walk(walk, codec.layout)
    assert np.array_equal(codec.decode(steps).tracks[0].notes.pitch, np.full(64, 60))


def test_drums_are_not_watched() -> None:
    score = tiny.band(0)
    codec = codecs()["events"].for_scores([score])
    score = codec.canonical(score)
    steps = Stubborn(codec, score).walk(codec.walk(watch=Memory.of([score]).watch(GRAM)), codec.layout)
    drums = [track for track in codec.decode(steps).tracks if track.is_drum]
    assert drums[0].notes == next(track.notes for track in score.tracks if track.is_drum)


def test_a_copied_walk_has_a_watch_of_its_own() -> None:
    score = tiny.tune(0)
    codec = codecs()["events"].for_scores([score])
    memory = Memory.of([score])
    walk = codec.walk(watch=memory.watch(GRAM))
    teller, steps = Stubborn(codec, score), codec.encode(score)
    teller.steps = steps[: codec.header_steps + GRAM]
    teller.walk(walk, codec.layout)
    other = walk.copy()
    teller.steps = steps[codec.header_steps + GRAM : -1]
    teller.walk(other, codec.layout)
    # The pitch that the piece goes on with is still forbidden to the first, however far the second has gone.
    row = steps[codec.header_steps + GRAM]
    for column, (name, _, is_given) in enumerate(codec.layout):
        if name == "pitch":
            assert not walk.allowed(column)[row[column]]
            break
        walk.put(column, walk.given(column) if is_given else int(row[column]))
