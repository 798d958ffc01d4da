"""The shape of a network that turns windows into points of a space and points into windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..columns import Columns

FLAT, HIERARCHICAL = "flat", "hierarchical"
MOST_JOINT = 12
"""So many columns of two words can be decided on as one."""


@dataclass(frozen=True)
class MusicVaeConfig:
    """An encoder, a latent vector, a decoder.

    Of the given columns, "bar" says in which segment of the window a step is, and "position" where in the segment;
    hierarchical encoders and decoders go by them. A given column "chord" is told the decoder alone. Given columns whose
    names begin with "heard" say what of a window is heard before it is told; 0 in all of them says nothing.

    Attributes:
        columns: what a step is made of.
        latent_dim: numbers of a point; of each segment's share of it where it has one.
        encoder: "flat", along all steps at once, or "hierarchical", segment by segment and then along the segments.
        encoder_dims: of the layers of the encoder, each in both directions. In a hierarchical one without `plan_dim`
            they are those of both levels.
        decoder: "flat", along all steps, or "hierarchical": a conductor gives each segment a vector of its own, and
            the decoder begins anew in each.
        decoder_dims: of its layers.
        conductor_dims: of the conductor's layers.
        embed_dim: numbers a word is turned into.
        plan_dim: numbers that a hierarchical decoder is told of each step by a layer of the segment's vector; the
            encoder then reads a segment with a dense layer. Every segment has its own share of the point, which all
            segments are turned into alike and told from alike, but where windows are heard: how they are played lasts.
            0 for the published networks, whose decoder is told what the conductor says of the segment, and whose
            encoder reads a segment with LSTMs.
        ear_dim: numbers in which an LSTM in each direction tells each step of the decoder what is heard. The point then
            says what cannot be heard, and costs its full nats, so that it can be drawn from the standard normal
            distribution. 0 where what is heard of a window is all that the encoder sees, and the decoder knows of it by
            the point alone, as in Gillick et al. 2019 (arXiv:1905.06118).
        joint: whether all columns of two words are decided on as one, with a word for every combination.
        chain: whether each column of a step is told what those before it have got.
        beta: weight of what the code costs beyond the free nats, at its highest.
        beta_rate: the weight is beta * (1 - beta_rate ** updates); 0 for beta from the start.
        free_nats: of a window's code that cost nothing.
        blind: share of the steps before which the decoder is not told in training.
        untold: share of the windows whose decoder is told no step before, so that it learns what the point alone says
            of a window, or what is to be expected of a heard one whatever was played before.
        sampling: the decoder is told what it would have said itself instead of what was said with the probability
            1 - k / (k + exp(updates / k)) for this k; 0 for never.
        dropout: share of units left out in training.
    """

    columns: Columns
    latent_dim: int = 32
    encoder: str = HIERARCHICAL
    encoder_dims: tuple[int, ...] = (192,)
    decoder: str = HIERARCHICAL
    decoder_dims: tuple[int, ...] = (128,)
    conductor_dims: tuple[int, ...] = (192,)
    embed_dim: int = 48
    plan_dim: int = 64
    ear_dim: int = 96
    joint: bool = False
    chain: bool = True
    beta: float = 0.2
    beta_rate: float = 0.9995
    free_nats: float = 0.0
    blind: float = 0.3
    untold: float = 0.5
    sampling: float = 0.0
    dropout: float = 0.0

    def __post_init__(self) -> None:
        for name in ("encoder_dims", "decoder_dims", "conductor_dims"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        sizes = (self.latent_dim, self.embed_dim, *self.encoder_dims, *self.decoder_dims, *self.conductor_dims)
        if not all(isinstance(size, int) and size >= 1 for size in sizes) or not isinstance(self.plan_dim, int):
            raise ValueError(f"the sizes of a network must be whole numbers from 1, got {sizes}")
        if min(self.plan_dim, self.ear_dim) < 0:
            raise ValueError("a plan and an ear have 0 numbers or more")
        if self.plan_dim and FLAT in (self.encoder, self.decoder):
            raise ValueError("a plan is of hierarchical encoders and decoders")
        if not self.encoder_dims or not self.decoder_dims or not self.conductor_dims:
            raise ValueError("encoder, decoder and conductor have at least one layer each")
        if {self.encoder, self.decoder} - {FLAT, HIERARCHICAL}:
            raise ValueError(f"expected flat or hierarchical, got {self.encoder} and {self.decoder}")
        shares, weights = (self.blind, self.untold, self.dropout), (self.beta, self.free_nats, self.sampling)
        if not all(0 <= share < 1 for share in shares) or min(weights) < 0:
            raise ValueError("shares are 0 or more and less than 1, weights and nats 0 or more")
        if self.joint and sum(self.columns.sizes[column] == 2 for column in self.columns.predicted) > MOST_JOINT:
            raise ValueError(f"at most {MOST_JOINT} columns can be decided on as one")

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The columns that are decided on together, in order."""
        twos = tuple(column for column in self.columns.predicted if self.columns.sizes[column] == 2)
        groups: list[tuple[int, ...]] = []
        for column in self.columns.predicted:
            if self.joint and column in twos:
                groups += [twos] if column == twos[0] else []
            else:
                groups.append((column,))
        return tuple(groups)

    @cached_property
    def group_sizes(self) -> tuple[int, ...]:
        """Words of each group."""
        return tuple(2 ** len(g) if len(g) > 1 else self.columns.sizes[g[0]] for g in self.groups)

    @property
    def shares(self) -> int:
        """How many shares a point has."""
        return self.segments if self.plan_dim and not self.heard else 1

    @property
    def point_dim(self) -> int:
        """Numbers of a point."""
        return self.latent_dim * self.shares

    @property
    def given(self) -> tuple[int, ...]:
        """The columns that the decoder is told of the step that it decides on."""
        return tuple(column for column, given in enumerate(self.columns.given) if given and column not in self.heard)

    @property
    def heard(self) -> tuple[int, ...]:
        """The columns that say what of a window is heard."""
        return tuple(column for column, name in enumerate(self.columns.names) if name.startswith("heard"))

    @property
    def seen(self) -> tuple[int, ...]:
        """The columns that the encoder sees: all but chords and what is heard; or that, where it sees nothing else."""
        wanted = {*self.columns.predicted, *self.given} if self.ear or not self.heard else {*self.heard, *self.given}
        return tuple(sorted(column for column in wanted if self.columns.names[column] != "chord"))

    @property
    def ear(self) -> int:
        """Numbers that each step of the decoder is told of what is heard."""
        return 2 * self.ear_dim if self.heard else 0

    @property
    def segments(self) -> int:
        """Segments of a window."""
        return self.columns.sizes[self.columns.names.index("bar")]

    @property
    def segment_steps(self) -> int:
        """Steps of the longest segment."""
        return self.columns.sizes[self.columns.names.index("position")]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        own = {name: list(value) if isinstance(value, tuple) else value for name, value in self.__dict__.items()
               if name in self.__dataclass_fields__}  # fmt: skip
        return {**own, "columns": self.columns.to_json()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> MusicVaeConfig:
        """The configuration that `to_json` wrote."""
        return cls(**{**values, "columns": Columns.of(values["columns"])})


LN2 = 0.6931471805599453
"""Nats in a bit: the published configurations state bits."""


def _published(
    latent: int, encoder: Sequence[int], decoder: Sequence[int], bits: float, beta: float, **more: Any
) -> dict[str, Any]:
    whole = {
        "latent_dim": latent, "encoder": FLAT, "encoder_dims": tuple(encoder), "decoder": FLAT,
        "decoder_dims": tuple(decoder), "plan_dim": 0, "ear_dim": 0, "joint": True, "chain": False, "blind": 0.0,
        "untold": 0.0, "beta": beta, "free_nats": bits * LN2,
    }  # fmt: skip
    return whole | more


_BIG = (2048, 2048)
_TRIO: dict[str, Any] = {"decoder": HIERARCHICAL, "conductor_dims": (1024, 1024)}
_WHOLE = {**_TRIO, "encoder": HIERARCHICAL}
_NADE: dict[str, Any] = {"joint": False, "chain": True}
_BAND: dict[str, Any] = {"encoder": HIERARCHICAL, "decoder": HIERARCHICAL}
_MEDIUM = _published(512, (1024,), (512,) * 3, 0, 1.0) | _BAND | {"conductor_dims": (512,) * 3}
_LARGE = _published(512, (2048,), (1024,) * 3, 0, 1.0) | _BAND | {"conductor_dims": (1024,) * 3}
PRESETS: dict[str, dict[str, Any]] = {
    "musicvae": {},
    "cat-mel_2bar_small": _published(256, (512,), (256, 256), 0, 0.2, beta_rate=0.99999, sampling=1000.0),
    "cat-mel_2bar_big": _published(512, (2048,), (2048,) * 3, 0, 0.5, beta_rate=0.99999, sampling=1000.0),
    "cat-mel_2bar_med_chords": _published(256, (1024,), (512,) * 3, 0, 1.0),
    "cat-drums_2bar_small": _published(256, (512,), (256, 256), 48, 0.2, sampling=1000.0),
    "cat-drums_2bar_big": _published(512, (2048,), (2048,) * 3, 48, 0.2, sampling=1000.0),
    "groovae_2bar_humanize": _published(256, (512,), (256, 256), 48, 0.2, joint=False, dropout=0.7),
    "nade-drums_2bar_reduced": _published(256, (1024,), (512, 512), 48, 0.2) | _NADE,
    "nade-drums_2bar_full": _published(256, (1024,), (512, 512), 48, 0.2) | _NADE,
    "flat-mel_16bar": _published(512, _BIG, (2048,) * 3, 256, 0.2),
    "hierdec-mel_16bar": _published(512, _BIG, (1024, 1024), 256, 0.2) | _TRIO,
    "hier-mel_16bar": _published(512, (1024,), (1024, 1024), 256, 0.2) | _WHOLE,
    "flat-trio_16bar": _published(512, _BIG, (2048,) * 3, 0, 1.0),
    "hierdec-trio_16bar": _published(512, _BIG, (1024, 1024), 256, 0.2) | _TRIO,
    "hier-trio_16bar": _published(512, (1024,), (1024, 1024), 256, 0.2) | _WHOLE,
    "hier-multiperf_vel_1bar_med": _MEDIUM,
    "hier-multiperf_vel_1bar_big": _LARGE,
    "hier-multiperf_vel_1bar_med_chords": _MEDIUM,
    "hier-multiperf_vel_1bar_big_chords": _LARGE,
}
"""Kapelle's own, and those of Roberts et al. 2018 (arXiv:1803.05428) and of Gillick et al. 2019 (arXiv:1905.06118) by
the names of their configurations."""

SPACE: dict[str, Sequence[Any]] = {
    "encoder_dims": ([128], [256], [384], [512]),
    "decoder_dims": ([128], [256], [384], [512]),
    "conductor_dims": ([128], [256], [384]),
    "latent_dim": (8, 16, 32, 64),
    "embed_dim": (32, 64, 96),
    "plan_dim": (32, 64, 128),
    "beta": (0.05, 0.1, 0.2, 0.5, 1.0),
    "blind": (0.0, 0.2, 0.4, 0.6),
    "untold": (0.0, 0.3, 0.5, 0.7),
}

__all__ = ["FLAT", "HIERARCHICAL", "PRESETS", "SPACE", "MusicVaeConfig"]
