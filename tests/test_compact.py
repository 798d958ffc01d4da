"""What a checkpoint holds of weights and moments, and that a run goes on from just that."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

torch = pytest.importorskip("torch")
from kapelle.training.compact import (  # noqa: E402
    BLOCK,
    OCTAVES,
    from_24_bits,
    from_codes,
    from_log_codes,
    pack,
    to_24_bits,
    to_codes,
    to_log_codes,
    unpack,
)

numbers = arrays(np.float32, st.integers(1, 3 * BLOCK), elements=st.floats(-1e6, 1e6, width=32))
squares = arrays(np.float32, st.integers(1, 3 * BLOCK), elements=st.floats(0, 1e6, width=32, allow_subnormal=False))


@given(numbers)
def test_a_weight_keeps_fifteen_bits_of_its_mantissa(values: np.ndarray) -> None:
    upper, left = to_24_bits(values)
    assert upper.nbytes == 3 * values.size
    assert np.array_equal(from_24_bits(upper, values.shape), left)
    assert (np.abs(left - values) <= np.abs(values) * 2.0**-16 + 1e-38).all()


@given(numbers)
def test_rounded_weights_stay_as_they_are(values: np.ndarray) -> None:
    _, once = to_24_bits(values)
    assert np.array_equal(to_24_bits(once)[1], once)


def test_weights_of_a_style_are_kept_whole() -> None:
    halves = np.random.default_rng(0).normal(size=1000).astype(np.float16).astype(np.float32)
    assert np.array_equal(to_24_bits(halves)[1], halves)


@given(numbers)
def test_a_code_is_off_by_half_a_step_at_most(values: np.ndarray) -> None:
    codes, scale = to_codes(values)
    left = from_codes(codes, scale, values.shape)
    largest = np.repeat([np.abs(block).max() for block in np.split(values, range(BLOCK, values.size, BLOCK))], BLOCK)
    assert (np.abs(left - values) <= largest[: values.size] * (0.51 / 127) + 1e-37).all()


@given(squares)
def test_a_logarithmic_code_is_off_by_half_a_step_of_the_octaves_there_are_and_nothing_stays_nothing(
    values: np.ndarray,
) -> None:
    codes, ends = to_log_codes(values)
    left = from_log_codes(codes, ends, values.shape)
    assert np.array_equal(left == 0, values == 0)
    for begin in range(0, values.size, BLOCK):
        block, back = values[begin : begin + BLOCK], left[begin : begin + BLOCK]
        told = block >= block.max() * 2.0**-OCTAVES
        there = told & (block > 0)
        assert (np.abs(np.log2(back[there] / block[there])) <= 0.52 * OCTAVES / 254 + 1e-4).all()
        assert (back[~told & (block > 0)] >= block[~told & (block > 0)] * 0.9).all()


def learnt(optimiser: str) -> tuple[torch.nn.Module, torch.nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(20, 30, bias=False), torch.nn.BatchNorm1d(30), torch.nn.Linear(30, 5))
    average = copy.deepcopy(module)
    made = getattr(torch.optim, optimiser)(module.parameters(), lr=1e-3)
    for _ in range(5):
        module(torch.randn(8, 20)).square().sum().backward()
        made.step()
        made.zero_grad()
        for own, new in zip(average.parameters(), module.parameters(), strict=True):
            own.data.lerp_(new.data, 0.1)
    return module, average, made


@pytest.mark.parametrize("optimiser", ["Adam", "AdamW", "RMSprop"])
def test_what_is_packed_is_what_goes_on(optimiser: str) -> None:
    run, other = learnt(optimiser), learnt(optimiser)
    packed = pack(*run)
    unpack(packed, *run)
    with torch.no_grad():
        for parameter in other[0].parameters():
            parameter.add_(1)
    unpack(packed, *other)
    for mine, theirs in zip(run[:2], other[:2], strict=True):
        for name, tensor in mine.state_dict().items():
            assert torch.equal(tensor, theirs.state_dict()[name]), name
    states = [one[2].state_dict()["state"] for one in (run, other)]
    for index, state in states[0].items():
        for name, tensor in state.items():
            assert torch.equal(tensor, states[1][index][name]), name


@pytest.mark.parametrize("optimiser", ["AdamW", "RMSprop"])
def test_rounding_hardly_moves_what_the_optimiser_does_next(optimiser: str) -> None:
    run, whole = learnt(optimiser), learnt(optimiser)
    unpack(pack(*run), *run)
    before = [parameter.detach().clone() for parameter in whole[0].parameters()]
    for module, _, made in (run, whole):
        torch.manual_seed(1)
        module(torch.randn(8, 20)).square().sum().backward()
        made.step()
    for old, rounded, exact in zip(before, run[0].parameters(), whole[0].parameters(), strict=True):
        moved = (exact - old).abs().max()
        assert (rounded - exact).abs().max() < 0.06 * moved


def test_a_weight_takes_six_bytes_and_a_little() -> None:
    module = torch.nn.LSTM(64, 64)
    made = torch.optim.AdamW(module.parameters())
    module(torch.randn(3, 1, 64))[0].sum().backward()
    made.step()
    size = sum(array.nbytes for array in pack(module, copy.deepcopy(module), made).values())
    assert size < 6.2 * sum(parameter.numel() for parameter in module.parameters())
