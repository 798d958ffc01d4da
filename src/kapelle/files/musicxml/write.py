"""From a canonical score to the bytes of a MusicXML document."""

from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from ...music import Meter, Score, TempoMap, Track
from .bars import Event, PartBars
from .drums import DRUM_CHANNEL, instrument_id, look_of
from .rhythm import Value
from .voices import Clef, staves

_HEAD = b"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">
"""

_BEAT_UNITS = {0.5: ("eighth", 0), 0.75: ("eighth", 1), 1.0: ("quarter", 0), 1.5: ("quarter", 1), 2.0: ("half", 0)}

_NOTABLE_CHANGE = 0.08
"""A tempo is printed if it differs by this part from the one printed last; every tempo is written to be played."""


def document(score: Score) -> bytes:
    """A MusicXML document of a score as `canonical` gives it."""
    root = Element("score-partwise", version="4.0")
    if score.title:
        _leaf(SubElement(root, "work"), "work-title", score.title)
    _leaf(SubElement(SubElement(root, "identification"), "encoding"), "software", "Kapelle")
    parts = SubElement(root, "part-list")
    pitched = 0
    for index, track in enumerate(score.tracks):
        channel = DRUM_CHANNEL
        if not track.is_drum:
            channel = [*range(1, DRUM_CHANNEL), *range(DRUM_CHANNEL + 1, 17)][pitched % 15]
            pitched += 1
        _score_part(parts, f"P{index + 1}", track, channel)
    for index, track in enumerate(score.tracks):
        root.append(_part(score, track, f"P{index + 1}", with_tempos=index == 0))
    ElementTree.indent(root, " ")
    body: bytes = ElementTree.tostring(root, encoding="utf-8")
    return _HEAD + body + b"\n"


def _leaf(parent: Element, tag: str, text: str | int) -> Element:
    element = SubElement(parent, tag)
    element.text = str(text)
    return element


def _score_part(parts: Element, part_id: str, track: Track, channel: int) -> None:
    part = SubElement(parts, "score-part", id=part_id)
    _leaf(part, "part-name", track.name)
    if track.is_drum:
        keys = sorted(set(track.notes.pitch.tolist()))
        instruments = [(instrument_id(part_id, key), look_of(key).name, key) for key in keys]
    else:
        instruments = []
    for name, text, _ in instruments or [(f"{part_id}-I1", track.name, 0)]:
        _leaf(SubElement(part, "score-instrument", id=name), "instrument-name", text)
    if not instruments:
        midi = SubElement(part, "midi-instrument", id=f"{part_id}-I1")
        _leaf(midi, "midi-channel", channel)
        _leaf(midi, "midi-program", track.program + 1)
    for name, _, key in instruments:
        midi = SubElement(part, "midi-instrument", id=name)
        _leaf(midi, "midi-channel", channel)
        _leaf(midi, "midi-program", 1)
        _leaf(midi, "midi-unpitched", key + 1)


def _part(score: Score, track: Track, part_id: str, *, with_tempos: bool) -> Element:
    part = Element("part", id=part_id)
    lines = staves(track)
    bars = PartBars(score, track, lines)
    starts = score.bars().tolist()
    meter_at = {meter.onset: meter for meter in score.meters}
    key_at = {key.onset: key for key in score.keys}
    tempos = _tempos_by_bar(score.tempos, starts) if with_tempos else {}
    printed = 0.0
    meter = score.meters[0]
    for index, start in enumerate(starts[:-1]):
        if score.pickup and index == 0:
            measure = SubElement(part, "measure", number="0", implicit="yes")
        else:
            measure = SubElement(part, "measure", number=str(index if score.pickup else index + 1))
        if index == 0 or start in meter_at or (start in key_at and not track.is_drum):
            attributes = SubElement(measure, "attributes")
            if index == 0:
                _leaf(attributes, "divisions", score.ticks_per_quarter)
            if start in key_at and not track.is_drum:
                key = SubElement(attributes, "key")
                _leaf(key, "fifths", key_at[start].fifths)
                _leaf(key, "mode", key_at[start].mode)
            if start in meter_at:
                meter = meter_at[start]
                time = SubElement(attributes, "time")
                _leaf(time, "beats", meter.numerator)
                _leaf(time, "beat-type", meter.denominator)
            if index == 0:
                _staves(attributes, [line.clef for line in lines])
        for offset, rate in tempos.get(index, ()):
            show = abs(rate - printed) > _NOTABLE_CHANGE * printed
            _tempo(measure, meter, offset, rate, show=show)
            printed = rate if show else printed
        _notes(measure, bars, index, part_id, two_staves=len(lines) > 1)
    barline = SubElement(measure, "barline", location="right")
    _leaf(barline, "bar-style", "light-heavy")
    return part


def _staves(attributes: Element, clefs: list[Clef]) -> None:
    if len(clefs) > 1:
        _leaf(attributes, "staves", len(clefs))
    for number, clef in enumerate(clefs, 1):
        element = SubElement(attributes, "clef", {"number": str(number)} if len(clefs) > 1 else {})
        _leaf(element, "sign", clef.sign)
        if clef.sign != "percussion":
            _leaf(element, "line", clef.line)
        if clef.octave:
            _leaf(element, "clef-octave-change", clef.octave)


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
            _leaf(sound, "offset", offset)
        return
    beat = meter.beat_quarters if meter.beat_quarters in _BEAT_UNITS else 1.0
    unit, dots = _BEAT_UNITS[beat]
    direction = SubElement(measure, "direction", placement="above")
    mark = SubElement(SubElement(direction, "direction-type"), "metronome")
    _leaf(mark, "beat-unit", unit)
    for _ in range(dots):
        SubElement(mark, "beat-unit-dot")
    _leaf(mark, "per-minute", max(round(rate / beat), 1))
    if offset:
        _leaf(direction, "offset", offset).set("sound", "yes")
    SubElement(direction, "sound", tempo=number)


def _notes(measure: Element, bars: PartBars, index: int, part_id: str, *, two_staves: bool) -> None:
    first = True
    for staff, voices in enumerate(bars.staves_of(index), 1):
        for number, stem, events in voices:
            if not first:
                _leaf(SubElement(measure, "backup"), "duration", bars.length_of(index))
            first = False
            for event in events:
                _event(measure, event, number, stem, part_id, staff if two_staves else 0)


def _event(measure: Element, event: Event, voice: int, stem: str, part_id: str, staff: int) -> None:
    """The notes of a chord, or a rest."""
    value = event.value
    if event.chord is None:
        note = SubElement(measure, "note", {"print-object": "no"} if event.hidden else {})
        SubElement(note, "rest", {"measure": "yes"} if event.whole_bar else {})
        _leaf(note, "duration", value.length)
        _leaf(note, "voice", voice)
        if not event.whole_bar:
            _type(note, value, "")
        if staff:
            _leaf(note, "staff", staff)
        _notations(note, event, with_tuplet=True)
        return
    for place, (pitch, velocity) in enumerate(zip(event.chord.pitches, event.chord.velocities, strict=True)):
        note = SubElement(measure, "note", dynamics=f"{velocity / 0.9:.2f}")
        if place:
            SubElement(note, "chord")
        head = ""
        if event.names:
            _pitch(note, event.names[place])
        else:
            look = look_of(pitch)
            head = look.head
            unpitched = SubElement(note, "unpitched")
            _leaf(unpitched, "display-step", look.step)
            _leaf(unpitched, "display-octave", look.octave)
        _leaf(note, "duration", value.length)
        for kind in event.ties:
            SubElement(note, "tie", type=kind)
        if not event.names:
            SubElement(note, "instrument", id=instrument_id(part_id, pitch))
        _leaf(note, "voice", voice)
        _type(note, value, event.accidentals[place] if event.names else "")
        if stem:
            _leaf(note, "stem", stem)
        if head:
            _leaf(note, "notehead", head)
        if staff:
            _leaf(note, "staff", staff)
        if not place:
            for level, beam in enumerate(event.beams, 1):
                _leaf(note, "beam", beam).set("number", str(level))
        _notations(note, event, with_tuplet=not place)


def _pitch(note: Element, name: tuple[str, int, int]) -> None:
    step, alter, octave = name
    pitch = SubElement(note, "pitch")
    _leaf(pitch, "step", step)
    if alter:
        _leaf(pitch, "alter", alter)
    _leaf(pitch, "octave", octave)


def _type(note: Element, value: Value, accidental: str) -> None:
    _leaf(note, "type", value.type)
    for _ in range(value.dots):
        SubElement(note, "dot")
    if accidental:
        _leaf(note, "accidental", accidental)
    if value.tuplet:
        change = SubElement(note, "time-modification")
        _leaf(change, "actual-notes", value.tuplet[0])
        _leaf(change, "normal-notes", value.tuplet[1])


def _notations(note: Element, event: Event, *, with_tuplet: bool) -> None:
    edges = event.value.edges if with_tuplet else ()
    if not edges and not event.ties:
        return
    notations = SubElement(note, "notations")
    for kind in event.ties:
        SubElement(notations, "tied", type=kind)
    for kind in edges:
        SubElement(notations, "tuplet", type=kind, number="1")
