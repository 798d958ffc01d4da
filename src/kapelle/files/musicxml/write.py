"""From a canonical score to the bytes of a MusicXML document."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from ...music import ChordSymbol, Score, Track
from .bars import PartBars
from .drums import DRUM_CHANNEL, instrument_id, look_of
from .elements import leaf
from .measures import PartWriter
from .names import abbreviation
from .spelling import spellings
from .staves import Group, Staff, groups, staves

_HEAD = b"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">
"""


def document(
    score: Score,
    symbols: Sequence[tuple[int, ChordSymbol]] = (),
    lines: list[list[Staff]] | None = None,
    *,
    is_part: bool = False,
) -> bytes:
    """A MusicXML document of a score as `canonical` gives it.

    Args:
        symbols: chords by onset, to stand over the first part.
        lines: the staves of each part; None for the usual ones.
        is_part: whether this is for one player, whose empty bars are counted together.
    """
    root = Element("score-partwise", version="4.0")
    if score.title:
        leaf(SubElement(root, "work"), "work-title", score.title)
    leaf(SubElement(SubElement(root, "identification"), "encoding"), "software", "Kapelle")
    parts = SubElement(root, "part-list")
    pitched = 0
    together = groups(score)
    for index, track in enumerate(score.tracks):
        for number, group in enumerate(together, 1):
            if group.first == index:
                _group_start(parts, number, group)
        channel = DRUM_CHANNEL
        if not track.is_drum:
            channel = [*range(1, DRUM_CHANNEL), *range(DRUM_CHANNEL + 1, 17)][pitched % 15]
            pitched += 1
        _score_part(parts, f"P{index + 1}", track, channel)
        for number, group in enumerate(together, 1):
            if group.last == index:
                SubElement(parts, "part-group", type="stop", number=str(number))
    spelling = spellings(score)
    # What both hands of a player do stands between their staves.
    lower = {group.last for group in together if group.symbol == "brace"}
    for index, (track, own) in enumerate(zip(score.tracks, lines or staves(score), strict=True)):
        bars = PartBars(score, track, own, spelling)
        writer = PartWriter(score, track, own, bars, f"P{index + 1}", with_dynamics=index not in lower)
        if is_part:
            writer.count_rests()
        root.append(writer.part(() if index else symbols, with_tempos=index == 0))
    ElementTree.indent(root, " ")
    body: bytes = ElementTree.tostring(root, encoding="utf-8")
    return _HEAD + body + b"\n"


def _group_start(parts: Element, number: int, group: Group) -> None:
    start = SubElement(parts, "part-group", type="start", number=str(number))
    leaf(start, "group-symbol", group.symbol)
    leaf(start, "group-barline", "yes")


def _score_part(parts: Element, part_id: str, track: Track, channel: int) -> None:
    part = SubElement(parts, "score-part", id=part_id)
    leaf(part, "part-name", track.name)
    if track.name:
        leaf(part, "part-abbreviation", abbreviation(track.name))
    if track.is_drum:
        keys = sorted(set(track.notes.pitch.tolist()))
        instruments = [(instrument_id(part_id, key), look_of(key).name, key) for key in keys]
    else:
        instruments = []
    for name, text, _ in instruments or [(f"{part_id}-I1", track.name, 0)]:
        leaf(SubElement(part, "score-instrument", id=name), "instrument-name", text)
    if not instruments:
        midi = SubElement(part, "midi-instrument", id=f"{part_id}-I1")
        leaf(midi, "midi-channel", channel)
        leaf(midi, "midi-program", track.program + 1)
    for name, _, key in instruments:
        midi = SubElement(part, "midi-instrument", id=name)
        leaf(midi, "midi-channel", channel)
        leaf(midi, "midi-program", 1)
        leaf(midi, "midi-unpitched", key + 1)
