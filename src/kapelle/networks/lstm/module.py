"""The reference LSTM networks in torch, for training."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..scoring import scored
from .config import LstmConfig

# B pieces, T steps, K predicted columns, N = T * K tokens, H units of a layer, V words of all predicted columns


class LstmModule(nn.Module):
    """A stack of LSTM layers that predicts each field of a step from all fields before it.

    Source:
        Skuldur 2017 (Classical-Piano-Composer), Softology's LSTM Composer, and the event LSTMs; see
        `PRESETS`. Differs: the originals predict one of the chords of the corpus after a window of 100;
        here every note is told with all its fields, every position is trained, and a piece has a start.
    """

    def __init__(self, config: LstmConfig) -> None:
        super().__init__()
        self.config = config
        columns = config.columns
        self.sizes = [columns.sizes[column] for column in columns.predicted]
        self.starts = [sum(self.sizes[:index]) for index in range(len(self.sizes))]
        self.total = sum(self.sizes)
        self.register_buffer("offsets", torch.tensor(self.starts), persistent=False)
        widths = {"embedding": config.embed_dim, "one-hot": self.total + 1, "scalar": 1}
        if config.input == "embedding":
            self.embed = nn.Embedding(self.total + 1, config.embed_dim)  # the last one is the start of a piece
        inputs = (widths[config.input], *config.hidden_dims)
        self.layers = nn.ModuleList(
            nn.LSTM(inputs[i], size, batch_first=True) for i, size in enumerate(config.hidden_dims)
        )
        top = config.hidden_dims[-1]
        self.dense = nn.Linear(top, config.dense_dim) if config.dense_dim else None
        sizes = [*config.hidden_dims, *([config.dense_dim] if config.dense_dim else [])]
        self.norms = nn.ModuleList(nn.BatchNorm1d(size) for size in sizes) if config.batch_norm else None
        self.words = nn.Linear(sizes[-1], self.total)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        steps: Tensor,
        state: tuple[Tensor, ...] | None = None,
        real: Tensor | None = None,
        smoothing: float = 0.0,
    ) -> tuple[Tensor, tuple[Tensor, ...], Tensor]:
        """Cost of every field; arguments and results as in `StepwiseModule.forward`, `real` for the batch norm."""
        predicted = list(self.config.columns.predicted)
        words = steps[:, :, predicted]  # (B, T, K)
        tokens = (words + self.offsets).flatten(1)  # (B, N)
        start = torch.full_like(tokens[:, :1], self.total) if state is None else state[0]
        x = self._input(torch.cat([start, tokens[:, :-1]], dim=1))  # (B, N, width)
        mask = None if real is None else real.repeat_interleave(len(predicted), dim=1)
        kept = [tokens[:, -1:]]
        for index, layer in enumerate(self.layers):
            past = None if state is None else (state[1 + 2 * index], state[2 + 2 * index])
            x, (h, c) = layer(x, past)  # (B, N, H)
            kept += [h, c]
            x = self._between(x, index, mask)
        if self.dense is not None:
            x = self.dense(x)
            x = self._between(F.relu(x) if self.config.dense_relu else x, len(self.layers), mask)
        x = x.unflatten(1, (-1, len(predicted)))  # (B, T, K, H)
        costs = torch.zeros(steps.shape, device=steps.device)
        hits = torch.zeros(steps.shape, dtype=torch.bool, device=steps.device)
        for index, column in enumerate(predicted):
            first, size = self.starts[index], self.sizes[index]
            weight, bias = self.words.weight[first : first + size], self.words.bias[first : first + size]
            logits = F.linear(x[:, :, index], weight, bias)  # (B, T, words of the column)
            costs[:, :, column], hits[:, :, column] = scored(logits, words[:, :, index], smoothing)
        return costs, tuple(kept), hits

    def _input(self, tokens: Tensor) -> Tensor:
        if self.config.input == "embedding":
            return self.embed(tokens)
        if self.config.input == "one-hot":
            return F.one_hot(tokens, self.total + 1).float()
        return (tokens / self.total).unsqueeze(-1)

    def _between(self, x: Tensor, index: int, mask: Tensor | None) -> Tensor:
        """Dropout and, where wanted, batch normalisation over the tokens that are no padding."""
        x = self.dropout(x)
        if self.norms is None:
            return x
        if mask is None:
            return self.norms[index](x.flatten(0, 1)).view(x.shape)
        normed = torch.zeros_like(x)
        normed[mask] = self.norms[index](x[mask]).to(x.dtype)
        return normed
