"""The biaxial network in torch, for training."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..keyboard import OCTAVE
from ..scoring import scored
from .config import BiaxialConfig

# B pieces, T steps, F columns, K keys, P pitches of them, W words of a key, C cell_dim, R 2 * reach + 1, I input_dim,
# E facts_dim, S story_dim, H and N the last of time_dims and note_dims, D decided facts, V words of a fact


AT_ONCE = 64
"""Steps that are looked at together where nothing is learnt: every key of each of them takes its room."""


class BiaxialModule(nn.Module):
    """Exact joint likelihood of every field of every step.

    Along time an LSTM runs for each key, with weights that all keys share: it sees what the keys around it did in the
    step before, which classes sounded, where the key is, and the facts of this step. Within a step another LSTM runs
    over the keys from low to high: it sees what the first one says of a key and which word the key below it
    got, and decides on the key's own: p(frame | past) is the product over its keys. The few facts that are predicted,
    such as where the piece ends, are decided by a small LSTM over whole steps before the keys are.

    Source:
        Johnson 2015, "Composing music with recurrent neural networks" (github.com/danieldjohnson/
        biaxial-rnn-music-composition), and 2017, "Generating polyphonic music using tied parallel networks", section 3;
        with loudness: Mao et al. 2018, DeepJ (arXiv:1801.00887). Differs: play and articulation are one choice of
        several words; a key's neighbours beyond the last key are silence, not the keys of the other end; the
        height of a key is 0..1; facts of any metre stand in for the four bits of the beat.
    """

    def __init__(self, config: BiaxialConfig) -> None:
        super().__init__()
        self.config = config
        facts = config.columns.sizes[: config.facts]
        self.register_buffer("offsets", torch.tensor([sum(facts[:i]) for i in range(len(facts))]), persistent=False)
        self.embed = nn.Embedding(sum(facts), config.facts_dim)
        nn.init.normal_(self.embed.weight, std=0.1)
        if config.keys:
            self._make_keys()
        if config.decided:
            self.start = nn.Parameter(torch.zeros(config.facts_dim))
            self.story = nn.LSTM(config.facts_dim, config.story_dim, batch_first=True)
            self.to_inner = nn.Linear(config.story_dim, len(config.decided) * config.story_dim)
            told = [nn.Linear(config.facts_dim, config.story_dim, bias=False) for column in config.decided if column]
            self.told_to_inner = nn.ModuleList(told)
            self.words = nn.ModuleList(
                nn.Linear(config.story_dim, config.columns.sizes[column]) for column in config.decided
            )

    def _make_keys(self) -> None:
        config = self.config
        self.cells = nn.Parameter(torch.randn(config.words - 1, config.cell_dim))  # silence is zeros
        self.register_buffer("classes", torch.from_numpy(config.classes), persistent=False)
        self.register_buffer("features", torch.from_numpy(config.place_features), persistent=False)
        if config.place_dim:
            self.places = nn.Parameter(0.3 * torch.randn(config.keys, config.place_dim))
        if config.degree_column is not None:
            words = config.columns.sizes[config.degree_column]
            self.degrees = nn.Embedding(OCTAVE * words, config.degree_dim)
            nn.init.normal_(self.degrees.weight, std=0.3)
        inputs = (config.input_dim, *config.time_dims)
        self.time = nn.ModuleList(
            nn.LSTM(size, dim, batch_first=True) for size, dim in zip(inputs, config.time_dims, strict=False)
        )
        inputs = (config.time_dims[-1] + config.cell_dim, *config.note_dims)
        self.note = nn.ModuleList(
            nn.LSTM(size, dim, batch_first=True) for size, dim in zip(inputs, config.note_dims, strict=False)
        )
        self.key = nn.Linear(config.note_dims[-1], config.words)
        if config.decided:
            self.heard = nn.Linear(config.keys * config.cell_dim, config.facts_dim, bias=False)
            nn.init.normal_(self.heard.weight, std=0.05)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def begin_from(self, counts: list[Tensor]) -> None:
        """Before training: expect each word as often as it occurs, which spares the first minutes.

        Args:
            counts: of the words of each predicted column, each of shape (V,).
        """
        decided = len(self.config.decided)
        for words, count in zip(getattr(self, "words", ()), counts[:decided], strict=True):
            words.bias.copy_(((count + 0.1) / (count + 0.1).sum()).log())
        if self.config.keys:
            count = torch.stack(counts[decided:]).sum(0) + 0.1
            self.key.bias.copy_((count / count.sum()).log())

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
            smoothing: of the cost of facts; see `scored`. Keys bear none: nearly all are silent, and to hold each of
                them a little more likely than it is would strike several in every frame.

        Returns:
            Negative log-likelihood in nats, shape (B, T, F), 0 in columns that are not predicted; the state;
            and in which fields the word told was the most likely one, shape (B, T, F).
        """
        if not torch.is_grad_enabled() and steps.shape[1] > AT_ONCE:
            found = []
            for some in steps.split(AT_ONCE, dim=1):
                cost, state, hit = self(some, state)
                found.append((cost, hit))
            return torch.cat([cost for cost, _ in found], 1), state or (), torch.cat([hit for _, hit in found], 1)
        config = self.config
        costs = torch.zeros(steps.shape, device=steps.device)
        hits = torch.zeros(steps.shape, dtype=torch.bool, device=steps.device)
        words = steps[:, :, : config.facts] + self.offsets
        told = self.embed(words).cumsum(dim=2)  # (B, T, facts, E): the facts up to and with each
        facts = told[:, :, -1]
        past = list(state or ())
        kept: list[Tensor] = []
        cells = None
        if config.keys:
            table = F.pad(self.cells, (0, 0, 1, 0))
            cells = F.embedding(steps[:, :, config.facts :], table)  # (B, T, K, C)
            before = past.pop(0) if past else torch.zeros_like(steps[:, :1, config.facts :])
            words = torch.cat([before, steps[:, :-1, config.facts :]], dim=1)  # (B, T, K), a step ago
            kept.append(steps[:, -1:, config.facts :])
            own, hit, layers = self._keys(steps, words, cells, table, facts, past[: 2 * len(config.time_dims)])
            costs[:, :, config.facts :], hits[:, :, config.facts :] = own, hit
            past = past[2 * len(config.time_dims) :]
            kept += layers
        if config.decided:
            kept += self._decide(steps, told, cells, past, smoothing, costs, hits)
        return costs, tuple(kept), hits

    def _keys(
        self, steps: Tensor, before: Tensor, cells: Tensor, table: Tensor, facts: Tensor, past: list[Tensor]
    ) -> tuple[Tensor, Tensor, list[Tensor]]:  # fmt: skip
        """Costs and hits of the keys, each (B, T, K), and the states of the layers along time."""
        config = self.config
        kept: list[Tensor] = []
        x = self._seen(steps, before, F.embedding(before, table), facts)  # (B, T, K, I)
        x = x.transpose(1, 2).flatten(0, 1)  # (B * K, T, I): each key is a sequence of its own
        for index, layer in enumerate(self.time):
            x, (h, c) = layer(x, (past[2 * index], past[2 * index + 1]) if past else None)
            x, kept = self._drop(x), [*kept, h, c]
        x = x.unflatten(0, (-1, config.keys)).transpose(1, 2)  # (B, T, K, H)
        below = F.pad(cells, (0, 0, 1, 0))[:, :, :-1]  # what the key below has got in this step
        x = torch.cat([x, below], dim=-1).flatten(0, 1)  # (B * T, K, H + C): each frame is a sequence
        for layer in self.note:
            x = F.dropout(layer(x)[0], config.dropout, self.training)
        cost, hit = scored(self.key(x), steps[:, :, config.facts :].flatten(0, 1))
        shape = steps.shape[:2]
        return cost.unflatten(0, shape), hit.unflatten(0, shape), kept

    def _seen(self, steps: Tensor, words: Tensor, cells: Tensor, facts: Tensor) -> Tensor:
        """What each key sees, (B, T, K, I), of the words and cells a step ago and of the facts of this one."""
        config, shape = self.config, words.shape
        reach, pitches = config.reach, config.pitches
        blocks = [block for block in (cells[:, :, :pitches], cells[:, :, pitches:]) if block.shape[2]]
        # Beyond the last key of a block there is silence.
        around = [F.pad(block, (0, 0, reach, reach)).unfold(2, 2 * reach + 1, 1).flatten(3) for block in blocks]
        sounds = torch.zeros(*shape[:2], OCTAVE, device=cells.device, dtype=cells.dtype)
        sounds = sounds.index_add(2, self.classes, (words[:, :, :pitches] > 0).to(cells.dtype))
        turned = (self.classes[:, None] + torch.arange(OCTAVE, device=cells.device)) % OCTAVE  # (P, 12)
        context = F.pad(sounds[:, :, turned], (0, 0, 0, config.keys - pitches))  # from each key's own class on
        places = self.places if config.place_dim else self.features
        seen = [torch.cat(around, dim=2), context, places.expand(*shape, -1)]
        if config.degree_column is not None:
            keys = steps[:, :, config.degree_column, None]
            degrees = self.degrees(OCTAVE * keys + self.classes)
            seen.append(F.pad(degrees, (0, 0, 0, config.keys - pitches)))
        seen.append(facts.unsqueeze(2).expand(*shape, -1))
        return torch.cat(seen, dim=-1)

    def _decide(
        self, steps: Tensor, told: Tensor, cells: Tensor | None, past: list[Tensor], smoothing: float, costs: Tensor,
        hits: Tensor,
    ) -> list[Tensor]:  # fmt: skip
        """Fill in costs and hits of the facts that are chosen; the state of the story."""
        config = self.config
        rows = told[:, :, -1]
        if cells is not None:
            rows = rows + self.heard(cells.flatten(2))
        before = past[0] if past else self.start.expand(len(rows), 1, -1)
        x = torch.cat([before, rows[:, :-1]], dim=1)
        x, (h, c) = self.story(x, (past[1], past[2]) if past else None)
        hidden = self.to_inner(self._drop(x)).unflatten(-1, (-1, config.story_dim))  # (B, T, D, S)
        first = len(config.decided) - len(self.told_to_inner)
        for index, column in enumerate(config.decided):
            inner = hidden[:, :, index]
            if column:
                inner = inner + self.told_to_inner[index - first](told[:, :, column - 1])
            logits = self.words[index](self._drop(F.relu(inner)))
            costs[:, :, column], hits[:, :, column] = scored(logits, steps[:, :, column], smoothing)
        return [rows[:, -1:], h, c]

    def _drop(self, x: Tensor) -> Tensor:
        """Dropout with one mask for all steps of a sequence (Gal and Ghahramani 2016, arXiv:1512.05287)."""
        if not self.training or not self.config.dropout:
            return x
        keep = 1 - self.config.dropout
        return x * torch.bernoulli(torch.full_like(x[:, :1], keep)).div_(keep)
