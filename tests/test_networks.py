"""The laws of every network, and that what plays it in numpy is equal to what was trained in torch."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kapelle.networks import Columns, Network, is_latent, network, networks, presets

torch = pytest.importorskip("torch")

COLUMNS = Columns(("when", "where", "what", "who", "how"), (7, 5, 11, 1, 4), (False, True, False, False, False))
SMALL = {
    "stepwise": {"embed_dim": 24, "hidden_dim": 32, "inner_dim": 16, "attention_dim": 8, "num_heads": 2, "window": 4},
    "lstm": {"hidden_dims": (32, 24), "embed_dim": 8},
    "voices": {
        "embed_dim": 24, "hidden_dim": 32, "inner_dim": 16, "attention_dim": 8, "num_heads": 2, "window": 3,
        "stride": 2, "lead": 1, "reveal": 0.0,
    },
    "biaxial": {"time_dims": (16,), "note_dims": (12,), "reach": 3, "facts_dim": 24, "story_dim": 24},
    "chords": {
        "hidden_dim": 32, "attention_dim": 8, "num_heads": 2, "window": 4, "key_dim": 12, "reach": 3, "inner_dim": 24,
    },
}  # fmt: skip
PRESETS = sorted(preset for preset in presets() if not is_latent(preset))
"""Networks of windows have no past, and keep to laws of their own."""
each_preset = pytest.mark.parametrize("preset", PRESETS)


def small(preset: str, **changes: object) -> Network:
    kind = presets()[preset][0]
    own = dict(SMALL[kind])
    if "dense_dim" in presets()[preset][1]:
        own["dense_dim"] = 12
    return network(preset, COLUMNS, **{**own, **changes})


def trained(preset: str, **changes: object) -> tuple[Network, torch.nn.Module]:
    """A small network with weights large enough to matter, batch statistics included."""
    torch.manual_seed(3)
    net = small(preset, **changes)
    module = net.module()
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(torch.randn_like(weight) * 0.4)
    module.train()
    module(steps(8, 6))
    return net, module.eval()


def steps(pieces: int, length: int, seed: int = 0) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(np.stack([rng.integers(0, size, (pieces, length)) for size in COLUMNS.sizes], axis=-1))


@each_preset
def test_the_player_equals_the_forward_pass(preset: str) -> None:
    net, module = trained(preset)
    piece = steps(1, 9)
    with torch.no_grad():
        costs, _, _ = module(piece)
    player = net.player({name: weight.numpy() for name, weight in module.state_dict().items()})
    for _ in range(2):
        player.reset()
        for row, row_costs in zip(piece[0].tolist(), costs[0].numpy(), strict=True):
            for column, word in enumerate(row):
                if column in COLUMNS.predicted:
                    logits = player.logits(column).astype(np.float64)
                    assert -(logits[word] - np.logaddexp.reduce(logits)) == pytest.approx(row_costs[column], abs=2e-5)
                else:
                    assert row_costs[column] == 0
                player.put(column, word)


@pytest.mark.parametrize("source", ["embedding", "one-hot", "scalar"])
def test_the_player_equals_the_forward_pass_whatever_the_input(source: str) -> None:
    net, module = trained("event", input=source)
    piece = steps(1, 4)
    with torch.no_grad():
        costs, _, _ = module(piece)
    player = net.player({name: weight.numpy() for name, weight in module.state_dict().items()})
    for column, word in enumerate(piece[0, 0].tolist()):
        if column in COLUMNS.predicted:
            logits = player.logits(column).astype(np.float64)
            assert -(logits[word] - np.logaddexp.reduce(logits)) == pytest.approx(float(costs[0, 0, column]), abs=2e-5)
        player.put(column, word)


@each_preset
def test_a_player_that_goes_back_says_the_same_again(preset: str) -> None:
    net, module = trained(preset)
    player = net.player({name: weight.numpy() for name, weight in module.state_dict().items()})
    heard = []
    state = player.state()
    for _ in range(2):
        player.restore(state)
        heard.append([])
        for row in steps(1, 3)[0].tolist():
            for column, word in enumerate(row):
                if column in COLUMNS.predicted:
                    heard[-1].append(player.logits(column))
                player.put(column, word)
    assert all(np.array_equal(first, second) for first, second in zip(*heard, strict=True))


@each_preset
def test_the_past_is_not_moved_by_the_future(preset: str) -> None:
    _, module = trained(preset)
    piece = steps(1, 8)
    for at, column in ((4, 0), (4, 2), (7, 4)):
        changed = piece.clone()
        changed[0, at, column] = (changed[0, at, column] + 1) % COLUMNS.sizes[column]
        with torch.no_grad():
            before, after = module(piece)[0], module(changed)[0]
        assert torch.equal(before[0, :at], after[0, :at])
        assert torch.equal(before[0, at, :column], after[0, at, :column])
        assert not torch.equal(before[0, at:], after[0, at:])


@each_preset
def test_rows_of_a_batch_are_independent(preset: str) -> None:
    _, module = trained(preset)
    batch = steps(3, 5)
    with torch.no_grad():
        together = module(batch)[0]
        alone = torch.cat([module(batch[row : row + 1])[0] for row in range(3)])
    assert torch.allclose(together, alone, atol=1e-5)


@each_preset
def test_going_on_from_a_state_equals_one_pass(preset: str) -> None:
    _, module = trained(preset)
    batch = steps(2, 9)
    with torch.no_grad():
        whole = module(batch)[0]
        first, state, _ = module(batch[:, :4])
        second, _, _ = module(batch[:, 4:], state)
    assert torch.allclose(whole, torch.cat([first, second], dim=1), atol=1e-5)


@each_preset
def test_the_input_is_not_changed(preset: str) -> None:
    _, module = trained(preset)
    batch = steps(2, 5)
    copy = batch.clone()
    module(batch)
    assert torch.equal(batch, copy)


@each_preset
def test_each_weight_gets_a_gradient(preset: str) -> None:
    _, module = trained(preset)
    module(steps(4, 6))[0].sum().backward()
    missing = [name for name, weight in module.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert missing == []


@each_preset
def test_it_can_memorise_one_batch(preset: str) -> None:
    torch.manual_seed(0)
    module = small(preset, dropout=0.0).module()
    batch = steps(2, 5)
    optimiser = torch.optim.Adam(module.parameters(), 0.02)
    first = None
    for _ in range(150):
        cost = module(batch)[0].sum()
        first = first or cost.item()
        optimiser.zero_grad()
        cost.backward()
        optimiser.step()
    assert cost.item() < 0.1 * first


@each_preset
def test_padding_moves_no_cost(preset: str) -> None:
    _, module = trained(preset, dropout=0.0)
    module.train()
    batch = steps(2, 5)
    padded = torch.cat([batch, torch.zeros_like(batch)], dim=1)
    real = torch.arange(10).expand(2, -1) < 5
    with torch.no_grad():
        assert torch.allclose(
            module(batch, real=torch.ones(2, 5, dtype=torch.bool))[0], module(padded, real=real)[0][:, :5], atol=1e-5
        )


@each_preset
def test_the_configuration_survives_json(preset: str) -> None:
    net = small(preset)
    assert Network.from_json(json.loads(json.dumps(net.to_json()))) == net


def test_the_named_networks_are_the_published_ones() -> None:
    columns = Columns(("token",), (300,), (False,))
    count = {name: sum(w.numel() for w in network(name, columns).module().parameters()) for name in PRESETS}
    assert len(network("skuldur", columns).config.hidden_dims) == 3
    # Published: 5.46 million with the original's scalar input and 279 words, 1.92 million for Softology's two layers.
    assert 5.2e6 < count["skuldur"] < 5.7e6
    assert 1.8e6 < count["softology"] < 2.1e6
    assert set(count) >= {"skuldur", "softology", "textbook", "event", "stepwise"}


def test_every_network_says_what_the_registry_promises() -> None:
    for name, module in networks().items():
        assert name == module.NAME
        assert module.__doc__
        assert module.PRESETS


def test_smoothing_makes_every_word_that_was_not_told_bear_its_share() -> None:
    from kapelle.networks.scoring import scored

    logits, words = torch.randn(2, 3, 7), torch.randint(0, 7, (2, 3))
    plain, hits = scored(logits, words)
    smooth, same = scored(logits, words, 0.1)
    every = -torch.log_softmax(logits, -1).mean(-1)
    assert torch.allclose(smooth, 0.9 * plain + 0.1 * every, atol=1e-5)
    assert torch.equal(hits, same)
