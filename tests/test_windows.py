"""Styles of windows: what is composed, gone between, varied and steered."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest

import tiny
from kapelle import load_style
from kapelle.codecs.bars import BarsCodec
from kapelle.errors import CodecError, WishError
from kapelle.music import Meter, Score, clip, resample, slice_bars, transpose, with_detected_key
from kapelle.sampling import Taste, tell
from kapelle.styles import WindowStyle
from windowed import taught, two_bars

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def trio() -> WindowStyle:
    return taught("trio", tiny.band, 4)


# -- composing ------------------------------------------------------------------------------------


def test_a_seed_and_wishes_give_the_same_window_with_every_wish(melody: WindowStyle) -> None:
    wishes = {"key": "D major", "range": ("D4", "B5"), "tempo": 90, "instruments": ["flute"], "title": "One", "seed": 4}
    score = melody.compose(**wishes)
    assert score == melody.compose(**wishes)
    (track,) = score.tracks
    assert {pitch % 12 for pitch in track.notes.pitch.tolist()} <= {2, 4, 6, 7, 9, 11, 1}
    assert 62 <= track.notes.pitch.min() <= track.notes.pitch.max() <= 83
    assert score.tempos.mean(score.end) == pytest.approx(90)
    assert (track.program, score.title) == (73, "One")
    assert 0 < score.end <= 8 * score.ticks_per_quarter


@pytest.mark.parametrize("bars", [1, 2, 5])
def test_a_piece_is_as_long_as_wished(melody: WindowStyle, bars: int) -> None:
    score = melody.compose(bars=bars, seed=1)
    assert 4 * bars - 4 < score.end / score.ticks_per_quarter <= 4 * bars


def test_a_piece_of_several_windows_stays_in_the_key_of_the_first(melody: WindowStyle) -> None:
    for seed in range(4):
        score = melody.compose(bars=8, seed=seed, temperature=1.5)
        (key,) = with_detected_key(clip(score, 0, 8 * score.ticks_per_quarter)).keys
        later = clip(score, 8 * score.ticks_per_quarter, score.end + 1)
        assert {pitch % 12 for pitch in later.tracks[0].notes.pitch.tolist()} <= key.pitch_classes


def test_every_part_of_a_trio_has_its_track(trio: WindowStyle) -> None:
    score = trio.compose(seed=2)
    assert [track.is_drum for track in score.tracks] == [False, False, True]
    assert [track.program for track in score.tracks[:2]] == [0, 33]


def test_what_cannot_be_wished_of_windows_is_refused_in_one_line(melody: WindowStyle) -> None:
    refused = {
        "notes cannot be wished": {"notes": 4},
        "has no music in 3/4; it has 4/4": {"meter": "3/4"},
        "expected bars from 1": {"bars": 0},
        "temperature of 0..10": {"temperature": -1},
        "expected a key": {"key": "H sharp"},
    }
    for line, wish in refused.items():
        with pytest.raises(WishError, match=line):
            melody.compose(**wish)


@pytest.mark.parametrize("bars", [1, 3])
def test_a_beginning_stays_and_new_bars_follow_it_in_its_own_tracks(
    melody: WindowStyle, trio: WindowStyle, bars: int
) -> None:
    for style, beginning in ((melody, slice_bars(tiny.tune(3), 0, 3)), (trio, slice_bars(tiny.band(3), 0, 3))):
        found = style.continue_(beginning, bars, seed=1)
        assert found == style.continue_(beginning, bars, seed=1)
        unit = found.ticks_per_quarter
        assert clip(found, 0, 12 * unit) == resample(beginning, unit)
        assert 12 * unit < found.end <= (12 + 4 * bars) * unit
        assert len(found.tracks) == len(beginning.tracks)


def test_what_follows_is_told_after_the_last_bars_of_the_beginning(
    melody: WindowStyle, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[np.ndarray] = []

    def told(*arguments: object) -> np.ndarray:
        heard.append(np.asarray(arguments[7]))
        return tell(*arguments)

    monkeypatch.setattr("kapelle.styles.window_composing.tell_windows", told)
    score = melody.continue_(two_bars(1), bars=2, seed=1)
    codec: BarsCodec = melody.codec  # type: ignore[assignment]
    for number, steps in enumerate(heard):
        bar = slice_bars(score, 1 + number, 2 + number)
        np.testing.assert_array_equal(steps[:, 3:], codec.encode(bar)[: len(steps), 3:])
    assert len(heard) == 2


def test_what_cannot_be_gone_on_from_is_refused(melody: WindowStyle) -> None:
    waltz = Score(24, tiny.tune(0).tracks, meters=(Meter.parse("3/4"),))
    with pytest.raises(CodecError, match="one metre of 4/4, got 3/4"):
        melody.continue_(waltz)
    with pytest.raises(CodecError, match="no track"):
        melody.continue_(Score(24))
    with pytest.raises(WishError, match="original cannot be wished"):
        melody.continue_(two_bars(0), original=True)


def test_at_0_a_window_is_told_from_its_point_alone_unless_some_of_it_stays(melody: WindowStyle) -> None:
    codec: BarsCodec = melody.codec  # type: ignore[assignment]
    known = codec.encode(two_bars(0))
    points, _ = melody.player.encode(known[None])
    player, asked = deepcopy(melody.player), []
    begin = player.begin

    def begun(points: np.ndarray, given: np.ndarray, blind: bool = False) -> None:
        asked.append(blind)
        begin(points, given, blind)

    player.begin = begun
    first = (np.arange(len(known)) < 4)[:, None]
    for temperature, fixed in ((0.0, None), (1.0, None), (0.0, first)):
        tell(player, codec, points, "4/4", Taste(temperature), np.random.default_rng(0), known=known, fixed=fixed)
    assert asked == [True, False, False]


def test_the_likeliest_beginnings_are_those_that_are_told() -> None:
    from kapelle.sampling import likelihood

    style = taught(epochs=2)
    codec = style.codec
    points = np.random.default_rng(0).standard_normal((3, style.player.config.point_dim))
    steps = codec.encode(two_bars(0))  # type: ignore[attr-defined]
    whole = likelihood(style.player, codec, points, steps)
    style.player.begin(points, steps)
    by_hand = np.zeros(3)
    for row in steps:
        logits = style.player.logits(3)
        by_hand += logits[:, row[3]] - np.logaddexp.reduce(logits, axis=1)
        style.player.put(3, np.full(3, row[3]))
    np.testing.assert_allclose(whole, by_hand, atol=1e-4)


# -- walks ----------------------------------------------------------------------------------------


def test_the_ends_of_a_morph_are_the_originals_and_the_way_passes_through_all(melody: WindowStyle) -> None:
    clips = [two_bars(0), two_bars(1), resample(two_bars(2), 96)]
    found = melody.morph(clips, steps=4)
    assert len(found) == 7
    for place, own in zip((0, 3, 6), clips, strict=True):
        assert found[place] == own
    assert melody.morph(clips, steps=4) == found
    assert all(score.num_notes for score in found)


def test_on_the_way_of_a_band_each_part_is_one_track_whoever_is_silent() -> None:
    band = taught("band", tiny.band, 2)
    codec: BarsCodec = band.codec  # type: ignore[assignment]
    rng = np.random.default_rng(0)
    windows = [codec.encode(slice_bars(tiny.band(seed), 0, 2)) for seed in range(3)]
    for steps in windows:
        for part in rng.permutation(len(codec.vocabulary.lines))[:3]:
            steps[:, 3 + part] = 0
        steps[0, 3 + rng.integers(7)] = 20
    clips = [codec.decode(steps).replace(tracks=codec.decode(steps).tracks[::-1]) for steps in windows]
    whole = band.chained(clips)
    titles = codec.vocabulary.titles
    assert [title for title in titles if title in {t.name for t in whole.tracks}] == [t.name for t in whole.tracks]
    for number, clip_ in enumerate(clips):
        part = slice_bars(whole, 2 * number, 2 * number + 2)
        heard = {track.name: track.notes.pitch.tolist() for track in part.tracks if len(track.notes)}
        assert heard == {track.name: track.notes.pitch.tolist() for track in clip_.tracks}


def test_a_morph_to_itself_stays_where_it_is(melody: WindowStyle) -> None:
    found = melody.morph([two_bars(0), two_bars(0)], steps=5)
    assert found[0] == found[4] == two_bars(0)
    assert found[1] == found[2] == found[3]


def test_a_morph_moves_its_tempo_by_equal_ratios(melody: WindowStyle) -> None:
    slow = two_bars(0).replace(tempos=type(two_bars(0).tempos).constant(60.0))
    fast = two_bars(1).replace(tempos=type(slow.tempos).constant(240.0))
    found = melody.morph([slow, fast], steps=3)
    assert found[1].tempos.mean(found[1].end) == pytest.approx(120)


def test_the_corners_of_a_grid_are_the_originals_and_its_edge_is_a_morph(melody: WindowStyle) -> None:
    clips = [two_bars(seed) for seed in range(4)]
    rows = melody.grid(clips, size=4)
    assert [rows[0][0], rows[0][3], rows[3][0], rows[3][3]] == clips
    edge = melody.morph(clips[:2], steps=4)
    assert [score.tracks for score in rows[0]] == [score.tracks for score in edge]


def test_variations_are_many_and_at_most_similarity_what_the_point_says(melody: WindowStyle) -> None:
    found = melody.vary(two_bars(0), similarity=0.3, count=5, temperature=1.0, seed=3)
    assert len(found) == 5
    assert len({score.tracks for score in found}) == 5
    assert found == melody.vary(two_bars(0), similarity=0.3, count=5, temperature=1.0, seed=3)
    same = melody.vary(two_bars(0), similarity=1.0, count=2, temperature=0.0)
    assert len(same) == 2
    assert same[0].tracks == melody.morph([two_bars(0), two_bars(0)], steps=3, temperature=0.0)[1].tracks


def test_the_more_similar_variations_are_the_nearer_they_lie() -> None:
    style = load_style("melody")
    assert isinstance(style, WindowStyle)
    clip = style.compose(meter="4/4", seed=5)
    point = style.player.encode(style.codec.encode(clip)[None])[0]

    def away(similarity: float) -> float:
        found = style.vary(clip, similarity, 12, seed=1)
        return float(
            np.mean([((style.player.encode(style.codec.encode(f)[None])[0] - point) ** 2).sum() for f in found])
        )

    assert away(0.9) < away(0.5) < away(0.0)


def test_what_is_made_of_clips_keeps_to_their_notes_and_scales(melody: WindowStyle) -> None:
    clips = [transpose(two_bars(seed), semitones) for seed, semitones in ((1, 0), (2, 1), (3, 2), (4, 6))]

    def scale(clip: Score) -> set[int]:
        own = {pitch % 12 for track in clip.tracks for pitch in track.notes.pitch.tolist()}
        return own | with_detected_key(clip).keys[0].pitch_classes

    def inside(pieces: list[Score], clip: Score) -> bool:
        return {pitch % 12 for piece in pieces for pitch in piece.tracks[0].notes.pitch.tolist()} <= scale(clip)

    assert inside(melody.vary(clips[0], similarity=0, count=8, temperature=2, seed=1), clips[0])
    way = melody.morph(clips[:2], 8, temperature=2, seed=1)
    assert inside(way[:4], clips[0])
    assert inside(way[4:], clips[1])
    rows = melody.grid(clips, 4, temperature=2, seed=1)
    for number, corner in enumerate(clips):
        down, across = divmod(number, 2)
        assert inside([rows[2 * down + y][2 * across + x] for y in (0, 1) for x in (0, 1)], corner)
    assert inside([melody.steer(clips[0], {"density": 1}, seed=1)], clips[0])


def test_steering_to_nothing_or_to_what_is_not_known_is_refused(melody: WindowStyle) -> None:
    with pytest.raises(WishError, match="knows no swing; it knows density"):
        melody.steer(two_bars(0), {"swing": 1.0})
    with pytest.raises(WishError, match="-4 to 4"):
        melody.steer(two_bars(0), {"density": 9.0})
    steered = melody.steer(two_bars(0), {"register": 1.0}, seed=1)
    assert steered == melody.steer(two_bars(0), {"register": 1.0}, seed=1)


def test_steering_never_leads_away_from_what_is_wanted(melody: WindowStyle) -> None:
    for name in ("density", "register"):
        for change in (1.0, -1.0):
            before = melody.measure(two_bars(0))
            after = melody.measure(melody.steer(two_bars(0), {name: change}, seed=1))
            assert abs(after[name] - before[name] - change) <= 1.0 + 1e-6


def test_clips_that_do_not_go_together_are_refused(melody: WindowStyle, trio: WindowStyle) -> None:
    waltz = two_bars(0).replace(meters=(Meter.parse("3/4"),))
    with pytest.raises(WishError, match="one metre, got 4/4 and 3/4"):
        melody.morph([two_bars(0), waltz])
    with pytest.raises(CodecError, match="no track for the bass"):
        trio.vary(two_bars(0))
    with pytest.raises(CodecError, match="no track"):
        melody.vary(Score(24))
    with pytest.raises(WishError, match="similarity of 0 to 1"):
        melody.vary(two_bars(0), similarity=2)
    with pytest.raises(WishError, match="4 pieces"):
        melody.grid([two_bars(0)] * 3)


# -- the bundled ones -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "steered"),
    [
        ("melody", ("density", "repetition")),
        ("drums", ("density", "repetition")),
        pytest.param("groove", ("velocity", "swing"), marks=pytest.mark.slow),
    ],
)
def test_a_bundled_style_is_steered_and_all_else_stays_within_half_a_deviation(
    name: str, steered: tuple[str, ...]
) -> None:
    style = load_style(name)
    assert isinstance(style, WindowStyle)
    clips = [style.compose(seed=seed, meter="4/4") for seed in range(6)]
    before = [style.measure(clip) for clip in clips]
    for wanted in steered:
        after = [style.measure(style.steer(clip, {wanted: 1.0}, seed=0)) for clip in clips]
        for measure in before[0]:
            moved = np.mean([new[measure] - old[measure] for old, new in zip(before, after, strict=True)])
            # In tunes the more notes there are, the shorter they are.
            bound = 0.75 if {measure, wanted} == {"density", "length"} else 0.5
            assert moved > 0.4 if measure == wanted else abs(moved) < bound, (wanted, measure, moved)


@pytest.mark.parametrize("name", ["melody", "drums"])
def test_a_bundled_style_composes_many_different_pieces_and_finds_them_again_roughly(name: str) -> None:
    style = load_style(name)
    assert isinstance(style, WindowStyle)
    clips = [style.compose(seed=seed, meter="4/4") for seed in range(10)]
    assert len({clip.tracks for clip in clips}) == 10
    assert all(4 <= clip.num_notes <= 120 for clip in clips)
    near = [style.vary(clip, similarity=1.0, count=1, temperature=0.0)[0] for clip in clips]
    change = [abs(style.measure(a)["density"] - style.measure(b)["density"]) for a, b in zip(clips, near, strict=True)]
    assert np.mean(change) < 0.5
