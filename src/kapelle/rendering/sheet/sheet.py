"""A score made ready for the page, and all that is drawn from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ...errors import FileError
from ...files.musicxml.hands import pairs_of_hands
from ...files.musicxml.staves import Staff, short_score, staves
from ...files.musicxml.write import document
from ...music import ChordSymbol, Score
from .drawing import finished
from .engraver import engraved, typeset
from .leadsheet import chord_symbols
from .legible import for_page, instrument_of
from .lilypond import source
from .paper import Paper, paper_of

MOST_STACKED_PAGES = 20
"""So many pages go into one PNG; more would fill the memory of who opens it."""


@dataclass(frozen=True)
class Sheet:
    """Sheet music.

    Attributes:
        score: as it stands on the page; see `for_page`.
        symbols: chord symbols over the first part, by onset.
        name: of the part, if it is one of several; "" for the whole score.
        lines: the staves of each part; None for the usual ones.
    """

    score: Score
    symbols: Sequence[tuple[int, ChordSymbol]] = ()
    name: str = ""
    lines: list[list[Staff]] | None = None

    @classmethod
    def of(cls, score: Score) -> Sheet:
        """Sheet music of any score."""
        ready = for_page(score)
        return cls(ready, chord_symbols(ready))

    def short(self) -> Sheet:
        """Soprano, alto, tenor and bass on two staves.

        Raises:
            FileError: if these are not the parts.
        """
        score, lines = short_score(self.score)
        return replace(self, score=score, lines=lines)

    @cached_property
    def _staves(self) -> list[list[Staff]]:
        return self.lines or staves(self.score)

    @cached_property
    def parts(self) -> list[Sheet]:
        """One sheet a part, in the order of the score; a player's two hands are one part."""
        pairs = dict(pairs_of_hands(self.score.tracks))
        found = []
        for index, track in enumerate(self.score.tracks):
            if index in pairs.values():
                continue
            tracks = [track] + ([self.score.tracks[pairs[index]]] if index in pairs else [])
            name = track.name or instrument_of(track)
            title = f"{self.score.title} – {name}" if self.score.title else name
            alone = tuple(each.replace(name="") for each in tracks)
            score = self.score.replace(tracks=alone, title=title)
            found.append(Sheet(score, self.symbols if index == 0 else (), name))
        return found

    @cached_property
    def _paper(self) -> Paper:
        return paper_of(sum(map(len, self._staves)))

    @cached_property
    def _engraved(self) -> tuple[list[str], list[dict[str, Any]]]:
        pages, times = engraved(self.musicxml(), self._paper.layouts())
        return [finished(page, self.score.title, number) for number, page in enumerate(pages, 1)], times

    def musicxml(self) -> bytes:
        """The notation as MusicXML 4.0."""
        return document(self.score, self.symbols, self._staves, is_part=bool(self.name))

    def svg_pages(self) -> list[str]:
        """One SVG a page."""
        return self._engraved[0]

    def timemap(self) -> list[dict[str, Any]]:
        """When notes begin and end, in the order of time: "tstamp" in milliseconds, "qstamp" in quarters, and the
        ids, as in the SVG pages, of the notes that are "on" and "off" then, and of the bar as "measureOn".
        """
        return self._engraved[1]

    def pdf(self) -> bytes:
        """All pages as one PDF."""
        return typeset(self.svg_pages(), self._paper.size, self.score.title, "pdf")[0]

    def png_pages(self, ppi: int = 150) -> list[bytes]:
        """One PNG a page, of `ppi` dots an inch."""
        return typeset(self.svg_pages(), self._paper.size, self.score.title, "png", ppi=ppi)

    def png(self, ppi: int = 150) -> bytes:
        """All pages below one another as one PNG.

        Raises:
            FileError: if there are more than 20 pages.
        """
        pages = self.svg_pages()
        if len(pages) > MOST_STACKED_PAGES:
            raise FileError(
                f"one picture holds {MOST_STACKED_PAGES} pages, this music has {len(pages)}; make a PDF of it"
            )
        return typeset(pages, self._paper.size, self.score.title, "png", ppi=ppi, stacked=True)[0]

    def lilypond(self) -> str:
        """LilyPond source, for version 2.24 and later."""
        return source(self.score, self.symbols, self._staves, self._paper.staff_height)
