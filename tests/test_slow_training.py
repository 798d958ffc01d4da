"""Slow proofs: real tunes are learnt, and what is composed in the style is like them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("music21")

from kapelle import learn
from kapelle.corpora import Corpus, get
from kapelle.evaluation import facts

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tunes(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    whole = get("folk").load(Path(tmp_path_factory.mktemp("cache")))
    return Corpus.of("folk", whole.pieces[:600])


def test_six_hundred_tunes_are_learnt_in_a_few_epochs_and_composed_in(tunes: Corpus) -> None:
    style = learn(tunes, "folk", minutes=30, epochs=10, threads=1, embed_dim=96, hidden_dim=160, inner_dim=96)
    # Knowing only how often each word comes costs 6.2 nats a note on these tunes.
    assert style.card.figures["valid nats per note"] < 4.2
    pieces = [style.compose(bars=16, seed=seed) for seed in range(6)]
    human = np.array([facts(piece.score).num_notes / facts(piece.score).bars for piece in tunes.pieces])
    for piece in pieces:
        density = piece.num_notes / 16
        assert np.quantile(human, 0.01) * 0.5 < density < np.quantile(human, 0.99) * 1.5
