"""Sheet music from any score: PDF, PNG and SVG by verovio and typst, MusicXML and LilyPond source by Kapelle.

What is on the page is the notation that `kapelle.files.musicxml` writes, of a score that `for_page` made ready.
PDF, PNG and SVG need the extra `sheet`; verovio and typst run in a process of their own.
"""

from __future__ import annotations

from typing import Any

from ...music import Score
from .legible import for_page
from .sheet import Sheet

__all__ = ["Sheet", "for_page", "timemap", "to_lilypond", "to_musicxml", "to_pdf", "to_png", "to_svg_pages"]


def to_pdf(score: Score) -> bytes:
    """The score as a PDF on A4, or on larger paper where its staves would be too small to read.

    Raises:
        FileError: if it cannot be engraved within the bounds of time and memory.
        MissingExtra: if verovio and typst are not installed.

    >>> from kapelle.music import Notes, Track
    >>> scale = Track(Notes.of((24 * at, 24, pitch, 80) for at, pitch in enumerate((60, 62, 64, 65))), program=40)
    >>> to_pdf(Score(24, (scale,), title="Four notes"))[:5]
    b'%PDF-'
    """
    return Sheet.of(score).pdf()


def to_svg_pages(score: Score) -> list[str]:
    """The score as SVG, one text a page. Noteheads are outlines, so no font is needed to show them.

    Raises:
        FileError: if it cannot be engraved within the bounds of time and memory.
        MissingExtra: if verovio is not installed.

    >>> from kapelle.music import Notes, Track
    >>> pages = to_svg_pages(Score(24, (Track(Notes.of([(0, 96, 60, 80)])),)))
    >>> len(pages), pages[0].startswith("<svg")
    (1, True)
    """
    return Sheet.of(score).svg_pages()


def to_png(score: Score) -> bytes:
    """The score as one PNG, its pages below one another.

    Raises:
        FileError: if it has more than 20 pages, or cannot be engraved within the bounds of time and memory.
        MissingExtra: if verovio and typst are not installed.

    >>> from kapelle.music import Notes, Track
    >>> to_png(Score(24, (Track(Notes.of([(0, 96, 60, 80)])),)))[1:4]
    b'PNG'
    """
    return Sheet.of(score).png()


def to_lilypond(score: Score) -> str:
    """The score as LilyPond source, for version 2.24 and later.

    >>> from kapelle.music import Key, Notes, Track
    >>> tune = Track(Notes.of([(0, 48, 66, 80), (48, 48, 69, 80)]), program=40)
    >>> text = to_lilypond(Score(24, (tune,), keys=(Key.parse("D major"),)))
    >>> next(line for line in text.splitlines() if "fis'" in line)
    '\\\\clef "treble" \\\\key d \\\\major \\\\time 4/4 \\\\tempo 4 = 120 \\\\oneVoice fis\\'2 a\\'2 |'
    """
    return Sheet.of(score).lilypond()


def to_musicxml(score: Score) -> bytes:
    """The score as MusicXML 4.0, made ready for the page; `kapelle.save` writes it as it is.

    >>> from kapelle.music import Notes, Track
    >>> to_musicxml(Score(24, (Track(Notes.of([(0, 96, 60, 80)])),)))[:5]
    b'<?xml'
    """
    return Sheet.of(score).musicxml()


def timemap(score: Score) -> tuple[list[str], list[dict[str, Any]]]:
    """SVG pages, and when each note in them sounds: what a page needs to show what is being played.

    Returns:
        The pages, and moments in the order of time: "tstamp" in milliseconds, "qstamp" in quarters, the ids of
        the SVG's notes that are "on" and "off" then, and "measureOn", the id of a bar that begins.

    >>> from kapelle.music import Notes, Track
    >>> pages, moments = timemap(Score(24, (Track(Notes.of([(0, 96, 60, 80)])),)))
    >>> moments[0]["tstamp"], moments[0]["on"][0] in pages[0]
    (0, True)
    """
    sheet = Sheet.of(score)
    return sheet.svg_pages(), sheet.timemap()
