"""The bars of one part as elements: signs, tempos, dynamics, and the notes between them."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from ...music import ChordSymbol, Key, Meter, Score, TempoMap, Track, spell
from .bars import PartBars
from .clefs import Clef
from .dynamics import dynamics_by_bar
from .elements import leaf
from .notes import add_event
from .staves import Staff

_BEAT_UNITS = {0.5: ("eighth", 0), 0.75: ("eighth", 1), 1.0: ("quarter", 0), 1.5: ("quarter", 1), 2.0: ("half", 0)}

_NOTABLE_CHANGE = 0.08
"""A tempo is printed if it differs by this part from the one printed last; every tempo is written to be played."""


class PartWriter:
    """Writes the bars of one part.

    Args:
        score: as `canonical` gives it.
        track: of it.
        staves: how it is written.
        bars: what stands in them.
        part_id: such as "P1".
        with_dynamics: whether the part has dynamics of its own.
    """

    def __init__(
        self, score: Score, track: Track, staves: list[Staff], bars: PartBars, part_id: str, *, with_dynamics: bool
    ) -> None:
        self._score, self._track, self._staves, self._bars, self._id = score, track, staves, bars, part_id
        self._starts = score.bars().tolist()
        self._meters = {meter.onset: meter for meter in score.meters}
        self._keys = {} if track.is_drum else {key.onset: key for key in score.keys}
        self._clefs: dict[int, list[tuple[int, Clef]]] = {}
        self._lines: dict[int, list[tuple[int, int, bool]]] = {}
        for number, staff in enumerate(staves, 1):
            for bar, clef in staff.changes():
                self._clefs.setdefault(bar, []).append((number, clef))
            for first, last, octaves in staff.octave_lines():
                self._lines.setdefault(first, []).append((number, octaves, True))
                self._lines.setdefault(last, []).append((number, octaves, False))
        self._dynamics = dynamics_by_bar(track.notes, score.bars()) if with_dynamics else {}
        self._rests: dict[int, int] = {}
        self._printed_tempo = 0.0
        self._meter = score.meters[0]

    def count_rests(self) -> None:
        """Show two and more empty bars in a row, up to the next sign, as one with a number."""
        change = np.zeros(len(self._starts) + 1, np.int64)
        for track in self._score.tracks:
            first = np.searchsorted(self._starts, track.notes.onset, side="right") - 1
            last = np.searchsorted(self._starts, track.notes.end - 1, side="right") - 1
            np.add.at(change, first, 1)
            np.add.at(change, last + 1, -1)
        sounding = np.cumsum(change)[: len(self._starts) - 1] > 0
        signs = {*self._meters, *self._keys, *self._score.tempos.onset.tolist()}
        run = 0
        for bar in range(len(sounding)):
            is_free = not sounding[bar] and not (bar == 0 and self._score.pickup)
            if is_free and run and self._starts[bar] not in signs:
                self._rests[bar - run] = run + 1
                run += 1
            else:
                run = int(is_free)

    def part(self, symbols: Sequence[tuple[int, ChordSymbol]], *, with_tempos: bool) -> Element:
        """The whole part.

        Args:
            symbols: chord symbols that stand over it, by onset.
            with_tempos: whether tempos stand over it.
        """
        part = Element("part", id=self._id)
        tempos = _tempos_by_bar(self._score.tempos, self._starts) if with_tempos else {}
        chords = _by_bar(symbols, self._starts)
        pickup = bool(self._score.pickup)
        for index in range(len(self._starts) - 1):
            number = {"number": str(index if pickup else index + 1)}
            if pickup and index == 0:
                number["implicit"] = "yes"
            measure = SubElement(part, "measure", number)
            self._signs(measure, index)
            for offset, rate in tempos.get(index, ()):
                show = abs(rate - self._printed_tempo) > _NOTABLE_CHANGE * self._printed_tempo
                _tempo(measure, self._meter, offset, rate, show=show)
                self._printed_tempo = rate if show else self._printed_tempo
            if index in self._rests:
                # By themselves: with a clef in one element, verovio draws that clef again after the rest.
                style = SubElement(SubElement(measure, "attributes"), "measure-style")
                leaf(style, "multiple-rest", self._rests[index])
            for offset, symbol in chords.get(index, ()):
                _harmony(measure, symbol, self._key_at(index), offset)
            self._notes(measure, index)
        barline = SubElement(measure, "barline", location="right")
        leaf(barline, "bar-style", "light-heavy")
        return part

    def _key_at(self, index: int) -> Key:
        before = [key for key in self._score.keys if key.onset <= self._starts[index]]
        return before[-1] if before else Key()

    def _signs(self, measure: Element, index: int) -> None:
        start = self._starts[index]
        key, meter = self._keys.get(start), self._meters.get(start)
        clefs = self._clefs.get(index, [])
        if index == 0:
            clefs = [(number, staff.views[0].clef) for number, staff in enumerate(self._staves, 1)]
        if not (clefs or key or meter):
            return
        attributes = SubElement(measure, "attributes")
        if index == 0:
            leaf(attributes, "divisions", self._score.ticks_per_quarter)
        if key:
            element = SubElement(attributes, "key")
            leaf(element, "fifths", key.fifths)
            leaf(element, "mode", key.mode)
        if meter:
            # The same metre stands again after a bar that it cut short; players need no second sign.
            is_shown = index == 0 or meter.name != self._meter.name
            self._meter = meter
            time = SubElement(attributes, "time", {} if is_shown else {"print-object": "no"})
            leaf(time, "beats", meter.numerator)
            leaf(time, "beat-type", meter.denominator)
        if index == 0 and len(self._staves) > 1:
            leaf(attributes, "staves", len(self._staves))
        for number, clef in clefs:
            _clef(attributes, clef, number if len(self._staves) > 1 else 0)

    def _notes(self, measure: Element, index: int) -> None:
        two_staves = len(self._staves) > 1
        lines = self._lines.get(index, [])
        is_first = True
        for staff, voices in enumerate(self._bars.staves_of(index), 1):
            for rank, (number, stem, events) in enumerate(voices):
                if not is_first:
                    leaf(SubElement(measure, "backup"), "duration", self._bars.length_of(index))
                if rank == 0:
                    for place, octaves, begins in lines:
                        if place == staff and begins:
                            _octave_line(measure, octaves, staff if two_staves else 0, begins=True)
                mark = self._dynamics.get(index, "") if is_first else ""
                is_first = False
                for event in events:
                    if mark and event.chord is not None:
                        _dynamics(measure, mark, 1 if two_staves else 0)
                        mark = ""
                    add_event(measure, event, number, stem, self._id, staff if two_staves else 0)
                if rank == 0:
                    for place, octaves, begins in lines:
                        if place == staff and not begins:
                            _octave_line(measure, octaves, staff if two_staves else 0, begins=False)


def _clef(attributes: Element, clef: Clef, number: int) -> None:
    element = SubElement(attributes, "clef", {"number": str(number)} if number else {})
    leaf(element, "sign", clef.sign)
    if clef.sign != "percussion":
        leaf(element, "line", clef.line)
    if clef.octave:
        leaf(element, "clef-octave-change", clef.octave)


def _octave_line(measure: Element, octaves: int, staff: int, *, begins: bool) -> None:
    direction = SubElement(measure, "direction", placement="above" if octaves > 0 else "below")
    # "down" is what the notes are written, not what they sound.
    kind = ("down" if octaves > 0 else "up") if begins else "stop"
    size = str(7 * abs(octaves) + 1)
    SubElement(SubElement(direction, "direction-type"), "octave-shift", type=kind, size=size)
    if staff:
        leaf(direction, "staff", staff)


def _dynamics(measure: Element, mark: str, staff: int) -> None:
    direction = SubElement(measure, "direction", placement="below")
    SubElement(SubElement(SubElement(direction, "direction-type"), "dynamics"), mark)
    if staff:
        leaf(direction, "staff", staff)


def _harmony(measure: Element, symbol: ChordSymbol, key: Key, offset: int) -> None:
    harmony = SubElement(measure, "harmony")
    for tag, pitch_class in (("root", symbol.root), ("kind", -1), ("bass", symbol.bass)):
        if tag == "kind":
            leaf(harmony, "kind", symbol.quality.kind).set("text", symbol.quality.symbol)
        elif tag == "root" or symbol.bass != symbol.root:
            name = spell(pitch_class, key)[0]
            part = SubElement(harmony, tag)
            leaf(part, f"{tag}-step", name[0])
            if len(name) > 1:
                leaf(part, f"{tag}-alter", name.count("#") - name.count("b"))
    if offset:
        leaf(harmony, "offset", offset)


def _by_bar(symbols: Sequence[tuple[int, ChordSymbol]], starts: list[int]) -> dict[int, list[tuple[int, ChordSymbol]]]:
    found: dict[int, list[tuple[int, ChordSymbol]]] = {}
    for onset, symbol in symbols:
        bar = int(np.searchsorted(starts, onset, side="right")) - 1
        if bar < len(starts) - 1:
            found.setdefault(bar, []).append((onset - starts[bar], symbol))
    return found


def _tempos_by_bar(tempos: TempoMap, starts: list[int]) -> dict[int, list[tuple[int, float]]]:
    found: dict[int, list[tuple[int, float]]] = {}
    at = (np.searchsorted(starts, tempos.onset, side="right") - 1).tolist()
    for bar, onset, rate in zip(at, tempos.onset.tolist(), tempos.quarters_per_minute.tolist(), strict=True):
        found.setdefault(bar, []).append((onset - starts[bar], rate))
    return found


def _tempo(measure: Element, meter: Meter, offset: int, rate: float, *, show: bool) -> None:
    number = np.format_float_positional(rate, trim="-")
    if not show:
        sound = SubElement(measure, "sound", tempo=number)
        if offset:
            leaf(sound, "offset", offset)
        return
    beat = meter.beat_quarters if meter.beat_quarters in _BEAT_UNITS else 1.0
    unit, dots = _BEAT_UNITS[beat]
    direction = SubElement(measure, "direction", placement="above")
    mark = SubElement(SubElement(direction, "direction-type"), "metronome")
    leaf(mark, "beat-unit", unit)
    for _ in range(dots):
        SubElement(mark, "beat-unit-dot")
    leaf(mark, "per-minute", max(round(rate / beat), 1))
    if offset:
        leaf(direction, "offset", offset).set("sound", "yes")
    SubElement(direction, "sound", tempo=number)
