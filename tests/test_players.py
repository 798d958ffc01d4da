"""What plays a network in numpy equals the torch network whatever its shape, and can go back to any step."""

from __future__ import annotations

import numpy as np
import pytest

from kapelle.networks import Columns, Network, Player, network

torch = pytest.importorskip("torch")

SMALL = {"embed_dim": 12, "hidden_dim": 16, "inner_dim": 8, "attention_dim": 8, "num_heads": 2, "window": 3}
SIZES = (7, 1, 11, 4)
NETWORKS = {
    "stepwise": ("stepwise", SMALL),
    "lstm": ("event", {"hidden_dims": (16, 12), "embed_dim": 8}),
    "lstm with a dense layer": ("skuldur", {"hidden_dims": (16, 12), "dense_dim": 8}),
}


def made(preset: str, given: tuple[bool, ...] = (False,) * 4, **changes: object) -> tuple[Network, torch.nn.Module]:
    """A network with weights large enough to matter."""
    torch.manual_seed(3)
    net = network(preset, Columns(("when", "where", "what", "how"), SIZES, given), **changes)
    module = net.module().eval()
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(torch.randn_like(weight) * 0.4)
    return net, module


def played(net: Network, module: torch.nn.Module) -> Player:
    return net.player({name: weight.numpy() for name, weight in module.state_dict().items()})


def piece(length: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([rng.integers(0, size, length) for size in SIZES], axis=-1)


def heard(player: Player, net: Network, rows: np.ndarray) -> list[np.ndarray]:
    """The logits of each predicted field while rows are put."""
    answers = []
    for row in rows.tolist():
        for column, word in enumerate(row):
            if column in net.config.columns.predicted:
                answers.append(player.logits(column))
            player.put(column, word)
    return answers


@pytest.mark.parametrize(
    "given", [(False, False, False, False), (True, False, False, False), (False, True, True, False)]
)
@pytest.mark.parametrize("changes", [{}, {"attention_dim": 0}, {"num_layers": 1}, {"num_layers": 3, "window": 20}])
def test_the_stepwise_player_equals_the_forward_pass_whatever_its_shape(
    given: tuple[bool, ...], changes: dict[str, int]
) -> None:
    net, module = made("stepwise", given, **{**SMALL, **changes})
    rows = piece(9)
    with torch.no_grad():
        costs = module(torch.from_numpy(rows)[None])[0][0].numpy()
    answers = iter(heard(played(net, module), net, rows))
    for row, row_costs in zip(rows, costs, strict=True):
        for column in net.config.columns.predicted:
            logits = next(answers).astype(np.float64)
            assert np.logaddexp.reduce(logits) - logits[row[column]] == pytest.approx(row_costs[column], abs=2e-5)


@pytest.mark.parametrize("kind", sorted(NETWORKS))
@pytest.mark.parametrize("before", [0, 2, 7])
def test_a_player_goes_back_to_any_step_as_often_as_wanted(kind: str, before: int) -> None:
    preset, changes = NETWORKS[kind]
    net, module = made(preset, **changes)
    player = played(net, module)
    heard(player, net, piece(before))
    state = player.state()
    first = heard(player, net, piece(5, seed=1))
    for other in (2, 3):
        heard(player, net, piece(4, seed=other))
        player.restore(state)
        again = heard(player, net, piece(5, seed=1))
        assert all(np.array_equal(*pair) for pair in zip(first, again, strict=True))


@pytest.mark.parametrize("kind", sorted(NETWORKS))
def test_a_player_that_starts_anew_has_forgotten_everything(kind: str) -> None:
    preset, changes = NETWORKS[kind]
    net, module = made(preset, **changes)
    fresh, used = played(net, module), played(net, module)
    heard(used, net, piece(7, seed=1))
    used.reset()
    pairs = zip(heard(fresh, net, piece(5)), heard(used, net, piece(5)), strict=True)
    assert all(np.array_equal(*pair) for pair in pairs)


@pytest.mark.parametrize("kind", sorted(NETWORKS))
def test_gates_far_beyond_their_range_give_numbers_and_no_warning(kind: str) -> None:
    preset, changes = NETWORKS[kind]
    net, module = made(preset, **changes)
    with torch.no_grad():
        for weight in module.parameters():
            weight.mul_(500)
    with np.errstate(all="raise", under="ignore"):
        answers = heard(played(net, module), net, piece(6))
    assert all(np.isfinite(answer).all() for answer in answers)
