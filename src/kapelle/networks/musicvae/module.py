"""The musicvae network in torch."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..scoring import scored
from .config import FLAT, MusicVaeConfig

SURE = -3.0
"""Where the deviation of points begins, before the softplus."""


class MusicVaeModule(nn.Module):
    """A variational autoencoder of windows, as in Roberts et al. 2018 (arXiv:1803.05428).

    Args:
        config: its shape.
    """

    seen: Tensor
    earlier: Tensor

    def __init__(self, config: MusicVaeConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.columns.total, config.embed_dim)
        nn.init.normal_(self.embed.weight, std=1 / math.sqrt(config.embed_dim))
        self.register_buffer("offsets", torch.tensor(config.columns.offsets), persistent=False)
        # How many updates have been learnt from: beta and sampling go by it.
        self.register_buffer("seen", torch.zeros(1, dtype=torch.long))
        self.encoder = _FlatEncoder(config) if config.encoder == FLAT else _HierarchicalEncoder(config)
        self.to_mean = nn.Linear(self.encoder.size, config.latent_dim)
        self.to_deviation = nn.Linear(self.encoder.size, config.latent_dim)
        # Points that hardly scatter are learnt to be told apart first; what that costs is learnt after.
        nn.init.constant_(self.to_deviation.bias, SURE)
        if config.ear:
            self.ear = _BothWays(config.embed_dim, (config.ear_dim,))
        self.decoder = _FlatDecoder(config) if config.decoder == FLAT else _HierarchicalDecoder(config)
        words = sum(config.group_sizes)
        self.words = nn.Linear(self.decoder.size + config.ear, words)
        if config.chain:
            self.told = nn.Parameter(torch.zeros(words, words))
            group = torch.tensor([g for g, size in enumerate(config.group_sizes) for _ in range(size)])
            self.register_buffer("earlier", (group[:, None] < group[None]).float(), persistent=False)

    def forward(
        self, steps: Tensor, state: Tensor | None = None, real: Tensor | None = None, smoothing: float = 0.0
    ) -> tuple[Tensor, Any, Tensor]:
        """What windows cost: to tell them given their points, and the code of the points.

        In training a point is drawn from its distribution, and some windows are told without what was said before. Else
        it is its mean, and each window is told both ways; where windows can be heard only from what was said before.

        Args:
            steps: words, whole windows, shape (B, T, F).
            state: a window has no past; what is heard of each instead of itself, shape (B, T, F), or None.
            real: which steps are no filling, shape (B, T); all if not given.
            smoothing: see `scored`.

        Returns:
            Cost in nats of each field, with the window's code spread over the steps of the first predicted column,
            weighted as in training, shape (B, T, F); None; and whether no other word was held more likely.
        """
        config = self.config
        real = torch.ones_like(steps[:, :, 0], dtype=torch.bool) if real is None else real
        mean, deviation = self.encode(steps if state is None else state, real)
        z = mean + deviation * torch.randn_like(mean) if self.training else mean
        costs, hits = self.decode(z, steps, real, smoothing)
        if not self.training and config.untold and not config.heard:
            costs = torch.lerp(costs, self.decode(z, steps, real, smoothing, alone=True)[0], config.untold)
        beta = self._beta(steps)
        self.seen += int(self.training)
        code = beta * F.relu(divergence(mean, deviation) - config.free_nats)
        share = (code / real.sum(1)).unsqueeze(1)
        costs[:, :, config.columns.predicted[0]] += share
        return costs, None, hits

    def _beta(self, steps: Tensor) -> Tensor:
        """The weight of each window's code, (B,)."""
        config = self.config
        rises = self.training and config.beta_rate
        beta = config.beta * (1 - config.beta_rate ** int(self.seen) if rises else 1.0)
        return torch.where(self._heard(steps) & bool(config.ear), 1.0, beta)

    def _heard(self, steps: Tensor) -> Tensor:
        """Of which windows something is heard, (B,)."""
        return (steps[:, :, list(self.config.heard)] > 0).flatten(1).any(1)

    def encode(self, steps: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of each window's point, each (B, Z)."""
        embedded = self._embedded(steps, self.config.seen) * real.unsqueeze(-1)  # (B, T, E)
        x = self.encoder(embedded, _geometry(self.config, steps, real), real.sum(1))
        return self.to_mean(x).flatten(1), F.softplus(self.to_deviation(x).flatten(1)) + 1e-4

    def _embedded(self, steps: Tensor, columns: tuple[int, ...]) -> Tensor:
        """Some columns of steps (B, T, F) as vectors, (B, T, E)."""
        chosen = list(columns)
        vectors: Tensor = self.embed(steps[:, :, chosen] + self.offsets[chosen]).sum(2)
        return vectors

    def decode(
        self, z: Tensor, steps: Tensor, real: Tensor, smoothing: float = 0.0, alone: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Costs and hits of windows given points (B, Z), each told what was said before, or not; both (B, T, F)."""
        config = self.config
        geometry = _geometry(config, steps, real)
        ear = self._ear(steps, real)
        predicted = list(config.columns.predicted)
        before = F.pad(steps[:, :-1, predicted], (0, 0, 1, 0))
        told = torch.ones_like(real, dtype=torch.float)
        told[:, 0 : steps.shape[1] if alone else 1] = 0
        chance = self._sampling()
        if chance > 1e-3:
            # In parallel, as in Duckworth et al. 2019 (arXiv:1906.04331): from what it says when told the truth.
            with torch.no_grad():
                said = self._drawn(self._logits(z, before, told, steps, ear, geometry))
            own = torch.rand_like(told[:, 1:]) < chance
            before[:, 1:] = torch.where(own.unsqueeze(-1), said[:, :-1], before[:, 1:])
        if self.training:
            told = told * (torch.rand_like(told) >= config.blind) * (torch.rand_like(told[:, :1]) >= config.untold)
        logits = self._logits(z, before, told, steps, ear, geometry)
        groups = self._grouped(steps)
        if config.chain:
            logits = logits + self._one_hot(groups) @ (self.told * self.earlier)
        costs = torch.zeros(steps.shape, dtype=torch.float, device=steps.device)
        hits = torch.zeros(steps.shape, dtype=torch.bool, device=steps.device)
        for group, own, words in zip(config.groups, logits.split(config.group_sizes, -1), groups, strict=True):
            costs[:, :, group[0]], hit = scored(own, words, smoothing)
            hits[:, :, list(group)] = hit.unsqueeze(-1)
        return costs, hits

    def _ear(self, steps: Tensor, real: Tensor) -> Tensor:
        """What each step of the decoder is told of what is heard, (B, T, ear); nothing where nothing can be."""
        config = self.config
        if not config.ear:
            return steps.new_zeros((*steps.shape[:2], 0), dtype=torch.float)
        heard = self._embedded(steps, (*config.given, *config.heard)) * real.unsqueeze(-1)
        told: Tensor = self.ear.along(heard, real.sum(1))
        return F.dropout(told, config.dropout, self.training)

    def _logits(
        self, z: Tensor, before: Tensor, told: Tensor, steps: Tensor, ear: Tensor, geometry: Any
    ) -> Tensor:  # fmt: skip
        """Of each group's words by itself, (B, T, sum of words), from what was said a step ago, where that is told."""
        config = self.config
        past = self.embed(before + self.offsets[list(config.columns.predicted)]).sum(2) * told.unsqueeze(-1)
        here = self._embedded(steps, config.given)
        x = self.decoder(z, torch.cat([past + here, ear], -1), geometry)
        # What is heard speaks for itself too.
        return self.words(torch.cat([F.dropout(x, config.dropout, self.training), ear], -1))

    def _sampling(self) -> float:
        k = self.config.sampling
        if not self.training or not k:
            return 0.0
        return 1 - k / (k + math.exp(min(int(self.seen) / k, 50)))

    def _grouped(self, steps: Tensor) -> list[Tensor]:
        """The word of each group, each (B, T)."""
        return [
            sum((steps[:, :, column] << place for place, column in enumerate(group)), torch.zeros_like(steps[:, :, 0]))
            for group in self.config.groups
        ]

    def _one_hot(self, groups: list[Tensor]) -> Tensor:
        sizes = self.config.group_sizes
        return torch.cat([F.one_hot(own, size) for own, size in zip(groups, sizes, strict=True)], -1).float()

    def _drawn(self, logits: Tensor) -> Tensor:
        """Words drawn from logits, (B, T, predicted columns)."""
        config, words = self.config, {}
        for group, own in zip(config.groups, logits.split(config.group_sizes, -1), strict=True):
            drawn = torch.distributions.Categorical(logits=own).sample()
            for place, column in enumerate(group):
                words[column] = (drawn >> place) & 1 if len(group) > 1 else drawn
        return torch.stack([words[column] for column in config.columns.predicted], -1)


def divergence(mean: Tensor, deviation: Tensor) -> Tensor:
    """Nats from a standard normal distribution to each row's, (B,)."""
    return (0.5 * (mean**2 + deviation**2 - 1) - deviation.log()).sum(-1)


class _Geometry:
    """Where the steps of windows lie in their segments.

    Attributes:
        inside: for each segment and place the step there, (B, S, L), and whether there is one.
        back: for each step its place among all segments' places, (B, T).
    """

    def __init__(self, bar: Tensor, position: Tensor, real: Tensor, segments: int, places: int) -> None:
        length = (position * real).amax(1) + 1  # (B,)
        # Short segments are not filled up to the longest there might be.
        places = min(places, int(length.max()))
        segment = torch.arange(segments, device=bar.device)[None, :, None]
        place = torch.arange(places, device=bar.device)[None, None]
        step = segment * length[:, None, None] + place
        self.there = (place < length[:, None, None]) & (step < real.sum(1)[:, None, None])
        self.inside = step.clamp(max=bar.shape[1] - 1)
        self.back = bar * places + position

    def split(self, x: Tensor) -> Tensor:
        """(B, T, D) -> (B, S, L, D), zeros where there is no step."""
        index = self.inside.flatten(1).unsqueeze(-1).expand(-1, -1, x.shape[-1])
        return x.gather(1, index).unflatten(1, self.inside.shape[1:]) * self.there.unsqueeze(-1)

    def join(self, x: Tensor) -> Tensor:
        """(B, S, L, D) -> (B, T, D)."""
        return x.flatten(1, 2).gather(1, self.back.unsqueeze(-1).expand(-1, -1, x.shape[-1]))


def _geometry(config: MusicVaeConfig, steps: Tensor, real: Tensor) -> _Geometry | None:
    if config.encoder == config.decoder == FLAT:
        return None
    bar, position = (steps[:, :, config.columns.names.index(name)] for name in ("bar", "position"))
    return _Geometry(bar, position, real, config.segments, config.segment_steps)


class _BothWays(nn.Module):
    """Layers of LSTM in both directions; the last states of both, (B, 2 * D)."""

    def __init__(self, input_dim: int, dims: tuple[int, ...]) -> None:
        super().__init__()
        inputs = (input_dim, *(2 * dim for dim in dims[:-1]))
        self.forth = nn.ModuleList(nn.LSTM(size, dim, batch_first=True) for size, dim in zip(inputs, dims, strict=True))
        self.back = nn.ModuleList(nn.LSTM(size, dim, batch_first=True) for size, dim in zip(inputs, dims, strict=True))
        self.size = 2 * dims[-1]

    def along(self, x: Tensor, length: Tensor) -> Tensor:
        """Of each step what both directions have seen until there, (B, T, 2 * D)."""
        time = torch.arange(x.shape[1], device=x.device)[None]
        turned = torch.where(time < length[:, None], length[:, None] - 1 - time, time).unsqueeze(-1)
        for forth, back in zip(self.forth, self.back, strict=True):
            again = back(x.gather(1, turned.expand(-1, -1, x.shape[-1])))[0]
            x = torch.cat([forth(x)[0], again.gather(1, turned.expand(-1, -1, again.shape[-1]))], -1)
        return x

    def forward(self, x: Tensor, length: Tensor) -> Tensor:
        there, again = self.along(x, length).split(self.size // 2, -1)
        # Forth all is seen at the last real step, back at the first.
        last = (length - 1)[:, None, None].expand(-1, 1, there.shape[-1])
        return torch.cat([there.gather(1, last).squeeze(1), again[:, 0]], -1)


class _FlatEncoder(nn.Module):
    def __init__(self, config: MusicVaeConfig) -> None:
        super().__init__()
        self.steps = _BothWays(config.embed_dim, config.encoder_dims)
        self.size = self.steps.size

    def forward(self, x: Tensor, geometry: _Geometry, length: Tensor) -> Tensor:
        return self.steps(x, length)


class _HierarchicalEncoder(nn.Module):
    """Each segment by itself, then along the segments."""

    def __init__(self, config: MusicVaeConfig) -> None:
        super().__init__()
        self.config = config
        dims = config.encoder_dims
        if config.plan_dim:
            self.segment = nn.Linear(config.segment_steps * config.embed_dim, dims[-1])
            self.steps = _BothWays(dims[-1], dims)
        else:
            self.segment = _BothWays(config.embed_dim, dims)
            self.steps = _BothWays(self.segment.size, dims)
        self.size = self.steps.size + dims[-1] * (config.segments // config.shares) * bool(config.plan_dim)

    def forward(self, x: Tensor, geometry: _Geometry, length: Tensor) -> Tensor:
        parts = geometry.split(x)  # (B, S, L, E)
        filled = geometry.there.any(-1).sum(1)  # (B,)
        if not self.config.plan_dim:
            inside = geometry.there.sum(-1).flatten().clamp(min=1)
            rows = self.segment(parts.flatten(0, 1), inside).unflatten(0, parts.shape[:2])
            return self.steps(rows, filled)
        parts = parts.flatten(2)
        seen = F.linear(parts, self.segment.weight[:, : parts.shape[2]], self.segment.bias)
        rows = F.dropout(F.relu(seen), self.config.dropout, self.training)
        if self.config.shares == 1:
            return torch.cat([self.steps(rows, filled), rows.flatten(1)], -1)
        # A segment is seen by itself, and by the ways to it from both ends.
        return torch.cat([self.steps.along(rows, filled), rows], -1)


class _Stack(nn.Module):
    """Layers of LSTM whose first states come from a vector."""

    def __init__(self, start_dim: int, input_dim: int, dims: tuple[int, ...]) -> None:
        super().__init__()
        self.start = nn.Linear(start_dim, 2 * sum(dims))
        inputs = (input_dim, *dims[:-1])
        self.layers = nn.ModuleList(
            nn.LSTM(size, dim, batch_first=True) for size, dim in zip(inputs, dims, strict=True)
        )
        self.dims = dims

    def forward(self, start: Tensor, x: Tensor) -> Tensor:
        states = torch.tanh(self.start(start)).unsqueeze(0).split([dim for dim in self.dims for _ in "hc"], -1)
        for number, layer in enumerate(self.layers):
            x = layer(x, (states[2 * number].contiguous(), states[2 * number + 1].contiguous()))[0]
        return x


class _FlatDecoder(nn.Module):
    def __init__(self, config: MusicVaeConfig) -> None:
        super().__init__()
        self.core = _Stack(config.latent_dim, config.embed_dim + config.ear + config.latent_dim, config.decoder_dims)
        self.size = config.decoder_dims[-1]

    def forward(self, z: Tensor, x: Tensor, geometry: _Geometry) -> Tensor:
        return self.core(z, torch.cat([x, z.unsqueeze(1).expand(-1, x.shape[1], -1)], -1))


class _HierarchicalDecoder(nn.Module):
    """A conductor gives each segment a vector; the core tells the segment from it, begun anew."""

    def __init__(self, config: MusicVaeConfig) -> None:
        super().__init__()
        self.config = config
        inner = config.conductor_dims[-1]
        self.conductor = _Stack(config.point_dim, config.latent_dim, config.conductor_dims)
        if config.shares > 1:
            self.direct = nn.Linear(config.latent_dim, inner)
        if config.plan_dim:
            self.plan = nn.Linear(inner, config.segment_steps * config.plan_dim)
        self.core = _Stack(inner, config.embed_dim + config.ear + (config.plan_dim or inner), config.decoder_dims)
        self.size = config.decoder_dims[-1] + config.plan_dim

    def forward(self, z: Tensor, x: Tensor, geometry: _Geometry) -> Tensor:
        config = self.config
        if config.shares > 1:
            shares = z.unflatten(-1, (config.shares, -1))
            baton = self.conductor(z, shares) + self.direct(shares)  # (B, S, C)
        else:
            baton = self.conductor(z, z.unsqueeze(1).expand(-1, config.segments, -1))
        if config.plan_dim:
            plan = self.plan(baton).unflatten(-1, (config.segment_steps, config.plan_dim))
        else:
            plan = baton.unsqueeze(2).expand(-1, -1, config.segment_steps, -1)
        parts = geometry.split(x)
        x = torch.cat([parts, plan[:, :, : parts.shape[2]]], -1)
        out = self.core(baton.flatten(0, 1), x.flatten(0, 1)).unflatten(0, x.shape[:2])
        if config.plan_dim:
            # The plan speaks for itself too.
            out = torch.cat([out, x[:, :, :, -config.plan_dim :]], -1)
        return geometry.join(out)
