"""Drum keys by LilyPond's names, each on the place of the staff that Kapelle's MusicXML gives it."""

from __future__ import annotations

from collections.abc import Iterable

from ...files.musicxml.drums import look_of

_FIRST_KEY = 35
_TEXT = """
    acousticbassdrum bassdrum sidestick acousticsnare handclap electricsnare lowfloortom closedhihat highfloortom
    pedalhihat lowtom openhihat lowmidtom himidtom crashcymbala hightom ridecymbala chinesecymbal ridebell tambourine
    splashcymbal cowbell crashcymbalb vibraslap ridecymbalb hibongo lobongo mutehiconga openhiconga openloconga
    hitimbale lotimbale hiagogo loagogo cabasa maracas shortwhistle longwhistle shortguiro longguiro claves
    hiwoodblock lowoodblock mutecuica opencuica mutetriangle opentriangle
"""
_NAMES = tuple(_TEXT.split())
"""LilyPond's names of General MIDI drum keys 35 to 81."""

_FREE = (
    *("hihat", "snare", "crashcymbal", "ridecymbal", "losidestick", "hisidestick", "halfopenhihat"),
    *("triangle", "guiro", "muteloconga", "openhibongo", "openlobongo", "mutehibongo", "mutelobongo"),
)
"""Names, which General MIDI does not use, for keys that have none."""

_HEADS = {"": "()", "x": "cross", "circle-x": "xcircle", "diamond": "diamond", "triangle": "triangle"}
_LETTERS = "CDEFGAB"


def drum_names(keys: Iterable[int]) -> dict[int, str]:
    """A name for each drum key of a track."""
    found, free = {}, 0
    for key in sorted(set(keys)):
        if 0 <= key - _FIRST_KEY < len(_NAMES):
            found[key] = _NAMES[key - _FIRST_KEY]
        else:
            found[key] = _FREE[free % len(_FREE)]
            free += 1
    return found


def drum_table(names: dict[int, str]) -> str:
    """The table that tells LilyPond the head and the place of each drum."""
    rows = []
    for key, name in names.items():
        look = look_of(key)
        place = 7 * look.octave + _LETTERS.index(look.step) - (7 * 4 + 6)
        rows.append(f"({name} {_HEADS[look.head]} #f {place})")
    return f"#(alist->hash-table '({' '.join(rows)}))"
