"""The network of voices in torch, for training."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..scoring import scored
from .config import AHEAD, DEGREES, PERFECT, REACH, Pair, VoicesConfig

# B pieces, T steps, F columns, G groups, S stride, E embed_dim, H hidden_dim, A attention_dim, I inner_dim, N choices,
# R reveal_dim, D told_dim, W groups of the window, V words of a column

SPAN = 2 * REACH + 1


class VoicesModule(nn.Module):
    """Exact joint likelihood of every field of every step, or of the fields that are not given in advance.

    The outer LSTM moves once a group of steps, from what the group before was; it also looks up earlier groups.
    Each field of a step is decided on by a network of its own with two hidden layers, from the outer network's
    state, from what is known before the step, and from the fields told before it. A voice's heights are scored
    three times over, and the scores added: as they are, by how far they are from its own last height, and by how
    far they are from each other voice. So what is learnt of a step or an interval holds at every height. One score
    more is for the word that an echo lets expect, whichever it is, and one for the height that would keep a fifth,
    an octave or a unison with another voice that has moved.

    What is given in advance, any fields of any steps, is read by a second LSTM from the end to the beginning, and
    its state at each group reaches the outer and the inner networks; a field that is given costs nothing and
    counts as told in its own step from the beginning. The other fields are still told in their order, so
    p(the others | what is given) adds up to one. Where nothing is given the second network is silent. What is given
    one, two, four and eight steps ahead reaches a voice directly too, measured by the height it sounded last.

    Source:
        Time first, then within the step: Boulanger-Lewandowski et al. 2012 (arXiv:1206.6392, RNN-NADE). Distances
        instead of heights: Johnson 2017 (biaxial and product-of-experts RNNs). The attention is that of
        `StepwiseModule`. Differs: one outer step a group, and a reader of what is given.
    """

    def __init__(self, config: VoicesConfig) -> None:
        super().__init__()
        self.config = config
        columns = config.columns
        embed, hidden, found, inner = config.embed_dim, config.hidden_dim, config.attention_dim, config.inner_dim
        self.register_buffer("offsets", torch.tensor(columns.offsets), persistent=False)
        self.embed = nn.Embedding(columns.total, embed)
        nn.init.normal_(self.embed.weight, std=0.3 / len(columns.sizes) ** 0.5)
        self.start = nn.Parameter(torch.zeros(hidden))
        self.join = nn.Linear(config.stride * embed, hidden)
        self.outer = nn.ModuleList(nn.LSTM(hidden, hidden, batch_first=True) for _ in range(config.num_layers))
        self.query, self.key, self.value = (nn.Linear(hidden, found) for _ in range(3))
        self.to_inner = nn.Linear(hidden + found + embed, len(columns.predicted) * inner)
        # The words of a step from its first choice on; each choice reads them in its own way.
        self.first = columns.offsets[config.opening]
        self.told = nn.Embedding(columns.total - self.first, config.told_dim)
        nn.init.normal_(self.told.weight, std=0.3)
        self.told_to_inner = nn.ModuleDict(
            {
                str(column): nn.Linear(config.told_dim, inner, bias=False)
                for column in columns.predicted
                if column > config.opening or config.reveal
            }
        )
        self.deep = nn.ModuleDict({str(column): nn.Linear(inner, inner) for column in columns.predicted})
        self.words = nn.ModuleDict()
        for column in columns.predicted:
            head = nn.Linear(inner, config.num_scores(column))
            nn.init.normal_(head.weight, std=0.02)
            nn.init.zeros_(head.bias)
            self.words[str(column)] = head
        if config.reveal:
            read = config.reveal_dim
            total = sum(columns.sizes[column] + 1 for _, column in config.tellable)
            self.given = nn.Embedding(total, read)
            nn.init.normal_(self.given.weight, std=0.3 / len(config.tellable) ** 0.5)
            self.given_join = nn.Linear(config.stride * read, read)
            self.reader = nn.LSTM(read, read, batch_first=True)
            self.given_to_outer = nn.Linear(read, hidden)
            self.given_to_inner = nn.Linear(2 * read, len(columns.predicted) * inner)
        self.foreseen = nn.ModuleDict()
        self.foreseen_to_inner = nn.ModuleDict()
        for column in config.own_last:
            table = nn.Embedding(len(config.foreseen) * len(AHEAD) * SPAN, config.told_dim)
            nn.init.normal_(table.weight, std=0.1)
            self.foreseen[str(column)] = table
            self.foreseen_to_inner[str(column)] = nn.Linear(config.told_dim, inner, bias=False)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def begin_from(self, counts: list[Tensor]) -> None:
        """Before training: expect each word as often as it occurs.

        Args:
            counts: of the words of each predicted column, each of shape (V,).
        """
        for words, count in zip(self.words.values(), counts, strict=True):
            words.bias[: len(count)] = ((count + 0.1) / (count + 0.1).sum()).log()

    def forward(
        self,
        steps: Tensor,
        state: tuple[Tensor, ...] | None = None,
        real: Tensor | None = None,
        smoothing: float = 0.0,
        shown: Tensor | None = None,
        chosen: Tensor | None = None,
    ) -> tuple[Tensor, tuple[Tensor, ...], Tensor]:
        """Cost of every field.

        Args:
            steps: words, shape (B, T, F).
            state: what an earlier call returned, to go on from there; None at the start of a piece.
            real: which steps are no padding, shape (B, T); the others may cost anything.
            smoothing: of the cost; see `scored`.
            shown: which fields are given in advance, shape (B, T, F), only at the start of whole pieces; in
                training, None lets chance give some, in `config.reveal` of the pieces.
            chosen: the steps whose costs are wanted, shape (B, T); the others cost 0.

        Returns:
            Negative log-likelihood in nats, shape (B, T, F), 0 in columns that are not predicted and fields that
            are given; the state; and in which fields the word told was the most likely one, shape (B, T, F).
        """
        config = self.config
        real = torch.ones(steps.shape[:2], dtype=torch.bool, device=steps.device) if real is None else real
        if shown is None and self.training and config.reveal and state is None:
            shown = self._chance(real)
        known = self._embedded(steps, slice(0, config.opening))  # (B, T, E): before the first choice
        rows = F.relu(known + self._embedded(steps, slice(config.opening, None)))
        known = F.relu(known)
        late = config.stride - config.lead
        pending = rows.new_zeros(len(rows), late, rows.shape[2]) if state is None else state[0]
        read = None if shown is None else self._read(steps, shown & real.unsqueeze(-1), pending.shape[1])
        context, kept = self._outer(rows, pending, state, None if read is None else read[0])
        picked = real if chosen is None else chosen & real
        group = (torch.arange(steps.shape[1], device=steps.device) + pending.shape[1]).div(
            config.stride, rounding_mode="floor"
        )
        x = torch.cat([context[:, group], self._drop(known, 0.2)], dim=-1)[picked]
        hidden = self.to_inner(x)
        if read is not None:
            hidden = hidden + self.given_to_inner(read[1][picked]) * read[2].expand(-1, steps.shape[1], -1)[picked]
        told = steps[picked]
        given = None if shown is None else shown[picked]
        ahead = None if shown is None else self._ahead(steps, shown & real.unsqueeze(-1))[picked]
        found = self._choices(hidden.unflatten(-1, (-1, config.inner_dim)), told, given, ahead, smoothing)
        costs = torch.zeros(steps.shape, device=steps.device)
        hits = torch.zeros(steps.shape, dtype=torch.bool, device=steps.device)
        costs[picked], hits[picked] = found
        return costs, kept, hits

    def _embedded(self, steps: Tensor, columns: slice) -> Tensor:
        """The sum of what the words of these columns stand for, some left out in training, (B, T, E)."""
        places = (steps[:, :, columns] + self.offsets[columns]).flatten(0, 1)
        if not places.shape[1]:
            return self.embed.weight.new_zeros(*steps.shape[:2], self.config.embed_dim)
        share = self.config.dropout / 2 if self.training else 0.0
        may_go = torch.tensor(self.config.tells_of_voices[columns], device=places.device)
        kept = torch.where(may_go, (torch.rand(places.shape, device=places.device) >= share).float() / (1 - share), 1.0)
        return _summed(self.embed, places, kept).view(*steps.shape[:2], -1)

    def _outer(
        self, rows: Tensor, pending: Tensor, state: tuple[Tensor, ...] | None, given: Tensor | None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Outer state for each group, (B, G, H + A), from the one that is under way on, and what to remember."""
        config = self.config
        rows = torch.cat([pending, rows], dim=1)
        whole = rows.shape[1] // config.stride
        groups = self._drop(rows[:, : whole * config.stride], 0.2).unflatten(1, (whole, config.stride))
        joined = F.relu(self.join(groups.flatten(2)))  # (B, whole, H)
        if state is None:
            joined = torch.cat([self.start.expand(len(rows), 1, -1), joined], dim=1)
        x = joined if given is None else joined + given[:, : joined.shape[1]]
        kept = [rows[:, whole * config.stride :]]
        for index, layer in enumerate(self.outer):
            below, past = self._drop(x, 0.7), None if state is None else (state[1 + 2 * index], state[2 + 2 * index])
            if below.shape[1]:
                out, past = layer(below, past)
            else:
                out = below
            x = out + x if index else out
            kept += past or ()
        if state is not None:
            x = torch.cat([state[-4], x], dim=1)
        looked, memory = self._look_up(x, joined, state)
        context = torch.cat([x, looked], dim=-1)
        return self._drop(context, 1.0), (*kept, x[:, -1:], *memory, looked[:, -1:])

    def _look_up(
        self, x: Tensor, joined: Tensor, state: tuple[Tensor, ...] | None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """What is found in earlier groups, (B, G, A), and the keys and values to remember, each (B, W, A).

        A group is found by the outer state it came in, and gives what it was.
        """
        config = self.config
        asked, values = x, joined
        if state is None:
            values = joined[:, 1:]  # the start is no group
        else:
            asked = x[:, 1:]  # the first is under way, and has been looked up
        keys, values = self.key(x[:, : x.shape[1] - 1]), self.value(values)
        if state is not None:
            keys, values = torch.cat([state[-3], keys], dim=1), torch.cat([state[-2], values], dim=1)
        wanted, groups = asked.shape[1], keys.shape[1]
        # The last of the asked comes after all groups that are known, the one before it after all but one.
        ahead = torch.arange(groups, device=x.device) - torch.arange(
            groups - wanted + 1, groups + 1, device=x.device
        ).unsqueeze(1)
        visible = F.pad((ahead < 0) & (ahead >= -config.window), (1, 0), value=True)
        heads = (config.num_heads, -1)
        query, key, value = (
            part.unflatten(-1, heads).transpose(1, 2)
            for part in (self.query(asked), F.pad(keys, (0, 0, 1, 0)), F.pad(values, (0, 0, 1, 0)))
        )
        looked = F.scaled_dot_product_attention(query, key, value, attn_mask=visible).transpose(1, 2).flatten(2)
        if state is not None:
            looked = torch.cat([state[-1], looked], dim=1)
        return looked, (keys[:, -config.window :], values[:, -config.window :])

    def _choices(
        self, hidden: Tensor, steps: Tensor, given: Tensor | None, ahead: Tensor | None, smoothing: float
    ) -> tuple[Tensor, Tensor]:
        """Costs and hits of steps (N, F) from the outer network's part of their hidden layers, (N, K, I)."""
        config = self.config
        costs = torch.zeros(steps.shape, device=steps.device)
        hits = torch.zeros(steps.shape, dtype=torch.bool, device=steps.device)
        places = steps[:, config.opening :] + self.offsets[config.opening :] - self.first
        owners = torch.tensor(config.owners, device=steps.device)
        sources = {source for _, source in config.tellable}
        foretold = torch.tensor([config.opening + i in sources for i in range(len(owners))], device=steps.device)
        for index, column in enumerate(config.columns.predicted):
            # Known are the fields told before, and of those to come the ones that are given.
            heard = (owners < column).expand(len(steps), -1)
            if given is not None:
                heard = heard | (given[:, owners] & foretold & (owners != column))
            x = hidden[:, index]
            if given is not None or column > config.opening:
                x = x + self.told_to_inner[str(column)](_summed(self.told, places, heard))
            if ahead is not None and column in config.own_last:
                x = x + self._foresight(steps, column, ahead)
            x = self._drop_units(F.relu(x))
            x = x + self._drop_units(F.relu(self.deep[str(column)](x)))
            scores = self.words[str(column)](x)
            logits = self._measured(scores, steps, column, given)
            cost, hit = scored(logits.unsqueeze(0), steps[None, :, column], smoothing)
            costs[:, column] = cost[0] if given is None else cost[0] * ~given[:, column]
            hits[:, column] = hit[0]
        return costs, hits

    def _measured(self, scores: Tensor, steps: Tensor, column: int, given: Tensor | None) -> Tensor:
        """Logits of a column, (N, V): the scores of its words, and of a voice those of distances, degrees, echoes."""
        size = self.config.columns.sizes[column]
        logits = scores[:, :size]
        for index, anchor in enumerate(self.config.ladder.get(column, ())):
            height = steps[:, anchor.column, None] - 1
            holds = height >= 0
            if anchor.owner > column:
                if given is None:
                    continue
                holds = holds & given[:, anchor.owner, None]
            distance = (torch.arange(size - 2, device=steps.device) - height).clamp(-REACH, REACH) + REACH
            by_distance = scores[:, size + index * SPAN : size + (index + 1) * SPAN].gather(1, distance) * holds
            logits = logits + F.pad(by_distance, (2, 0))
        first = size + SPAN * len(self.config.ladder.get(column, ()))
        for index, pair in enumerate(self.config.parallels.get(column, ()), first):
            logits = logits + self._parallel(scores[:, index], steps, pair, column, given, size)
        echoes = self.config.echoes.get(column, ())
        if self.config.tonic >= 0 and column in self.config.ladder:
            tonic = steps[:, self.config.tonic, None] - 1
            degree = (torch.arange(size - 2, device=steps.device) - tonic) % DEGREES
            first = scores.shape[1] - len(echoes) - DEGREES
            by_degree = scores[:, first : first + DEGREES].gather(1, degree) * (tonic >= 0)
            logits = logits + F.pad(by_degree, (2, 0))
        for index, echo in enumerate(echoes, scores.shape[1] - len(echoes)):
            word = steps[:, echo, None] - 1
            again = torch.zeros_like(logits).scatter(1, word.clamp(min=0), scores[:, index : index + 1])
            logits = logits + again * (word >= 0)
        return logits

    def _parallel(
        self, score: Tensor, steps: Tensor, pair: Pair, column: int, given: Tensor | None, size: int
    ) -> Tensor:
        """A score (N,) where a voice would keep a perfect interval to another that has moved, 0 elsewhere, (N, V)."""
        own, now, last = (steps[:, index] - 1 for index in (pair.own, pair.sounds.column, pair.last))
        apart = (last - own).abs() % 12
        height = own + now - last
        holds = (own >= 0) & (now >= 0) & (last >= 0) & (now != last) & (height >= 0) & (height < size - 2)
        holds = holds & sum((apart == interval for interval in PERFECT), torch.zeros_like(holds))
        if pair.sounds.owner > column:
            holds = holds & given[:, pair.sounds.owner] if given is not None else torch.zeros_like(holds)
        places = torch.where(holds, height + 2, 0).unsqueeze(1)
        return score.new_zeros(len(score), size).scatter(1, places, (score * holds).unsqueeze(1))

    def _read(self, steps: Tensor, shown: Tensor, late: int) -> tuple[Tensor, Tensor, Tensor]:
        """What the given fields say: to the outer network (B, G, H), to the inner ones (B, T, 2 R), and whether any is.

        Args:
            steps: words, shape (B, T, F).
            shown: which fields are given, shape (B, T, F).
            late: steps that the first group lacks.
        """
        config = self.config
        words, first = [], 0
        for column, source in config.tellable:
            size = config.columns.sizes[source]
            words.append(torch.where(shown[:, :, column], steps[:, :, source], size) + first)
            first += size + 1
        x = F.relu(self.given(torch.stack(words, dim=2)).sum(2))  # (B, T, R)
        length = steps.shape[1]
        padded = F.pad(x, (0, 0, late, -(late + length) % config.stride))
        groups = F.relu(self.given_join(padded.unflatten(1, (-1, config.stride)).flatten(2)))
        ahead = self._drop(self.reader(groups.flip(1))[0].flip(1), 1.0)
        some = shown.any(2).any(1)[:, None, None].float()
        to_inner = torch.cat([ahead.repeat_interleave(config.stride, 1)[:, late : late + length], x], dim=-1)
        # The group after the last one has nothing to read.
        return F.pad(self.given_to_outer(ahead) * some, (0, 0, 0, 1)), to_inner, some

    def _ahead(self, steps: Tensor, shown: Tensor) -> Tensor:
        """The heights ahead that are given, -1 where none is, of shape (B, T, voices * len(AHEAD))."""
        heights = [
            torch.where(shown[:, :, owner], steps[:, :, column] - 1, -1) for column, owner in self.config.foreseen
        ]
        return torch.stack(
            [F.pad(height, (0, reach), value=-1)[:, reach:] for height in heights for reach in AHEAD], dim=2
        )

    def _foresight(self, steps: Tensor, column: int, ahead: Tensor) -> Tensor:
        """What a voice's hidden layer gets from what is given ahead, measured by its own last height, (N, I)."""
        last = steps[:, self.config.own_last[column], None] - 1
        share = self.config.dropout / 2 if self.training else 0.0
        known = (ahead >= 0) & (last >= 0)
        heard = (known & (torch.rand(ahead.shape, device=ahead.device) >= share)).float() / (1 - share)
        places = (ahead - last).clamp(-REACH, REACH) + REACH
        places = places + SPAN * torch.arange(ahead.shape[1], device=ahead.device)
        return self.foreseen_to_inner[str(column)](_summed(self.foreseen[str(column)], places, heard))

    def _chance(self, real: Tensor) -> Tensor:
        """Fields given in advance by chance, (B, T, F): some columns throughout, or all but a stretch of the others."""
        config = self.config
        predicted = list(config.columns.predicted)
        pieces, length = real.shape

        def draw(*shape: int) -> Tensor:
            return torch.rand(shape, device=real.device)

        choices = len(predicted)
        count = (1 + draw(pieces, 1) * (choices - 1)).long().clamp(max=choices - 1)  # some are left to be told
        shown = (draw(pieces, choices).argsort(dim=1) < count).unsqueeze(1).expand(-1, length, -1)
        start, size = draw(pieces, 1) * (real.sum(1, keepdim=True) - 1), 1 + draw(pieces, 1) * 16 * config.stride
        place = torch.arange(length, device=real.device)
        stretch = (place >= start) & (place < start + size)  # (B, T)
        around = (draw(pieces, 1) < 0.25) & ~stretch
        shown = (shown | around.unsqueeze(-1)) & (draw(pieces, 1, 1) < config.reveal)
        fields = torch.zeros(*real.shape, len(config.columns.sizes), dtype=torch.bool, device=real.device)
        fields[:, :, predicted] = shown
        return fields

    def _drop(self, x: Tensor, share: float) -> Tensor:
        """Dropout with one mask for all steps of a piece (Gal and Ghahramani 2016, arXiv:1512.05287)."""
        share *= self.config.dropout
        if not self.training or not share:
            return x
        return x * torch.bernoulli(torch.full_like(x[:, :1], 1 - share)).div_(1 - share)

    def _drop_units(self, x: Tensor) -> Tensor:
        return F.dropout(x, 0.75 * self.config.dropout, self.training)


def _summed(table: nn.Embedding, places: Tensor, heard: Tensor) -> Tensor:
    """The sum of the vectors of words, each weighed by whether it is heard; both of shape (N, words)."""
    return F.embedding_bag(places, table.weight, mode="sum", per_sample_weights=heard.to(table.weight.dtype))
