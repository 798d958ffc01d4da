"""Drums that hear: what is heard of a window, and beats that are played, made of a rhythm, or given hats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tiny
from kapelle import load, load_style, open_style, save, save_style
from kapelle.cli.main import main
from kapelle.codecs.bars import HEARINGS, TIMING, VELOCITIES, BarsCodec, Vocabulary
from kapelle.errors import CodecError, KapelleError, StyleError, WishError
from kapelle.music import Meter, Notes, Score, TempoMap, Track, resample
from kapelle.sampling import Taste, tell
from kapelle.styles import DrummingStyle, learn

pytest.importorskip("torch")

SMALL = {
    "encoder_dims": [24], "decoder_dims": [24], "conductor_dims": [16], "latent_dim": 8, "embed_dim": 12,
    "plan_dim": 12, "ear_dim": 16,
}  # fmt: skip
HEARS = ("hits", "tap", "hats", "nothing")
WINDOW = {"kind": "drums", "velocities": VELOCITIES, "timing": TIMING, "hears": HEARS}


def played(seed: int, bars: int = 8) -> Score:
    """A beat whose second and fourth beats are loud and late, in which hats are soft and early."""
    rng = np.random.default_rng(seed)
    rows = []
    for beat in range(4 * bars):
        rows.append((480 * beat + (20 if beat % 2 else 0), 60, 38 if beat % 2 else 36, 120 if beat % 2 else 90))
        for eighth in range(2):
            if rng.random() < 0.9:
                rows.append((max(480 * beat + 240 * eighth - 15, 0), 60, 42, 50 - 20 * eighth))
    return Score(480, (Track(Notes.of(rows), is_drum=True),))


@pytest.fixture(scope="module")
def drummer() -> DrummingStyle:
    corpus = tiny.corpus(make=played)
    style = learn(corpus, "beats", "musicvae", minutes=2, epochs=8, command="none", window=WINDOW, **SMALL)
    assert isinstance(style, DrummingStyle)
    return style


def rows_of(score: Score) -> list[tuple[int, int, int, int]]:
    notes = [track.notes for track in score.tracks if track.is_drum]
    return sorted(
        row for own in notes for row in zip(own.onset.tolist(), own.duration.tolist(), own.pitch.tolist(),
                                            own.velocity.tolist(), strict=True)
    )  # fmt: skip


KEYS = (*[42] * 6, 36, 36, 38, 38, 0, 3, 22, 46, 100, 127)
beats = st.lists(
    st.tuples(st.integers(0, 24 * 4 * 3 - 1), st.integers(1, 30), st.sampled_from(KEYS), st.integers(1, 127)),
    min_size=1, max_size=40, unique_by=lambda row: (row[0], row[2]),
).map(lambda rows: Score(24, (Track(Notes.of(rows), is_drum=True),)))  # fmt: skip


def written(bars: int = 2) -> Score:
    """A beat as it is written: on the grid, all hits alike, with hats in eighths."""
    rows = [(24 * beat, 6, 38 if beat % 2 else 36, 80) for beat in range(4 * bars)]
    rows += [(12 * eighth, 6, 42, 80) for eighth in range(8 * bars)]
    return Score(24, (Track(Notes.of(rows), is_drum=True),))


# -- what is heard --------------------------------------------------------------------------------

CODEC = BarsCodec(Vocabulary("drums", velocities=VELOCITIES, timing=TIMING, hears=HEARS))


def test_what_is_heard_of_a_window_is_what_it_says_and_no_more() -> None:
    own = CODEC.vocabulary
    steps = CODEC.at_tempo(CODEC.encode(played(1)), played(1))
    first, drums = own.first_heard, len(own.hits)
    struck = steps[:, own.hits] > 0
    heard = {what: CODEC.heard(steps, what)[:, first:] for what in HEARINGS}
    assert not heard["nothing"].any()
    np.testing.assert_array_equal(heard["hits"][:, :drums], 1 + struck)
    assert not heard["hits"][:, drums : drums + 3].any()
    hat = own.drum_keys.index(42)
    assert not heard["hats"][:, hat].any()
    np.testing.assert_array_equal(np.delete(heard["hats"][:, :drums], hat, 1), np.delete(1 + struck, hat, 1))
    assert not heard["tap"][:, :drums].any()
    np.testing.assert_array_equal(heard["tap"][:, drums], 1 + struck.any(1))
    loudest = np.where(struck, steps[:, own.hits + 1], -1).max(1)
    np.testing.assert_array_equal(heard["tap"][:, drums + 1], 1 + loudest)
    assert {int(word) for what in ("hits", "tap", "hats") for word in heard[what][:, -1]} == {steps[0, -1]}


def test_how_a_window_was_played_is_not_heard_with_its_hits() -> None:
    one, other = (CODEC.encode(played(1)) for _ in range(2))
    own = CODEC.vocabulary
    other[:, own.hits + 1] = np.where(other[:, own.hits] > 0, 3, 0)
    for what in ("hits", "hats", "nothing"):
        np.testing.assert_array_equal(
            CODEC.heard(one, what)[:, own.first_heard :], CODEC.heard(other, what)[:, own.first_heard :]
        )


def test_what_is_learnt_from_is_heard_in_every_way_and_told_as_it_was() -> None:
    steps, own = CODEC.encode(played(1)), CODEC.vocabulary
    seen = set()
    for seed in range(60):
        other = CODEC.augment(steps, np.random.default_rng(seed))
        np.testing.assert_array_equal(other[:, : own.first_heard], steps[:, : own.first_heard])
        heard = other[:, own.first_heard :]
        assert heard.min() >= 0
        assert (heard < np.array([size for _, size, _ in CODEC.layout[own.first_heard :]])).all()
        seen.add((bool(heard[:, 0].any()), bool(heard[:, 2].any()), bool(heard[:, len(own.hits)].any())))
    assert {(True, True, False), (True, False, False), (False, False, True), (False, False, False)} <= seen


def test_a_tap_may_be_of_some_drums_only_and_without_loudness_or_timing() -> None:
    steps, own = CODEC.encode(played(1)), CODEC.vocabulary
    kick = np.arange(len(own.hits)) == 0
    tap = CODEC.heard(steps, "tap", tap_of=kick, loudness=False, timing=False)[:, own.first_heard + len(own.hits) :]
    np.testing.assert_array_equal(tap[:, 0], 1 + (steps[:, own.hits[0]] > 0))
    assert not tap[:, 1:3].any()


def test_only_drums_whose_dynamics_are_told_can_be_heard() -> None:
    for wrong in ({"kind": "melody"}, {"kind": "trio"}, {"velocities": ()}, {"timing": 0}, {"hears": ("all",)}):
        with pytest.raises(CodecError, match="expected"):
            Vocabulary(**{**WINDOW, **wrong})  # type: ignore[arg-type]
    kit = BarsCodec(Vocabulary("kit", velocities=VELOCITIES, timing=TIMING, hears=HEARS))
    assert kit.heard(kit.encode(played(1)), "hats").shape == kit.encode(played(1)).shape


@given(late=st.integers(-6, 6), soft=st.integers(0, 4))
def test_swing_and_velocity_are_measured_as_they_are_played(late: int, soft: int) -> None:
    rows = [(480 * beat, 60, 36, 122) for beat in range(8)]
    rows += [(480 * beat + 120 + 120 * late // 16, 60, 38, 122 - 20 * soft) for beat in range(8)]
    found = CODEC.measures(CODEC.encode(Score(480, (Track(Notes.of(rows), is_drum=True),)))[None])
    assert found["swing"][0] == pytest.approx(late / 16, abs=0.04)
    assert found["velocity"][0] == pytest.approx(122 - 10 * soft)
    assert {"swing", "velocity"}.isdisjoint(BarsCodec(Vocabulary("drums")).measures(np.zeros((1, 32, 12), np.int32)))


@given(score=beats)
def test_tiles_cover_every_hit_in_a_whole_bar_once(score: Score) -> None:
    laid, tiles = CODEC.tiles(score)
    covered = np.concatenate([np.arange(place.start, place.stop) for place, _ in tiles])
    assert covered.tolist() == list(range(len(laid.steps)))
    hits = CODEC.vocabulary.hits
    for place, steps in tiles:
        np.testing.assert_array_equal(steps[: place.stop - place.start, hits], laid.steps[place][:, hits])
        assert not steps[place.stop - place.start :, hits].any()


@given(seed=st.integers(0, 99))
def test_what_is_fixed_of_a_window_stays_as_it_is_known(drummer: DrummingStyle, seed: int) -> None:
    rng = np.random.default_rng(seed)
    known = CODEC.encode(played(1))
    fixed = rng.random((2, *known.shape)) < 0.5
    told = tell(
        drummer.player,
        drummer.codec,
        rng.standard_normal((2, drummer.player.config.point_dim)),
        "4/4",
        Taste(),
        rng,
        None,
        known,
        fixed,
    )
    np.testing.assert_array_equal(told[fixed], np.broadcast_to(known, told.shape)[fixed])


# -- groove ---------------------------------------------------------------------------------------


@given(score=beats)
def test_a_played_beat_has_the_same_hits_none_before_the_start_and_none_over_another(
    drummer: DrummingStyle, score: Score
) -> None:
    (found,) = drummer.groove(score, seed=1)
    unit = found.ticks_per_quarter
    before, after = resample(score, unit).tracks[0].notes, found.tracks[0].notes
    assert unit >= 480
    assert after.onset.min() >= 0
    for key in set(before.pitch.tolist()) | set(after.pitch.tolist()):
        old, new = before.onset[before.pitch == key], after.onset[after.pitch == key]
        assert len(old) == len(new)
        own = after.pitch == key
        assert (np.diff(new) > 0).all()
        assert (new[:-1] + after.duration[own][:-1] <= new[1:]).all()
        # Half a step there, and as much for those that give way.
        assert np.abs(new - old).max() <= unit / 4 * (1 + len(old) / 100)


def test_a_beat_is_played_as_the_drummers_did_who_were_learnt_from(drummer: DrummingStyle) -> None:
    (found,) = drummer.groove(written(), temperature=0, seed=1)
    loud = {key: np.mean([row[3] for row in rows_of(found) if row[2] == key]) for key in (36, 38, 42)}
    assert loud[38] > loud[36] > loud[42]
    late = [row[0] % 480 for row in rows_of(found) if row[2] == 38]
    assert 5 < np.mean(late) < 40


def test_performances_differ_by_seed_and_not_without_chance(drummer: DrummingStyle) -> None:
    one, two = drummer.groove(written(), count=2, seed=1)
    assert rows_of(one) != rows_of(two)
    assert drummer.groove(written(), count=2, seed=1) == [one, two]
    assert drummer.groove(written(), seed=2) != [one]
    mean = [drummer.groove(written(), temperature=0, seed=seed)[0] for seed in (1, 2)]
    loud = [np.array([row[3] for row in rows_of(score)]) for score in mean]
    assert np.abs(loud[0] - loud[1]).max() < 15


def test_other_tracks_signs_and_a_longer_beat_stay(drummer: DrummingStyle) -> None:
    beat, song = written(5), tiny.tune(1, 5)
    score = song.replace(tracks=(*song.tracks, *beat.tracks), title="Song", tempos=TempoMap.constant(90.0))
    (found,) = drummer.groove(score, seed=1)
    assert found.tracks[0] == resample(score, found.ticks_per_quarter).tracks[0]
    assert (found.title, found.tempos.mean(found.end)) == ("Song", pytest.approx(90))
    loud = found.tracks[1].notes.velocity
    assert len(loud) == len(beat.tracks[0].notes)
    assert len(set(loud[-8:].tolist())) > 1


def test_unknown_keys_keep_their_keys_and_triplets_their_time(drummer: DrummingStyle) -> None:
    rows = [(0, 6, 3, 80), (24, 6, 100, 80), (32, 6, 42, 80), (40, 6, 42, 80)]
    lines: list[str] = []
    (found,) = drummer.groove(Score(24, (Track(Notes.of(rows), is_drum=True),)), seed=1, tell=lines.append)
    assert sorted(row[2] for row in rows_of(found)) == [3, 42, 42, 100]
    assert [row[0] * 24 // found.ticks_per_quarter for row in rows_of(found) if row[2] == 42] == [32, 40]
    assert lines == ["2 hits keep their time: no sixteenths, or in a bar that is cut short or in no known metre"]


# -- drumify and hats -----------------------------------------------------------------------------


def test_any_rhythm_becomes_drums_in_its_tempo_and_length(drummer: DrummingStyle) -> None:
    tune = tiny.tune(1, 5).replace(tempos=TempoMap.constant(100.0))
    found = drummer.drumify(tune, count=2, seed=1)
    assert len(found) == 2
    for score in found:
        assert [track.is_drum for track in score.tracks] == [True]
        assert score.num_notes > 10
        assert score.end <= 5 * 4 * score.ticks_per_quarter + score.ticks_per_quarter // 4
        assert score.tempos.mean(score.end) == pytest.approx(100)
        assert set(score.tracks[0].notes.pitch.tolist()) <= set(drummer.codec.vocabulary.drum_keys)  # type: ignore[attr-defined]
    assert drummer.drumify(tune, count=2, seed=1) == found


@given(score=beats)
def test_hats_are_added_and_all_else_stays_to_the_tick(drummer: DrummingStyle, score: Score) -> None:
    (found,) = drummer.hats(score, seed=1)
    old, new = rows_of(resample(score, found.ticks_per_quarter)), rows_of(found)
    for row in old:
        new.remove(row)
    assert all(row[2] == 42 and row[0] >= 0 for row in new)


def test_a_beat_of_kick_and_snare_gets_hats(drummer: DrummingStyle) -> None:
    bare = [(24 * beat, 6, 38 if beat % 2 else 36, 80) for beat in range(16)]
    (found,) = drummer.hats(Score(24, (Track(Notes.of(bare), is_drum=True),)), seed=1)
    assert sum(row[2] == 42 for row in rows_of(found)) > 8


# -- bad input ------------------------------------------------------------------------------------


def test_what_is_no_beat_is_refused_and_what_is_done_is_told(drummer: DrummingStyle) -> None:
    with pytest.raises(WishError, match="got a score without drums; kapelle drumify"):
        drummer.groove(tiny.tune(1))
    for play in (drummer.groove, drummer.drumify, drummer.hats):
        with pytest.raises(WishError, match="got a score without notes"):
            play(Score(24))
        with pytest.raises(WishError, match="1 to 100 pieces, got 0"):
            play(written(), count=0)
        with pytest.raises(WishError, match=r"temperature of 0\.\.10"):
            play(written(), temperature=-1)
        odd = written().replace(meters=(Meter.parse("7/8"),))
        with pytest.raises(WishError, match=r"expected whole bars of 4/4, .* got 7/8; train another"):
            play(odd)
    lines: list[str] = []
    named = written().tracks[0].replace(is_drum=False, name="Drum kit")
    (found,) = drummer.groove(Score(24, (named,)), seed=1, tell=lines.append)
    assert lines == ["no track is on the drum channel; by its name drums are taken to be Drum kit"]
    assert not found.tracks[0].is_drum
    drummer.hats(written(), tell=lines.append)
    assert lines[1:] == ["16 closed hats are there already; they stay, and others are added"]


def test_a_style_that_has_not_learnt_to_hear_something_says_so() -> None:
    corpus = tiny.corpus(make=played)
    window = {**WINDOW, "hears": ("hits",)}
    style = learn(
        corpus, "beats", "groovae_2bar_humanize", minutes=1, epochs=1, command="none", window=window,
        encoder_dims=[8], decoder_dims=[8], latent_dim=4, embed_dim=8,
    )  # fmt: skip
    assert isinstance(style, DrummingStyle)
    assert len(rows_of(style.groove(written(), seed=1)[0])) == len(rows_of(written()))
    with pytest.raises(WishError, match="has not learnt to hear tap; train one with --hear tap"):
        style.drumify(written())


def test_a_style_that_hears_survives_its_file_and_plays_the_same(drummer: DrummingStyle, tmp_path: Path) -> None:
    again = open_style(save_style(drummer, tmp_path / "beats.safetensors"))
    assert isinstance(again, DrummingStyle)
    assert again.codec.vocabulary.hears == HEARS  # type: ignore[attr-defined]
    assert len(rows_of(again.groove(written(), seed=3)[0])) == len(rows_of(written()))
    again.compose(seed=1)
    assert "velocity" in (again.space.names if again.space else ())
    assert again.groove(written(), seed=3) == open_style(tmp_path / "beats.safetensors").groove(written(), seed=3)  # type: ignore[attr-defined]


def test_the_commands_write_what_they_say_and_refuse_in_one_line(
    drummer: DrummingStyle, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save_style(drummer, "beats.safetensors")
    save(written(), "beat.mid")
    style = ["--style", "beats.safetensors"]
    for command, name in (("groove", "groove"), ("drumify", "drums"), ("hats", "hats")):
        assert main([command, "beat.mid", *style, "--count", "2"]) == 0
        assert sorted(path.name for path in Path().glob(f"beat-{name}-*.mid")) == [
            f"beat-{name}-1.mid", f"beat-{name}-2.mid"
        ]  # fmt: skip
        assert load(f"beat-{name}-1.mid").num_notes
        capsys.readouterr()
        assert main([command, "beat.mid", *style, "--count", "2"]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    save(tiny.tune(1), "tune.mid")
    assert main(["groove", "tune.mid", *style]) == 2
    assert "tune.mid: expected a beat, got a score without drums; kapelle drumify" in capsys.readouterr().err
    assert main(["groove", "beat.mid", "--style", "melody"]) == 2
    assert "expected a style of drums that hears" in capsys.readouterr().err


def test_hearing_is_asked_for_with_drums_and_dynamics_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", str(tmp_path), "--name", "x", "--hear", "hits"]
    for more in ([], ["--kind", "drums"], ["--kind", "trio", "--dynamics"]):
        assert main([*words, *more]) == 2
        assert "--hear" in capsys.readouterr().err


def test_errors_are_kapelles_own() -> None:
    assert issubclass(WishError, KapelleError)
    assert issubclass(StyleError, KapelleError)


# -- the bundled one ------------------------------------------------------------------------------


def test_the_bundled_drummer_accents_what_drummers_do_and_adds_hats_with_a_pulse() -> None:
    style = load_style("groove")
    assert isinstance(style, DrummingStyle)
    for score in style.groove(written(4), count=3, seed=1) + style.groove(written(4), temperature=0):
        rows = rows_of(score)
        beat = {key: np.mean([row[3] for row in rows if row[2] == key]) for key in (36, 38, 42)}
        assert beat[38] > beat[42]
        assert beat[38] > beat[36] + 10
        late = np.array([(row[0] + 60) % 120 - 60 for row in rows])
        assert 0.5 < late.std() < 40
    kept = [row for row in rows_of(written(4)) if row[2] != 42]
    bare = Score(24, (Track(Notes.of(kept), is_drum=True),))
    (calm,) = style.hats(bare, temperature=0)
    hats = [row for row in rows_of(calm) if row[2] == 42]
    places = np.array([(row[0] + 60) // 120 for row in hats])
    # Eighths, those on the beats louder.
    np.testing.assert_array_equal(places, np.arange(0, 64, 2))
    loud = np.array([row[3] for row in hats])
    assert loud[::2].mean() > loud[1::2].mean() + 10
    for drawn in style.hats(bare, count=4, seed=1):
        assert 10 <= drawn.num_notes - len(kept) <= 64


def test_steering_how_a_beat_is_played_leaves_every_hit_where_it_was() -> None:
    style = load_style("groove")
    assert isinstance(style, DrummingStyle)
    (clip,) = style.groove(written(2), seed=3)
    before = style.measure(clip)
    for name in ("velocity", "swing"):
        after = style.measure(style.steer(clip, {name: 1.0}, seed=0))
        assert {other for other in before if after[other] != pytest.approx(before[other])} <= {"velocity", "swing"}
