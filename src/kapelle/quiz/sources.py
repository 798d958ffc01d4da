"""Clips from pieces of composers and from a style that composes the like."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from ..corpora import Corpus, Piece, split
from ..errors import CodecError, WishError
from ..music import Score, clip
from ..styles import Style
from .pairs import ALL, KINDS, Clips, QuizError
from .rewriting import Rewrite

CLIP_SECONDS = 12.0
"""How long a clip is, to the nearest beat: two lines of a chorale."""

LEAST_SECONDS = 6.0
ALIKE = 1.25
"""So many times as long as the other clip one may be."""

THICKER = 2.0
"""So many times as many notes may sound at once in one, on average."""

TRIES = 12
"""So many real pieces are tried until what is composed can be compared with one."""


class StyleSources:
    """Real clips are openings of pieces, composed ones of pieces that the style was asked for in their likeness.

    Both are heard in one presentation: the real one as the style's codec can say it, the composed one with its
    instruments, metre and tempo. Both stop at the beat nearest to twelve seconds, so that neither comes to a close.
    Nothing is chosen or mended by ear. Where the style can be original it is asked to be: it must not quote.

    Where the style was learnt from this very corpus, the real pieces are those that were held out.

    Args:
        style: what composes.
        corpus: the real pieces.
        rewrite: writes voices of a piece anew, for the kinds that keep some; None if the style cannot. It is given
            the whole piece, so that what is written knows how the piece goes on.

    Raises:
        QuizError: if no piece of the corpus is long enough.
    """

    def __init__(self, style: Style, corpus: Corpus, rewrite: Rewrite | None = None) -> None:
        self._composer, self._rewrite = style, rewrite
        self.style = style.name
        self.held_out = style.card.corpus == corpus.fingerprint
        pieces: Sequence[Piece] = corpus.pieces
        if self.held_out:
            parts = split(corpus, style.card.seed)
            pieces = parts.test + parts.valid
        pieces = [piece for piece in pieces if piece.score.seconds >= LEAST_SECONDS]
        if not pieces:
            raise QuizError(f"expected real pieces of {LEAST_SECONDS:.0f} seconds or more, got none; give longer ones")
        # Neighbours in a corpus are often alike, so that they are gone through in an order of our own.
        order = np.random.default_rng(len(pieces)).permutation(len(pieces))
        self._pieces = [pieces[place] for place in order]

    @property
    def kinds(self) -> tuple[str, ...]:
        """All of them, if voices can be written anew; else the one that keeps none."""
        return tuple(KINDS) if self._rewrite is not None else (ALL,)

    @cached_property
    def fingerprint(self) -> str:
        """That of the style."""
        return style_fingerprint(self._composer)

    def clips(self, kind: str, seed: int) -> Clips:
        """The clips of a kind; seeds that follow one another go through all real pieces before one comes again.

        Raises:
            QuizError: if the style composes nothing that can be compared with a dozen of the pieces.
        """
        reason = ""
        for attempt in range(TRIES):
            # A piece that cannot be compared gives way to one far from those that the next seeds take.
            place = (seed + attempt * (len(self._pieces) // TRIES + 1)) % len(self._pieces)
            piece = self._pieces[place]
            try:
                whole = self._composer.codec.canonical(piece.score)
                reason = _lost(piece.score, whole)
                if not reason:
                    real, composed = self._all(whole, seed) if kind == ALL else self._some(whole, kind, seed)
                    reason = _difference(real, composed)
                if not reason:
                    return Clips(real, composed, piece.name)
            except (CodecError, WishError) as error:
                reason = str(error)
        raise QuizError(
            f"the style {self.style!r} composes nothing that compares with the real pieces: {reason}; "
            "give pieces of its kind with --real FOLDER"
        )

    def _all(self, whole: Score, seed: int) -> tuple[Score, Score]:
        real = opening(whole)
        meter, rate = whole.meters[0], whole.tempos.mean(whole.end)
        # A piece that ended with the clip would be told by its close.
        bars = max(min(2 * _bars(real), _bars(whole)), 1)
        composed = self._composer.compose(
            bars=bars,
            meter=meter.name,
            tempo=min(max(rate / meter.beat_quarters, 10), 400),
            instruments=[track.program for track in whole.tracks if not track.is_drum],
            seed=seed,
            original=self._composer.memory is not None,
        )
        return real.replace(tempos=composed.tempos), opening(composed)

    def _some(self, whole: Score, kind: str, seed: int) -> tuple[Score, Score]:
        if self._rewrite is None:
            raise QuizError(f"the style {self.style!r} cannot write single voices anew, as pairs of {kind} need")
        written = self._rewrite(whole, KINDS[kind], seed)
        given = [voice for voice in range(len(whole.tracks)) if voice not in KINDS[kind]]
        if any(whole.tracks[voice].notes != written.tracks[voice].notes for voice in given):
            raise WishError("it moves the voices that it is given")
        return opening(whole), opening(written.replace(tempos=whole.tempos))


def style_fingerprint(style: Style) -> str:
    """A hash of a style's weights and codec: what it composes depends on them."""
    state = hashlib.blake2b(repr(style.codec.to_json()).encode(), digest_size=16)
    for name, weight in sorted(style.weights.items()):
        state.update(name.encode() + np.ascontiguousarray(weight).tobytes())
    return state.hexdigest()


def opening(score: Score, seconds: float = CLIP_SECONDS) -> Score:
    """A score up to the beat nearest to so many seconds, or to its end.

    Beats, and no bar lines: a piece with a pickup would be told from one without by where it stops.
    """
    beat = max(round(score.meters[0].beat_quarters * score.ticks_per_quarter), 1)
    beats = beat * np.arange(1, -(-score.end // beat) + 1)
    return clip(score, 0, int(beats[np.abs(score.tempos.seconds(beats, score.ticks_per_quarter) - seconds).argmin()]))


def _bars(score: Score) -> int:
    """How many bars a score has, a pickup not counted."""
    return len(score.bars()) - 1 - (score.pickup > 0)


def _parts(score: Score) -> list[int]:
    """The programs of the parts that play, 128 for drums."""
    return sorted(128 if track.is_drum else track.program for track in score.tracks if len(track.notes))


def _lost(piece: Score, whole: Score) -> str:
    """Why a piece is another one after a codec has said it; nothing if it is not."""
    before, after = _parts(piece), _parts(whole)
    # Two hands at one piano may well become one part.
    if len(before) == len(after) or set(before) == set(after):
        return ""
    return f"it would play a piece of {_count(len(before))} as one of {_count(len(after))} on other instruments"


def _difference(real: Score, composed: Score) -> str:
    """Why nobody would have to listen to tell one from the other; nothing if that is not so."""
    parts = [len(_parts(score)) for score in (composed, real)]
    if parts[0] != parts[1]:
        return f"it composes {_count(parts[0])} in place of {_count(parts[1])}"
    lengths = [score.seconds for score in (composed, real)]
    if max(lengths) > ALIKE * min(lengths):
        return f"it composes {lengths[0]:.0f} seconds in place of {lengths[1]:.0f}"
    sounding = [
        sum(int(track.notes.duration.sum()) for track in score.tracks) / score.end for score in (composed, real)
    ]
    if max(sounding) > THICKER * min(sounding):
        return f"of its notes {sounding[0]:.1f} sound at once, of theirs {sounding[1]:.1f}"
    return "it composes the very same notes" if real.tracks == composed.tracks else ""


def _count(parts: int) -> str:
    return f"{parts} part" if parts == 1 else f"{parts} parts"
