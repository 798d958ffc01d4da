"""The 128 instruments of General MIDI: their names, and the program that a name means."""

from __future__ import annotations

import difflib

PROGRAM_NAMES = tuple(
    """
    Acoustic Grand Piano, Bright Acoustic Piano, Electric Grand Piano, Honky-tonk Piano
    Electric Piano 1, Electric Piano 2, Harpsichord, Clavinet
    Celesta, Glockenspiel, Music Box, Vibraphone, Marimba, Xylophone, Tubular Bells, Dulcimer
    Drawbar Organ, Percussive Organ, Rock Organ, Church Organ, Reed Organ, Accordion, Harmonica, Tango Accordion
    Acoustic Guitar (nylon), Acoustic Guitar (steel), Electric Guitar (jazz), Electric Guitar (clean)
    Electric Guitar (muted), Overdriven Guitar, Distortion Guitar, Guitar Harmonics
    Acoustic Bass, Electric Bass (finger), Electric Bass (pick), Fretless Bass
    Slap Bass 1, Slap Bass 2, Synth Bass 1, Synth Bass 2
    Violin, Viola, Cello, Contrabass, Tremolo Strings, Pizzicato Strings, Orchestral Harp, Timpani
    String Ensemble 1, String Ensemble 2, Synth Strings 1, Synth Strings 2
    Choir Aahs, Voice Oohs, Synth Voice, Orchestra Hit
    Trumpet, Trombone, Tuba, Muted Trumpet, French Horn, Brass Section, Synth Brass 1, Synth Brass 2
    Soprano Sax, Alto Sax, Tenor Sax, Baritone Sax, Oboe, English Horn, Bassoon, Clarinet
    Piccolo, Flute, Recorder, Pan Flute, Blown Bottle, Shakuhachi, Whistle, Ocarina
    Lead 1 (square), Lead 2 (sawtooth), Lead 3 (calliope), Lead 4 (chiff)
    Lead 5 (charang), Lead 6 (voice), Lead 7 (fifths), Lead 8 (bass + lead)
    Pad 1 (new age), Pad 2 (warm), Pad 3 (polysynth), Pad 4 (choir)
    Pad 5 (bowed), Pad 6 (metallic), Pad 7 (halo), Pad 8 (sweep)
    FX 1 (rain), FX 2 (soundtrack), FX 3 (crystal), FX 4 (atmosphere)
    FX 5 (brightness), FX 6 (goblins), FX 7 (echoes), FX 8 (sci-fi)
    Sitar, Banjo, Shamisen, Koto, Kalimba, Bagpipe, Fiddle, Shanai
    Tinkle Bell, Agogo, Steel Drums, Woodblock, Taiko Drum, Melodic Tom, Synth Drum, Reverse Cymbal
    Guitar Fret Noise, Breath Noise, Seashore, Bird Tweet, Telephone Ring, Helicopter, Applause, Gunshot
    """.strip()
    .replace("\n    ", ", ")
    .split(", ")
)
"""Names of programs 0..127, after the General MIDI Level 1 sound set (MIDI Manufacturers Association, 1991)."""

# Plain words whose first match in the list is not what people mean.
_MEANT = {
    "strings": 48,
    "organ": 19,
    "choir": 52,
    "voice": 52,
    "sax": 65,
    "horn": 60,
    "harp": 46,
    "bells": 14,
    "double bass": 43,
}

_EXPECTED = "expected an instrument such as 'Violin' or '40', a General MIDI name or a program 0 to 127"

# What people call drums is a track of its own, not one of the 128; "drum" would find the first of those below.
_DRUM_KIT = ("drum", "drums", "drum kit", "drumkit", "drum set", "drumset", "kit", "percussion")


def name_of(program: int) -> str:
    """The General MIDI name of a program 0..127.

    >>> name_of(40)
    'Violin'

    Raises:
        ValueError: if there is no such program.
    """
    if not 0 <= program <= 127:
        raise ValueError(f"a program must be 0..127, got {program}")
    return PROGRAM_NAMES[program]


def program_of(text: str) -> int:
    """The program that a number, a name or a part of a name means.

    A whole name goes before a part of one; of several instruments with the same part the first is taken.

    Args:
        text: "73", "Flute", "church organ", "guitar"; case does not matter. Numbers are 0..127, 0 = piano.

    Raises:
        ValueError: if nothing fits; the message names what is near. A drum kit is none of the 128.

    >>> program_of("flute"), program_of("73"), program_of("nylon"), program_of("strings")
    (73, 73, 24, 48)
    """
    wanted = " ".join(text.casefold().replace("-", " ").split())
    if wanted.isdecimal() and wanted.isascii() and len(wanted) <= 3:
        if int(wanted) <= 127:
            return int(wanted)
        raise ValueError(f"{_EXPECTED}, got {text!r}")
    known = [name.casefold().replace("-", " ") for name in PROGRAM_NAMES]
    if wanted in known:
        return known.index(wanted)
    if wanted in _DRUM_KIT:
        raise ValueError(
            f"expected an instrument that plays pitches, got {text!r}: a style brings its own drum kit or has none; "
            "drums with a pitch are Timpani, Steel Drums, Taiko Drum, Melodic Tom and Synth Drum"
        )
    if wanted in _MEANT:
        return _MEANT[wanted]
    for program, name in enumerate(known):
        if wanted and wanted in name:
            return program
    words = {word.strip("()"): name for name in PROGRAM_NAMES for word in name.casefold().split()}
    near = difflib.get_close_matches(wanted, known, 3, 0.6)
    names = [PROGRAM_NAMES[known.index(name)] for name in near]
    names += [words[word] for word in difflib.get_close_matches(wanted, words, 3, 0.7)]
    hint = f"; did you mean {', '.join(dict.fromkeys(names))}?" if names else ""
    raise ValueError(f"{_EXPECTED}, got {text!r}{hint}")
