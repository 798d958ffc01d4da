"""Between Score and steps: the only place that knows both.

The folder is the registry: a codec is a module or package here whose `CODEC` is its class, or an entry point of the
group `kapelle.codecs` that names such a class. The other modules are what several codecs share.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from importlib.metadata import entry_points
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from ..errors import CodecError
from ..music import Score, Wishes


class Watch(Protocol):
    """Hears the pitched notes of a piece as it is written and forbids some of those that would come next."""

    def copy(self) -> Watch:
        """A watch that has heard as much and goes its own way from here."""

    def write(self, track: int, onset: int, pitch: int) -> None:
        """Tell the next note of a track, which any number of its own may stand for; the onset in 24ths of a quarter."""

    def forbidden(self, track: int, onset: int) -> NDArray[np.bool_]:
        """Which pitches may not come next in a track at this onset, shape (128,)."""


class Walk(Protocol):
    """The state of a piece being written; see `kapelle.codecs.events.Walk`."""

    finished: bool

    @property
    def closing(self) -> bool: ...
    def copy(self) -> Walk: ...
    def given(self, column: int) -> int: ...
    def allowed(self, column: int) -> NDArray[np.bool_]: ...
    def put(self, column: int, word: int) -> int: ...


class Codec(Protocol):
    """What every codec offers; see `kapelle.codecs.events.EventsCodec` for the meaning of each."""

    name: str
    in_voices: bool
    """Whether its tracks are the voices of a choir, so that they can be harmonised."""
    in_windows: bool
    """Whether it tells windows of a piece, each at once, and so has no walk and no facts; see `BarsCodec`."""
    keys: int
    """How many of the last columns make up one choice together, as the keys of a frame do."""
    onward: tuple[int, ...]
    """Columns whose word 0 goes on as before; how often that is drawn does not depend on how freely the others are."""
    taste: tuple[float, float, float]
    """The temperature, the top-p and the motion that suit it; see `kapelle.sampling.Taste`."""
    header_steps: int
    steps_per_quarter: int
    """Steps that a quarter takes whatever happens in it; 0 where each note is a step."""

    @property
    def layout(self) -> tuple[tuple[str, int, bool], ...]: ...
    @classmethod
    def for_scores(cls, scores: Iterable[Score]) -> Self: ...
    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self: ...
    def to_json(self) -> dict[str, Any]: ...
    def encode(self, score: Score) -> NDArray[np.int32]: ...
    def decode(self, steps: NDArray[np.int32]) -> Score: ...
    def canonical(self, score: Score) -> Score: ...
    def paid(self, steps: NDArray[np.int32]) -> NDArray[np.bool_]: ...
    def num_notes(self, steps: NDArray[np.int32]) -> int: ...
    def facts(self, steps: NDArray[np.int32]) -> dict[str, str]: ...
    def with_facts(
        self,
        steps: NDArray[np.int32],
        bars: int | None = None,
        quarters_per_minute: float | None = None,
        shift: int | None = None,
    ) -> NDArray[np.int32]: ...
    def walk(
        self,
        wishes: Wishes | None = None,
        not_before: int = 0,
        guide: int | None = None,
        shift: int = 0,
        watch: Watch | None = None,
    ) -> Walk: ...
    def nearest_words(self, other: Self) -> dict[str, NDArray[np.int64]]: ...
    def augment(self, steps: NDArray[np.int32], rng: np.random.Generator) -> NDArray[np.int32]: ...


def codecs() -> dict[str, type[Codec]]:
    """Every codec by name."""
    found: dict[str, type[Codec]] = {}
    for module in pkgutil.iter_modules(__path__):
        codec = getattr(importlib.import_module(f"{__name__}.{module.name}"), "CODEC", None)
        if codec is not None:
            found[codec.name] = codec
    for entry in entry_points(group="kapelle.codecs"):
        found[entry.name] = entry.load()
    return found


def codec_from_json(values: dict[str, Any]) -> Codec:
    """The codec that a style describes.

    Raises:
        CodecError: if there is no codec of its name.
        StyleError: if its description is damaged or of a newer version.
    """
    known = codecs()
    if values.get("name") not in known:
        raise CodecError(
            f"expected a codec named {', '.join(sorted(known))}, got {values.get('name')!r}: update Kapelle"
        )
    return known[values["name"]].from_json(values)
