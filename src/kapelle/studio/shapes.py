"""What requests say, as pydantic models: the OpenAPI page documents them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Short = Annotated[str, Field(max_length=200)]
TakeId = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]


Mix = Annotated[dict[Short, Annotated[float, Field(ge=0, le=1e6)]], Field(min_length=1, max_length=100)]


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

    mix: Mix | None = Field(None, description="Of a style's manners, with their shares; null takes one by chance.")
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


class Vary(_Request):
    """A take whose windows are others like them, as a new take; a style of windows does that."""

    kind: Literal["vary"]
    style: Short
    take: TakeId
    similarity: float = Field(0.7, ge=0, le=1, description="1 stays near, 0 goes anywhere.")
    bars: list[int] | None = Field(None, max_length=10_000, description="From 1 on, a pickup is 0; null for all.")
    seed: int | None = Field(None, ge=0, le=2**53)


KINDS = ("compose", "continue", "regenerate", "harmonize", "vary")
"""Of jobs that are asked for by a style."""


class Train(_Request):
    """A style to be learnt; what it is called says also where it lies. To go on with one that was stopped, none of
    it counts; with one that has come to its end, the minutes do."""

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
    mix: Mix | None = Field(None, description="Of a style's manners, with their shares; null takes one by chance.")


class Heard(_Request):
    """What a radio has played, to be kept as a take."""

    style: Short
    parts: list[dict[str, Any]] = Field(min_length=1, max_length=200, description="Scores, one after the other.")
    title: Short = "From the radio"
    starred: bool = False


Values = dict[str, Any]
"""A score as /api/takes/{take} gives it."""

_WINDOW = "A score of one window."


class _Band(_Request):
    style: Short = Field(description='One that can "morph".')


class BandDraw(_Band):
    """New windows."""

    meter: Short = "4/4"
    key: Short | None = Field(None, description='Such as "D minor"; null for that of the first.')
    count: int = Field(4, ge=1, le=16)
    seed: int | None = Field(None, ge=0, le=2**53)


class BandWindows(_Band):
    """The windows of a take."""

    take: TakeId
    meter: Short = "4/4"


class BandGrid(_Band):
    """What lies between four windows in one metre."""

    corners: list[Values] = Field(
        min_length=4, max_length=4, description="Top left, top right, bottom left, bottom right."
    )
    size: int = Field(11, ge=2, le=16, description="Windows of a side.")


class BandMorph(_Band):
    """What lies between two windows in one metre."""

    ends: list[Values] = Field(min_length=2, max_length=2)
    steps: int = Field(11, ge=2, le=64)


class BandVary(_Band):
    """Windows like one."""

    window: Values = Field(description=_WINDOW)
    similarity: float = Field(0.7, ge=0, le=1)
    count: int = Field(1, ge=1, le=16)


class BandSteer(_Band):
    """More or less of what can be measured."""

    window: Values = Field(description=_WINDOW)
    wanted: dict[Short, Annotated[float, Field(ge=-4, le=4)]] = Field(
        {}, max_length=16, description="By name of a measure, in standard deviations of the style's music."
    )


class BandLayer(_Band):
    """Windows that are played one after the other."""

    windows: list[Values] = Field(min_length=1, max_length=256)


class BandKeep(_Request):
    """What was played, to be kept as a take."""

    layers: list[BandLayer] = Field(min_length=1, max_length=8)
    tempo: float = Field(120, ge=10, le=400, description="Quarters a minute.")
    swing: float = Field(0.5, ge=0.5, le=0.8, description="Share of a quarter that its first eighth has.")
    title: Short = "From the band room"


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
