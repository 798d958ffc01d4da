"""The biaxial network where steps have keys: the laws of all networks, transposition, the bugs of its ancestors."""

from __future__ import annotations

import numpy as np
import pytest

import test_networks as laws
from kapelle.errors import KapelleError
from kapelle.networks import Columns, network

torch = pytest.importorskip("torch")

WORDS = 4


def columns(first: int, pitches: int, drums: int = 0) -> Columns:
    keys = [(f"pitch {first + index}", WORDS, False) for index in range(pitches)]
    keys += [(f"drum {35 + index}", WORDS, False) for index in range(drums)]
    return Columns.of([("position", 8, True), ("key", 25, True), ("kind", 6, False), *keys])


KEYS = columns(58, 9, 2)
each_preset = pytest.mark.parametrize("preset", ["biaxial", "deepj", "johnson"])
BATCH_LAWS = [
    laws.test_the_player_equals_the_forward_pass,
    laws.test_a_player_that_goes_back_says_the_same_again,
    laws.test_rows_of_a_batch_are_independent,
    laws.test_going_on_from_a_state_equals_one_pass,
    laws.test_the_input_is_not_changed,
    laws.test_each_weight_gets_a_gradient,
    laws.test_padding_moves_no_cost,
    laws.test_the_configuration_survives_json,
    laws.test_it_can_memorise_one_batch,
]


@pytest.fixture(autouse=True)
def steps_have_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laws, "COLUMNS", KEYS)
    sizes = {"time_dims": (24,), "note_dims": (20,), "reach": 3, "facts_dim": 24, "story_dim": 24}
    monkeypatch.setattr(laws, "SMALL", {"biaxial": sizes})


@each_preset
@pytest.mark.parametrize("law", BATCH_LAWS, ids=lambda law: law.__name__)
def test_the_laws_of_every_network_hold_where_steps_have_keys(law: object, preset: str) -> None:
    law(preset)  # type: ignore[operator]


@pytest.mark.parametrize("shape", [((16, 14), (12, 10)), ((10,), (8,))])
def test_the_player_equals_the_forward_pass_with_several_layers(shape: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    net, module = laws.trained("johnson", time_dims=shape[0], note_dims=shape[1])
    piece = laws.steps(1, 6)
    with torch.no_grad():
        costs = module(piece)[0]
    player = net.player({name: weight.numpy() for name, weight in module.state_dict().items()})
    total = 0.0
    for row in piece[0].tolist():
        for column, word in enumerate(row):
            if column in KEYS.predicted:
                logits = player.logits(column).astype(np.float64)
                total += np.logaddexp.reduce(logits) - logits[word]
            player.put(column, word)
    assert total == pytest.approx(float(costs.sum()), abs=1e-3)


def test_keys_that_nobody_asks_about_are_caught_up_with() -> None:
    net, module = laws.trained("biaxial")
    weights = {name: weight.numpy() for name, weight in module.state_dict().items()}
    asked, silent = net.player(weights), net.player(weights)
    for row in laws.steps(1, 4)[0].tolist():
        for column, word in enumerate(row):
            logits = asked.logits(column) if column in KEYS.predicted else None
            if column == len(row) - 1:
                assert np.allclose(logits, silent.logits(column), atol=1e-6)
            asked.put(column, word)
            silent.put(column, word)


@each_preset
def test_a_key_is_decided_by_the_keys_below_it_and_the_past(preset: str) -> None:
    _, module = laws.trained(preset)
    piece = laws.steps(1, 5)
    first = 3
    for column in (first, first + 4, first + 9):
        changed = piece.clone()
        changed[0, 3, column] = (changed[0, 3, column] + 1) % WORDS
        with torch.no_grad():
            before, after = module(piece)[0], module(changed)[0]
        assert torch.equal(before[0, :3], after[0, :3])
        assert torch.equal(before[0, 3, :column], after[0, 3, :column])
        assert not torch.equal(before[0, 3, column + 1 :], after[0, 3, column + 1 :])
        assert not torch.equal(before[0, 4], after[0, 4])


@pytest.mark.parametrize("semitones", [-5, 1, 7])
def test_transposing_the_input_transposes_the_output(semitones: int) -> None:
    # What is learnt of single keys is left out; all else must be the same wherever it sounds. Along the keys there is a
    # memory of where they begin, which fades, so the music stands far from there.
    pitches, low, high = 128, 80, 92
    torch.manual_seed(1)
    net = network("biaxial", columns(0, pitches), degree_dim=0, place_dim=4, time_dims=(12, 10), note_dims=(8, 6))
    module = net.module().eval()
    with torch.no_grad():
        for name, weight in module.named_parameters():
            weight.copy_(torch.randn_like(weight) * (0.0 if name == "places" else 0.3))
        piece = torch.zeros(1, 8, 3 + pitches, dtype=torch.int64)
        piece[:, :, :3] = torch.randint(0, 6, (8, 3))
        piece[:, :, 3 + low : 3 + high] = torch.randint(0, WORDS, (8, high - low))
        moved = piece.clone()
        moved[:, :, 3:] = piece[:, :, 3:].roll(semitones, dims=2)
        costs, other = module(piece)[0][0, :, 3:], module(moved)[0][0, :, 3:]
    inside = slice(60, 112)
    assert torch.allclose(costs[:, inside], other.roll(-semitones, dims=1)[:, inside], atol=2e-5)
    assert not torch.allclose(costs[:, inside], other[:, inside], atol=1e-2)


def test_the_lowest_keys_do_not_see_the_highest_ones() -> None:
    # In the original a negative index came round, so that the top of the keyboard sounded below its bottom.
    _, module = laws.trained("biaxial")
    config = module.config
    piece = laws.steps(1, 2)
    other = piece.clone()
    top = config.facts + config.pitches - 1
    other[0, 0, top] = (piece[0, 0, top] + 1) % WORDS
    words = [steps[:, :, config.facts :] for steps in (piece, other)]
    facts = torch.zeros(1, 2, config.facts_dim)
    table = torch.cat([torch.zeros(1, config.cell_dim), module.cells.detach()])
    with torch.no_grad():
        seen = [module._seen(piece, word, table[word], facts) for word in words]
    around = (2 * config.reach + 1) * config.cell_dim
    lowest = config.pitches - config.reach - 1
    assert torch.equal(seen[0][0, 0, :lowest, :around], seen[1][0, 0, :lowest, :around])
    assert not torch.equal(seen[0][0, 0, lowest, :around], seen[1][0, 0, lowest, :around])
    # Nor do the drums, which stand above the last pitch, see the pitches.
    assert torch.equal(seen[0][0, 0, config.pitches :, :around], seen[1][0, 0, config.pitches :, :around])


def test_the_height_of_a_key_is_between_zero_and_one() -> None:
    features = network("johnson", KEYS).config.place_features
    assert features.min() == 0
    assert features.max() == 1
    assert features[:9, 1:].sum(axis=1).tolist() == [1.0] * 9


def test_long_pieces_are_looked_at_in_parts_that_make_up_the_whole() -> None:
    from kapelle.networks.biaxial.module import AT_ONCE

    _, module = laws.trained("biaxial")
    piece = laws.steps(1, 2 * AT_ONCE + 3)
    whole = module(piece)[0].detach()
    with torch.no_grad():
        assert torch.allclose(whole, module(piece)[0], atol=1e-5)


def test_keys_bear_no_smoothing() -> None:
    # Nearly all keys are silent: holding each of them a little likelier than it is would strike several in every frame.
    _, module = laws.trained("biaxial")
    piece = laws.steps(1, 5)
    with torch.no_grad():
        plain, smooth = module(piece)[0], module(piece, smoothing=0.1)[0]
    assert torch.equal(plain[:, :, 3:], smooth[:, :, 3:])
    assert not torch.equal(plain[:, :, 2], smooth[:, :, 2])


def test_the_published_network_has_its_published_size() -> None:
    keys = Columns.of([(f"pitch {pitch}", 3, False) for pitch in range(24, 102)])
    weights = sum(weight.numel() for weight in network("johnson", keys, facts_dim=1).module().parameters())
    # About 1.37 million: LSTM 300, 300 along time and 100, 50 along the keys.
    assert 1.3e6 < weights < 1.45e6


@pytest.mark.parametrize("names", [("pitch 60", "kind"), ("drum 35", "pitch 60", "kind")])
def test_keys_must_come_last(names: tuple[str, ...]) -> None:
    with pytest.raises((ValueError, KapelleError), match="keys must be the last columns"):
        network("biaxial", Columns.of([(name, 3, False) for name in names]))
