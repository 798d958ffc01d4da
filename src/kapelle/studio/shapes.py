"""What requests say, as pydantic models: the OpenAPI page documents them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Short = Annotated[str, Field(max_length=200)]
TakeId = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Drawing(_Request):
    """How freely it is composed."""

    seed: int | None = Field(None, ge=0, le=2**53, description="The same seed gives the same piece; null draws one.")
    temperature: float | None = Field(
        None, ge=0, le=3, description="1 as learnt, less is safer, more is wilder; null for what suits the style."
    )


class Composing(Drawing):
    """Of a new piece, or new bars after one."""

    original: bool = Field(False, description="Copy no passage of its pieces for longer than such pieces share one.")


class Compose(Composing):
    """A new piece. What is left out, the style chooses."""

    kind: Literal["compose"]
    style: Short = Field(description="By its name, as in /api/styles.")
    bars: int | None = Field(16, ge=1, le=256)
    key: Short | None = Field(None, description='Such as "D minor".')
    meter: Short | None = Field(None, description='Such as "3/4".')
    tempo: float | None = Field(None, ge=10, le=400, description="Beats a minute.")
    polyphony: int | None = Field(None, ge=1, le=64, description="The most pitched notes that sound at once.")
    instruments: list[Short] = Field([], max_length=16, description="General MIDI names, for the tracks in order.")
    title: Short = ""


class Continue(Composing):
    """New bars after a take, which stays as it is."""

    kind: Literal["continue"]
    style: Short
    take: TakeId
    bars: int = Field(8, ge=1, le=256)


class Regenerate(Drawing):
    """Some bars of some tracks of a take anew, as a new take; all else stays, to the tick."""

    kind: Literal["regenerate"]
    style: Short
    take: TakeId
    tracks: list[int] | None = Field(None, max_length=256, description="By their places, from 0 on; null for all.")
    bars: list[int] | None = Field(None, max_length=10_000, description="From 1 on, a pickup is 0; null for all.")


class Harmonize(_Request):
    """The voices that a take lacks, as a new take."""

    kind: Literal["harmonize"]
    style: Short
    take: TakeId
    seed: int | None = Field(None, ge=0, le=2**53)
    temperature: float | None = Field(None, ge=0, le=3)


KINDS = ("compose", "continue", "regenerate", "harmonize")
"""Of jobs that are asked for by a style."""


class Train(_Request):
    """A style to be learnt; what it is called says also where it lies. To go on with one, none of it counts."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    title: Short = Field("", description="For people; empty is the name.")
    minutes: float = Field(10, gt=0, le=1440)
    base: Short = Field("", description="A style to go on from, which a small folder needs; empty is none.")


class Radio(_Request):
    """What is to be played next."""

    style: Short
    before: dict[str, Any] | None = Field(None, description="What was played last, to go on from; null begins anew.")
    bars: int = Field(8, ge=1, le=64)
    temperature: float | None = Field(None, ge=0, le=3)


class Heard(_Request):
    """What a radio has played, to be kept as a take."""

    style: Short
    parts: list[dict[str, Any]] = Field(min_length=1, max_length=200, description="Scores, one after the other.")
    title: Short = "From the radio"
    starred: bool = False


class Answer(_Request):
    """What a listener does in the listening test."""

    do: Literal["look", "begin", "hear", "answer", "skip"]
    listener: Annotated[str, Field(max_length=80)] = Field(
        "", description="Who is shown no pair twice; nobody must say."
    )
    side: Literal["a", "b"] = "a"
    pairs: int = Field(10, ge=1, le=100)
    experience: Literal["novice", "intermediate", "advanced", "expert"] = "novice"
    sitting: str = Field(
        "", pattern="^[0-9a-f]*$", max_length=64, description="Whose answers are told when it is over."
    )


class NewTake(_Request):
    """A take that was edited."""

    parent: TakeId
    title: Short = ""
    score: dict[str, Any] = Field(description="As /api/takes/{take} gives it.")


class Changes(_Request):
    """Of a take; what is left out stays."""

    title: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    starred: bool | None = None
    hidden: bool | None = Field(None, description="True throws the take away, false takes it back.")
