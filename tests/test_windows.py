"""Styles of windows: what is composed, gone between, varied and steered; the space, its file, and its commands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tiny
from kapelle import load, load_style, open_style, save, save_style
from kapelle.cli.main import main
from kapelle.codecs.bars import BarsCodec
from kapelle.errors import CodecError, KapelleError, StyleError, WishError
from kapelle.music import Meter, Notes, Score, Track, chain, clip, resample, slice_bars, transpose, with_detected_key
from kapelle.sampling import Taste, distribution, draw_rows, tell
from kapelle.styles import WindowStyle, learn
from kapelle.styles.space import Space, between

pytest.importorskip("torch")

SIZES = {"encoder_dims": [24], "decoder_dims": [24], "conductor_dims": [16]}
SMALL = {**SIZES, "latent_dim": 8, "embed_dim": 12, "plan_dim": 12}


def taught(kind: str = "melody", make: object = tiny.tune, epochs: int = 20) -> WindowStyle:
    window = {"kind": kind, "bars": 2}
    style = learn(
        tiny.corpus(make=make), kind, "musicvae", minutes=1, epochs=epochs, command="none", window=window, **SMALL
    )
    assert isinstance(style, WindowStyle)
    return style


@pytest.fixture(scope="module")
def melody() -> WindowStyle:
    return taught()


@pytest.fixture(scope="module")
def trio() -> WindowStyle:
    return taught("trio", tiny.band, 4)


def two_bars(seed: int) -> Score:
    return slice_bars(tiny.tune(seed), 0, 2)


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


def test_the_likeliest_beginnings_are_those_that_are_told() -> None:
    from kapelle.sampling import likelihood

    style = taught(epochs=2)
    codec = style.codec
    points = np.random.default_rng(0).standard_normal((3, 8))
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


# -- the space ------------------------------------------------------------------------------------


points = st.lists(st.floats(-5, 5), min_size=3, max_size=3).map(np.array)


@given(start=points, end=points, share=st.floats(0, 1))
def test_an_arc_has_its_ends_and_is_never_far_from_them(start: np.ndarray, end: np.ndarray, share: float) -> None:
    np.testing.assert_allclose(between(start, end, 0), start, atol=1e-6)
    np.testing.assert_allclose(between(start, end, 1), end, atol=1e-6)
    np.testing.assert_allclose(between(start, end, share), between(end, start, 1 - share), atol=1e-6)
    longest = max(np.linalg.norm(start), np.linalg.norm(end))
    assert np.isfinite(between(start, end, share)).all()
    assert np.linalg.norm(between(start, end, share)) <= 1.5 * longest + 1e-6 or share in (0, 1)


def test_an_arc_between_points_of_one_length_keeps_it_and_opposite_points_are_joined() -> None:
    start, end = np.array([3.0, 0, 0]), np.array([0, 3.0, 0])
    for share in (0.2, 0.5, 0.9):
        assert np.linalg.norm(between(start, end, share)) == pytest.approx(3)
    np.testing.assert_allclose(between(start, -start, 0.5), 0, atol=1e-6)
    np.testing.assert_allclose(between(start, start, 0.4), start)
    np.testing.assert_allclose(between(start, start + 1e-9, 0.4), start, atol=1e-6)
    np.testing.assert_allclose(between(np.zeros(3), start, 0.5), start / 2)


def made_space(rng: np.random.Generator) -> tuple[Space, np.ndarray, np.ndarray]:
    meters = rng.integers(0, 2, 3000)
    points = rng.standard_normal((3000, 4)) * [1, 2, 0.5, 1] + 6 * meters[:, None]
    measures = {"first": points[:, 0] - 6 * meters, "sum": points[:, 1] + points[:, 0], "still": np.ones(3000)}
    return Space.of(points, meters, measures), points, meters


def test_what_is_drawn_lies_where_the_music_of_its_metre_lies() -> None:
    rng = np.random.default_rng(0)
    space, points, meters = made_space(rng)
    for meter in (0, 1):
        drawn, own = space.draw(meter, 4000, rng), points[meters == meter]
        np.testing.assert_allclose(drawn.mean(0), own.mean(0), atol=0.25)
        assert (np.abs(drawn.mean(0) - points[meters != meter].mean(0)) > 4).all()
    assert len(space.anchors) == 1500


def test_drawing_keeps_the_scatter_of_the_music_and_gives_new_points() -> None:
    rng = np.random.default_rng(0)
    points = rng.standard_normal((1000, 3)) * [1, 2, 0.5]
    space = Space.of(points, np.zeros(1000, int), {})
    drawn = space.draw(0, 5000, rng)
    np.testing.assert_allclose(drawn.std(0), points.std(0), rtol=0.06)
    assert not np.isclose(drawn[:, None], points[None, :200]).all(-1).any()


def test_a_way_raises_its_measure_and_leaves_the_others() -> None:
    points = np.random.default_rng(0).standard_normal((2000, 4))
    measures = {"first": points[:, 0], "sum": points[:, 1] + points[:, 0]}
    space = Space.of(points, np.zeros(2000, int), measures)
    assert space.names == ("first", "sum")
    first, both = space.ways
    assert first[0] == pytest.approx(measures["first"].std(), rel=0.02)
    assert first[0] + first[1] == pytest.approx(0, abs=0.02)
    assert both[0] == pytest.approx(0, abs=0.02)
    assert both[1] == pytest.approx(measures["sum"].std(), rel=0.02)


def test_a_space_survives_its_file_and_says_what_cannot_be_measured() -> None:
    space, _, _ = made_space(np.random.default_rng(0))
    assert space.names == ("first", "sum")
    again = Space.from_tensors(space.to_tensors(), space.names)
    np.testing.assert_allclose(again.anchors, space.anchors, atol=5e-3)
    np.testing.assert_allclose(again.factor, space.factor, atol=5e-3)
    np.testing.assert_array_equal(again.meters, space.meters)
    with pytest.raises(ValueError, match="fit together"):
        Space.from_tensors(space.to_tensors(), ["first"])


def test_two_windows_are_enough_for_a_space() -> None:
    rng = np.random.default_rng(0)
    space = Space.of(rng.standard_normal((2, 4)), np.zeros(2, int), {"density": np.array([1.0, 2.0])})
    assert np.isfinite(space.draw(0, 3, rng)).all()


@given(seed=st.integers(0, 99), temperature=st.sampled_from([0.0, 0.5, 1.0]), top_p=st.sampled_from([0.5, 0.9, 1.0]))
def test_rows_are_drawn_as_each_would_be_alone(seed: int, temperature: float, top_p: float) -> None:
    rng = np.random.default_rng(seed)
    logits, allowed = rng.standard_normal((3, 5)) * 2, np.array([True, True, False, True, True])
    taste = Taste(temperature, top_p=top_p)
    drawn = draw_rows(np.repeat(logits, 400, 0), allowed, taste, rng).reshape(3, 400)
    for row, words in zip(logits, drawn, strict=True):
        chances = distribution(row, allowed, taste)
        assert (np.bincount(words, minlength=5)[chances == 0] == 0).all()
        np.testing.assert_allclose(np.bincount(words, minlength=5) / 400, chances, atol=0.13)


@given(bars=st.integers(1, 3), count=st.integers(1, 4))
def test_a_chain_lays_scores_one_after_the_other(bars: int, count: int) -> None:
    scores = [resample(slice_bars(tiny.band(seed), 0, bars), 24 * (seed + 1)) for seed in range(count)]
    chained = chain(scores, bars)
    assert len(chained.tracks) == 3
    unit = chained.ticks_per_quarter
    for number, score in enumerate(scores):
        part = clip(chained, number * bars * 4 * unit, (number + 1) * bars * 4 * unit)
        assert [track.notes for track in part.tracks] == [track.notes for track in resample(score, unit).tracks]


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


# -- file and commands ----------------------------------------------------------------------------


def test_a_style_of_windows_is_saved_and_opened_and_composes_the_same(melody: WindowStyle, tmp_path: Path) -> None:
    again = open_style(save_style(melody, tmp_path / "melody.safetensors"))
    assert isinstance(again, WindowStyle)
    twice = open_style(save_style(again, tmp_path / "twice.safetensors"))
    assert again.compose(seed=3) == twice.compose(seed=3)
    assert again.space is not None
    assert again.space.names == melody.space.names  # type: ignore[union-attr]


def test_a_damaged_space_is_a_damaged_style(melody: WindowStyle, tmp_path: Path) -> None:
    from dataclasses import replace

    space = melody.space
    assert space is not None
    wrong = replace(
        melody, space=replace(space, anchors=space.anchors[:, :3], factor=space.factor[:3, :3], ways=space.ways[:, :3])
    )
    with pytest.raises(StyleError, match=r"damaged|another network"):
        open_style(save_style(wrong, tmp_path / "wrong.safetensors"))


def test_the_card_tells_the_three_figures_together(melody: WindowStyle) -> None:
    for part in ("valid", "train"):
        names = [name for name in melody.card.figures if name.startswith(part)]
        assert names == [
            f"{part} accuracy, told the truth", f"{part} accuracy, free-running", f"{part} nats of a window's point"
        ]  # fmt: skip


@pytest.fixture
def desk(melody: WindowStyle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    save_style(melody, tmp_path / "m.safetensors")
    for seed, name in enumerate("abcd"):
        save(two_bars(seed), tmp_path / f"{name}.mid")
    save(tiny.tune(9), tmp_path / "long.mid")
    return tmp_path


STYLE = ["--style", "./m.safetensors"]


def test_morph_vary_grid_and_steer_write_what_they_say(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["morph", "a.mid", "b.mid", "--steps", "3", *STYLE]) == 0
    assert sorted(path.name for path in desk.glob("a-to-b*")) == [
        "a-to-b-1.mid", "a-to-b-2.mid", "a-to-b-3.mid", "a-to-b.mid"
    ]  # fmt: skip
    assert load("a-to-b-1.mid").tracks[0].notes == load("a.mid").tracks[0].notes
    assert len(load("a-to-b.mid").bars()) - 1 in (5, 6)
    assert main(["vary", "a.mid", "--count", "2", *STYLE]) == 0
    assert (desk / "a-like-2.mid").exists()
    assert main(["grid", "a.mid", "b.mid", "c.mid", "d.mid", "--size", "3", *STYLE]) == 0
    assert len(list(desk.glob("grid-*.mid"))) == 9
    assert main(["grid", "a.mid", "b.mid", "c.mid", "d.mid", "--size", "3", "--path", "1,1 2,2 3,3", *STYLE]) == 0
    assert (desk / "path.mid").exists()
    capsys.readouterr()
    assert main(["steer", "a.mid", "--density", "+1", *STYLE]) == 0
    assert "asked for +1" in capsys.readouterr().out
    assert main(["compose", "./m.safetensors", "--count", "2", "--seed", "1"]) == 0
    assert main(["styles", "./m.safetensors"]) == 0
    assert "steered by" in capsys.readouterr().out


def test_bad_clips_get_one_line_and_nothing_is_written_over(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(*words: str) -> str:
        assert main(list(words)) == 2
        return capsys.readouterr().err.strip().splitlines()[-1]

    assert "two files or more" in refused("morph", "a.mid", *STYLE)
    assert "expected a style of windows" in refused("vary", "a.mid", "--style", "folk")
    assert "expected something to change" in refused("steer", "a.mid", *STYLE)
    asked = refused("vary", "long.mid", *STYLE)
    assert "long.mid: has 7 windows of 2 bars, at bars 1, 2, 3, 4, 5, 6 and 1 more; take one, as in long.mid@1" in asked
    assert len(list((desk / "long-windows").glob("*.mid"))) == 7
    assert "no window of 2 bars starts at bar 99" in refused("vary", "long.mid@99", *STYLE)
    assert main(["vary", "long.mid@3", "--count", "1", *STYLE]) == 0
    assert "exists already" in refused("vary", "long.mid@3", "--count", "1", *STYLE)
    save(Score(24, (Track(Notes.of([])),)), "empty.mid")
    assert "empty.mid" in refused("vary", "empty.mid", *STYLE)
    assert "got a score without notes" in refused("vary", "empty.mid", *STYLE)
    save(clip(two_bars(0), 0, 144).replace(meters=(Meter.parse("3/4"),)), "waltz.mid")
    save(transpose(two_bars(0), -36), "low.mid")
    assert "got 4/4 (a.mid) and 3/4 (waltz.mid)" in refused("morph", "a.mid", "waltz.mid", "--style", "melody")
    assert "low.mid: expected notes (pitches " in refused("vary", "low.mid", *STYLE)
    assert "low.mid: expected notes (pitches " in refused("continue", "low.mid", *STYLE)
    assert "four files, one for each corner, got 3" in refused("grid", "a.mid", "b.mid", "c.mid", *STYLE)
    assert "rows and columns" in refused("grid", *["a.mid"] * 4, "--path", "1;1", *STYLE)
    gaps = tiny.tune(9)
    early = gaps.tracks[0].notes.where(gaps.tracks[0].notes.onset < 192)
    save(gaps.replace(tracks=(Track(early),)), "one.mid")
    late = early.replace(onset=early.onset + 96 * np.arange(len(early)))
    save(gaps.replace(tracks=(Track(late.where(np.arange(len(late)) % 3 == 0)),)), "none.mid")
    assert "has no window of 2 bars: the melody is silent (" in refused("vary", "none.mid", *STYLE)
    save(clip(two_bars(0), 0, 96), "short.mid")
    assert main(["vary", "short.mid", "--count", "1", *STYLE]) == 0
    assert "shorter than 2 bars" in capsys.readouterr().err


def test_training_of_windows_tells_what_each_file_gave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    folder = tmp_path / "music"
    folder.mkdir()
    for seed in range(4):
        save(transpose(tiny.tune(seed), seed), folder / f"{seed}.mid")
    words = ["train", str(folder), "--name", "w", "--network", "cat-drums_2bar_small", "--kind", "drums"]
    assert main([*words, "--epochs", "1"]) == 2
    assert "no track for drums" in capsys.readouterr().err
    assert main(["train", str(folder), "--name", "w", "--network", "stepwise", "--bars", "2"]) == 2
    assert "are for networks of windows" in capsys.readouterr().err
    assert main(["train", str(folder), "--name", "w", "--kind", "opera"]) == 2
    assert main(["train", str(folder), "--name", "w", "--kind", "melody", "--track", "flute"]) == 2
    assert main(["train", str(folder), "--name", "w", "--kind", "melody", "--epochs", "1", "--track", "melody=1"]) == 0
    told = "".join(capsys.readouterr())
    assert "0.mid: 7 windows" in told
    assert "windows: " in told
    assert "--kind melody" in load_command(tmp_path / "home" / "kapelle" / "styles" / "w.safetensors")
    assert (tmp_path / "home" / "kapelle" / "styles" / "w.run" / "windows.txt").read_text().count("windows") == 4
    assert main(["train", "--name", "w", "--resume", "--epochs", "1"]) == 0
    assert main(["train", str(folder), "--name", "own", "--from", "w", "--epochs", "1"]) == 0


def load_command(path: Path) -> str:
    style = open_style(path)
    assert isinstance(style.codec, BarsCodec)  # type: ignore[unreachable]
    return style.card.command


def test_a_style_that_never_learnt_its_space_says_so(melody: WindowStyle) -> None:
    from dataclasses import replace

    with pytest.raises(KapelleError, match="train it again"):
        replace(melody, space=None).compose()


def test_what_is_heard_of_a_clip_is_told_where_it_is_not_all(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def told(score: Score, *more: str) -> str:
        save(score, "clip.mid", force=True)
        assert main(["vary", "clip.mid", "--count", "1", "--force", *more, *STYLE]) == 0
        return capsys.readouterr().err.strip()

    assert told(two_bars(0)) == ""
    (line,) = two_bars(0).tracks
    many = [transpose(two_bars(seed), -12).tracks[0] for seed in range(199)]
    assert "of 200 tracks the style hears track 200 Top (melody)" in told(
        Score(24, (*many, line.replace(name="Top", notes=transpose(two_bars(0), 3).tracks[0].notes)))
    )
    low = line.notes.replace(pitch=np.where(line.notes.onset < 24, 20, line.notes.pitch))
    assert "notes are not heard: the style knows pitches" in told(Score(24, (line.replace(notes=low),)))
    swung = Notes.of([(16 * beat, 16, 64 + beat % 3, 80) for beat in range(12)])
    assert "notes off the grid: none of the windows learnt from is like that" in told(Score(24, (Track(swung),)))
    late = Score(24, (Track(two_bars(0).tracks[0].notes.replace(onset=two_bars(0).tracks[0].notes.onset + 96)),))
    assert "its one window is taken, bars 2 to 3" in told(late)
