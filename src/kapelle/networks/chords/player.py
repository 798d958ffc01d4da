"""The network of chords in numpy, one field at a time, for composing without torch."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..keyboard import OCTAVE
from ..recurrent import Floats, LstmStack, Weights
from .config import LEAST, SPAN, ChordsConfig


class ChordsPlayer:
    """Plays the weights of a `ChordsModule`, equal to its forward pass; used as `StepwisePlayer` is.

    The outer network moves when the facts that open a step are told. A chord is scored anew only after a key was told
    that sounds; what a single key is asked for follows from the scores of it and those above.
    """

    def __init__(self, config: ChordsConfig, weights: Weights) -> None:
        self.config = config
        self._weights = {name: np.ascontiguousarray(weight, np.float32) for name, weight in weights.items()}
        self._outer = LstmStack(self._weights, *(f"outer.{index}." for index in range(config.num_layers)))
        self._last = len(config.columns.sizes) - 1
        self._choices = {column: index for index, column in enumerate(config.decided)}
        self._told_first = len(config.decided) - sum(column > config.opening for column in config.decided)
        if config.keys:
            own = self._weights
            # What the chord below says to the inner network: one row for each key that sounds, or word of it.
            self._below = own["below.weight"].T.copy()
            self._heard = own["heard.weight"].T.copy()
        self._nearly_all = 1.0
        self.reset()

    def leave_out(self, share: float) -> None:
        """Let the least likely keys, which make up so large a share of all that could sound next, not sound at all.

        Whether any key sounds stays as likely as it was learnt. To leave out what is unlikely for each key by itself
        would do either nothing or silence the music.
        """
        self._nearly_all = 1.0 - share

    def reset(self) -> None:
        """Be at the start of a piece."""
        config = self.config
        self._outer.reset()
        self._row = self._weights["start"].copy()
        self._before = np.zeros(config.keys, np.int64)
        self._found_by = np.zeros((0, config.attention_dim), np.float32)
        self._sounded = np.zeros((0, config.keys), np.float32)
        self._begin()

    def logits(self, column: int) -> Floats:
        """Unnormalised log-probabilities of the words of a predicted column, shape (words,)."""
        if not self._is_moved:
            self._move()
        if column >= self.config.facts:
            return self._key_logits(column - self.config.facts)
        index, own = self._choices[column], self._weights
        hidden = self._hidden[index]
        if column > self.config.opening:
            hidden = hidden + own[f"told_to_inner.{index - self._told_first}.weight"] @ self._late
        return np.asarray(own[f"words.{index}.weight"] @ np.maximum(hidden, 0) + own[f"words.{index}.bias"])

    def put(self, column: int, word: int) -> None:
        """Say which word a column has."""
        config = self.config
        if column < config.facts:
            told = self._known if column < config.told else self._late
            told += self._weights["embed.weight"][config.columns.offsets[column] + word]
            if column == config.key_fact:
                self._tonic = word
        else:
            self._words[column - config.facts] = word
            if word:
                self._top, self._is_scored = column - config.facts + 1, False
        if column == self._last:
            self._finish()

    def state(self) -> Any:
        """A copy of all that is remembered, for `restore`; only between steps."""
        # Rows are added to the memory by making it anew, so it need not be copied.
        return self._outer.state(), self._row.copy(), self._before.copy(), self._found_by, self._sounded

    def restore(self, state: Any) -> None:
        """Go back to what `state` gave."""
        outer, row, before, self._found_by, self._sounded = state
        self._outer.restore(outer)
        self._row, self._before = row.copy(), before.copy()
        self._begin()

    def _begin(self) -> None:
        """Begin a step of which nothing is told."""
        self._known, self._late = np.zeros((2, self.config.hidden_dim), np.float32)
        self._words = np.zeros(self.config.keys, np.int64)
        self._tonic = 0
        self._is_moved = self._is_prepared = self._is_scored = False
        self._top = 0

    def _move(self) -> None:
        """Move the outer network, now that the facts that open the step are told."""
        own = self._weights
        x, self._is_moved = self._row + self._known, True
        self._state = self._outer.step(self._outer.input_weight @ x + self._outer.input_bias).copy()
        if self.config.decided:
            hidden = own["to_inner.weight"] @ self._state + own["to_inner.bias"]
            self._hidden = hidden.reshape(len(self._choices), -1)

    def _finish(self) -> None:
        if not self._is_moved:
            self._move()
        config, own = self.config, self._weights
        self._row = self._late
        if config.keys:
            self._row = self._row + self._hear() @ self._heard
            key = own["key.weight"] @ self._state + own["key.bias"]
            sounds = (self._words > 0).astype(np.float32)
            self._found_by = np.vstack([self._found_by, key])[-config.window :]
            self._sounded = np.vstack([self._sounded, sounds])[-config.window :]
            self._before = self._words
        self._begin()

    # -- keys -------------------------------------------------------------------------------------

    def _chord(self, words: Any) -> Floats:
        """Which keys sound, and how, (chord_dim,)."""
        config = self.config
        parts = [words > 0]
        if config.loud:
            counts = 0.3 * np.bincount(words, minlength=config.words)[1:]
            parts += [words > 1, counts]
        return np.concatenate(parts).astype(np.float32)

    def _degrees(self) -> Any:
        """The degree of each pitch in the key of the piece."""
        return (self.config.classes - self._tonic + 1) % OCTAVE

    def _hear(self) -> Floats:
        config, chord = self.config, self._chord(self._words)
        if config.key_fact is None:
            return chord
        heard = np.zeros(OCTAVE, np.float32)
        heard[self._degrees()[self._words[: config.pitches] > 0]] = 1
        return np.concatenate([chord, heard])

    def _prepare(self) -> None:
        """What the chord of this step is told from: by the outer network, and by each key of itself."""
        config, own, state = self.config, self._weights, self._state
        self._found, self._is_prepared = self._look_up(), True
        context = own["chord.weight"] @ np.concatenate([state, self._found.reshape(-1)]) + own["chord.bias"]
        if config.told < config.facts:
            context = context + own["facts.weight"] @ self._late
        self._context = context
        sounds, span = (self._before > 0).astype(np.float32), 2 * config.reach + 1
        around = [
            np.lib.stride_tricks.sliding_window_view(np.pad(block, config.reach), span)
            for block in (sounds[: config.pitches], sounds[config.pitches :])
            if len(block)
        ]
        seen = [np.concatenate(around), self._found.T]
        if config.loud:
            seen.append((self._before > 1).astype(np.float32)[:, None])
        x = np.hstack(seen) @ own["seen.weight"].T + own["seen.bias"] + own["places"]
        x += own["around.weight"] @ state
        if config.key_fact is not None:
            x[: config.pitches] += own["degrees.weight"][OCTAVE * self._tonic + self._degrees()]
        self._said = np.maximum(x, 0) @ own["says.weight"].T + own["says.bias"]

    def _look_up(self) -> Floats:
        """How much of each key is found in earlier steps, (heads, keys)."""
        config, own = self.config, self._weights
        known = len(self._found_by)
        query = (own["query.weight"] @ self._state + own["query.bias"]).reshape(config.num_heads, -1, 1)
        keys = self._found_by.reshape(known, *query.shape[:2]).transpose(1, 0, 2)
        scores = np.zeros((config.num_heads, 1 + known), np.float32)
        scores[:, 1:] = (keys @ query)[:, :, 0] / np.float32(query.shape[1] ** 0.5)
        scores += own["distance"][:, [0, *range(known, 0, -1)]]
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        return np.asarray(weights[:, 1:] @ self._sounded)

    def _key_logits(self, key: int) -> Floats:
        if not self._is_prepared:
            self._prepare()
        if not self._is_scored:
            self._score()
        return np.asarray(self._logits[key])

    def _score(self) -> None:
        """Score what may come above the last key that sounds."""
        config, own, keys = self.config, self._weights, self.config.keys
        x = np.maximum(self._context + self._chord(self._words) @ self._below + own["last.weight"][self._top], 0)
        x = x + np.maximum(own["deep.weight"] @ x + own["deep.bias"], 0)
        scores = own["scores.weight"] @ x + own["scores.bias"]
        logits, rest = scores[: keys + 1], scores[keys + 1 + SPAN :]
        if self._top:
            spans = scores[keys + 1 : keys + 1 + SPAN]
            logits[:keys] += spans[np.clip(np.arange(keys) - self._top, 0, SPAN - 1)]
        if config.key_fact is not None and self._tonic:
            logits[: config.pitches] += rest[self._degrees()]
        logits[:keys] += self._said[:, 0] + self._said[:, 1:] @ np.tanh(rest[-config.gates :])
        scores = np.maximum(logits - logits.max(), LEAST)
        if self._nearly_all < 1:
            self._leave_out(scores[self._top : keys])
        tails = np.log(np.cumsum(np.exp(scores[::-1]))[::-1])
        self._is_scored = True
        # A key is silent with the share of all that are above it and of none.
        self._logits = np.stack([tails[1:], scores[:keys]], axis=1)
        if config.loud:
            x = own["struck.weight"] @ x + own["struck.bias"] + own["before.weight"][self._before] + own["places"]
            loud = np.maximum(x, 0) @ own["loudness.weight"].T + own["loudness.bias"]
            loud -= loud.max(axis=1, keepdims=True)
            loud += (scores[:keys] - np.log(np.exp(loud).sum(axis=1)))[:, None]
            self._logits = np.hstack([self._logits[:, :1], loud])

    def _leave_out(self, scores: Floats) -> None:
        """Take what is left out of the scores of the keys above the last one, and share it out among the others."""
        if not len(scores):
            return
        weights = np.exp(scores)
        order = np.argsort(-weights)
        reached = np.cumsum(weights[order])
        kept = 1 + int(np.searchsorted(reached[:-1], self._nearly_all * reached[-1]))
        scores += np.log(reached[-1] / reached[kept - 1])
        scores[order[kept:]] = LEAST
