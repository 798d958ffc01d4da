"""Short names of parts, for all lines but the first."""

from __future__ import annotations

import re

_SHORT = {
    "piano": "Pno.", "guitar": "Gtr.", "drums": "Dr.", "percussion": "Perc.", "violin": "Vln.", "viola": "Vla.",
    "cello": "Vc.", "violoncello": "Vc.", "contrabass": "Cb.", "flute": "Fl.", "piccolo": "Picc.", "oboe": "Ob.",
    "clarinet": "Cl.", "bassoon": "Bsn.", "horn": "Hn.", "trumpet": "Tpt.", "trombone": "Tbn.", "tuba": "Tba.",
    "soprano": "S.", "alto": "A.", "tenor": "T.", "bass": "B.", "organ": "Org.", "strings": "Str.", "sax": "Sax.",
    "choir": "Ch.", "voice": "V.", "vocals": "V.", "harp": "Hp.", "timpani": "Timp.", "synth": "Syn.",
    "harpsichord": "Hpsd.", "melody": "Mel.", "chords": "Ch.", "fiddle": "Fid.", "lead": "Ld.",
}  # fmt: skip


def abbreviation(name: str) -> str:
    """A short form of a part's name, with its number if it has one.

    >>> abbreviation("Violin 2"), abbreviation("Electric Guitar"), abbreviation("Theremin")
    ('Vln. 2', 'E. Gtr.', 'Ther.')
    """
    words = re.findall(r"[^\W\d]+", name)
    number = re.search(r"\d{1,2}\s*$", name)
    known = [place for place, word in enumerate(words) if word.lower() in _SHORT]
    if known:
        short = _SHORT[words[known[-1]].lower()]
        before = words[0] if known[-1] else ""
        short = f"{before[0].upper()}. {short}" if before else short
    elif words:
        short = words[0] if len(words[0]) <= 5 else f"{words[0][:4]}."
    else:
        return name[:6]
    return f"{short} {number[0].strip()}" if number else short
