"""Some bars of some tracks are written anew: only they change. And a piece is seen while it grows."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import kapelle
from kapelle.errors import WishError
from kapelle.music import Notes, Score, Track, graft, resample, transpose
from kapelle.styles import Style
from strategies import monophonic_notes


@functools.cache
def style(name: str = "chorale") -> Style:
    return kapelle.load_style(name)


@functools.cache
def hymn() -> Score:
    return style().compose(bars=6, seed=3, meter="4/4")


def sounding(notes: Notes, end: int) -> NDArray[np.int64]:
    """The pitch that sounds in each tick, and where notes begin: a line of 2 * end numbers."""
    line = np.zeros((2, end), np.int64)
    for onset, stop, pitch in zip(notes.onset, notes.end, notes.pitch, strict=True):
        line[0, onset:stop] = pitch
        line[1, onset : onset + 1] = 1
    return line


@given(
    old=monophonic_notes(pitches=(60, 64)),
    new=monophonic_notes(pitches=(60, 64)),
    edges=st.tuples(*[st.integers(0, 300)] * 2),
)
def test_a_graft_changes_what_sounds_between_its_edges_and_nothing_else(
    old: Notes, new: Notes, edges: tuple[int, int]
) -> None:
    start, stop = min(edges), max(edges) + 1
    end = int(max([stop, *old.end, *new.end]))
    before, other, after = (sounding(notes, end) for notes in (old, new, graft(old, new, start, stop)))
    assert np.array_equal(after[0, :start], before[0, :start])
    assert np.array_equal(after[0, stop:], before[0, stop:])
    assert np.array_equal(after[0, start:stop], other[0, start:stop])
    # Nothing begins outside that did not, but for what goes on beyond an edge after something else was put before it.
    assert np.array_equal(after[1, :start], before[1, :start])
    assert np.array_equal(after[1, stop + 1 :], before[1, stop + 1 :])


@settings(max_examples=8, deadline=None)
@given(
    tracks=st.sets(st.integers(0, 3), min_size=1),
    bars=st.sets(st.integers(1, 6), min_size=1),
    seed=st.integers(0, 5),
    unit=st.sampled_from([24, 480]),
    octave=st.sampled_from([0, 0, 12]),
)
def test_bars_of_voices_are_written_anew_and_all_else_stays_to_the_tick(
    tracks: set[int], bars: set[int], seed: int, unit: int, octave: int
) -> None:
    score = transpose(resample(hymn(), unit), octave)
    other = style().rewrite(score, sorted(tracks), sorted(bars), seed=seed)
    lines, least = score.bars(), 0 if score.pickup else 1
    chosen = np.zeros(int(lines[-1]), bool)
    for bar in bars:
        chosen[lines[bar - least] : lines[bar - least + 1]] = True
    assert (other.title, other.meters, other.keys, other.tempos) == (
        score.title,
        score.meters,
        score.keys,
        score.tempos,
    )
    assert [track.program for track in other.tracks] == [track.program for track in score.tracks]
    for place, (mine, theirs) in enumerate(zip(score.tracks, other.tracks, strict=True)):
        if place not in tracks:
            assert theirs == mine
            continue
        before, after = (sounding(track.notes, len(chosen))[0, : len(chosen)] for track in (mine, theirs))
        assert np.array_equal(before[~chosen], after[~chosen])


def test_what_is_written_anew_is_something_else() -> None:
    assert style().rewrite(hymn(), [2], [3, 4], seed=1).tracks[2] != hymn().tracks[2]


def test_a_style_that_goes_on_writes_the_last_bars_of_all_tracks_anew() -> None:
    tune = style("folk").compose(bars=8, seed=1)
    other = style("folk").rewrite(tune, bars=[5, 6, 7, 8], seed=7)
    border = int(tune.bars()[5 if tune.pickup else 4])
    first, second = (score.tracks[0].notes for score in (tune, resample(other, tune.ticks_per_quarter)))
    assert second.where(second.onset < border).onset.tolist() == first.where(first.onset < border).onset.tolist()
    assert len(other.bars()) == len(tune.bars())
    assert second != first


@pytest.mark.parametrize(
    ("name", "tracks", "bars", "says"),
    [
        ("folk", None, [3, 4], "up to 8"),
        ("folk", None, [1, 2, 3, 4, 5, 6, 7, 8], "compose does that"),
        ("folk", [1], None, "tracks between 0 and 0"),
        ("folk", None, [9], "bars between"),
        ("folk", None, [], "got none"),
        ("chorale", [], None, "tracks between"),
    ],
)
def test_what_cannot_be_written_anew_is_told_in_a_line(
    name: str, tracks: list[int] | None, bars: list[int] | None, says: str
) -> None:
    tune = style("folk").compose(bars=8, seed=1)
    with pytest.raises(WishError, match=says):
        style(name).rewrite(tune, tracks, bars)


def test_five_tracks_are_too_many_voices() -> None:
    score = Score(24, (*hymn().tracks, Track(Notes.of([(0, 24, 60, 80)]))))
    with pytest.raises(WishError, match="up to four voices"):
        style().rewrite(score, [0], [1])


def test_a_listing_says_what_its_style_can() -> None:
    told = {listing.name: listing.can_be_given for listing in kapelle.list_styles()[0]}
    assert {name: style(name).can_be_given for name in ("chorale", "folk")}.items() <= told.items()


@pytest.mark.parametrize("name", ["folk", "chorale"])
def test_a_piece_is_seen_while_it_grows_and_that_does_not_change_it(name: str) -> None:
    seen: list[Score] = []
    score = style(name).compose(bars=8, seed=2, title="Seen", instruments=["flute"], seen=seen.append)
    assert score == style(name).compose(bars=8, seed=2, title="Seen", instruments=["flute"])
    counts = [each.num_notes for each in seen]
    assert len(counts) > 1
    assert counts == sorted(counts)
    assert {(each.title, each.tracks[0].program) for each in seen} == {("Seen", 73)}
    first = seen[0].tracks[0].notes
    # All but the last note, which may still be held.
    assert first.pitch[:-1].tolist() == score.tracks[0].notes.pitch[: len(first) - 1].tolist()
    longer: list[Score] = []
    style(name).continue_(score, bars=8, seed=2, seen=longer.append)
    assert longer[-1].num_notes > score.num_notes
