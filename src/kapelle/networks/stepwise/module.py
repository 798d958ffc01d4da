"""The stepwise network in torch, for training."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..scoring import scored
from .config import StepwiseConfig

# B pieces, T steps, F columns, E embed_dim, H hidden_dim, K predicted columns, I inner_dim, V words of a column,
# A attention_dim, N num_heads, W steps of the window


class StepwiseModule(nn.Module):
    """Exact joint likelihood of every field of every step.

    The outer LSTM reads one vector a step, so a piece is as long as it has notes. From its output and from
    the fields of the same step that were told before, a small network with one hidden layer decides on the
    next field: p(step | past) is the product over its fields. Music repeats itself, so the outer network can
    also look up earlier steps: those that came where the past was like it is now, and what they were.

    Source:
        The order "time first, then within the step" is that of Boulanger-Lewandowski et al. 2012
        (arXiv:1206.6392, RNN-NADE) and Johnson 2017 (biaxial); the inner network is a NADE (Larochelle and
        Murray 2011) over words. Differs: embeddings are shared by both networks, and columns that
        follow from the past are seen but not predicted. The looking up is the attention of Vaswani et al.
        2017 (arXiv:1706.03762, eq. 1) with the LSTM's state as query and key and the step itself as value,
        as in the pointer of Merity et al. 2017 (arXiv:1609.07843). Differs: it feeds the inner network.
    """

    def __init__(self, config: StepwiseConfig) -> None:
        super().__init__()
        self.config = config
        columns = config.columns
        self.register_buffer("offsets", torch.tensor(columns.offsets), persistent=False)
        self.embed = nn.Embedding(columns.total, config.embed_dim)
        nn.init.normal_(self.embed.weight, std=0.02)
        self.start = nn.Parameter(torch.zeros(config.embed_dim))
        inputs = [config.embed_dim] + [config.hidden_dim] * (config.num_layers - 1)
        self.outer = nn.ModuleList(nn.LSTM(size, config.hidden_dim, batch_first=True) for size in inputs)
        looked_up = config.attention_dim
        if looked_up:
            self.query = nn.Linear(config.hidden_dim, looked_up)
            self.key = nn.Linear(config.hidden_dim, looked_up)
            self.value = nn.Linear(config.embed_dim, looked_up)
        self.outer_to_inner = nn.Linear(config.hidden_dim + looked_up, len(columns.predicted) * config.inner_dim)
        self.told_to_inner = nn.ModuleList(
            nn.Linear(config.embed_dim, config.inner_dim, bias=False) for column in columns.predicted if column
        )
        self.words = nn.ModuleList(nn.Linear(config.inner_dim, columns.sizes[column]) for column in columns.predicted)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def begin_from(self, counts: list[Tensor]) -> None:
        """Before training: expect each word as often as it occurs, which spares the first minutes.

        Args:
            counts: of the words of each predicted column, each of shape (V,).
        """
        for words, count in zip(self.words, counts, strict=True):
            words.bias.copy_(((count + 0.1) / (count + 0.1).sum()).log())

    def forward(
        self,
        steps: Tensor,
        state: tuple[Tensor, ...] | None = None,
        real: Tensor | None = None,
        smoothing: float = 0.0,
    ) -> tuple[Tensor, tuple[Tensor, ...], Tensor]:
        """Cost of every field.

        Args:
            steps: words, shape (B, T, F).
            state: what an earlier call returned, to go on from there; None at the start of a piece.
            real: which steps are no padding, shape (B, T); not needed here.
            smoothing: of the cost; see `scored`.

        Returns:
            Negative log-likelihood in nats, shape (B, T, F), 0 in columns that are not predicted; the state;
            and in which fields the word told was the most likely one, shape (B, T, F).
        """
        config = self.config
        told = [self.embed(steps[:, :, 0] + self.offsets[0])]  # each (B, T, E): the fields up to and with this one
        for column in range(1, steps.shape[2]):
            told.append(told[-1] + self.embed(steps[:, :, column] + self.offsets[column]))
        rows = told[-1]
        before = self.start.expand(len(rows), 1, -1) if state is None else state[0]
        x, kept = torch.cat([before, rows[:, :-1]], dim=1), [rows[:, -1:]]
        for index, layer in enumerate(self.outer):
            past = None if state is None else (state[1 + 2 * index], state[2 + 2 * index])
            x, (h, c) = layer(self._drop(x), past)  # (B, T, H)
            kept += [h, c]
        if config.attention_dim:
            found, past_steps = self._look_up(x, rows, None if state is None else state[-2:])
            x = torch.cat([x, found], dim=-1)  # (B, T, H + A)
            kept += past_steps
        hidden = self.outer_to_inner(self._drop(x)).unflatten(-1, (-1, config.inner_dim))  # (B, T, K, I)
        costs = torch.zeros(steps.shape, device=steps.device)
        hits = torch.zeros(steps.shape, dtype=torch.bool, device=steps.device)
        first = len(config.columns.predicted) - len(self.told_to_inner)
        for index, column in enumerate(config.columns.predicted):
            inner = hidden[:, :, index]
            if column:
                inner = inner + self.told_to_inner[index - first](told[column - 1])
            logits = self.words[index](self._drop(F.relu(inner)))  # (B, T, V)
            costs[:, :, column], hits[:, :, column] = scored(logits, steps[:, :, column], smoothing)
        return costs, tuple(kept), hits

    def _look_up(self, outer: Tensor, rows: Tensor, past: tuple[Tensor, ...] | None) -> tuple[Tensor, list[Tensor]]:
        """What is found in earlier steps, (B, T, A), and the keys and values to remember, each (B, W, A)."""
        key, value = self.key(outer), self.value(rows)  # (B, T, A): known once the step is told
        if past is not None:
            key, value = torch.cat([past[0].to(key), key], dim=1), torch.cat([past[1].to(value), value], dim=1)
        steps, known = outer.shape[1], key.shape[1]
        # Step t may see the steps before it, back to the window's edge, and a zero where there is nothing to see.
        ahead = torch.arange(known, device=key.device) - torch.arange(known - steps, known, device=key.device)[:, None]
        visible = F.pad((ahead < 0) & (ahead >= -self.config.window), (1, 0), value=True)  # (T, 1 + known)
        heads = (self.config.num_heads, -1)
        found = F.scaled_dot_product_attention(
            self.query(outer).unflatten(-1, heads).transpose(1, 2),
            F.pad(key, (0, 0, 1, 0)).unflatten(-1, heads).transpose(1, 2),
            F.pad(value, (0, 0, 1, 0)).unflatten(-1, heads).transpose(1, 2),
            attn_mask=visible,
        )  # (B, N, T, A / N)
        window = self.config.window
        return found.transpose(1, 2).flatten(2), [key[:, -window:], value[:, -window:]]

    def _drop(self, x: Tensor) -> Tensor:
        """Dropout with one mask for all steps of a piece (Gal and Ghahramani 2016, arXiv:1512.05287)."""
        if not self.training or not self.config.dropout:
            return x
        keep = 1 - self.config.dropout
        return x * torch.bernoulli(torch.full_like(x[:, :1], keep)).div_(keep)
