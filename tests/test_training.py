"""Training: seeded, honest about what is held out, content with little data."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import tiny  # noqa: E402
from kapelle.codecs import codecs  # noqa: E402
from kapelle.corpora import Corpus, Piece  # noqa: E402
from kapelle.networks import Columns, network  # noqa: E402
from kapelle.styles import learn  # noqa: E402
from kapelle.training.batches import MULTIPLE, BatchPlan, Epoch  # noqa: E402
from kapelle.training.likelihood import likelihood  # noqa: E402
from kapelle.training.trainer import Recipe, fit  # noqa: E402

CODEC = codecs()["events"].for_scores([tiny.tune(0)])
PIECES = [CODEC.encode(tiny.tune(seed)) for seed in range(12)]


def small() -> object:
    return network("stepwise", Columns.of(CODEC.layout), **tiny.SMALL)


def test_training_foretells_held_out_pieces_better_than_no_training() -> None:
    outcome = fit(small(), CODEC, PIECES[:10], PIECES[10:], Recipe(minutes=1, epochs=12, threads=1))
    assert outcome.best is not None
    torch.manual_seed(0)
    untrained = likelihood(small().module(), PIECES[10:], CODEC).nats_per_note
    assert outcome.best.valid < 0.4 * untrained


def test_the_same_seed_gives_the_same_weights() -> None:
    runs = [
        fit(small(), CODEC, PIECES[:4], PIECES[10:], Recipe(minutes=5, epochs=1, threads=1, seed=s)) for s in (1, 1, 2)
    ]
    same = [np.array_equal(runs[0].weights[name], runs[1].weights[name]) for name in runs[0].weights]
    other = [np.array_equal(runs[0].weights[name], runs[2].weights[name]) for name in runs[0].weights]
    assert all(same)
    assert not all(other)


def test_likelihood_is_that_of_each_piece_alone_whatever_the_batch() -> None:
    module = small().module()
    together = likelihood(module, PIECES[:5], CODEC)
    alone = [likelihood(module, [piece], CODEC) for piece in PIECES[:5]]
    total = sum(one.nats_per_note * one.notes for one in alone)
    assert together.nats_per_note == pytest.approx(total / together.notes, rel=1e-5)
    assert together.nats_per_note == pytest.approx(sum(together.per_column.values()))


def test_every_note_of_a_corpus_can_be_in_a_crop_and_crops_are_new_each_time() -> None:
    plan = BatchPlan(crop=20, steps=80)
    epochs = [list(Epoch(PIECES[:3], plan, CODEC, seed=0, number=number)) for number in range(12)]
    seen = sum(int(batch.paid.any(-1).sum()) for epoch in epochs for batch in epoch)
    assert seen > 8 * sum(map(len, PIECES[:3]))
    first, second = (np.concatenate([batch.steps.ravel() for batch in epoch]) for epoch in epochs[:2])
    assert len(first) != len(second) or not np.array_equal(first, second)


def test_any_batch_of_an_epoch_can_be_made_alone_and_is_always_the_same() -> None:
    plan = BatchPlan(crop=20, steps=80)
    whole = list(Epoch(PIECES[:3], plan, CODEC, seed=3, number=5))
    for number in reversed(range(len(whole))):
        alone = Epoch(PIECES[:3], plan, CODEC, seed=3, number=5)[number]
        assert np.array_equal(alone.steps, whole[number].steps)
        assert np.array_equal(alone.paid, whole[number].paid)


def test_a_batch_has_as_many_crops_as_it_has_room_for_steps() -> None:
    plan = BatchPlan(crop=40, steps=200)
    batches = list(Epoch(PIECES, plan, CODEC, seed=0, number=0))
    head = CODEC.header_steps
    fits = [len(batch.steps) * (batch.steps.shape[1] - head - MULTIPLE) <= 200 for batch in batches]
    assert all(fits)
    # Short crops leave room for more of them, and few batches are left half empty.
    assert len({len(batch.steps) for batch in batches}) > 1
    filled = [batch.steps.shape[0] * batch.steps.shape[1] for batch in batches]
    assert np.median(filled) > 150


def test_padding_is_never_paid_for() -> None:
    for batch in Epoch(PIECES, BatchPlan(crop=64, steps=512), CODEC, seed=0, number=0):
        assert not batch.paid[~batch.real].any()


def test_one_piece_is_enough_and_the_style_says_what_to_expect() -> None:
    corpus = Corpus.of("one", [Piece(tiny.tune(1, bars=12), "one", "one.mid")])
    style = learn(corpus, "one", minutes=1, epochs=1, threads=1, **tiny.SMALL)
    assert any("One piece" in remark for remark in style.card.remarks)
    assert style.compose(bars=2, seed=0).num_notes > 0


def test_the_card_says_what_was_held_out_and_how_well_it_is_foretold() -> None:
    card = tiny.style().card
    assert card.pieces == 10
    assert card.figures["held out pieces"] == 1
    assert card.figures["valid nats per note"] > 0
    assert card.curve
    assert card.parameters > 0


@pytest.mark.parametrize("name", ["skuldur", "softology", "textbook", "event"])
def test_every_reference_network_trains_and_composes(name: str) -> None:
    style = learn(tiny.corpus(4), name, name, minutes=1, epochs=1, threads=1, hidden_dims=(16, 12))
    assert style.compose(bars=2, seed=0).num_notes > 0
