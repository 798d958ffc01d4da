"""The network of voices in numpy, one field at a time, for composing without torch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..recurrent import Floats, LstmStack, Weights
from .config import AHEAD, DEGREES, PERFECT, REACH, Anchor, VoicesConfig

SPAN = 2 * REACH + 1


class VoicesPlayer:
    """Plays the weights of a `VoicesModule`, equal to its forward pass; used as `StepwisePlayer` is.

    What is given in advance is told with `show` after `reset`; its fields are put in their turn like all others.
    """

    def __init__(self, config: VoicesConfig, weights: Weights) -> None:
        self.config = config
        self._weights = {name: np.ascontiguousarray(weight, np.float32) for name, weight in weights.items()}
        columns = config.columns
        # For each choice what a word told in the same step adds to its hidden layer, shape (words, I).
        self._told = {
            column: self._weights["told.weight"] @ self._weights[f"told_to_inner.{column}.weight"].T
            for column in columns.predicted
            if f"told_to_inner.{column}.weight" in self._weights
        }
        self._last = len(columns.sizes) - 1
        self._choices = {column: index for index, column in enumerate(columns.predicted)}
        self._outer = [LstmStack(weights, f"outer.{layer}.") for layer in range(config.num_layers)]
        self._memory = _Memory(config, self._weights)
        to_inner = self._weights["to_inner.weight"]
        split = config.hidden_dim + config.attention_dim
        self._context_to_inner, self._known_to_inner = to_inner[:, :split].copy(), to_inner[:, split:].copy()
        self._table = self._told_table()
        self._heads = {column: self._head(column) for column in columns.predicted}
        if config.columns.names and config.reveal:
            self._reader = LstmStack(weights, "reader.")
        # For each voice what a height ahead, as far from its own last one, adds to its hidden layer, (places, I).
        self._foresight = {
            column: self._weights[f"foreseen.{column}.weight"] @ self._weights[f"foreseen_to_inner.{column}.weight"].T
            for column in config.own_last
        }
        self._sums = np.zeros(self._table.shape[1], np.float32)
        self._embedded = self._sums[: config.embed_dim]
        self._hidden = self._sums[config.embed_dim :].reshape(len(self._choices), -1)
        self._row = [0] * len(columns.sizes)
        self.reset()

    def _told_table(self) -> Floats:
        """What each word adds to the step's vector and to the hidden layers of the choices after it."""
        config, columns = self.config, self.config.columns
        table = np.zeros((columns.total, config.embed_dim + len(self._choices) * config.inner_dim), np.float32)
        table[:, : config.embed_dim] = self._weights["embed.weight"]
        first = columns.offsets[config.opening]
        ends = (*columns.offsets[1:], columns.total)
        for column, index in self._choices.items():
            if column == config.opening:
                continue
            place = config.embed_dim + index * config.inner_dim
            for source, owner in enumerate(config.owners, config.opening):
                if owner < column:
                    words = slice(columns.offsets[source], ends[source])
                    rows = self._told[column][words.start - first : words.stop - first]
                    table[words, place : place + config.inner_dim] = rows
        return table

    def _head(self, column: int) -> tuple[Floats, Floats, Floats, Floats]:
        names = (f"deep.{column}", f"words.{column}")
        weights = [self._weights[f"{name}.{part}"] for name in names for part in ("weight", "bias")]
        return weights[0], weights[1], weights[2], weights[3]

    def reset(self) -> None:
        """Be at the start of a piece of which nothing is given."""
        for layer in self._outer:
            layer.reset()
        self._memory.reset()
        config = self.config
        self._shown: tuple[NDArray[Any], NDArray[np.bool_], Floats, Floats] | None = None
        self._ahead: NDArray[np.int64] | None = None
        self._time = 0
        self._rows = [np.zeros(config.embed_dim, np.float32)] * (config.stride - config.lead)
        self._move(self._weights["start"])
        self._begin()

    def show(self, steps: NDArray[Any], shown: NDArray[np.bool_]) -> None:
        """At the start of a piece: say which fields are given, and what they are.

        Args:
            steps: words of whole steps, shape (T, F); of those that are not given it does not matter which, but
                a voice that is given needs the word of its column "sounds" too.
            shown: which predicted fields are given, shape (T, F).

        Raises:
            ValueError: if the network never learnt to be given anything.
        """
        if not self.config.reveal:
            raise ValueError("expected a network that learnt with reveal above 0, got one that is given nothing")
        self.reset()
        steps, shown = np.asarray(steps), np.asarray(shown, bool)
        if shown[:, list(self.config.columns.predicted)].any():
            self._shown = (steps, shown, *self._read(steps, shown))
            self._ahead = self._heights_ahead(steps, shown)
            for layer in self._outer:
                layer.reset()
            self._memory.reset()
            self._move(self._weights["start"])
            self._begin()

    def logits(self, column: int) -> Floats:
        """Unnormalised log-probabilities of the words of a predicted column, shape (words,)."""
        deep, deep_bias, words, bias = self._heads[column]
        x = np.maximum(self._hidden[self._choices[column]], 0.0)
        x = x + np.maximum(deep @ x + deep_bias, 0.0)
        scores = words @ x + bias
        size = self.config.columns.sizes[column]
        logits = scores[:size].copy()
        ladder = self.config.ladder.get(column, ())
        for index, anchor in enumerate(ladder):
            if (word := self._height(anchor, column)) > 0:
                distance = np.clip(np.arange(size - 2) - (word - 1), -REACH, REACH) + REACH
                logits[2:] += scores[size + index * SPAN : size + (index + 1) * SPAN][distance]
        for index, pair in enumerate(self.config.parallels.get(column, ()), size + SPAN * len(ladder)):
            own, now, last = self._row[pair.own], self._height(pair.sounds, column), self._row[pair.last]
            word = own + now - last
            if min(own, now, last, word) > 0 and word <= size - 2 and now != last and abs(last - own) % 12 in PERFECT:
                logits[1 + word] += scores[index]
        echoes = self.config.echoes.get(column, ())
        tonic = self._row[self.config.tonic] if self.config.tonic >= 0 and column in self.config.ladder else 0
        if tonic:
            degree = (np.arange(size - 2) - (tonic - 1)) % DEGREES
            logits[2:] += scores[len(scores) - len(echoes) - DEGREES :][degree]
        for index, echo in enumerate(echoes, len(scores) - len(echoes)):
            if self._row[echo]:
                logits[self._row[echo] - 1] += scores[index]
        return np.asarray(logits)

    def _height(self, anchor: Anchor, column: int) -> int:
        """The word for the height of an anchor; 0 or less if it is not known when the column is decided on."""
        return self._foretold(anchor.owner, anchor.column) if anchor.owner > column else self._row[anchor.column]

    def put(self, column: int, word: int) -> None:
        """Say which word a column has."""
        self._row[column] = word
        self._sums += self._table[self.config.columns.offsets[column] + word]
        if column == self.config.opening - 1:
            self._hidden += (self._known_to_inner @ np.maximum(self._embedded, 0.0)).reshape(self._hidden.shape)
            self._foresee()
        if column == self._last:
            self._rows = [*self._rows, np.maximum(self._embedded, 0.0)]
            self._time += 1
            if len(self._rows) == self.config.stride:
                joined = self._weights["join.weight"] @ np.concatenate(self._rows) + self._weights["join.bias"]
                joined = np.maximum(joined, 0.0)
                self._memory.keep(joined)
                self._rows = []
                self._move(joined)
            self._begin()

    def state(self) -> Any:
        """A copy of all that is remembered, for `restore`; only between steps."""
        outer = [layer.state() for layer in self._outer]
        return outer, self._memory.state(), list(self._rows), self._context, self._time, self._shown, self._ahead

    def restore(self, state: Any) -> None:
        """Go back to what `state` gave."""
        outer, memory, rows, self._context, self._time, self._shown, self._ahead = state
        for layer, past in zip(self._outer, outer, strict=True):
            layer.restore(past)
        self._memory.restore(memory)
        self._rows = list(rows)
        self._begin()

    def _begin(self) -> None:
        """Begin a step: what is known of it before anything of it is told."""
        self._sums[:] = 0
        hidden = self._context_to_inner @ self._context + self._weights["to_inner.bias"]
        if self._shown is not None and self._time < len(self._shown[0]):
            hidden += self._shown[3][self._time]
        self._hidden += hidden.reshape(self._hidden.shape)
        if self._shown is None or self._time >= len(self._shown[0]):
            return
        config = self.config
        first = config.columns.offsets[config.opening]
        for column, source in config.tellable:
            word = self._foretold(column, source)
            if word >= 0:
                place = config.columns.offsets[source] + word - first
                for earlier, index in self._choices.items():
                    if earlier < column:
                        self._hidden[index] += self._told[earlier][place]

    def _heights_ahead(self, steps: NDArray[Any], shown: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The heights ahead that are given, -1 where none is, shape (T, voices * len(AHEAD))."""
        found = np.full((len(steps), len(self.config.foreseen), len(AHEAD)), -1)
        for voice, (column, owner) in enumerate(self.config.foreseen):
            heights = np.where(shown[:, owner], steps[:, column].astype(np.int64) - 1, -1)
            for place, reach in enumerate(AHEAD):
                found[: max(len(steps) - reach, 0), voice, place] = heights[reach:]
        return found.reshape(len(steps), -1)

    def _foresee(self) -> None:
        """What is given ahead reaches the voices, measured by the height each sounded last."""
        if self._ahead is None or self._time >= len(self._ahead):
            return
        ahead = self._ahead[self._time]
        known = ahead >= 0
        for column, last in self.config.own_last.items():
            if self._row[last]:
                places = np.clip(ahead - (self._row[last] - 1), -REACH, REACH) + REACH + SPAN * np.arange(len(ahead))
                self._hidden[self._choices[column]] += self._foresight[column][places[known]].sum(axis=0)

    def _foretold(self, column: int, source: int) -> int:
        """The word of a source in this step if its column is given, else -1."""
        if self._shown is None or self._time >= len(self._shown[0]) or not self._shown[1][self._time, column]:
            return -1
        return int(self._shown[0][self._time, source])

    def _move(self, joined: Floats) -> None:
        """The outer network's next step."""
        config = self.config
        x = joined
        if self._shown is not None:
            group = (self._time + config.stride - config.lead) // config.stride
            if group < len(self._shown[2]):
                x = x + self._shown[2][group]
        for index, layer in enumerate(self._outer):
            out = layer.step(layer.input_weight @ x + layer.input_bias)
            x = out + x if index else out.copy()
        self._context = np.concatenate((x, self._memory.look_up(x)))

    def _read(self, steps: NDArray[Any], shown: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """What the given fields say, to the outer network (G, H) and to the inner ones (T, K * I)."""
        config, weights = self.config, self._weights
        total = np.zeros((len(steps), config.reveal_dim), np.float32)
        first = 0
        for column, source in config.tellable:
            size = config.columns.sizes[source]
            total += weights["given.weight"][first + np.where(shown[:, column], steps[:, source], size)]
            first += size + 1
        total = np.maximum(total, 0.0)
        late = config.stride - config.lead
        padded = np.pad(total, ((late, -(late + len(total)) % config.stride), (0, 0)))
        groups = padded.reshape(-1, config.stride * config.reveal_dim)
        groups = np.maximum(groups @ weights["given_join.weight"].T + weights["given_join.bias"], 0.0)
        self._reader.reset()
        gates = groups @ self._reader.input_weight.T + self._reader.input_bias
        ahead = np.stack([self._reader.step(row).copy() for row in gates[::-1]])[::-1]
        inner = np.hstack([np.repeat(ahead, config.stride, axis=0)[late : late + len(total)], total])
        return (
            ahead @ weights["given_to_outer.weight"].T + weights["given_to_outer.bias"],
            inner @ weights["given_to_inner.weight"].T + weights["given_to_inner.bias"],
        )


class _Memory:
    """Earlier groups that can be looked up, the last `window` of them."""

    def __init__(self, config: VoicesConfig, weights: Weights) -> None:
        size = config.attention_dim // config.num_heads
        scale = np.float32(1 / np.sqrt(size))
        self._both = np.vstack([weights["query.weight"] * scale, weights["key.weight"]])
        self._both_bias = np.concatenate([weights["query.bias"] * scale, weights["key.bias"]])
        self._value, self._value_bias = weights["value.weight"], weights["value.bias"]
        self._window, self._shape = config.window, (config.num_heads, 1, size)
        # Place 0 is the zero that is always there.
        self._keys = np.zeros((config.num_heads, config.window + 1, size), np.float32)
        self._values = np.zeros_like(self._keys)
        self.reset()

    def reset(self) -> None:
        """Forget all groups."""
        self._count = 0
        self._next_key = self._keys[:, :1].copy()

    def state(self) -> tuple[int, Floats, Floats, Floats]:
        """A copy of what is remembered."""
        used = self._used
        return self._count, self._next_key.copy(), self._keys[:, :used].copy(), self._values[:, :used].copy()

    def restore(self, state: tuple[int, Floats, Floats, Floats]) -> None:
        """Go back to what `state` gave."""
        self._count, self._next_key = state[0], state[1].copy()
        used = self._used
        self._keys[:, :used], self._values[:, :used] = state[2], state[3]

    def look_up(self, outer: Floats) -> Floats:
        """What is found where the past was like it is now, shape (attention_dim,)."""
        query, self._next_key = (self._both @ outer + self._both_bias).reshape(2, *self._shape)
        likeness = query @ self._keys[:, : self._used].transpose(0, 2, 1)  # (heads, 1, used)
        likeness = np.exp(likeness - likeness.max(axis=-1, keepdims=True))
        found = (likeness / likeness.sum(axis=-1, keepdims=True)) @ self._values[:, : self._used]
        return np.asarray(found).reshape(-1)

    def keep(self, joined: Floats) -> None:
        """Remember the group that is over, under the outer state it came in."""
        place = 1 + self._count % self._window
        self._keys[:, place : place + 1] = self._next_key
        self._values[:, place : place + 1] = (self._value @ joined + self._value_bias).reshape(self._shape)
        self._count += 1

    @property
    def _used(self) -> int:
        return 1 + min(self._count, self._window)
