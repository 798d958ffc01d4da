"""The laws of the network of windows: torch and numpy agree, a window is its own, and it can memorise."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kapelle.networks import Columns, Network, network, networks, presets
from kapelle.networks.musicvae import MusicVaeConfig

torch = pytest.importorskip("torch")

COLUMNS = Columns(
    ("meter", "bar", "position", "lead", "kick", "snare", "hat"),
    (2, 3, 6, 9, 2, 2, 2),
    (True, True, True, False, False, False, False),
)
BAR_STEPS = (6, 4)
SMALL = {
    "latent_dim": 5, "encoder_dims": (7,), "decoder_dims": (6,), "conductor_dims": (5,), "embed_dim": 8,
}  # fmt: skip
NAMES = sorted(name for name, (kind, _) in presets().items() if kind == "musicvae")
each_preset = pytest.mark.parametrize("preset", NAMES)


def small(preset: str, **changes: object) -> Network:
    return network(preset, COLUMNS, **{**SMALL, **({"plan_dim": 4} if preset == "musicvae" else {}), **changes})


def windows(count: int, meter: int = 0, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    length = BAR_STEPS[meter]
    steps = np.stack([rng.integers(0, size, (count, 3 * length)) for size in COLUMNS.sizes], axis=-1)
    steps[:, :, 0] = meter
    steps[:, :, 1], steps[:, :, 2] = np.divmod(np.arange(3 * length), length)
    return steps


def trained(preset: str, **changes: object) -> tuple[Network, torch.nn.Module]:
    torch.manual_seed(3)
    net = small(preset, **changes)
    module = net.module()
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(torch.randn_like(weight) * 0.4)
    return net, module.eval()


def player_of(net: Network, module: torch.nn.Module):  # type: ignore[no-untyped-def]
    return net.player({name: weight.numpy() for name, weight in module.state_dict().items()})


@each_preset
@pytest.mark.parametrize("meter", [0, 1])
def test_the_player_encodes_and_tells_as_torch_does(preset: str, meter: int) -> None:
    net, module = trained(preset)
    steps = windows(4, meter)
    told = torch.from_numpy(steps)
    real = torch.ones(told.shape[:2], dtype=torch.bool)
    with torch.no_grad():
        mean, deviation = module.encode(told, real)
        costs, _ = module.decode(mean, told, real)
    player = player_of(net, module)
    own, spread = player.encode(steps)
    np.testing.assert_allclose(own, mean.numpy(), atol=2e-5)
    np.testing.assert_allclose(spread, deviation.numpy(), atol=2e-5)
    player.begin(own, steps[0])
    for at in range(steps.shape[1]):
        row = np.zeros(4)
        for column in COLUMNS.predicted:
            logits = player.logits(column).astype(np.float64)
            words = steps[:, at, column]
            row += np.logaddexp.reduce(logits, axis=1) - logits[np.arange(4), words]
            player.put(column, words)
        np.testing.assert_allclose(row, costs[:, at].sum(-1).numpy(), atol=1e-4)


@each_preset
def test_the_past_is_not_moved_by_the_future(preset: str) -> None:
    _, module = trained(preset)
    steps = torch.from_numpy(windows(2))
    other = steps.clone()
    other[:, 9:, 3:] = torch.from_numpy(windows(2, seed=5))[:, 9:, 3:]
    real = torch.ones(steps.shape[:2], dtype=torch.bool)
    z = torch.randn(2, module.config.point_dim)
    before, after = (module.decode(z, told, real)[0] for told in (steps, other))
    assert torch.allclose(before[:, :9], after[:, :9], atol=1e-6)
    assert not torch.allclose(before[:, 9:], after[:, 9:], atol=1e-3)


@each_preset
def test_windows_of_a_batch_do_not_touch_and_filling_counts_for_nothing(preset: str) -> None:
    _, module = trained(preset)
    long, short = torch.from_numpy(windows(2)), torch.from_numpy(windows(2, meter=1))
    padded = torch.zeros_like(long)
    padded[:, : short.shape[1]] = short
    together = torch.cat([long, padded])
    real = torch.ones(together.shape[:2], dtype=torch.bool)
    real[2:, short.shape[1] :] = False
    costs = module(together, real=real)[0]
    assert torch.allclose(costs[:2], module(long)[0], atol=1e-4)
    assert torch.allclose(costs[2:, : short.shape[1]], module(short)[0], atol=1e-4)


@each_preset
def test_each_parameter_gets_a_gradient_and_the_input_stays(preset: str) -> None:
    net = small(preset, beta=1.0, beta_rate=0.0, free_nats=0.0)
    module = net.module().train()
    steps = torch.from_numpy(windows(6))
    kept = steps.clone()
    module(steps)[0].sum().backward()
    assert torch.equal(steps, kept)
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("preset", ["musicvae", "cat-mel_2bar_small", "hier-trio_16bar"])
def test_it_can_memorise_a_few_windows_and_finds_them_again_by_itself(preset: str) -> None:
    torch.manual_seed(0)
    bigger = {"latent_dim": 16, "encoder_dims": (32,), "decoder_dims": (48,), "conductor_dims": (24,)}
    net = small(preset, **bigger, embed_dim=24, beta=0.0, blind=0.0, sampling=0.0)
    module = net.module().train()
    steps = windows(4)
    optimiser = torch.optim.Adam(module.parameters(), lr=0.01)
    for _ in range(200):
        optimiser.zero_grad()
        module(torch.from_numpy(steps))[0].sum().backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 5.0)
        optimiser.step()
    player = player_of(net, module)
    for blind in (False, True) if player.alone else (False,):
        player.begin(player.encode(steps)[0], steps[0], blind)
        right = 0
        for at in range(steps.shape[1]):
            for column in COLUMNS.predicted:
                words = player.logits(column).argmax(1)
                right += int((words == steps[:, at, column]).sum())
                player.put(column, words)
        assert right >= 0.95 * 4 * steps.shape[1] * 4


def test_the_code_costs_what_is_beyond_the_free_nats() -> None:
    from kapelle.networks.musicvae.module import divergence

    steps = torch.from_numpy(windows(3))
    real = torch.ones(steps.shape[:2], dtype=torch.bool)
    whole = {}
    for beta, free in ((0.0, 0.0), (0.5, 0.0), (0.5, 1.5)):
        _, module = trained("musicvae", beta=beta, free_nats=free)
        whole[beta, free] = module(steps)[0].sum((1, 2))
        nats = divergence(*module.encode(steps, real))
    assert torch.allclose(whole[0.5, 0.0] - whole[0.0, 0.0], 0.5 * nats, atol=1e-3)
    assert torch.allclose(whole[0.5, 1.5] - whole[0.0, 0.0], 0.5 * (nats - 1.5).relu(), atol=1e-3)
    from torch.distributions import Normal, kl_divergence

    mean, deviation = torch.randn(4, 5), torch.rand(4, 5) + 0.1
    exact = kl_divergence(Normal(mean, deviation), Normal(0, 1)).sum(-1)
    assert torch.allclose(divergence(mean, deviation), exact, atol=1e-5)


def test_beta_rises_with_the_updates() -> None:
    _, module = trained("musicvae", beta=0.5, beta_rate=0.5, blind=0.0)
    steps = torch.from_numpy(windows(3))
    module.train()
    costs = []
    for _ in range(6):
        torch.manual_seed(0)
        costs.append(float(module(steps)[0].sum().detach()))
    assert costs == sorted(costs)
    assert costs[0] < costs[-1]


def test_the_published_networks_have_their_published_sizes() -> None:
    from kapelle.training.weights import num_weights

    melody = Columns(("meter", "bar", "position", "melody"), (1, 2, 16, 90), (True, True, True, False))
    longer = Columns(("meter", "bar", "position", "melody"), (1, 16, 16, 90), (True, True, True, False))
    trio = Columns(
        ("meter", "bar", "position", "lead", "bass", *"kshoabcdr"), (1, 16, 16, 90, 90, *[2] * 9),
        (True, True, True, *[False] * 11),
    )  # fmt: skip
    published = {"cat-mel_2bar_small": 4.4e6, "cat-mel_2bar_big": 134.6e6}
    for name, size in published.items():
        assert num_weights(network(name, melody)) == pytest.approx(size, rel=0.06)
    sizes = {"flat-mel_16bar": 235e6, "hierdec-mel_16bar": 176e6, "hier-mel_16bar": 72.6e6}
    for name, size in sizes.items():
        assert num_weights(network(name, longer)) == pytest.approx(size, rel=0.06)
    assert num_weights(network("flat-trio_16bar", trio)) == pytest.approx(251e6, rel=0.07)


@each_preset
def test_the_configuration_survives_json(preset: str) -> None:
    net = small(preset)
    assert Network.from_json(json.loads(json.dumps(net.to_json()))) == net


def test_sizes_that_cannot_be_are_refused() -> None:
    for changes in (
        {"encoder": "round"},
        {"latent_dim": 0},
        {"decoder_dims": ()},
        {"blind": 1.0},
        {"untold": 1.0},
        {"beta": -1.0},
    ):
        with pytest.raises(ValueError, match=r"expected|sizes|layer|shares"):
            MusicVaeConfig(COLUMNS, **changes)
    assert networks()["musicvae"].LATENT


# -- windows that are heard -----------------------------------------------------------------------

HEARD = Columns(
    (*COLUMNS.names, "heard kick", "heard tap"), (*COLUMNS.sizes, 3, 3), (*COLUMNS.given, True, True)
)  # fmt: skip
each_ear = pytest.mark.parametrize("preset", ["musicvae", "groovae_2bar_humanize"])


def hearing(preset: str) -> tuple[Network, torch.nn.Module]:
    torch.manual_seed(3)
    own = {"plan_dim": 4, "ear_dim": 6} if preset == "musicvae" else {}
    net = network(preset, HEARD, **{**SMALL, **own})
    module = net.module()
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(torch.randn_like(weight) * 0.4)
    return net, module.eval()


def heard_windows(count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed + 7)
    steps = windows(count, seed=seed)
    return np.concatenate([steps, rng.integers(0, 3, (*steps.shape[:2], 2))], -1)


@each_ear
def test_the_player_hears_each_window_as_torch_does(preset: str) -> None:
    net, module = hearing(preset)
    steps = heard_windows(4)
    told = torch.from_numpy(steps)
    real = torch.ones(told.shape[:2], dtype=torch.bool)
    with torch.no_grad():
        mean, _ = module.encode(told, real)
        costs, _ = module.decode(mean, told, real)
    player = player_of(net, module)
    np.testing.assert_allclose(player.encode(steps)[0], mean.numpy(), atol=2e-5)
    player.begin(mean.numpy(), steps)
    for at in range(steps.shape[1]):
        row = np.zeros(4)
        for column in HEARD.predicted:
            logits = player.logits(column).astype(np.float64)
            words = steps[:, at, column]
            row += np.logaddexp.reduce(logits, axis=1) - logits[np.arange(4), words]
            player.put(column, words)
        np.testing.assert_allclose(row, costs[:, at].sum(-1).numpy(), atol=1e-4)


def test_an_ear_hears_ahead_and_its_point_says_only_what_is_not_heard() -> None:
    _, module = hearing("musicvae")
    steps = torch.from_numpy(heard_windows(2))
    other = steps.clone()
    other[:, -1, -1] = (other[:, -1, -1] + 1) % 3
    real = torch.ones(steps.shape[:2], dtype=torch.bool)
    assert torch.equal(module.encode(steps, real)[0], module.encode(other, real)[0])
    z = torch.randn(2, module.config.point_dim)
    before, after = (module.decode(z, told, real)[0] for told in (steps, other))
    assert not torch.allclose(before[:, 0], after[:, 0], atol=1e-6)


def test_without_an_ear_the_encoder_sees_what_is_heard_and_nothing_else() -> None:
    _, module = hearing("groovae_2bar_humanize")
    steps = torch.from_numpy(heard_windows(2))
    real = torch.ones(steps.shape[:2], dtype=torch.bool)
    played, heard = steps.clone(), steps.clone()
    played[:, :, 3:7] = 0
    heard[:, 0, -1] = (heard[:, 0, -1] + 1) % 3
    assert torch.equal(module.encode(steps, real)[0], module.encode(played, real)[0])
    assert not torch.allclose(module.encode(steps, real)[0], module.encode(heard, real)[0])
    z = torch.randn(2, module.config.point_dim)
    assert torch.equal(module.decode(z, steps, real)[0], module.decode(z, heard, real)[0])


def test_a_heard_window_pays_its_point_in_full_and_others_as_the_configuration_says() -> None:
    net, module = hearing("musicvae")
    steps = torch.from_numpy(heard_windows(3))
    steps[1, :, -2:] = 0
    np.testing.assert_allclose(module._beta(steps).numpy(), [1, net.config.beta, 1], rtol=1e-6)


def test_a_blind_player_is_told_nothing_of_the_steps_before() -> None:
    net, module = hearing("musicvae")
    player = player_of(net, module)
    steps = heard_windows(2)
    other = steps.copy()
    other[:, 0, 3:7] = (other[:, 0, 3:7] + 1) % 2
    last = []
    for told, blind in ((steps, True), (other, True), (steps, False), (other, False)):
        player.begin(np.ones((2, net.config.point_dim)), steps, blind)
        for at in (0, 1):
            last.append(player.logits(3).copy()) if at else None
            for column in HEARD.predicted:
                player.put(column, told[:, at, column])
    np.testing.assert_array_equal(last[0], last[1])
    assert not np.allclose(last[2], last[3])
