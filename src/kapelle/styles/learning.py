"""From a corpus to a style."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..codecs import codecs
from ..corpora import Corpus, Piece, split
from ..errors import CodecError, CorpusError, MissingExtra
from ..music import with_detected_key
from ..networks import Columns, network
from ..networks.lstm import PRESETS as REFERENCES
from .card import Card, Habits
from .style import Style


def learn(
    corpus: Corpus,
    name: str,
    network_name: str = "stepwise",
    minutes: float = 10.0,
    epochs: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    command: str = "",
    title: str = "",
    progress: Any = None,
    **changes: Any,
) -> Style:
    """Learn a style from a corpus.

    The corpus is split by piece; the weights that are kept are those that foretell the held-out pieces
    best, and the card says how well, beside the pieces learnt from.

    Args:
        corpus: at least one piece.
        name: of the style.
        network_name: of a configuration; see `kapelle.networks.presets`.
        minutes: longest time.
        epochs: most passes over the corpus; None for as many as fit.
        seed: of the split and of every random choice.
        threads: of torch; None for its own choice.
        command: to be written into the card: what makes this style again.
        title: for people.
        progress: see `kapelle.training.trainer.Progress`.
        changes: of the network's configuration.

    Raises:
        CorpusError: if there is nothing to learn from.
        MissingExtra: if torch is not installed.
    """
    parts = split(corpus, seed)
    codec = codecs()["events"].for_scores(piece.score for piece in corpus.pieces)
    train, valid, test = (_encoded(codec, pieces) for pieces in (parts.train, parts.valid, parts.test))
    if not train or not valid:
        raise CorpusError(f"{corpus.name}: expected at least one piece to learn from and one to hold out, got fewer")
    try:
        from ..training.likelihood import likelihood
        from ..training.trainer import Recipe, fit
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtra("training", "train") from None
    net = network(network_name, Columns.of(codec.layout), **changes)
    recipe = Recipe(minutes=minutes, epochs=epochs, seed=seed, threads=threads, **recipe_of(network_name))
    outcome = fit(net, codec, train, valid, recipe, progress)
    # What is measured is what is kept: weights in half precision.
    weights = {n: w.astype(np.float16) if w.dtype.kind == "f" else w for n, w in outcome.weights.items()}
    module = module_of(net, weights)
    sample = train[: max(len(valid), 1)]
    figures = {
        "valid nats per note": likelihood(module, valid, codec).nats_per_note,
        "train nats per note": likelihood(module, sample, codec).nats_per_note,
    }
    if test:
        figures["test nats per note"] = likelihood(module, test, codec).nats_per_note
    assert outcome.best is not None
    card = Card(
        title or name,
        corpus.licence,
        corpus.attribution,
        len(train),
        sum(codec.num_notes(piece) for piece in train),
        corpus.fingerprint,
        network_name,
        sum(weight.size for weight in weights.values()),
        command,
        outcome.seconds,
        seed,
        figures | {"epochs": outcome.best.epoch, "held out pieces": len(valid), "test pieces": len(test)},
        tuple((look.epoch, look.seconds, look.train, look.valid) for look in outcome.looks),
        tuple(
            remark
            for remark in (parts.note, small_data_remark(len(corpus.pieces)), f"ended: {outcome.ended}")
            if remark
        ),
    )
    return Style(name, codec, net, weights, card, Habits.of(piece.score for piece in parts.train))


def module_of(net: Any, weights: Any) -> Any:
    """The torch network with these weights."""
    import torch

    module = net.module()
    tensors = {name: torch.from_numpy(np.array(weight)) for name, weight in weights.items()}
    module.load_state_dict({name: t.float() if t.is_floating_point() else t for name, t in tensors.items()})
    return module.eval()


def recipe_of(network_name: str) -> dict[str, Any]:
    """How the reference networks were trained by their makers; ours needs nothing said."""
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


def _encoded(codec: Any, pieces: Sequence[Piece]) -> list[Any]:
    steps = []
    for piece in pieces:
        try:
            steps.append(codec.encode(with_detected_key(piece.score)))
        except CodecError:
            continue
    return steps
