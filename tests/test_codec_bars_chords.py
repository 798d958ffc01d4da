"""Chords of windows: heard in lines, told to who tells the window, and never to who hears it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tiny
from kapelle.codecs.bars import BarsCodec, Vocabulary
from kapelle.codecs.bars.vocabulary import STRUCK
from kapelle.errors import WishError
from kapelle.music import TRIADS, Notes, Score, Track, parse_chords, triad_name
from kapelle.networks import Columns, network
from kapelle.styles import WindowStyle, learn

CODEC = BarsCodec(Vocabulary("melody", 2, meters=("4/4",), low=48, high=84, chords=True))
SIZES = {"encoder_dims": [24], "decoder_dims": [24], "conductor_dims": [16]}
SMALL = {**SIZES, "latent_dim": 8, "embed_dim": 12, "plan_dim": 12}


def arpeggios(*words: int) -> np.ndarray:
    """A bar of each chord, its root on the first beat."""
    rows = []
    for bar, word in enumerate(words):
        root = (word - 1) % 12
        above = sorted((note - root) % 12 for note in TRIADS[word])
        rows += [(96 * bar + 12 * at, 12, 60 + root + above[at % 3], 80) for at in range(8)]
    return CODEC.encode(Score(24, (Track(Notes.of(rows)),)))


@pytest.mark.parametrize("word", range(1, 49))
def test_a_broken_chord_is_heard_as_itself(word: int) -> None:
    heard = CODEC.harmony(arpeggios(word, word))
    # The root of an augmented chord cannot be heard: all three notes may be it.
    assert [TRIADS[own] for own in heard] == [TRIADS[word]] * 2
    assert word > 24 or list(heard) == [word] * 2


def test_nothing_is_heard_in_silence() -> None:
    assert list(CODEC.harmony(CODEC.empty("4/4"))) == [0, 0]
    assert np.isnan(CODEC.in_chords(CODEC.empty("4/4"), np.array([1, 1])))


def test_the_share_in_chords_counts_what_sounds_on_beats() -> None:
    (am, f), _ = parse_chords("Am F")
    steps = arpeggios(am, f)
    assert CODEC.in_chords(steps, np.array([am, f])) == 1.0
    # Of the four beats A C E | A C E ... those of the second bar are F A C F, of which A and C are in A minor too.
    assert CODEC.in_chords(steps, np.array([am, am])) < 1.0
    assert np.isnan(CODEC.in_chords(steps, np.array([0, 0])))


@given(seed=st.integers(0, 2**32 - 1), first=st.integers(1, 48), second=st.integers(1, 48))
def test_training_is_told_the_chords_of_the_key_it_hears_or_none(seed: int, first: int, second: int) -> None:
    steps = CODEC.augment(arpeggios(first, second), np.random.default_rng(seed))
    told = steps[:, -1].reshape(2, -1)
    assert (told == told[:, :1]).all()
    if told.any():
        # Where a chord is left for a likelier one, it is so in every key.
        before, after = CODEC.harmony(arpeggios(first, second)), told[:, 0]
        moved = int(steps[0, 3] - arpeggios(first, second)[0, 3])
        assert [{(note + moved) % 12 for note in TRIADS[word]} for word in before] == [set(TRIADS[w]) for w in after]


@given(seed=st.integers(0, 2**32 - 1), first=st.integers(1, 48))
def test_a_disguise_moves_each_bar_as_a_whole_and_keeps_its_rhythm(seed: int, first: int) -> None:
    plain = arpeggios(first, 1 + first % 48)
    rng = np.random.default_rng(seed)
    assert (CODEC.disguised(plain, rng) == plain).all()
    steps = CODEC.with_chords(plain, CODEC.harmony(plain))
    heard = CODEC.disguised(steps, rng)
    struck = steps[:, 3] >= STRUCK
    assert ((heard[:, 3] >= STRUCK) == struck).all()
    assert (heard[~struck] == steps[~struck]).all()
    assert heard[:, 3].max() < CODEC.layout[3][1]
    for bar in range(2):
        here = struck & (steps[:, 1] == bar)
        assert len(set((heard[here, 3] - steps[here, 3]).tolist())) == 1


@pytest.mark.parametrize("preset", ["musicvae", "cat-mel_2bar_med_chords"])
def test_chords_are_told_and_not_heard_and_the_player_is_told_as_torch_is(preset: str) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    sizes = SMALL if preset == "musicvae" else {**SMALL, "plan_dim": 0}
    net = network(preset, Columns.of(CODEC.layout), **sizes)
    module = net.module().eval()
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(torch.randn_like(weight) * 0.4)
    plain = np.stack([arpeggios(1, 6), arpeggios(22, 10)])
    told = np.stack([CODEC.with_chords(steps, CODEC.harmony(steps)) for steps in plain]).astype(np.int64)
    player = net.player({name: weight.numpy() for name, weight in module.state_dict().items()})
    points, _ = player.encode(plain)
    assert (player.encode(told)[0] == points).all()
    with torch.no_grad():
        real = torch.ones(told.shape[:2], dtype=torch.bool)
        np.testing.assert_allclose(points, module.encode(torch.from_numpy(told), real)[0].numpy(), atol=2e-5)
        costs = module.decode(torch.from_numpy(points), torch.from_numpy(told), real)[0].numpy()
    player.begin(points, told)
    for at in range(told.shape[1]):
        logits = player.logits(3).astype(np.float64)
        words = told[:, at, 3]
        own = np.logaddexp.reduce(logits, axis=1) - logits[np.arange(2), words]
        np.testing.assert_allclose(own, costs[:, at, 3], atol=1e-4)
        player.put(3, words)


# -- composing in chords --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def melody() -> WindowStyle:
    pytest.importorskip("torch")
    style = learn(tiny.corpus(), "melody", "musicvae", epochs=3, window={"kind": "melody", "bars": 2}, **SMALL)
    assert isinstance(style, WindowStyle)
    return style


def in_line(style: WindowStyle, score: Score, line: str) -> float:
    words = np.resize(parse_chords(line)[0], len(score.bars()) - 1).reshape(-1, 2)
    codec: BarsCodec = style.codec  # type: ignore[assignment]
    shares = [codec.in_chords(codec.encode(score, 2 * at), own) for at, own in enumerate(words)]
    return float(np.nanmean(shares))


def test_a_piece_has_a_bar_for_each_chord_and_is_more_in_its_chords_than_in_others(melody: WindowStyle) -> None:
    scores = [melody.compose(chords="C F G C", meter="4/4", seed=seed) for seed in range(6)]
    assert {len(score.bars()) - 1 for score in scores} == {4}
    own, other = (np.mean([in_line(melody, score, line) for score in scores]) for line in ("C F G C", "F# B C# F#"))
    assert own > other + 0.3


def test_what_sounds_is_of_the_scale_of_the_chords(melody: WindowStyle) -> None:
    score = melody.compose(chords="Am E", meter="4/4", bars=6, seed=1)
    assert {pitch % 12 for pitch in score.tracks[0].notes.pitch.tolist()} <= {9, 11, 0, 2, 4, 5, 6, 7, 8}
    assert len(score.bars()) - 1 == 6


def test_what_is_more_than_a_triad_is_told_and_what_is_none_refused(melody: WindowStyle) -> None:
    lines: list[str] = []
    melody.compose(chords="Cmaj7 Gsus4", seed=1, tell=lines.append)
    assert lines[0] == "chords are triads here: Cmaj7 as C, Gsus4 as G"
    with pytest.raises(WishError, match="expected chords such as Am, F, C7"):
        melody.compose(chords="Am H")


def test_drums_and_styles_of_whole_pieces_have_no_chords() -> None:
    drums = learn(tiny.corpus(make=tiny.band), "beats", "musicvae", epochs=1, window={"kind": "drums"}, **SMALL)
    with pytest.raises(WishError, match="has no lines that could be in chords"):
        drums.compose(chords="C")
    assert triad_name(0) == "N.C."
