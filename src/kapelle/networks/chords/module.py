"""The network of chords in torch, for training."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..keyboard import OCTAVE
from ..scoring import scored
from .config import LEAST, SPAN, ChordsConfig

# B pieces, T steps, F columns, K keys, W words of a key, E and H hidden_dim, N steps of all pieces, R rows: for each
# step one for its start and one for each key that sounds, I inner_dim, M gates, A attention_dim


class ChordsModule(nn.Module):
    """Exact joint likelihood of every field of every step.

    An outer LSTM moves once a step, from what sounded in the step before and the facts of this one; by attention it
    finds earlier steps, and gives back which keys sounded then. A network that all keys share sees of each key what
    the keys around it did in the step before, and what was found. Within a step the keys that sound are told from the
    lowest to the highest: each time, one of the keys above the last, or none, is chosen. A key's score is the sum of
    its own, what the shared network says of it, one for its distance from the last, and one for its degree in the
    key of the piece. The rows of all steps are looked at at once.

    So a frame costs as many choices as notes sound in it, and not one a key. What a key by itself costs follows: it
    sounds with its share of what it and all higher ones, and none, have.

    Source:
        Time first, then within the step: Boulanger-Lewandowski et al. 2012 (arXiv:1206.6392, RNN-NADE). Weights that
        all keys share: Johnson 2017, "Generating polyphonic music using tied parallel networks". What was found is
        copied as in Vinyals et al. 2015 (arXiv:1506.03134), by a score for each key.
    """

    def __init__(self, config: ChordsConfig) -> None:
        super().__init__()
        self.config = config
        hidden, sizes = config.hidden_dim, config.columns.sizes[: config.facts]
        self.register_buffer("offsets", torch.tensor(config.columns.offsets[: config.facts] or (0,)), persistent=False)
        if config.facts:
            self.embed = nn.Embedding(sum(sizes), hidden)
            nn.init.normal_(self.embed.weight, std=0.1)
        self.start = nn.Parameter(torch.zeros(hidden))
        self.outer = nn.ModuleList(nn.LSTM(hidden, hidden, batch_first=True) for _ in range(config.num_layers))
        if config.decided:
            self.to_inner = nn.Linear(hidden, len(config.decided) * config.inner_dim)
            later = [column for column in config.decided if column > config.opening]
            self.told_to_inner = nn.ModuleList(nn.Linear(hidden, config.inner_dim, bias=False) for _ in later)
            self.words = nn.ModuleList(
                nn.Linear(config.inner_dim, config.columns.sizes[column]) for column in config.decided
            )
        if config.keys:
            self._make_keys()

    def _make_keys(self) -> None:
        config, hidden, inner = self.config, self.config.hidden_dim, self.config.inner_dim
        found = config.num_heads * config.keys
        self.register_buffer("classes", torch.from_numpy(config.classes), persistent=False)
        self.heard = nn.Linear(config.heard_dim, hidden, bias=False)
        self.query, self.key = nn.Linear(hidden, config.attention_dim), nn.Linear(hidden, config.attention_dim)
        self.distance = nn.Parameter(torch.zeros(config.num_heads, config.window + 1))
        self.places = nn.Parameter(0.3 * torch.randn(config.keys, config.key_dim))
        seen = 2 * config.reach + 1 + config.num_heads + bool(config.loud)
        self.seen = nn.Linear(seen, config.key_dim)
        self.around = nn.Linear(hidden, config.key_dim, bias=False)
        self.says = nn.Linear(config.key_dim, 1 + config.gates)
        if config.key_fact is not None:
            words = config.columns.sizes[config.key_fact]
            self.degrees = nn.Embedding(OCTAVE * words, config.key_dim)
            nn.init.normal_(self.degrees.weight, std=0.3)
        self.chord = nn.Linear(hidden + found, inner)
        if config.told < config.facts:
            self.facts = nn.Linear(hidden, inner, bias=False)
        self.below = nn.Linear(config.chord_dim, inner, bias=False)
        self.last = nn.Embedding(config.keys + 1, inner)
        nn.init.normal_(self.last.weight, std=0.1)
        self.deep = nn.Linear(inner, inner)
        degrees = OCTAVE if config.key_fact is not None else 0
        self.scores = nn.Linear(inner, config.keys + 1 + SPAN + degrees + config.gates)
        nn.init.normal_(self.scores.weight, std=0.02)
        nn.init.zeros_(self.scores.bias)
        if config.loud:
            dim = config.key_dim
            self.struck = nn.Linear(inner, dim)
            self.before = nn.Embedding(config.words, dim)
            self.loudness = nn.Linear(dim, config.loud)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def begin_from(self, counts: list[Tensor]) -> None:
        """Before training: expect each word as often as it occurs, which spares the first minutes.

        Args:
            counts: of the words of each predicted column, each of shape (V,).
        """
        config, decided = self.config, len(self.config.decided)
        for words, count in zip(getattr(self, "words", ()), counts[:decided], strict=True):
            words.bias.copy_(((count + 0.1) / (count + 0.1).sum()).log())
        if not config.keys:
            return
        above = 0.0
        for key in reversed(range(config.keys)):
            count = counts[decided + key] + 0.5
            silent = (count[0] / count.sum()).log()
            # Of a key and all above it, each sounds with its own share.
            self.scores.bias[key] = above - silent + (1 - silent.exp()).log()
            above = above - float(silent)
        if config.loud:
            count = torch.stack(counts[decided:]).sum(0)[1:] + 0.5
            self.loudness.bias.copy_((count / count.sum()).log())

    def forward(
        self,
        steps: Tensor,
        state: tuple[Tensor, ...] | None = None,
        real: Tensor | None = None,
        smoothing: float = 0.0,
    ) -> tuple[Tensor, tuple[Tensor, ...], Tensor]:
        """Cost of every field; arguments and result are those of `StepwiseModule.forward`.

        The keys bear no smoothing, only the facts that are chosen do.
        """
        config = self.config
        costs = torch.zeros(steps.shape, device=steps.device)
        hits = torch.zeros(steps.shape, dtype=torch.bool, device=steps.device)
        known, late = self._told(steps, 0, config.told), self._told(steps, config.told, config.facts)
        rows, cells = late, steps[:, :, config.facts :]
        before = torch.zeros_like(cells[:, :1]) if state is None else state[1]
        before = torch.cat([before, cells[:, :-1]], dim=1)  # (B, T, K), a step ago
        if config.keys:
            rows = rows + self.heard(self._hear(cells, steps))
        x = torch.cat([self.start.expand(len(rows), 1, -1) if state is None else state[0], rows[:, :-1]], dim=1)
        x, kept = x + known, [rows[:, -1:], cells[:, -1:]]
        for index, layer in enumerate(self.outer):
            past = None if state is None else (state[2 + 2 * index], state[3 + 2 * index])
            x, (h, c) = layer(self._drop(x, 0.5), past)  # (B, T, H)
            kept += [h, c]
        outer = self._drop(x)
        if config.decided:
            self._decide(steps, outer, smoothing, costs, hits)
        if config.keys:
            found, past_steps = self._look_up(x, cells, None if state is None else state[-2:])
            kept += past_steps
            context = self.chord(torch.cat([outer, found.flatten(2)], dim=-1))  # (B, T, I)
            if config.told < config.facts:
                context = context + self.facts(late)
            said = self._said(outer, before, found, steps)  # (B, T, K, 1 + M)
            own, hit = self._choose(
                cells.flatten(0, 1), context.flatten(0, 1), said.flatten(0, 1), before.flatten(0, 1), self._tonic(steps)
            )
            costs[:, :, config.facts :], hits[:, :, config.facts :] = own.view_as(cells), hit.view_as(cells)
        return costs, tuple(kept), hits

    def _told(self, steps: Tensor, first: int, stop: int) -> Tensor:
        """The sum of what the words of some facts stand for, (B, T, E)."""
        if first == stop:
            return self.start.new_zeros(*steps.shape[:2], self.config.hidden_dim)
        return self.embed(steps[:, :, first:stop] + self.offsets[first:stop]).sum(dim=2)

    def _tonic(self, steps: Tensor) -> Tensor:
        """The word of the fact "key" of every step, (N,); 0 where there is none."""
        column = self.config.key_fact
        return torch.zeros_like(steps[:, :, 0]).flatten() if column is None else steps[:, :, column].flatten()

    def _chord(self, cells: Tensor) -> Tensor:
        """Which keys sound, and how, of words (..., K): (..., chord_dim)."""
        config, sounds = self.config, (cells > 0).float()
        if not config.loud:
            return sounds
        counts = [(cells == word).sum(-1, keepdim=True) for word in range(1, config.words)]
        return torch.cat([sounds, (cells > 1).float(), 0.3 * torch.cat(counts, -1).float()], dim=-1)

    def _hear(self, cells: Tensor, steps: Tensor) -> Tensor:
        """What the next step hears of each, (B, T, heard_dim)."""
        config, chord = self.config, self._chord(cells)
        if config.key_fact is None:
            return chord
        sounds = cells[:, :, : config.pitches] > 0
        degrees = (self.classes - self._tonic(steps).view(*cells.shape[:2], 1) + 1) % OCTAVE
        heard = chord.new_zeros(*cells.shape[:2], OCTAVE).scatter_add(2, degrees, sounds.float())
        return torch.cat([chord, heard.clamp(max=1.0)], dim=-1)

    def _decide(self, steps: Tensor, outer: Tensor, smoothing: float, costs: Tensor, hits: Tensor) -> None:
        """Fill in costs and hits of the facts that are chosen."""
        config = self.config
        hidden = self.to_inner(outer).unflatten(-1, (-1, config.inner_dim))  # (B, T, D, I)
        first = len(config.decided) - len(self.told_to_inner)
        for index, column in enumerate(config.decided):
            inner = hidden[:, :, index]
            if column > config.opening:
                inner = inner + self.told_to_inner[index - first](self._told(steps, config.told, column))
            logits = self.words[index](F.relu(inner))
            costs[:, :, column], hits[:, :, column] = scored(logits, steps[:, :, column], smoothing)

    def _look_up(
        self, outer: Tensor, cells: Tensor, past: tuple[Tensor, ...] | None
    ) -> tuple[Tensor, list[Tensor]]:  # fmt: skip
        """How much of each key is found in earlier steps, (B, T, heads, K); what to remember, each (B, window, ...)."""
        config, key, value = self.config, self.key(outer), (cells > 0).float()
        if past is not None:
            key, value = torch.cat([past[0].to(key), key], dim=1), torch.cat([past[1].to(value), value], dim=1)
        steps, known = outer.shape[1], key.shape[1]
        # Step t may see the steps before it, back to the window's edge, and silence where there is nothing to see.
        ago = torch.arange(known - steps, known, device=key.device)[:, None] - torch.arange(known, device=key.device)
        bias = torch.where(
            (ago > 0) & (ago <= config.window), self.distance[:, ago.clamp(0, config.window)], -torch.inf
        )
        bias = torch.cat([self.distance[:, :1, None].expand(-1, steps, 1), bias], dim=-1)  # (heads, T, 1 + known)
        heads = (config.num_heads, -1)
        query = self.query(outer).unflatten(-1, heads).transpose(1, 2)
        key_ = F.pad(key, (0, 0, 1, 0)).unflatten(-1, heads).transpose(1, 2)
        weights = torch.softmax(query @ key_.transpose(2, 3) / query.shape[-1] ** 0.5 + bias, dim=-1)
        found = weights @ F.pad(value, (0, 0, 1, 0)).unsqueeze(1)  # (B, heads, T, K)
        return found.transpose(1, 2), [key[:, -config.window :], value[:, -config.window :]]

    def _said(self, outer: Tensor, before: Tensor, found: Tensor, steps: Tensor) -> Tensor:
        """What the network that all keys share says of each, (B, T, K, 1 + M)."""
        config, sounds = self.config, (before > 0).float()
        blocks = [block for block in sounds.split([config.pitches, config.keys - config.pitches], 2) if block.shape[2]]
        # Beyond the last key of a block there is silence.
        around = [F.pad(block, (config.reach, config.reach)).unfold(2, 2 * config.reach + 1, 1) for block in blocks]
        seen = [torch.cat(around, dim=2), found.transpose(2, 3)]
        if config.loud:
            seen.append((before > 1).float().unsqueeze(-1))
        x = self.seen(torch.cat(seen, dim=-1)) + self.places + self.around(outer).unsqueeze(2)
        if config.key_fact is not None:
            word = self._tonic(steps).view(*steps.shape[:2], 1)
            degrees = self.degrees(OCTAVE * word + (self.classes - word + 1) % OCTAVE)
            x = x + F.pad(degrees, (0, 0, 0, config.keys - config.pitches))
        return self.says(F.relu(x))

    def _choose(
        self, cells: Tensor, context: Tensor, said: Tensor, before: Tensor, tonic: Tensor
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """Costs and hits of the keys of all steps, each (N, K)."""
        config, keys = self.config, self.config.keys
        sounds = cells > 0
        # A row for the start of each step and one for each key that sounds: it chooses the next one above.
        frame, last = F.pad(sounds, (1, 0), value=True).nonzero(as_tuple=True)  # each (R,); last is a key + 1, or 0
        told = torch.where(torch.arange(keys, device=cells.device) < last[:, None], cells[frame], 0)  # (R, K)
        x = F.relu(context[frame] + self.below(self._chord(told)) + self.last(last))
        x = x + F.relu(self.deep(self._drop_units(x)))
        logits = self._scores(self._drop_units(x), frame, last, said, tonic)  # (R, 1 + K)
        tails = _tails(logits)
        first = torch.cumsum(sounds.sum(1) + 1, 0) - sounds.sum(1) - 1  # the first row of each step
        row = first[:, None] + sounds.cumsum(1) - sounds.long()  # (N, K): where each key is decided on
        flat = row * (keys + 1) + torch.arange(keys, device=cells.device)
        here, above = tails.flatten()[flat], tails.flatten()[flat + 1]
        own = logits.flatten()[flat]
        costs = here - torch.where(sounds, own, above)
        hits = sounds == (own > above)
        if config.loud:
            at, key = sounds.nonzero(as_tuple=True)
            x = self.struck(x)[row[at, key]] + self.before(before[at, key]) + self.places[key]
            cost, hit = scored(self.loudness(F.relu(x)).unsqueeze(0), cells[None, at, key] - 1)
            costs = costs.index_put((at, key), cost[0], accumulate=True)
            hits = hits.index_put((at, key), hits[at, key] & hit[0])
        return costs, hits

    def _scores(self, x: Tensor, frame: Tensor, last: Tensor, said: Tensor, tonic: Tensor) -> Tensor:
        """Of each row the scores of all keys and of none, (R, K + 1)."""
        config, keys = self.config, self.config.keys
        scores = self.scores(x)
        logits, spans, rest = scores.split([keys + 1, SPAN, scores.shape[1] - keys - 1 - SPAN], dim=1)
        place = torch.arange(keys, device=x.device)
        above = (place - last[:, None]).clamp(0, SPAN - 1)
        by_key = spans.gather(1, above) * (last > 0)[:, None]
        if config.key_fact is not None:
            word = tonic[frame, None]
            degree = (self.classes - word + 1) % OCTAVE
            by_degree = rest[:, :OCTAVE].gather(1, degree) * (word > 0)
            by_key = by_key + F.pad(by_degree, (0, keys - config.pitches))
        gates = F.pad(torch.tanh(rest[:, -config.gates :]), (1, 0), value=1.0)
        by_key = by_key + (said[frame] @ gates.unsqueeze(2)).squeeze(2)
        # Sums over keys want the full precision.
        logits = (logits + F.pad(by_key, (0, 1))).float()
        return (logits - logits.detach().amax(1, keepdim=True)).clamp(min=LEAST)

    def _drop(self, x: Tensor, share: float = 1.0) -> Tensor:
        """Dropout with one mask for all steps of a piece (Gal and Ghahramani 2016, arXiv:1512.05287)."""
        if not self.training or not self.config.dropout:
            return x
        keep = 1 - share * self.config.dropout
        return x * torch.bernoulli(torch.full_like(x[:, :1], keep)).div_(keep)

    def _drop_units(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.config.dropout, self.training)


def _tails(logits: Tensor) -> Tensor:
    """For each key what it, all above it, and none weigh together, as a logarithm; shape as `logits`, (R, K + 1)."""
    return logits.exp().flip(1).cumsum(1).flip(1).log()
