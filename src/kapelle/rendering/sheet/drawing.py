"""What is done to verovio's pages: a title that every program draws alike, and tempo marks without a font of notes."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

FONTS = "Libertinus Serif, Times New Roman, Times, serif"
"""The first one comes with typst; programs that lack it have one of the others."""

_TITLE_SIZE, _LEAST_SIZE, _WIDTH_OF_LETTER = 620, 300, 0.5
_LONGEST_RUNNING_HEAD = 60

_HEAD = re.compile(r'<g [^>]*class="pgHead[^"]*"(?:\s[^/>]*)?>(.*?)</g>', re.DOTALL)
_PLACE = re.compile(r'x="(\d+)" y="(\d+)"')
_VIEW = re.compile(r'class="definition-scale"[^>]*viewBox="0 0 (\d+) (\d+)"')
_TEMPO = re.compile(r'(<g [^>]*class="tempo"[^>]*>)(.*?)</g>', re.DOTALL)
_START = re.compile(r'<text x="(-?\d+)" y="(-?\d+)"')
_RUN = re.compile(r"<tspan[^>]*font-size=\"(\d+)px\"[^>]*>([^<]*)</tspan>")

_ACCIDENTAL = re.compile(r'<tspan font-family="Leipzig" font-size="(\d+)px">([^<]*)</tspan>')
_ACCIDENTALS = str.maketrans("\ue260\ue261\ue262\uea64\uea65\uea66", "♭♮♯♭♮♯")

# SMuFL's notes of metronome marks, and how they are drawn: filled, stem, flags.
_NOTES = {
    "\ueca2": (False, False, 0),
    "\ueca3": (False, True, 0),
    "\ueca5": (True, True, 0),
    "\ueca7": (True, True, 1),
    "\ueca9": (True, True, 2),
}
_DOT = "\uecb7"


def finished(page: str, title: str, number: int) -> str:
    """One page of verovio's as it is shown.

    Args:
        title: what stands above the music.
        number: of the page, from 1; the first shows none.
    """
    page = page.replace('font-family="Times, serif"', f'font-family="{FONTS}"')
    view = _VIEW.search(page)
    width = int(view[1]) if view else 21000
    page = _HEAD.sub(lambda match: _head(match, title, number, width), page, count=1)
    return _ACCIDENTAL.sub(_accidental, _TEMPO.sub(_tempo, page))


def _head(match: re.Match[str], title: str, number: int, width: int) -> str:
    place = _PLACE.search(match[1])
    if place is None:
        return ""
    if number > 1:
        text = f"{title}  –  {number}" if title and len(title) < _LONGEST_RUNNING_HEAD else str(number)
        return (
            f'<text class="title" x="{place[1]}" y="{int(place[2]) - 100}" font-size="{_LEAST_SIZE}px" '
            f'text-anchor="middle">{escape(text)}</text>'
        )
    room = 0.9 * width
    size = min(_TITLE_SIZE, room / (_WIDTH_OF_LETTER * len(title)))
    if size < _LEAST_SIZE:
        size = _LEAST_SIZE
        title = title[: int(room / (_WIDTH_OF_LETTER * size)) - 1].rstrip() + "…"
    return (
        f'<text class="title" x="{place[1]}" y="{place[2]}" font-size="{size:.0f}px" text-anchor="middle">'
        f"{escape(title)}</text>"
    )


def _tempo(match: re.Match[str]) -> str:
    start = _START.search(match[2])
    runs = _RUN.findall(match[2])
    if start is None or not runs:
        return match[0]
    x, y = int(start[1]), int(start[2])
    drawn, words, size = [], "", 405
    for text_size, text in runs:
        if not any(character in _NOTES or character == _DOT for character in text):
            words, size = words + text, int(text_size)
            continue
        for character in text:
            if character in _NOTES:
                drawn.append(_note(x, y, int(text_size), *_NOTES[character]))
                x += round(0.36 * int(text_size))
            elif character == _DOT:
                drawn.append(f'<circle cx="{x}" cy="{y - 80}" r="36"/>')
                x += 90
    words = " ".join(words.split())
    drawn.append(f'<text x="{x + 60}" y="{y}" font-size="{size}px">{words}</text>')
    return f"{match[1]}{''.join(drawn)}</g>"


def _accidental(match: re.Match[str]) -> str:
    """A sharp or flat of a chord symbol, from a font of text."""
    return f'<tspan font-size="{0.6 * int(match[1]):.0f}px">{match[2].translate(_ACCIDENTALS)}</tspan>'


def _note(x: int, y: int, size: int, filled: bool, stem: bool, flags: int) -> str:
    """A small note with its head's left edge at x, standing on the line y."""
    width, thin = 0.3 * size, 0.035 * size
    middle = y - 0.11 * size
    head = (
        f'<ellipse cx="{x + width / 2:.0f}" cy="{middle:.0f}" rx="{width / 2 - (0 if filled else thin):.0f}" '
        f'ry="{0.1 * size:.0f}" transform="rotate(-22 {x + width / 2:.0f} {middle:.0f})" '
        + ("/>" if filled else f'fill="none" stroke="currentColor" stroke-width="{2 * thin:.0f}"/>')
    )
    if not stem:
        return head
    right, top = x + width - 0.03 * size, middle - 0.72 * size
    parts = [f'<path d="M{right:.0f} {middle:.0f}V{top:.0f}" stroke="currentColor" stroke-width="{1.4 * thin:.0f}"/>']
    for flag in range(flags):
        at = top + 0.2 * flag * size
        parts.append(
            f'<path d="M{right:.0f} {at:.0f}c{0.03 * size:.0f} {0.18 * size:.0f} {0.24 * size:.0f} {0.2 * size:.0f} '
            f'{0.14 * size:.0f} {0.5 * size:.0f}" fill="none" stroke="currentColor" stroke-width="{2 * thin:.0f}"/>'
        )
    return head + "".join(parts)
