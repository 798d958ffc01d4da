"""The piano roll of a score, laid out like a page of music: whole bars in systems below one another."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from kapelle.music import IntArray, Score, Track, with_detected_key
from kapelle.music.instruments import name_of

from . import palette
from .grid import DRUM_ROW, KEYS_WIDTH, MARGIN, NUMBERS_HEIGHT, PEDAL_ROW, Grid, make_grid
from .page import Layout, Rect, Text, fit, text_width

MIN_WIDTH, MAX_WIDTH = 400, 8192

_NEAREST_BARS = 5
_NEAREST_BEATS = 9
_NEAREST_NUMBERS = 30
"""Pixels below which neighbouring bar lines, beat lines and bar numbers would run into one another."""


@dataclass(slots=True)
class _Sheet:
    """What has been put on the page so far."""

    paper: list[Rect] = field(default_factory=list)
    tails: list[Rect] = field(default_factory=list)
    notes: list[Rect] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)


def lay_out(score: Score, width: int = 1600) -> Layout:
    """The piano roll of a score, as rectangles and texts.

    Args:
        score: any score; one without notes gives an empty roll.
        width: pixels, 400..8192; the height follows from the music.

    Raises:
        ValueError: if the width is out of range.

    >>> from kapelle.music import Notes
    >>> layout = lay_out(Score(24, (Track(Notes.of([(0, 24, 60, 127), (24, 24, 62, 127)])),)), width=800)
    >>> [note.x for note in layout.notes], layout.height
    ([65, 175], 293)
    """
    if not MIN_WIDTH <= width <= MAX_WIDTH:
        raise ValueError(f"a picture must be {MIN_WIDTH}..{MAX_WIDTH} pixels wide, got {width}")
    sheet = _Sheet()
    colours = _track_colours(score)
    top = _draw_header(sheet, score, colours, width)
    grid = make_grid(score, width, top)
    for system in range(grid.systems):
        _draw_rows(sheet, grid, system)
        _draw_labels(sheet, grid, system)
        _draw_bars(sheet, grid, score, system)
    _draw_signs(sheet, grid, score)
    for index, track in enumerate(score.tracks):
        _draw_notes(sheet, grid, track, score.ticks_per_quarter, colours[index])
        if index in grid.pedals:
            _draw_pedal(sheet, grid, track, grid.pedals.index(index), colours[index])
    if not score.num_notes:
        y, height = grid.lanes(0)[0]
        middle = grid.left + grid.width(0) // 2
        sheet.texts.append(Text(middle, y + height // 2 + 5, "no notes", 14, palette.SOFT_INK, "middle"))
    return Layout(
        width=width,
        height=grid.bottom + MARGIN,
        paper=tuple(sheet.paper),
        tails=tuple(sheet.tails),
        notes=tuple(sheet.notes),
        texts=tuple(sheet.texts),
    )


def _track_colours(score: Score) -> list[str]:
    # Only tracks with notes use up a colour: files often hold empty ones.
    used = {False: 0, True: 0}
    colours = []
    for track in score.tracks:
        choice = palette.DRUMS if track.is_drum else palette.TRACKS
        colours.append(choice[used[track.is_drum] % len(choice)])
        used[track.is_drum] += len(track.notes) > 0
    return colours


def _draw_header(sheet: _Sheet, score: Score, colours: list[str], width: int) -> int:
    """Title, facts and legend; returns where the first system begins."""
    room = width - 2 * MARGIN
    sheet.texts.append(Text(MARGIN, MARGIN + 20, fit(score.title, 24, room) or "Untitled", 24, palette.INK))
    sheet.texts.append(Text(MARGIN, MARGIN + 44, fit(_summary(score), 14, room), 14, palette.SOFT_INK))
    x, y = MARGIN, MARGIN + 70
    for track, colour in zip(score.tracks, colours, strict=True):
        if not len(track.notes):
            continue
        name = fit(track.name, 13, 260) or ("Drums" if track.is_drum else name_of(track.program))
        needed = 18 + round(text_width(name, 13)) + 24
        if x > MARGIN and x + needed > width - MARGIN:
            x, y = MARGIN, y + 20
        sheet.paper.append(Rect(x, y - 10, 12, 12, colour))
        sheet.texts.append(Text(x + 18, y, name, 13, palette.SOFT_INK))
        x += needed
    return y + 14 if score.num_notes else MARGIN + 54


def _summary(score: Score) -> str:
    """The line under the title: key, metre, tempo, length."""
    detected = with_detected_key(score).keys
    keys = list(dict.fromkeys(key.name for key in score.keys)) or [f"{key.name} (detected)" for key in detected]
    if not detected:
        keys = []  # nothing pitched, so a signature is only the default of some program
    meters = list(dict.fromkeys(meter.name for meter in score.meters))
    beats = score.tempos.mean(score.end) / score.meters[0].beat_quarters
    about = "about " if len(np.unique(score.tempos.quarters_per_minute)) > 1 else ""
    bars = len(score.bars()) - 1 - (score.pickup > 0)
    minutes, seconds = divmod(round(score.seconds), 60)
    parts = [_some(keys), _some(meters), f"{about}{beats:.0f} beats a minute"]
    if score.num_notes:
        parts += [_count(bars, "bar"), _count(score.num_notes, "note"), f"{minutes}:{seconds:02d}"]
    return "  ·  ".join(part for part in parts if part)


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (" and others" if len(names) > 3 else "")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _draw_rows(sheet: _Sheet, grid: Grid, system: int) -> None:
    top, width, keys_x = grid.top(system), grid.width(system), grid.left - KEYS_WIDTH
    y, height = top + NUMBERS_HEIGHT, grid.rows * grid.row
    if grid.rows:
        sheet.paper.append(Rect(grid.left, y, width, height, palette.LANE))
        sheet.paper.append(Rect(keys_x, y, KEYS_WIDTH, height, palette.KEY_WHITE))
    for place in range(grid.rows):
        pitch = grid.low + grid.rows - 1 - place
        row_y = y + place * grid.row
        if pitch % 12 in (1, 3, 6, 8, 10):
            sheet.paper.append(Rect(grid.left, row_y, width, grid.row, palette.BLACK_KEY_ROW))
            sheet.paper.append(Rect(keys_x, row_y, KEYS_WIDTH - 3, grid.row, palette.KEY_BLACK))
        elif pitch % 12 == 0:
            sheet.paper.append(Rect(keys_x, row_y + grid.row - 1, KEYS_WIDTH + width, 1, palette.OCTAVE_LINE))
    for place in range(len(grid.drums)):
        shade = palette.LANE if place % 2 else palette.BLACK_KEY_ROW
        sheet.paper.append(Rect(grid.left, top + grid.drum_y + place * DRUM_ROW, width, DRUM_ROW, shade))


def _draw_labels(sheet: _Sheet, grid: Grid, system: int) -> None:
    top, right = grid.top(system), grid.left - 6
    for place in range(grid.rows):
        pitch = grid.low + grid.rows - 1 - place
        if pitch % 12 == 0:
            y = top + NUMBERS_HEIGHT + place * grid.row + (grid.row + 8) // 2
            sheet.texts.append(Text(right - KEYS_WIDTH, y, f"C{pitch // 12 - 1}", 11, palette.SOFT_INK, "end"))
    for place, pitch in enumerate(grid.drums):
        y = top + grid.drum_y + place * DRUM_ROW + 10
        sheet.texts.append(Text(right, y, palette.drum_name(pitch), 11, palette.SOFT_INK, "end"))


def _draw_bars(sheet: _Sheet, grid: Grid, score: Score, system: int) -> None:
    first, stop = int(grid.first_bar[system]), int(grid.first_bar[system + 1])
    lanes, lead = grid.lanes(system), int(score.pickup > 0)
    nearest = int(np.diff(grid.bars[max(first, min(lead, stop - 1)) : stop + 1]).min()) * grid.scale
    every = _every(nearest, _NEAREST_BARS)
    for index in range(first, stop, every):
        _draw_beats(sheet, grid, score, system, index)
    for index in [*range(first, stop, every), stop]:
        x = int(grid.x(grid.bars[index], system))
        sheet.paper.extend(Rect(x, y, 1, height, palette.BAR_LINE) for y, height in lanes)
    if stop == len(grid.bars) - 1:
        end = grid.left + grid.width(system)
        sheet.paper.extend(Rect(end, y, 3, height + 1, palette.BAR_LINE) for y, height in lanes)
    sheet.paper.extend(
        Rect(grid.left, edge, grid.width(system) + 1, 1, palette.BAR_LINE)
        for y, height in lanes
        for edge in (y, y + height)
    )
    # The pickup is no bar by the musicians' count, which numbers the first whole bar 1.
    numbered = _every(nearest, _NEAREST_NUMBERS)
    for index in range(first, stop):
        number = index + 1 - lead
        if number > 0 and (index == max(first, lead) or (number - 1) % numbered == 0):
            x = int(grid.x(grid.bars[index], system))
            sheet.texts.append(Text(x + 2, grid.top(system) + 13, str(number), 11, palette.SOFT_INK))


def _every(distance: float, nearest: int) -> int:
    """The smallest power of two of which that many distances are `nearest` pixels or more."""
    every = 1
    while distance * every < nearest and every < 2**20:
        every *= 2
    return every


def _draw_beats(sheet: _Sheet, grid: Grid, score: Score, system: int, index: int) -> None:
    start, stop = int(grid.bars[index]), int(grid.bars[index + 1])
    beat = score.meter_at(start).beat_length(score.ticks_per_quarter)
    if beat * grid.scale < _NEAREST_BEATS:
        return
    # Beats of a pickup are counted back from the first whole bar.
    first = start + (stop - start) % beat if score.pickup and not index else start + beat
    for tick in range(first, stop, beat):
        x = int(grid.x(tick, system))
        sheet.paper.extend(Rect(x, y, 1, height, palette.BEAT_LINE) for y, height in grid.lanes(system))


def _draw_signs(sheet: _Sheet, grid: Grid, score: Score) -> None:
    """New metres and keys above the bars where they come in; those of the beginning stand in the header."""
    signs: dict[int, list[str]] = {}
    changes = [(meter.onset, meter.name) for meter in score.meters[1:]] + [
        (key.onset, key.name) for key in score.keys[1:]
    ]
    for onset, name in changes:
        if onset < grid.starts[-1]:
            signs.setdefault(onset, []).append(name)
    free_from = [0] * grid.systems
    for tick, names in sorted(signs.items()):
        system = int(grid.system_of(np.array([tick]))[0])
        x, text = int(grid.x(tick, system)), "  ".join(names)
        end = x + 26 + math.ceil(text_width(text, 11))
        # Signs that come thick and fast cannot all be written.
        if x >= free_from[system] and end <= grid.left + grid.width(system) + MARGIN:
            sheet.texts.append(Text(x + 26, grid.top(system) + 13, text, 11, palette.SIGN))
            free_from[system] = end + 6


def _draw_notes(sheet: _Sheet, grid: Grid, track: Track, ticks_per_quarter: int, colour: str) -> None:
    notes = track.notes
    system = grid.system_of(notes.onset)
    if track.is_drum:
        places = {pitch: place for place, pitch in enumerate(grid.drums)}
        down = grid.drum_y + DRUM_ROW * np.array([places[int(pitch)] for pitch in notes.pitch], np.int64)
        row = DRUM_ROW
        # A drum's duration says little about its sound; short marks keep the strokes apart.
        end = notes.onset + np.minimum(notes.duration, max(ticks_per_quarter // 4, 1))
    else:
        down = NUMBERS_HEIGHT + grid.row * (grid.low + grid.rows - 1 - notes.pitch)
        row, end = grid.row, notes.end
    x = grid.x(notes.onset, system)
    y = grid.top(system) + down
    width = _note_widths(grid.x(end, system) - x)
    opacity = np.round(0.3 + 0.7 * notes.velocity / 127, 2)
    columns = (column.tolist() for column in (x + 1, y, width, opacity))
    sheet.notes.extend(Rect(a, b, w, row - 1, colour, o) for a, b, w, o in zip(*columns, strict=True))
    for index in np.flatnonzero(end > grid.starts[system + 1]).tolist():
        for later in range(int(system[index]) + 1, int(grid.system_of(end[index : index + 1] - 1)[0]) + 1):
            tail = int(_note_widths(grid.x(end[index], later) - grid.left))
            tail_y = grid.top(later) + int(down[index])
            sheet.tails.append(Rect(grid.left + 1, tail_y, tail, row - 1, colour, float(opacity[index])))


def _note_widths(pixels: IntArray) -> IntArray:
    # A pixel of air lets a repeated note be seen as two; a note always keeps two pixels to be seen at all.
    return np.asarray(np.maximum(pixels - 1, 2))


def _draw_pedal(sheet: _Sheet, grid: Grid, track: Track, place: int, colour: str) -> None:
    pedal = track.pedal
    first, last = grid.system_of(pedal.onset), grid.system_of(pedal.end - 1)
    for onset, end, one, other in zip(*(a.tolist() for a in (pedal.onset, pedal.end, first, last)), strict=True):
        for system in range(one, other + 1):
            x, stop = int(grid.x(onset, system)), int(grid.x(end, system))
            y = grid.top(system) + grid.pedal_y + place * PEDAL_ROW + 3
            if stop > x:
                sheet.paper.append(Rect(x, y, max(stop - x - 2, 1), 2, colour, 0.6))
                sheet.paper.append(Rect(x, y - 1, 1, 4, colour, 0.9))
