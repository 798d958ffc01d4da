"""The elements of one event: the notes of a chord, or a rest."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement

from .bars import Event
from .drums import instrument_id, look_of
from .elements import leaf
from .rhythm import Value


def add_event(measure: Element, event: Event, voice: int, stem: str, part_id: str, staff: int) -> None:
    """The notes of a chord, or a rest."""
    value = event.value
    if event.chord is None:
        note = SubElement(measure, "note", {"print-object": "no"} if event.hidden else {})
        SubElement(note, "rest", {"measure": "yes"} if event.whole_bar else {})
        leaf(note, "duration", value.length)
        leaf(note, "voice", voice)
        if not event.whole_bar:
            _type(note, value, "")
        if staff:
            leaf(note, "staff", staff)
        _notations(note, event, is_first=True)
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
            leaf(unpitched, "display-step", look.step)
            leaf(unpitched, "display-octave", look.octave)
        leaf(note, "duration", value.length)
        for kind in event.ties:
            SubElement(note, "tie", type=kind)
        if not event.names:
            SubElement(note, "instrument", id=instrument_id(part_id, pitch))
        leaf(note, "voice", voice)
        _type(note, value, event.accidentals[place] if event.names else "")
        if stem:
            leaf(note, "stem", stem)
        if head:
            leaf(note, "notehead", head)
        if staff:
            leaf(note, "staff", staff)
        if not place:
            for level, beam in enumerate(event.beams, 1):
                leaf(note, "beam", beam).set("number", str(level))
        _notations(note, event, is_first=not place)


def _pitch(note: Element, name: tuple[str, int, int]) -> None:
    step, alter, octave = name
    pitch = SubElement(note, "pitch")
    leaf(pitch, "step", step)
    if alter:
        leaf(pitch, "alter", alter)
    leaf(pitch, "octave", octave)


def _type(note: Element, value: Value, accidental: str) -> None:
    leaf(note, "type", value.type)
    for _ in range(value.dots):
        SubElement(note, "dot")
    if accidental:
        leaf(note, "accidental", accidental)
    if value.tuplet:
        change = SubElement(note, "time-modification")
        leaf(change, "actual-notes", value.tuplet[0])
        leaf(change, "normal-notes", value.tuplet[1])


def _notations(note: Element, event: Event, *, is_first: bool) -> None:
    edges = event.value.edges if is_first else ()
    has_fermata = event.fermata and is_first
    if not (edges or event.ties or has_fermata):
        return
    notations = SubElement(note, "notations")
    for kind in event.ties:
        SubElement(notations, "tied", type=kind)
    for kind in edges:
        SubElement(notations, "tuplet", type=kind, number="1")
    if has_fermata:
        SubElement(notations, "fermata", type="upright")
