"""What is learnt and how: a corpus split and encoded, a network to learn it, and the style that comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..codecs import Codec, codecs
from ..corpora import Corpus, Piece, Split, split
from ..errors import CodecError, CorpusError, MissingExtra
from ..evaluation import Memory
from ..music import Score, with_detected_key
from ..networks import Columns, Network, is_latent, network
from ..networks.lstm import PRESETS as REFERENCES
from .card import Card, Habits
from .file import style_class
from .learnt import learnt_space
from .manners import check_manners, manner_of, mixable
from .style import Style
from .windows import WindowStyle

FINE_TUNING_RATE = 1e-3
"""The highest learning rate at which a network goes on from a style."""
FEW_PIECES, SMOOTHING = 100, 0.05
"""Fewer pieces than this are learnt with so much smoothing: without it a network becomes sure that there are no other
instruments than those few pieces have, and foretells held-out pieces worse from the first minute on."""
CODECS = {"voices": "chorale", "chorale": "chorale", "bachbot": "chorale"} | dict.fromkeys(
    ("chords", "biaxial", "johnson", "deepj"), "frames"
)
"""In which codec networks read music that are not made for events."""
MEASURED = 500
"""Of so many windows of each part it is measured how well they are found again."""
OF_RECIPE = ("learning_rate", "crop", "batch", "rounding")
"""What may be changed that is no part of a network's configuration, but of how it is trained."""


@dataclass(frozen=True)
class Settings:
    """All that a run was asked for.

    Attributes:
        name: of the style.
        network: name of its configuration; see `kapelle.networks.presets`.
        minutes: longest time; None for no limit.
        epochs: most passes over the corpus; None for as many as fit.
        seed: of the split and of every random choice.
        threads: of torch; None for one, which is the fastest for networks of this size and repeats bit for bit.
        title: for people.
        command: what makes the style again.
        changes: of the network's configuration; and `learning_rate`, `crop`, `batch` and `rounding`, of how it is
            trained.
        window: what windows are, for networks of windows: arguments of `BarsCodec.for_scores`.
        mixable: whether each folder in the corpus is a manner of its own, and manners can be mixed later.
    """

    name: str
    network: str = "stepwise"
    minutes: float | None = 10.0
    epochs: int | None = None
    seed: int = 0
    threads: int | None = None
    title: str = ""
    command: str = ""
    changes: dict[str, Any] = field(default_factory=dict)
    window: dict[str, Any] = field(default_factory=dict)
    mixable: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def network_of(self, columns: Columns) -> Network:
        """The network that is asked for.

        Raises:
            KapelleError: if there is none of that name.
        """
        return network(self.network, columns, **{k: v for k, v in self.changes.items() if k not in OF_RECIPE})

    @property
    def habits(self) -> dict[str, Any]:
        """How the network is trained, where that is not as it is usual."""
        return recipe_of(self.network) | {k: v for k, v in self.changes.items() if k in OF_RECIPE}


@dataclass(frozen=True, eq=False)
class Lesson:
    """A corpus to learn, and how.

    Attributes:
        settings: what was asked for.
        corpus: all of it.
        parts: the corpus split by piece.
        codec: with the vocabulary of the corpus.
        net: the network, without weights.
        base: the style to go on from, or None.
    """

    settings: Settings
    corpus: Corpus
    parts: Split
    codec: Codec
    net: Network
    base: Style | None = None

    @classmethod
    def of(
        cls,
        corpus: Corpus,
        settings: Settings,
        base: Style | None = None,
        sides: Mapping[str, str] | None = None,
    ) -> Lesson:
        """A lesson from a corpus.

        Args:
            corpus: at least one piece.
            settings: what is asked for.
            base: a style to go on from; the network is then the base's.
            sides: for the digests of pieces that were split before, which part they were in.

        Raises:
            CorpusError: if there is nothing to learn from.
        """
        name = base.codec.name if base is not None else codec_of(settings.network)
        if base is not None and not base.network.adapts:
            # What it has learnt holds for its own words alone.
            codec = base.codec
            check_manners(codec, corpus)
        else:
            codec = codecs()[name].for_scores((piece.score for piece in corpus.pieces), **settings.window)
            if settings.mixable:
                codec = mixable(codec, corpus)
        columns = Columns.of(codec.layout)
        if base is None:
            net = settings.network_of(columns)
        else:
            net = Network(base.network.name, replace(base.network.config, columns=columns))
        lesson = cls(settings, corpus, split(corpus, settings.seed, sides=sides), codec, net, base)
        if not lesson.train or not lesson.valid:
            raise CorpusError(
                f"{corpus.name}: expected at least one piece to learn from and one to hold out, got fewer; add music"
            )
        return lesson

    def with_settings(self, settings: Settings) -> Lesson:
        """The same music, split and encoded as it is here, to be learnt from nothing in another way."""
        other = replace(self, settings=settings, net=settings.network_of(self.net.config.columns), base=None)
        # What is cached lies in __dict__: encoding a large corpus again would take longer than a short training.
        other.__dict__.update({part: getattr(self, part) for part in ("train", "valid", "test")})
        return other

    @cached_property
    def train(self) -> list[NDArray[np.int32]]:
        """Encoded pieces to learn from."""
        return _encoded(self.codec, self.parts.train)

    @cached_property
    def valid(self) -> list[NDArray[np.int32]]:
        """Encoded pieces to choose by."""
        return _encoded(self.codec, self.parts.valid)

    @cached_property
    def test(self) -> list[NDArray[np.int32]]:
        """Encoded pieces to report once."""
        return _encoded(self.codec, self.parts.test)

    def trainer(self, progress: Any = None, parallel: Any = None) -> Any:
        """What trains the network; see `kapelle.training.trainer.Trainer` for this and the arguments.

        Raises:
            MissingExtra: if torch is not installed.
        """
        try:
            from ..training.trainer import Recipe, Trainer
            from ..training.weights import adopted
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            raise MissingExtra("training", "train") from None
        asked = self.settings
        recipe = Recipe(
            minutes=asked.minutes, epochs=asked.epochs, seed=asked.seed, threads=asked.threads or 1, **asked.habits
        )
        if len(self.corpus.pieces) < FEW_PIECES:
            recipe = replace(recipe, smoothing=SMOOTHING)
        base, start = self.base, None
        if base is not None:
            recipe = replace(recipe, learning_rate=min(recipe.learning_rate, FINE_TUNING_RATE))
            start = base.weights
            if base.network.adapts:
                before = base.network, base.codec, base.weights
                start = adopted(self.net, self.codec, self.train, *before, self.settings.seed)
        taught = self.net, self.codec, self.train, self.valid, recipe, start
        return Trainer(*taught, progress=progress, parallel=parallel)

    def style(self, weights: Mapping[str, NDArray[Any]], rows: Sequence[Any], measured: bool) -> Style:
        """The style that has learnt these weights.

        Args:
            weights: in half precision.
            rows: of the log.
            measured: whether the figures of the card are measured now, which takes some seconds.
        """
        looks = [row for row in rows if row.valid == row.valid]
        best = min(looks, key=lambda row: row.valid) if measured and looks else (rows[-1] if rows else None)
        figures = self._figures(weights) if measured else {}
        figures |= {
            "epochs": best.epoch if best is not None else 0.0,
            "held out pieces": len(self._learnt(self.parts.valid, self.valid)),
            "test pieces": len(self._learnt(self.parts.test, self.test)),
        }
        remarks = [self.parts.note, small_data_remark(len(self.corpus.pieces)), self._base_remark]
        asked = self.settings
        card = Card(
            asked.title or asked.name,
            self.corpus.licence,
            self.corpus.attribution,
            len(self._learnt(self.parts.train, self.train)),
            self.notes_learnt,
            self.corpus.fingerprint,
            asked.network,
            sum(weight.size for weight in weights.values()),
            asked.command,
            rows[-1].seconds if rows else 0.0,
            asked.seed,
            figures,
            tuple((row.epoch, row.seconds, row.train, row.valid) for row in looks),
            tuple(filter(None, remarks)),
        )
        about = asked.name, self.codec, self.net, dict(weights), card, self.habits, self.memory
        style = style_class(self.codec)(*about)
        if isinstance(style, WindowStyle) and weights:
            return replace(style, space=learnt_space(self.net, self.codec, weights, self.train))
        return style

    def _learnt(self, pieces: Sequence[Piece], encoded: Sequence[Any]) -> Sequence[Any]:
        """What counts as the pieces of a part: those that are encoded whole, or those that windows are cut from."""
        return pieces if self.codec.in_windows else encoded

    def window_lines(self) -> list[str]:
        """Of each piece how many windows it gives, and why others are none; nothing where pieces are learnt whole."""
        codec: Any = self.codec
        lines = []
        for piece in self.corpus.pieces if codec.in_windows else ():
            try:
                found, dropped = codec.windows(piece.score)
                why = "; ".join(f"{reason} ({times})" for reason, times in dropped.most_common())
                lines.append(f"{piece.source}: {len(found)} windows" + (f"; none from: {why}" if why else ""))
            except CodecError as error:
                lines.append(f"{piece.source}: 0 windows; {error}")
        return lines

    def verdict(self, rows: Sequence[Any], ended: str = "", copies: str = "") -> Any:
        """What the rows of a log say about the run; see `kapelle.training.judgement.judge`."""
        from ..training.judgement import judge

        return judge(rows, self.baseline, ended, copies)

    @cached_property
    def baseline(self) -> float:
        """Accuracy on the held-out pieces of always naming the most frequent word."""
        from ..training.counts import baseline_accuracy

        return baseline_accuracy(self.train, self.valid, self.codec)

    @cached_property
    def notes_learnt(self) -> int:
        """Notes of the pieces that are learnt from."""
        return sum(self.codec.num_notes(piece) for piece in self.train)

    @property
    def _base_remark(self) -> str:
        return "" if self.base is None else f"Goes on from the style {self.base.name} ({self.base.card.title})."

    @cached_property
    def habits(self) -> Habits:
        """Of the pieces that are learnt from."""
        return Habits.of(piece.score for piece in self.parts.train)

    @cached_property
    def held_out(self) -> list[Score]:
        """The human pieces that were not learnt from; none where only the ends of pieces are held out."""
        learnt = {piece.source for piece in self.parts.train}
        return [piece.score for piece in (*self.parts.valid, *self.parts.test) if piece.source not in learnt]

    @cached_property
    def memory(self) -> Memory:
        """What tells whether a piece is copied from those that are learnt from."""
        return Memory.of((piece.score for piece in self.parts.train), self.held_out)

    def _figures(self, weights: Mapping[str, NDArray[Any]]) -> dict[str, float]:
        if self.codec.in_windows:
            return self._reconstruction(weights)
        from ..training.likelihood import likelihood
        from ..training.weights import module_of

        module = module_of(self.net, weights)
        sample = self.train[: max(len(self.valid), 1)]
        parts = {"valid": self.valid, "train": sample, "test": self.test}
        found = {name: likelihood(module, pieces, self.codec) for name, pieces in parts.items() if pieces}
        return {f"{name} nats per note": figure.nats_per_note for name, figure in found.items()} | {
            "valid accuracy": found["valid"].accuracy,
            "most frequent word": self.baseline,
        }

    def _reconstruction(self, weights: Mapping[str, NDArray[Any]]) -> dict[str, float]:
        """How windows are found again; each figure means something only beside the others."""
        from ..training.reconstruction import reconstruction

        player: Any = self.net.player(weights)
        figures: dict[str, float] = {}
        for part, windows in (("valid", self.valid), ("train", self.train), ("test", self.test)):
            if windows:
                found = reconstruction(player, self.codec, windows[:: max(len(windows) // MEASURED, 1)])
                figures |= {
                    f"{part} accuracy, told the truth": found.forced,
                    f"{part} accuracy, free-running": found.free,
                    f"{part} nats of a window's point": found.nats,
                }
        return figures | {"most frequent word": self.baseline}


def sides_of(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Which part the pieces of a run are in, by their digests."""
    return {piece["digest"]: piece["part"] for piece in manifest["corpus"]["pieces"]}


def codec_of(network_name: str) -> str:
    """In which codec a network reads music.

    Raises:
        KapelleError: if there is no network of that name.
    """
    return "bars" if is_latent(network_name) else CODECS.get(network_name, "events")


def recipe_of(network_name: str) -> dict[str, Any]:
    """How the reference networks were trained by their makers, and networks of voices: from whole pieces."""
    if CODECS.get(network_name) == "chorale" and network_name not in REFERENCES:
        return {"crop": 1024}
    if network_name == "chords":
        # As many as it can look back on.
        return {"crop": 256, "batch": 768}
    if CODECS.get(network_name) == "frames":
        # Eight bars of sixteenths, as Johnson did: every frame is a step for each of its keys. Few of them make a
        # batch, since a frame says little that the one before did not.
        return {"crop": 128, "batch": 512}
    if codec_of(network_name) == "bars":
        # Windows are whole, however long.
        return {"crop": 1 << 16, "averaging": 0.99, "learning_rate": 5e-3}
    if network_name not in REFERENCES:
        return {}
    # Windows of 100 tokens, as theirs were: 25 steps with four fields that are chosen.
    return {"optimiser": "rmsprop" if network_name == "skuldur" else "adam", "learning_rate": 1e-3, "crop": 25}


def small_data_remark(pieces: int) -> str:
    """What to expect of so few pieces; nothing from a hundred on."""
    if pieces == 1:
        return "One piece: expect its instruments, register and rhythms, not its tune; more pieces make it a style."
    if pieces < 15:
        return f"{pieces} pieces: expect their figures and rhythms, little sense of form, and passages that are copied."
    if pieces < 100:
        return f"{pieces} pieces: expect the style's surface; more pieces make it freer."
    return ""


def _encoded(codec: Any, pieces: Sequence[Piece]) -> list[NDArray[np.int32]]:
    steps = []
    for piece in pieces:
        try:
            if codec.in_windows:
                steps += codec.windows(piece.score)[0]
            else:
                steps.append(codec.encode(with_detected_key(piece.score)))
        except CodecError:
            continue
        if getattr(codec, "manners", ()):
            steps[-1] = codec.in_manner(steps[-1], manner_of(piece))
    return steps
