"""The biaxial network in numpy, one field at a time, for composing without torch."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..keyboard import OCTAVE
from ..recurrent import Floats, Weights
from .config import BiaxialConfig


class BiaxialPlayer:
    """Plays the weights of a `BiaxialModule`, equal to its forward pass; used as `StepwisePlayer` is.

    The layers along time move all keys at once when the facts of a step are told. The layers along the keys move only
    as far as somebody asks: keys that have no choice are caught up with when a later one has.
    """

    def __init__(self, config: BiaxialConfig, weights: Weights) -> None:
        self.config = config
        self._weights = {name: np.ascontiguousarray(weight, np.float32) for name, weight in weights.items()}
        own, columns = self._weights, config.columns
        self._last = len(columns.sizes) - 1
        self._facts_dim = config.facts_dim
        if config.keys:
            self._table = np.vstack([np.zeros((1, config.cell_dim), np.float32), own["cells"]])
            self._time = [_Layer(own, f"time.{index}.", config.keys) for index in range(len(config.time_dims))]
            self._note = [_Layer(own, f"note.{index}.", 1) for index in range(len(config.note_dims))]
            # The first layer along the keys sees what time says, known for all keys at once, and the key below.
            split = config.time_dims[-1]
            self._from_time = self._note[0].input_weight[:, :split].T.copy()
            self._from_below = self._table @ self._note[0].input_weight[:, split:].T
            self._place = own["places"] if config.place_dim else config.place_features
            self._turned = (config.classes[:, None] + np.arange(OCTAVE)) % OCTAVE
            self._head, self._head_bias = own["key.weight"], own["key.bias"]
        if config.decided:
            self._story = _Layer(own, "story.", 1)
            self._choices = {column: index for index, column in enumerate(config.decided)}
            self._told_first = len(config.decided) - sum(column > 0 for column in config.decided)
        self.reset()

    def reset(self) -> None:
        """Be at the start of a piece."""
        config = self.config
        self._before = np.zeros(config.keys, np.int64)
        if config.keys:
            for layer in self._time:
                layer.reset()
        if config.decided:
            self._story.reset()
            self._tell(self._weights["start"])
        self._begin()

    def logits(self, column: int) -> Floats:
        """Unnormalised log-probabilities of the words of a predicted column, shape (words,)."""
        if column >= self.config.facts:
            return self._key_logits(column - self.config.facts)
        index = self._choices[column]
        hidden = self._hidden[index]
        if column:
            hidden = hidden + self._weights[f"told_to_inner.{index - self._told_first}.weight"] @ self._facts
        inner = np.maximum(hidden, 0.0)
        return np.asarray(self._weights[f"words.{index}.weight"] @ inner + self._weights[f"words.{index}.bias"])

    def put(self, column: int, word: int) -> None:
        """Say which word a column has."""
        config = self.config
        if column < config.facts:
            self._facts += self._weights["embed.weight"][config.columns.offsets[column] + word]
            if column == config.degree_column:
                self._degree = word
        else:
            self._words[column - config.facts] = word
        if column == self._last:
            self._finish()

    def state(self) -> Any:
        """A copy of all that is remembered, for `restore`; only between steps."""
        config = self.config
        time = [layer.state() for layer in self._time] if config.keys else []
        story = (self._story.state(), self._hidden.copy()) if config.decided else None
        return self._before.copy(), time, story

    def restore(self, state: Any) -> None:
        """Go back to what `state` gave."""
        before, time, story = state
        self._before = before.copy()
        if self.config.keys:
            for layer, past in zip(self._time, time, strict=True):
                layer.restore(past)
        if story is not None:
            self._story.restore(story[0])
            self._hidden = story[1].copy()
        self._begin()

    def _begin(self) -> None:
        """Begin a step of which nothing is told."""
        self._facts = np.zeros(self._facts_dim, np.float32)
        self._words = [0] * self.config.keys
        self._degree = 0
        self._gates: Floats | None = None
        self._moved = 0

    def _finish(self) -> None:
        config = self.config
        if config.keys and self._gates is None:
            self._move_time()
        self._before = np.array(self._words, np.int64)
        if config.decided:
            row = self._facts
            if config.keys:
                row = row + self._weights["heard.weight"] @ self._table[self._before].reshape(-1)
            self._tell(row)
        self._begin()

    def _tell(self, row: Floats) -> None:
        """The story's next step, and what it says to the facts that are chosen."""
        story = self._story.step((self._story.input_weight @ row + self._story.bias)[None])[0]
        hidden = self._weights["to_inner.weight"] @ story + self._weights["to_inner.bias"]
        self._hidden = hidden.reshape(len(self._choices), -1)

    # -- keys -------------------------------------------------------------------------------------

    def _key_logits(self, key: int) -> Floats:
        from_time = self._move_time() if self._gates is None else self._gates
        while self._moved <= key:
            gates = from_time[self._moved]
            if self._moved:
                gates = gates + self._from_below[self._words[self._moved - 1]]
            x = self._note[0].step(gates[None])
            for layer in self._note[1:]:
                x = layer.step(x @ layer.input_weight.T + layer.bias)
            self._moved += 1
        return np.asarray(self._head @ x[0] + self._head_bias)

    def _move_time(self) -> Floats:
        """Move all keys one step along time, now that the facts of the step are told; what it says to the keys."""
        x = self._seen()
        for layer in self._time:
            x = layer.step(x @ layer.input_weight.T + layer.bias)
        self._gates = x @ self._from_time + self._note[0].bias
        for layer in self._note:
            layer.reset()
        return self._gates

    def _seen(self) -> Floats:
        """What each key sees, (keys, input_dim)."""
        config, pitches = self.config, self.config.pitches
        cells, span = self._table[self._before], 2 * config.reach + 1
        around = []
        for block in (cells[:pitches], cells[pitches:]):
            if len(block):
                padded = np.pad(block, ((config.reach, config.reach), (0, 0)))
                around.append(np.lib.stride_tricks.sliding_window_view(padded, span, axis=0).reshape(len(block), -1))
        sounds = np.bincount(config.classes[self._before[:pitches] > 0], minlength=OCTAVE).astype(np.float32)
        context = np.zeros((config.keys, OCTAVE), np.float32)
        context[:pitches] = sounds[self._turned]
        seen = [np.concatenate(around), context, self._place]
        if config.degree_column is not None:
            degrees = np.zeros((config.keys, config.degree_dim), np.float32)
            degrees[:pitches] = self._weights["degrees.weight"][OCTAVE * self._degree + config.classes]
            seen.append(degrees)
        seen.append(np.broadcast_to(self._facts, (config.keys, len(self._facts))))
        return np.concatenate(seen, axis=1)


class _Layer:
    """A layer of LSTM over the weights of a torch `nn.LSTM`, moving some rows one step at once."""

    def __init__(self, weights: Weights, prefix: str, rows: int) -> None:
        self.input_weight: Floats = _ordered(weights[prefix + "weight_ih_l0"])
        self._weight = _ordered(weights[prefix + "weight_hh_l0"]).T.copy()
        self.bias: Floats = _ordered(weights[prefix + "bias_ih_l0"]) + _ordered(weights[prefix + "bias_hh_l0"])
        self._size = len(self._weight)
        self._h, self._c = np.zeros((2, rows, self._size), np.float32)

    def reset(self) -> None:
        """Forget the past."""
        self._h[:] = self._c[:] = 0

    def state(self) -> tuple[Floats, Floats]:
        """A copy of what is remembered."""
        return self._h.copy(), self._c.copy()

    def restore(self, state: tuple[Floats, Floats]) -> None:
        """Go back to what `state` gave."""
        self._h[:], self._c[:] = state

    def step(self, gates: Floats) -> Floats:
        """One step from what the input adds to the gates, (rows, 4 * size); the output, (rows, size)."""
        gates = np.tanh(gates + self._h @ self._weight)
        size = self._size
        sigmoids = gates[:, : 3 * size]
        sigmoids += 1.0
        sigmoids *= 0.5
        self._c *= gates[:, size : 2 * size]
        self._c += gates[:, :size] * gates[:, 3 * size :]
        np.multiply(gates[:, 2 * size : 3 * size], np.tanh(self._c), out=self._h)
        return self._h


def _ordered(gates: Any) -> Floats:
    """Gates of torch (write, keep, new, show) as write, keep, show, new, halved where one tanh gives the sigmoid."""
    write, keep, new, show = np.split(np.asarray(gates, np.float32), 4)
    return np.concatenate((write / 2, keep / 2, show / 2, new))
