"""The network of voices: its player, what is given in advance, and heights on one ladder."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kapelle.codecs.chorale import lines
from kapelle.music import partwriting
from kapelle.networks import Columns, Network, network
from kapelle.networks.voices.config import REACH

torch = pytest.importorskip("torch")

HEIGHTS = 30
BEFORE, VOICES = lines.columns(HEIGHTS)
COLUMNS = Columns.of([("place", 8, True), *BEFORE, ("kind", 3, False), *VOICES])
KIND = COLUMNS.names.index("kind")
VOICE = [COLUMNS.names.index(f"voice {name}") for name in partwriting.VOICES]
SMALL = {"embed_dim": 12, "hidden_dim": 16, "inner_dim": 10, "attention_dim": 8, "num_heads": 2, "window": 3}
SMALL |= {"lead": 2, "reveal": 0.5, "reveal_dim": 6}


def piece(length: int, seed: int = 0) -> np.ndarray:
    """Steps of four voices that hold, start and fall silent as chance has it, and repeat themselves, shape (T, F)."""
    rng = np.random.default_rng(seed)
    words = np.where(rng.random((length, 4)) < 0.5, 0, rng.choice([1, 2, 9, 12, HEIGHTS + 1], (length, 4)))
    words[length // 2 :] = words[: length - length // 2]
    told = lines.told(*lines.heard(words))
    before = len(lines.BEFORE)
    columns = [np.arange(length) % 8, *told[:, :before].T, rng.integers(0, 3, length), *told[:, before:].T]
    return np.stack(columns, axis=1)


def made(**changes: object) -> tuple[Network, torch.nn.Module]:
    """A network with weights large enough to matter."""
    torch.manual_seed(3)
    net = network("voices", COLUMNS, **{**SMALL, **changes})
    module = net.module().eval()
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(torch.randn_like(weight) * 0.4)
    return net, module


def costs(module: torch.nn.Module, rows: np.ndarray, shown: np.ndarray | None = None) -> np.ndarray:
    with torch.no_grad():
        told = None if shown is None else torch.from_numpy(shown)[None]
        return module(torch.from_numpy(rows)[None], shown=told)[0][0].numpy()


def all_but(rows: np.ndarray, *columns: int) -> np.ndarray:
    """That all predicted fields are given but those of these columns."""
    shown = np.zeros(rows.shape, bool)
    shown[:, list(COLUMNS.predicted)] = True
    shown[:, list(columns)] = False
    return shown


def played(net: Network, module: torch.nn.Module, rows: np.ndarray, shown: np.ndarray | None = None) -> np.ndarray:
    """The cost of every field when a player plays the rows."""
    player = net.player({name: weight.numpy() for name, weight in module.state_dict().items()})
    if shown is not None:
        player.show(rows, shown)
    found = np.zeros(rows.shape)
    for step, row in enumerate(rows.tolist()):
        for column, word in enumerate(row):
            if column in COLUMNS.predicted and not (shown is not None and shown[step, column]):
                logits = player.logits(column).astype(np.float64)
                found[step, column] = np.logaddexp.reduce(logits) - logits[word]
            player.put(column, word)
    return found


@pytest.mark.parametrize("changes", [{}, {"stride": 1, "lead": 1}, {"stride": 3}, {"num_layers": 1, "window": 20}])
def test_the_player_equals_the_forward_pass(changes: dict[str, int]) -> None:
    net, module = made(**changes)
    rows = piece(13)
    assert played(net, module, rows) == pytest.approx(costs(module, rows), abs=2e-4)


@pytest.mark.parametrize("changes", [{}, {"stride": 1, "lead": 1}, {"stride": 3}])
@pytest.mark.parametrize("hidden", [(VOICE[0],), (VOICE[1], VOICE[2]), (KIND, *VOICE[1:])])
def test_the_player_equals_the_forward_pass_where_some_voices_are_given(
    changes: dict[str, int], hidden: tuple[int, ...]
) -> None:
    net, module = made(**changes)
    rows = piece(11)
    shown = all_but(rows, *hidden)
    shown[3:6] = all_but(rows)[3:6]
    assert played(net, module, rows, shown) == pytest.approx(costs(module, rows, shown), abs=2e-4)


def test_what_is_given_costs_nothing_and_changes_what_the_others_cost() -> None:
    _, module = made()
    rows = piece(9)
    shown = all_but(rows, VOICE[1])
    found = costs(module, rows, shown)
    assert not found[shown].any()
    assert (found[:, VOICE[1]] != costs(module, rows)[:, VOICE[1]]).all()


def test_a_piece_of_which_nothing_is_given_costs_what_it_costs_anyway() -> None:
    _, module = made()
    rows = np.stack([piece(9), piece(9, 1)])
    shown = np.zeros(rows.shape, bool)
    shown[1] = all_but(rows[1], VOICE[0])
    with torch.no_grad():
        both = module(torch.from_numpy(rows), shown=torch.from_numpy(shown))[0]
        alone = module(torch.from_numpy(rows))[0]
    assert torch.allclose(both[0], alone[0], atol=1e-5)
    assert not torch.allclose(both[1], alone[1], atol=1e-2)


@pytest.mark.parametrize("ahead", [0, 1, 6])
def test_what_is_given_later_is_heard_before(ahead: int) -> None:
    _, module = made()
    rows = piece(12)
    shown = all_but(rows, VOICE[1])
    rows[5 + ahead, VOICE[2]] = 3
    rows[5 + ahead, VOICE[2] + 1] = 2
    other = rows.copy()
    other[5 + ahead, VOICE[2]] = 4
    other[5 + ahead, VOICE[2] + 1] = 3
    assert costs(module, rows, shown)[5, VOICE[1]] != costs(module, other, shown)[5, VOICE[1]]


@pytest.mark.parametrize("column", [*VOICE, KIND])
def test_what_is_not_given_is_not_heard_before_it_is_told(column: int) -> None:
    _, module = made()
    rows = piece(12)
    shown = all_but(rows, column)
    shown[8:] = False
    other = rows.copy()
    other[8:] = piece(12, seed=5)[8:]
    # All that comes from step 8 on is new, and none of it is given.
    assert np.array_equal(costs(module, rows, shown)[:8], costs(module, other, shown)[:8])


def test_the_probabilities_of_what_is_not_given_add_up_to_one() -> None:
    net, module = made()
    rows = piece(4)
    shown = all_but(rows, VOICE[3])
    player = net.player({name: weight.numpy() for name, weight in module.state_dict().items()})
    player.show(rows, shown)
    for row in rows.tolist():
        for column, word in enumerate(row):
            if column == VOICE[3]:
                logits = player.logits(column).astype(np.float64)
                assert len(logits) == HEIGHTS + 2
                assert np.exp(logits - np.logaddexp.reduce(logits)).sum() == pytest.approx(1)
            player.put(column, word)


@settings(max_examples=10, deadline=None)
@given(cut=st.integers(1, 12), seed=st.integers(0, 99))
def test_going_on_from_any_step_equals_one_pass(cut: int, seed: int) -> None:
    _, module = made()
    rows = torch.from_numpy(piece(13, seed))[None]
    with torch.no_grad():
        whole = module(rows)[0]
        first, state, _ = module(rows[:, :cut])
        second, state, _ = module(rows[:, cut : cut + 1], state)
        third = module(rows[:, cut + 1 :], state)[0] if cut < 12 else rows[:, :0]
    assert torch.allclose(whole, torch.cat([first, second, third], dim=1), atol=2e-4)


def test_only_chosen_steps_cost_something_and_the_same_as_ever() -> None:
    _, module = made()
    rows = torch.from_numpy(piece(9))[None]
    chosen = torch.arange(9)[None] % 2 == 0
    with torch.no_grad():
        some, all_steps = module(rows, chosen=chosen)[0], module(rows)[0]
    assert torch.allclose(some[:, ::2], all_steps[:, ::2], atol=1e-5)
    assert not some[:, 1::2].any()


def test_training_gives_some_fields_in_advance_but_never_all() -> None:
    _, module = made(reveal=1.0)
    shown = module._chance(torch.ones(200, 20, dtype=torch.bool))
    assert not shown[:, :, [column for column in range(len(COLUMNS.sizes)) if column not in COLUMNS.predicted]].any()
    share = shown[:, :, list(COLUMNS.predicted)].float().mean((1, 2))
    assert share.min() > 0
    assert share.max() < 1


def test_each_weight_gets_a_gradient_where_some_fields_are_given() -> None:
    _, module = made()
    rows = torch.from_numpy(np.stack([piece(9, seed) for seed in range(12)]))
    for written in (VOICE[:2], VOICE[2:]):
        shown = torch.from_numpy(np.stack([all_but(row, KIND, *written) for row in rows.numpy()]))
        (module(rows)[0].sum() + module(rows, shown=shown)[0].sum()).backward()
    missing = [name for name, weight in module.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert missing == []


@pytest.mark.parametrize("reach", [1, 2, 4, 8])
def test_a_voice_sees_directly_what_another_will_sound_and_only_where_it_is_given(reach: int) -> None:
    _, module = made()
    with torch.no_grad():
        for weight in (*module.given_to_outer.parameters(), *module.given_to_inner.parameters()):
            weight.zero_()  # the reader says nothing
    rows = piece(14)
    other = rows.copy()
    sounds = COLUMNS.names.index("sounds B")
    other[3 + reach, sounds] = rows[3 + reach, sounds] % HEIGHTS + 1
    tenor = COLUMNS.names.index("voice T")
    given, hidden = all_but(rows, KIND, tenor), all_but(rows, KIND, tenor, COLUMNS.names.index("voice B"))
    assert costs(module, rows, given)[3, tenor] != pytest.approx(costs(module, other, given)[3, tenor], abs=1e-4)
    assert costs(module, rows, hidden)[3, tenor] == pytest.approx(costs(module, other, hidden)[3, tenor], abs=1e-6)


@pytest.mark.parametrize(
    ("apart", "moves", "counts"), [(7, 2, True), (12, -1, True), (0, 3, True), (4, 2, False), (7, 0, False)]
)
def test_one_score_is_for_the_height_that_keeps_a_perfect_interval_while_another_voice_moves(
    apart: int, moves: int, counts: bool
) -> None:
    net, module = made()
    tenor = COLUMNS.names.index("voice T")
    pairs = net.config.parallels[tenor]
    of_bass = next(index for index, pair in enumerate(pairs) if COLUMNS.names[pair.last] == "last B")
    first = COLUMNS.sizes[tenor] + (2 * REACH + 1) * len(net.config.ladder[tenor])
    with torch.no_grad():
        for weight in module.parameters():
            weight.zero_()
        module.words[str(tenor)].bias[first + of_bass] = -3.0
    sounds = np.array([[25, 20, 5 + apart, 5]] * 2)
    found = {}
    for height in (5 + apart + moves, 5 + apart + moves + 1):
        sounds[1, 2:] = height, 5 + moves
        told = lines.told(sounds, np.zeros((2, 4), bool) | (np.arange(2)[:, None] == 1))
        before = len(lines.BEFORE)
        rows = np.stack([[0, 1], *told[:, :before].T, [0, 0], *told[:, before:].T], axis=1)
        found[height] = costs(module, rows)[1, tenor]
        assert played(net, module, rows) == pytest.approx(costs(module, rows), abs=1e-5)
    same, other = found.values()
    assert same - other == pytest.approx(3.0 if counts else 0.0, abs=1e-5)


def test_a_network_that_never_learnt_it_cannot_be_given_anything() -> None:
    net, module = made(reveal=0.0)
    player = net.player({name: weight.numpy() for name, weight in module.state_dict().items()})
    rows = piece(3)
    with pytest.raises(ValueError, match="reveal above 0"):
        player.show(rows, all_but(rows, VOICE[0]))


@pytest.mark.parametrize(
    "changes", [{"hidden_dim": 0}, {"attention_dim": 9}, {"lead": 5}, {"dropout": 1.0}, {"reveal": 1.5}]
)
def test_sizes_that_make_no_sense_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"must be|expected"):
        network("voices", COLUMNS, **{**SMALL, **changes})


def test_what_a_player_writes_through_a_walk_is_music_in_four_voices() -> None:
    from kapelle.codecs.chorale import ChoraleCodec
    from kapelle.music import Meter, Wishes
    from kapelle.sampling import Taste, write

    codec = ChoraleCodec()
    net = network("chorale", Columns.of(codec.layout), **{**SMALL, "lead": 1})
    torch.manual_seed(0)
    player = net.player({name: weight.numpy() for name, weight in net.module().state_dict().items()})
    walk = codec.walk(Wishes(bars=2, meter=Meter.parse("3/4"), low=48, high=72, lineup=(52, 52, 52, 52)))
    draft = write(player, codec, walk, Taste(), np.random.default_rng(0))
    score = codec.decode(draft.steps)
    assert draft.finished
    assert len(score.bars()) - 1 - (score.pickup > 0) == 2
    assert all(48 <= pitch <= 72 for track in score.tracks for pitch in track.notes.pitch)
