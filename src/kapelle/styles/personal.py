"""A style of one's own on top of another: its network as it is, its space that of one's own clips."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..corpora import Corpus, Piece
from ..errors import CodecError, CorpusError
from ..evaluation import Memory
from ..sampling import Taste, tell
from .card import Card, Habits
from .space import Floats, Space
from .windows import WindowStyle

DRAWN = 200
"""So many windows are drawn to see how near to one's clips they are."""
HELD = 4
"""With so many pieces or more, one of so many is held out to measure by."""


def personal(
    corpus: Corpus, name: str, base: WindowStyle, title: str = "", command: str = "",
    told: Callable[[str], None] = lambda line: None,
) -> WindowStyle:  # fmt: skip
    """A style that draws near to the clips of a corpus, in seconds.

    Nothing of the network changes: as in MidiMe (Dinculescu, Engel and Roberts 2019) a small model of where one's own
    clips lie is laid over a large one. MidiMe's is a variational autoencoder of four numbers; this one is the density
    that every `Space` draws from, of the points of the clips, which was found to be nearer to clips that were held out.

    Args:
        corpus: of clips; what has no window of the base's is told and left out.
        name: of the style.
        base: whose network it is.
        title, command: for the card.
        told: called with a line for each piece that gives no window.

    Raises:
        CorpusError: if no piece gives a window.
    """
    start = time.monotonic()
    found = _windows(corpus, base, told)
    pieces = [piece for piece, _ in found]
    windows = [window for _, own in found for window in own]
    card = Card(
        title or name,
        "; ".join(dict.fromkeys(filter(None, (corpus.licence, base.card.licence)))),
        (*corpus.attribution, *base.card.attribution),
        len(pieces),
        sum(base.codec.num_notes(window) for window in windows),
        corpus.fingerprint,
        base.card.network,
        base.card.parameters,
        command,
        figures=_figures(base, [own for _, own in found]),
        remarks=(f"On top of the style {base.name}: its network, and the space of {len(windows)} windows.",),
    )
    scores = [piece.score for piece in pieces]
    style = replace(
        base, name=name, card=card, habits=Habits.of(scores), memory=Memory.of(scores, []), space=_space(base, windows)
    )
    return replace(style, card=replace(card, seconds=time.monotonic() - start))


def _windows(
    corpus: Corpus, base: WindowStyle, told: Callable[[str], None]
) -> list[tuple[Piece, list[NDArray[np.int32]]]]:
    codec: Any = base.codec
    found = []
    for piece in corpus.pieces:
        try:
            windows, dropped = codec.windows(piece.score)
            why = "; ".join(f"{reason} ({times})" for reason, times in dropped.most_common(3))
            if not windows and set(dropped) == {"fewer bars than a window"}:
                windows = [codec.encode(piece.score)]
        except CodecError as error:
            windows, why = [], str(error)
        if windows:
            found.append((piece, windows))
        else:
            told(f"{piece.source}: 0 windows; {why}")
    if not found:
        raise CorpusError(
            f"{corpus.name}: expected clips that the style {base.name} can tell, got none; name another with --on"
        )
    return found


def _space(base: WindowStyle, windows: Sequence[NDArray[np.int32]]) -> Space:
    """The space of some windows; what can be steered in it, and how, stays the base's.

    Of few clips it is hardly known how they scatter: the scatter of the base counts as much as one of them.
    """
    assert base.space is not None
    points, meters = _points(base, windows)
    own = points - points.mean(0)
    before = base.space.factor @ base.space.factor.T
    factor = np.linalg.cholesky((own.T @ own + before) / len(points))
    return replace(base.space, anchors=points, meters=meters, factor=factor)


def _points(base: WindowStyle, windows: Sequence[NDArray[np.int32]]) -> tuple[Floats, NDArray[np.int64]]:
    points, meters = [], []
    for meter in sorted({int(window[0, 0]) for window in windows}):
        alike = np.stack([window for window in windows if window[0, 0] == meter])
        points.append(np.asarray(base.player.encode(alike)[0], np.float64))
        meters += [meter] * len(alike)
    return np.concatenate(points), np.array(meters)


def _figures(base: WindowStyle, pieces: Sequence[list[NDArray[np.int32]]]) -> dict[str, float]:
    """How far what is drawn lies from pieces that were held out for this, with this space and with the base's.

    The mean over the measures of the first Wasserstein distance, in standard deviations of the base's music.
    """
    if len(pieces) < HELD or base.space is None:
        return {}
    held = [window for own in pieces[::HELD] for window in own]
    learnt = [window for at, own in enumerate(pieces) if at % HELD for window in own]
    meter = int(np.bincount([window[0, 0] for window in held]).argmax())
    target = np.stack([window for window in held if window[0, 0] == meter])
    figures = {}
    for what, space in (("held-out distance", _space(base, learnt)), ("held-out distance of the base", base.space)):
        rng = np.random.default_rng(0)
        points = space.draw(meter, DRAWN, rng)
        codec: Any = base.codec
        drawn = tell(base.player, codec, points, codec.vocabulary.meters[meter], Taste(*codec.taste[:1]), rng)
        figures[what] = _distance(codec.measures(drawn), codec.measures(target), base.space)
    return figures


def _distance(own: Mapping[str, Floats], other: Mapping[str, Floats], space: Space) -> float:
    places = np.linspace(0.01, 0.99, 99)
    apart = [
        np.abs(np.quantile(own[name], places) - np.quantile(other[name], places)).mean() / spread
        for name, spread in zip(space.names, space.spread, strict=True)
    ]
    return float(np.mean(apart))


__all__ = ["personal"]
