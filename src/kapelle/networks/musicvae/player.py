"""The musicvae network in numpy, many windows at once, for composing without torch."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..recurrent import Floats, Weights
from .config import FLAT, MusicVaeConfig

Words = NDArray[np.integer[Any]]


class MusicVaePlayer:
    """Encodes windows to points and tells windows from points, equal to `MusicVaeModule`.

    Many windows of one length are played at once: `begin`, then for each step, of each predicted column in order,
    `logits` and `put`.
    """

    def __init__(self, config: MusicVaeConfig, weights: Weights) -> None:
        self.config = config
        self._weights = {name: np.ascontiguousarray(weight, np.float32) for name, weight in weights.items()}
        own, columns = self._weights, config.columns
        self._embed = own["embed.weight"]
        self._offsets = np.array(columns.offsets)
        flat = config.encoder == FLAT
        if flat or not config.plan_dim:
            self._segment = _BothWays(own, "encoder.steps." if flat else "encoder.segment.", config.encoder_dims)
        if not flat:
            self._segments = _BothWays(own, "encoder.steps.", config.encoder_dims)
        if config.ear:
            self._ear = _BothWays(own, "ear.", (config.ear_dim,))
        self._core = _Stack(own, "decoder.core.", config.decoder_dims)
        if config.decoder != FLAT:
            self._conductor = _Stack(own, "decoder.conductor.", config.conductor_dims)
        first = np.cumsum((0, *config.group_sizes))
        self._group_of = {column: number for number, group in enumerate(config.groups) for column in group}
        self._slices = [slice(int(start), int(stop)) for start, stop in pairwise(first)]

    def _embedded(self, steps: Words, columns: tuple[int, ...]) -> Floats:
        """Some columns of steps (..., F) as vectors, (..., E)."""
        chosen = list(columns)
        return np.asarray(self._embed[np.asarray(steps)[..., chosen] + self._offsets[chosen]].sum(-2))

    def _linear(self, name: str, x: Floats) -> Floats:
        return np.asarray(x @ self._weights[name + ".weight"].T + self._weights[name + ".bias"])

    # -- to points --------------------------------------------------------------------------------

    def encode(self, steps: Words) -> tuple[Floats, Floats]:
        """Mean and standard deviation of the point of each window.

        Args:
            steps: of windows of one length and one segmentation, shape (N, T, F).

        Returns:
            Two arrays of shape (N, Z).
        """
        config = self.config
        x = self._embedded(steps, config.seen)
        if config.encoder == FLAT:
            code = self._segment.ends(x)
        else:
            segments = int(steps[0, :, self._column("bar")].max()) + 1
            parts = x.reshape(len(x), segments, -1, x.shape[-1])
            if not config.plan_dim:
                rows = self._segment.ends(parts.reshape(-1, *parts.shape[2:])).reshape(len(x), segments, -1)
                code = self._segments.ends(rows)
            else:
                rows = np.zeros((len(x), config.segments, config.segment_steps * config.embed_dim), np.float32)
                rows[:, :segments, : parts.shape[2] * parts.shape[3]] = parts.reshape(len(x), segments, -1)
                rows = np.maximum(self._linear("encoder.segment", rows), 0)
                if config.shares > 1:
                    code = np.concatenate([self._segments.along(rows), rows], -1)
                else:
                    code = np.hstack([self._segments.ends(rows), rows.reshape(len(x), -1)])
        mean, spread = (self._linear(name, code).reshape(len(x), -1) for name in ("to_mean", "to_deviation"))
        return mean, np.asarray(np.logaddexp(0, spread) + 1e-4, np.float32)

    def _column(self, name: str) -> int:
        return self.config.columns.names.index(name)

    # -- from points ------------------------------------------------------------------------------

    @property
    def alone(self) -> bool:
        """Whether it has learnt to tell windows from their points alone."""
        return self.config.untold > 0

    def begin(self, points: Floats, given: Words, blind: bool = False) -> None:
        """Be at the start of windows.

        Args:
            points: one a window, shape (N, Z).
            given: the steps in which the given columns are filled in, shape (T, F), or (N, T, F) where they are not
                the same for all windows; metre, bar and position are.
            blind: whether what is said of a step is not told to those after it.
        """
        config = self.config
        given = np.asarray(given).reshape(-1, *np.shape(given)[-2:])
        self._given, self._at, self._blind = given.swapaxes(0, 1), 0, blind
        if config.ear:
            self._heard = self._ear.along(self._embedded(given, (*config.given, *config.heard)))
        self._points = np.asarray(points, np.float32)
        self._past = np.zeros((len(points), config.embed_dim), np.float32)
        if config.decoder == FLAT:
            self._core.start(self._points)
        else:
            self._conductor.start(self._points)
            if config.shares > 1:
                shares = np.split(self._points, config.shares, 1)
                self._batons = [self._conductor.step(share) + self._linear("decoder.direct", share) for share in shares]
            else:
                self._batons = [self._conductor.step(self._points).copy() for _ in range(config.segments)]
        self._begin_step()

    def logits(self, column: int) -> Floats:
        """Unnormalised log-probabilities of the words of a predicted column, shape (N, words)."""
        group = self.config.groups[self._group_of[column]]
        own = self._hidden[:, self._slices[self._group_of[column]]]
        if self.config.chain:
            own = own + self._chained[:, self._slices[self._group_of[column]]]
        if len(group) == 1:
            return np.asarray(own)
        # Of all combinations those count that agree with what the columns before have got.
        place = group.index(column)
        words = np.arange(own.shape[1])
        agree = (words & ((1 << place) - 1))[None] == self._joint[:, None]
        both = [np.where(agree & ((words >> place) & 1 == bit)[None], own, -np.inf) for bit in (0, 1)]
        best = np.max(both, axis=(0, 2))[:, None]
        with np.errstate(divide="ignore"):
            return np.asarray(np.stack([np.log(np.exp(row - best).sum(1)) for row in both], 1) + best, np.float32)

    def put(self, column: int, words: Words) -> None:
        """Say which word a column has in each window, shape (N,)."""
        config = self.config
        number = self._group_of[column]
        group, own = config.groups[number], self._slices[number]
        if len(group) > 1:
            self._joint |= words.astype(np.int64) << group.index(column)
        elif config.chain:
            # What it adds to columns that are decided on already is not looked at again.
            self._chained += self._weights["told"][own.start + words]
        self._next += self._embed[self._offsets[column] + words]
        if column == config.columns.predicted[-1]:
            self._at, self._past = self._at + 1, self._past if self._blind else self._next
            if self._at < len(self._given):
                self._begin_step()

    def _begin_step(self) -> None:
        config = self.config
        rows = self._given[self._at]
        row, x = rows[0], self._past + self._embedded(rows, config.given)
        if config.ear:
            ear = np.broadcast_to(self._heard[:, self._at], (len(x), config.ear))
            x = np.hstack([x, ear])
        if config.decoder == FLAT:
            vector = self._points
        else:
            segment, place = int(row[self._column("bar")]), int(row[self._column("position")])
            vector = self._batons[segment]
            if place == 0:
                self._core.start(vector)
                if config.plan_dim:
                    plan = self._linear("decoder.plan", vector)
                    self._plan = plan.reshape(len(plan), config.segment_steps, config.plan_dim)
            if config.plan_dim:
                vector = self._plan[:, place]
        out = self._core.step(np.hstack([x, vector]))
        if config.decoder != FLAT and config.plan_dim:
            out = np.hstack([out, vector])
        if config.ear:
            out = np.hstack([out, ear])
        self._hidden = self._linear("words", out)
        self._chained = np.zeros_like(self._hidden)
        self._joint = np.zeros(len(x), np.int64)
        self._next = np.zeros_like(self._past)


class _Cells:
    """A layer of LSTM over the weights of torch, moving many rows one step at once."""

    def __init__(self, weights: Weights, prefix: str) -> None:
        self._from_input, self._from_past = (
            np.ascontiguousarray(weights[f"{prefix}weight_{kind}_l0"].T) for kind in ("ih", "hh")
        )
        self._bias = weights[f"{prefix}bias_ih_l0"] + weights[f"{prefix}bias_hh_l0"]
        self.size = len(self._from_past)
        self.h = self.c = np.zeros((1, self.size), np.float32)

    def step(self, x: Floats) -> Floats:
        """One step from inputs (N, I); the outputs (N, D)."""
        gates = x @ self._from_input + self.h @ self._from_past + self._bias
        write, keep, new, show = np.split(gates, 4, axis=-1)
        self.c = _sigmoid(keep) * self.c + _sigmoid(write) * np.tanh(new)
        self.h = _sigmoid(show) * np.tanh(self.c)
        return self.h

    def all(self, x: Floats) -> Floats:
        """The outputs of all steps from the first on, (N, T, D)."""
        self.h = self.c = np.zeros((len(x), self.size), np.float32)
        return np.stack([self.step(x[:, at]) for at in range(x.shape[1])], 1)


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(0.5 * (np.tanh(0.5 * x) + 1))


class _BothWays:
    """Layers of LSTM in both directions."""

    def __init__(self, weights: Weights, prefix: str, dims: tuple[int, ...]) -> None:
        self._layers = [
            (_Cells(weights, f"{prefix}forth.{number}."), _Cells(weights, f"{prefix}back.{number}."))
            for number in range(len(dims))
        ]

    def along(self, x: Floats) -> Floats:
        """Of each step what both directions have seen until there, (N, T, 2 * D)."""
        for forth, back in self._layers:
            x = np.concatenate([forth.all(x), back.all(x[:, ::-1])[:, ::-1]], -1)
        return x

    def ends(self, x: Floats) -> Floats:
        """The last states of both directions, (N, 2 * D)."""
        x = self.along(x)
        size = x.shape[-1] // 2
        return np.hstack([x[:, -1, :size], x[:, 0, size:]])


class _Stack:
    """Layers of LSTM whose first states come from a vector."""

    def __init__(self, weights: Weights, prefix: str, dims: tuple[int, ...]) -> None:
        self._start = weights[prefix + "start.weight"].T, weights[prefix + "start.bias"]
        self._layers = [_Cells(weights, f"{prefix}layers.{number}.") for number in range(len(dims))]

    def start(self, vector: Floats) -> None:
        """Begin from vectors (N, V)."""
        states = np.tanh(vector @ self._start[0] + self._start[1])
        first = 0
        for layer in self._layers:
            layer.h = states[:, first : first + layer.size]
            layer.c = states[:, first + layer.size : first + 2 * layer.size]
            first += 2 * layer.size

    def step(self, x: Floats) -> Floats:
        """One step from inputs (N, I); the top layer's outputs (N, D)."""
        for layer in self._layers:
            x = layer.step(x)
        return x


__all__ = ["MusicVaePlayer"]
