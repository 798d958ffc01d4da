"""The curves of a training run as one picture: loss, accuracy, learning rate and gradient over the epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from . import palette
from .axis import Axis, FloatArray, figure, short, stretches
from .page import Rect, Text, fit, text_width
from .pen import Dot, Shape, Sheet, Stroke, sheet_to_png, sheet_to_svg

WIDTH, HEIGHT = 1000, 700
LEFT, RIGHT = 62, 818
"""Pixels between which all panels stand; right of them is room for the names of the lines."""
PANELS = {"loss": (104, 228), "accuracy": (366, 140), "rate": (540, 36), "gradient": (610, 36)}
"""(top, height) of each panel."""

HELD_OUT, TRAINING, CHOSEN = palette.TRACKS[0], "#8b95a3", palette.TRACKS[1]
"""One strong line, one quiet one and one accent: they differ in lightness and width too, for print without colour."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What is known of a run after some epochs; NaN where something was not measured.

    Attributes:
        epoch: passes over the training pieces so far, also parts of one.
        seconds: that the run has taken so far.
        train, valid: loss on training and on held-out pieces, nats a note.
        train_accuracy, valid_accuracy: share of words told right, 0..1.
        rate: learning rate.
        gradient: norm of the gradient.
    """

    epoch: float
    seconds: float
    train: float
    valid: float
    train_accuracy: float
    valid_accuracy: float
    rate: float
    gradient: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What the axes show, (lowest, highest) each: pictures with the same limits can be laid over one another."""

    epoch: tuple[float, float]
    loss: tuple[float, float]
    accuracy: tuple[float, float]
    rate: tuple[float, float]
    gradient: tuple[float, float]

    def __post_init__(self) -> None:
        for name in self.__slots__:
            low, high = getattr(self, name)
            if not (np.isfinite(high - low) and low < high):
                raise ValueError(f"limits of {name}: expected two finite numbers, the lower first, got {low}, {high}")


class CurvePicture(NamedTuple):
    """One picture in two forms, 1,000 pixels wide and 700 high."""

    png: bytes
    svg: str


def draw_curves(
    points: Sequence[CurvePoint],
    title: str,
    chosen: float | None = None,
    baseline_accuracy: float | None = None,
    note: str = "",
    limits: Limits | None = None,
) -> CurvePicture:
    """The picture of a run, from its points in the order of time.

    Values that are not finite leave gaps; those beyond the axes stand at their edge under a mark. Where several points
    fall into one pixel column, the line is their mean and a pale band tells their range.

    Args:
        points: any number.
        title: of the run.
        chosen: the epoch whose weights became the style.
        baseline_accuracy: of always telling the most frequent word, 0..1.
        note: the verdict on the run, one line.
        limits: of the axes; None for those of `limits_of`.

    >>> picture = draw_curves([CurvePoint(1, 60, 2.5, 2.6, 0.3, 0.29, 1e-3, 0.8)], "folk")
    >>> picture.png[:8], picture.svg[:5]
    (b'\\x89PNG\\r\\n\\x1a\\n', '<svg ')
    """
    sheet = lay_out_curves(points, title, chosen, baseline_accuracy, note, limits)
    return CurvePicture(sheet_to_png(sheet), sheet_to_svg(sheet))


def limits_of(points: Sequence[CurvePoint], baseline_accuracy: float | None = None) -> Limits:
    """Axes on which a run is seen well.

    Of a loss far above that of the beginning (twice it, and three nats more) and of a gradient ten times the usual one
    it is enough to know that they are so large: they do not stretch the axis.
    """
    epoch, _, train, valid, train_accuracy, valid_accuracy, rate, gradient = columns_of(points)
    begin = max((column[np.isfinite(column)][0] for column in (train, valid) if np.isfinite(column).any()), default=0.0)
    loss = np.concatenate([train, valid])
    low_loss, high_loss = _extent(loss[loss <= max(2 * begin, begin + 3)])
    air = 0.05 * (high_loss - low_loss)
    level = np.nan if baseline_accuracy is None else baseline_accuracy
    low, high = _extent(np.r_[train_accuracy, valid_accuracy, level])
    first, last = _extent(epoch)
    usual = float(np.median(gradient[np.isfinite(gradient)])) if np.isfinite(gradient).any() else 0.0
    steepest = min(_extent(gradient)[1], 10 * usual if usual > 0 else np.inf)
    return Limits(
        epoch=(last - 1, last) if first == last else (0.0 if 0 < first <= last / 10 else first, last),
        loss=_apart(low_loss - air, high_loss + air),
        accuracy=_apart(max(low - 0.03, min(low, 0.0)), min(high + 0.03, max(high, 1.0))),
        rate=_apart(0.0, 1.2 * max(_extent(rate)[1], 0.0)),
        gradient=_apart(0.0, 1.2 * max(steepest, 0.0)),
    )


def columns_of(points: Sequence[CurvePoint]) -> FloatArray:
    """The attributes of the points, one a row, without points that have no epoch; shape (8, T)."""
    rows = np.array([[getattr(point, name) for name in CurvePoint.__slots__] for point in points], np.float64)
    columns = rows.reshape(-1, len(CurvePoint.__slots__)).T
    columns = columns[:, np.isfinite(columns[0])]
    # No axis tells numbers apart beyond these, and differences of such numbers are no numbers any more.
    columns[np.abs(columns) < 1e-15] = 0
    return np.where(np.isfinite(columns), np.clip(columns, -1e15, 1e15), np.nan)


def _extent(values: FloatArray) -> tuple[float, float]:
    """The least and the greatest finite value; (0, 1) if there is none."""
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)


def _apart(low: float, high: float) -> tuple[float, float]:
    """The same limits, drawn apart if they are too near for figures between them."""
    size = max(abs(low), abs(high))
    if high - low > 1e-6 * size:
        return low, high
    return (low - 0.05 * size, high + 0.05 * size) if size else (0.0, 1.0)


def lay_out_curves(
    points: Sequence[CurvePoint],
    title: str,
    chosen: float | None = None,
    baseline_accuracy: float | None = None,
    note: str = "",
    limits: Limits | None = None,
) -> Sheet:
    """What `draw_curves` draws, as lines, shapes and texts; the arguments are the same."""
    sheet = Sheet(WIDTH, HEIGHT)
    columns = columns_of(points)
    epoch, _, train, valid, train_accuracy, valid_accuracy, rate, gradient = columns
    limits = limits or limits_of(points, baseline_accuracy)
    across = Axis(*limits.epoch, LEFT, RIGHT)
    percent = (100 * limits.accuracy[0], 100 * limits.accuracy[1])
    _draw_header(sheet, columns, title, note)
    loss = _Panel(sheet, across, limits.loss, "loss", "Loss, nats a note", 6)
    loss.draw(epoch, train, "training", TRAINING)
    loss.draw(epoch, valid, "held out", HELD_OUT)
    accuracy = _Panel(sheet, across, percent, "accuracy", "Accuracy, %", 5)
    accuracy.draw(epoch, 100 * train_accuracy, "training", TRAINING)
    accuracy.draw(epoch, 100 * valid_accuracy, "held out", HELD_OUT)
    if baseline_accuracy is not None:
        accuracy.draw_level(100 * baseline_accuracy, "most frequent word")
    rates = _Panel(sheet, across, limits.rate, "rate", "Learning rate", 2)
    rates.draw(epoch, rate, "", palette.SOFT_INK)
    gradients = _Panel(sheet, across, limits.gradient, "gradient", "Norm of the gradient", 2)
    gradients.draw(epoch, gradient, "", palette.SOFT_INK)
    if chosen is not None and limits.epoch[0] <= chosen <= limits.epoch[1]:
        _draw_chosen(sheet, chosen, [loss, accuracy, rates, gradients])
        loss.draw_ring(epoch, valid, chosen)
        accuracy.draw_ring(epoch, 100 * valid_accuracy, chosen)
    for panel in (loss, accuracy, rates, gradients):
        panel.write_labels()
    _write_epochs(sheet, across, gradients.bottom)
    return sheet


class _Panel:
    """A frame on the sheet, its axes, and the labels its lines want at their ends.

    Args:
        sheet: drawn on.
        across: the axis of epochs.
        limits: of the upward axis.
        place: a key of `PANELS`.
        title: written above the panel.
        most: round numbers on the upward axis.
    """

    def __init__(
        self, sheet: Sheet, across: Axis, limits: tuple[float, float], place: str, title: str, most: int
    ) -> None:
        self.sheet, self.across, self.title = sheet, across, title
        self.precise = most > 2
        self.top, height = PANELS[place]
        self.bottom = self.top + height
        self.up = Axis(*limits, self.bottom, self.top)
        self.labels: list[tuple[float, float, str, str]] = []
        sheet.texts.append(Text(LEFT, self.top - 9, title, 14, palette.INK))
        for value, _ in across.ticks(whole_epochs(across, 8)):
            sheet.paper.append(Rect(round(float(across.place(value))), self.top, 1, height, palette.BLACK_KEY_ROW))
        for value, text in self.up.ticks(most):
            y = round(float(self.up.place(value)))
            sheet.paper.append(Rect(LEFT, y, RIGHT - LEFT, 1, palette.BEAT_LINE))
            sheet.texts.append(Text(LEFT - 8, y + 4, fit(text, 12, LEFT - 10), 12, palette.SOFT_INK, "end"))
        sheet.paper.append(Rect(LEFT, self.bottom, RIGHT - LEFT, 1, palette.BAR_LINE))

    def draw(self, epoch: FloatArray, values: FloatArray, name: str, colour: str) -> None:
        """Draw one line, with the range of what shares a pixel column, and mark where it leaves the panel."""
        width = 2.4 if colour == HELD_OUT else 1.6
        pieces = stretches(self.across, self.up, epoch, values)
        for piece in pieces:
            x, middle, upper, lower = piece.T.tolist()
            if len(piece) == 1:
                self.sheet.dots.append(Dot(x[0], middle[0], 3.0, colour, 3.0))
                continue
            self.sheet.strokes.append(Stroke(list(zip(x, middle, strict=True)), colour, width))
            if np.max(piece[:, 3] - piece[:, 2]) > width:
                edge = [*zip(x, upper, strict=True), *zip(x[::-1], lower[::-1], strict=True)]
                self.sheet.shapes.append(Shape(edge, colour, 0.3))
        if pieces:
            self._name_line(epoch, values, name, palette.SOFT_INK if colour == TRAINING else colour)

    def _name_line(self, epoch: FloatArray, values: FloatArray, name: str, ink: str) -> None:
        """Keep what is written at the end of a line: its name, its last value, and the greatest if beyond the axis."""
        kept = np.flatnonzero(np.isfinite(values))
        last, peak = int(kept[-1]), int(kept[np.argmax(values[kept])])
        text = f"{name} {self._told(values[last])}".strip()
        if values[peak] > self.up.high:
            x = float(self.across.place(epoch[peak]))
            self.sheet.shapes.append(Shape([(x - 4, self.top), (x, self.top - 7), (x + 4, self.top)], ink))
            text += f", peak {short(float(values[peak]))}" if peak != last else ""
        place = float(self.across.place(epoch[last])), float(self.up.place(values[last]))
        self.labels.append((*place, text, ink))

    def _told(self, value: float) -> str:
        return figure(float(value), self.up.step(200)) if self.precise and abs(value) < 1000 else short(float(value))

    def draw_level(self, value: float, name: str) -> None:
        """Draw a dashed line from side to side."""
        y = round(float(self.up.place(value)))
        self.sheet.paper.extend(Rect(x, y, min(6, RIGHT - x), 1, palette.SOFT_INK) for x in range(LEFT, RIGHT, 10))
        self.labels.append((RIGHT, y, f"{name} {self._told(value)}", palette.SOFT_INK))

    def draw_ring(self, epoch: FloatArray, values: FloatArray, chosen: float) -> None:
        """Ring the point of a line that is nearest to the chosen epoch."""
        finite = np.flatnonzero(np.isfinite(values))
        if len(finite):
            nearest = finite[np.argmin(np.abs(epoch[finite] - chosen))]
            x, y = float(self.across.place(epoch[nearest])), float(self.up.place(values[nearest]))
            self.sheet.dots.append(Dot(x, y, 5.5, CHOSEN, 2))

    def write_labels(self) -> None:
        """Write the names of the lines at their ends, moved clear of one another."""
        self.labels.sort(key=lambda label: label[1])
        places: list[float] = []
        for label in self.labels:
            places.append(max(label[1], places[-1] + 16 if places else self.top + 2))
        floor = self.bottom - 9.0
        for index in range(len(places) - 1, -1, -1):
            places[index] = min(places[index], floor)
            floor = places[index] - 16
        for (x, _, text, colour), y in zip(self.labels, places, strict=True):
            left = round(x) + 10
            self.sheet.texts.append(Text(left, round(y) + 5, fit(text, 13, WIDTH - 6 - left), 13, colour))


def _draw_header(sheet: Sheet, columns: FloatArray, title: str, note: str) -> None:
    """Title, verdict, and how long the run was."""
    sheet.texts.append(Text(LEFT, 38, fit(title, 22, RIGHT - LEFT) or "Untitled", 22, palette.INK))
    sheet.texts.append(Text(LEFT, 62, fit(note, 14, WIDTH - 2 * LEFT), 14, palette.SOFT_INK))
    epoch, seconds = (column[np.isfinite(column)] for column in columns[:2])
    if len(epoch):
        length = f"epoch {_counted(epoch[-1])}" + (f"  ·  {duration(seconds.max())}" if len(seconds) else "")
        sheet.texts.append(Text(WIDTH - 24, 38, length, 13, palette.SOFT_INK, "end"))


def _counted(epochs: float) -> str:
    return f"{epochs:,.2f}".removesuffix("0").removesuffix(".0")


def duration(seconds: float) -> str:
    """A length of time in the two units that matter.

    >>> duration(45), duration(100), duration(4000)
    ('45 s', '1 min 40 s', '1 h 6 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole < 600 and whole % 60 else "")
    return f"{whole // 3600:,} h" + (f" {whole % 3600 // 60} min" if whole % 3600 >= 60 else "")


def _draw_chosen(sheet: Sheet, chosen: float, panels: Sequence[_Panel]) -> None:
    """The chosen epoch as a line through all panels, named above the first."""
    first = panels[0]
    x = round(float(first.across.place(chosen))) - 1
    for panel in panels:
        sheet.paper.append(Rect(x, panel.top, 2, panel.bottom - panel.top, CHOSEN))
    text = f"chosen: epoch {_counted(chosen)}"
    half = text_width(text, 13) / 2
    # Never over the panel's own title, which stands on the same line.
    least = LEFT + text_width(first.title, 14) + 16 + half
    sheet.texts.append(Text(round(min(max(x, least), RIGHT - half)), first.top - 9, text, 13, CHOSEN, "middle"))


def whole_epochs(across: Axis, most: int) -> int:
    """How many round numbers an axis of epochs may have: parts of an epoch only where there are not two whole ones."""
    length = across.high - across.low
    return min(most, int(length)) if length >= 2 else most


def _write_epochs(sheet: Sheet, across: Axis, bottom: int) -> None:
    for value, text in across.ticks(whole_epochs(across, 8)):
        x = round(float(across.place(value)))
        sheet.texts.append(Text(x, bottom + 18, fit(text, 12, 80), 12, palette.SOFT_INK, "middle"))
    sheet.texts.append(Text(RIGHT + 24, bottom + 18, "epoch", 13, palette.INK))
