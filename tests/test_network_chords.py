"""The network of chords where steps have keys: the laws of all networks, and those of a chord told from below."""

from __future__ import annotations

import numpy as np
import pytest

import test_network_biaxial as biaxial
import test_networks as laws
from kapelle.errors import KapelleError
from kapelle.networks import Columns, network

torch = pytest.importorskip("torch")

KEYS = biaxial.columns(58, 9, 2)
SMALL = laws.SMALL["chords"]


@pytest.fixture(autouse=True)
def steps_have_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laws, "COLUMNS", KEYS)


@pytest.mark.parametrize("law", biaxial.BATCH_LAWS, ids=lambda law: law.__name__)
def test_the_laws_of_every_network_hold_where_steps_have_keys(law: object) -> None:
    law("chords")  # type: ignore[operator]


def test_a_key_is_decided_by_the_keys_below_it_and_the_past() -> None:
    _, module = laws.trained("chords")
    piece = laws.steps(1, 7)
    first = 3
    for column in (first, first + 4, first + 9):
        for change in range(1, biaxial.WORDS):
            changed = piece.clone()
            changed[0, 3, column] = (changed[0, 3, column] + change) % biaxial.WORDS
            with torch.no_grad():
                before, after = module(piece)[0], module(changed)[0]
            assert torch.allclose(before[0, :3], after[0, :3], atol=1e-5)
            assert torch.allclose(before[0, 3, :column], after[0, 3, :column], atol=1e-5)
            assert not torch.allclose(before[0, 4], after[0, 4], atol=1e-3)


@pytest.mark.parametrize("words", [2, 3])
def test_the_probabilities_of_all_chords_make_one(words: int) -> None:
    keys = Columns.of([("key", 25, True), *((f"pitch {60 + key}", words, False) for key in range(5))])
    torch.manual_seed(0)
    module = network("chords", keys, **SMALL).module().eval()
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(torch.randn_like(weight) * 0.5)
        past = torch.randint(0, words, (1, 4, 6))
        chords = torch.cartesian_prod(*[torch.arange(words)] * 5)
        now = torch.cat([torch.full((len(chords), 1), 3), chords], dim=1)[:, None]
        costs = module(torch.cat([past.expand(len(chords), -1, -1), now], dim=1))[0]
    assert float(torch.exp(-costs[:, -1].sum(-1)).sum()) == pytest.approx(1, abs=1e-4)


def test_a_frame_may_be_looked_up_only_after_it_has_been() -> None:
    # What sounds now and later must not be found: all earlier costs stay, whatever comes.
    _, module = laws.trained("chords", window=20)
    piece = laws.steps(2, 12)
    later = torch.cat([piece[:, :8], laws.steps(2, 12, seed=5)[:, 8:]], dim=1)
    with torch.no_grad():
        assert torch.allclose(module(piece)[0][:, :8], module(later)[0][:, :8], atol=1e-5)


def test_keys_that_nobody_asks_about_are_told_all_the_same() -> None:
    net, module = laws.trained("chords")
    weights = {name: weight.numpy() for name, weight in module.state_dict().items()}
    asked, silent = net.player(weights), net.player(weights)
    for row in laws.steps(1, 4)[0].tolist():
        for column, word in enumerate(row):
            logits = asked.logits(column) if column in KEYS.predicted else None
            if column == len(row) - 1:
                assert np.allclose(logits, silent.logits(column), atol=1e-6)
            asked.put(column, word)
            silent.put(column, word)


def test_what_is_left_out_are_the_least_likely_keys_and_as_much_sounds_as_before() -> None:
    net, module = laws.trained("chords")
    weights = {name: weight.numpy() for name, weight in module.state_dict().items()}
    plain, choosy = net.player(weights), net.player(weights)
    choosy.leave_out(0.3)
    for column, word in enumerate(laws.steps(1, 1)[0, 0].tolist()[:3]):
        plain.put(column, word)
        choosy.put(column, word)

    def next_keys(player: object) -> np.ndarray:
        # How likely each key is the lowest that sounds, and, last, that none does.
        logits = np.stack([player.logits(3 + key).astype(np.float64) for key in range(11)])  # type: ignore[attr-defined]
        chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        silent = np.cumprod([1.0, *chances[:, 0]])
        return np.array([*(silent[:-1] * (1 - chances[:, 0])), silent[-1]])

    before, after = next_keys(plain), next_keys(choosy)
    gone = after < 1e-9
    assert gone[:-1].any()
    assert before[:-1][gone[:-1]].sum() <= 0.3 * before[:-1].sum()
    assert before[:-1][gone[:-1]].max() <= before[:-1][~gone[:-1]].min()
    assert after[-1] == pytest.approx(before[-1], rel=1e-4)


def test_training_begins_from_how_often_each_key_sounds() -> None:
    keys = Columns.of([("place", 4, True), *((f"pitch {60 + key}", 2, False) for key in range(6))])
    module = network("chords", keys, **SMALL).module().eval()
    share = torch.tensor([0.1, 0.5, 0.02, 0.3, 0.7, 0.05])
    with torch.no_grad():
        for weight in module.parameters():
            weight.zero_()
        module.begin_from([1e6 * torch.stack([1 - own, own]) for own in share])
        steps = torch.zeros(1, 1, 7, dtype=torch.int64)
        steps[0, 0, [2, 5]] = 1
        told = steps[0, 0, 1:] > 0
        assert torch.allclose(module(steps)[0][0, 0, 1:], -torch.where(told, share, 1 - share).log(), atol=1e-4)


def test_sizes_that_cannot_be_are_refused() -> None:
    for changes in ({"hidden_dim": 0}, {"num_heads": 5}, {"dropout": 1.0}):
        with pytest.raises(ValueError, match=r"expected|must be"):
            network("chords", KEYS, **changes)
    with pytest.raises(KapelleError, match="chords"):
        network("chord", KEYS)
