"""A report as one HTML page that needs no other file, no script and no net."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #111827; --soft: #4b5563; --line: #d5dae1; --lane: #f5f6f8 }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171c; --ink: #e6e9ee; --soft: #a3acb9; --line: #363d47; --lane: #1d2128 }
}
* { box-sizing: border-box }
html { background: var(--paper); color: var(--ink); -webkit-text-size-adjust: 100%;
  font: 1rem/1.55 Aileron, "Helvetica Neue", Helvetica, Arial, sans-serif }
body { max-width: 66rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; overflow-wrap: break-word }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 1rem }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 2.5rem 0 .75rem; padding-top: .75rem;
  border-top: 1px solid var(--line) }
p { max-width: 42rem; margin: .75rem 0; white-space: pre-line }
.wide { overflow-x: auto }
figure { margin: 1.25rem 0 }
figure .wide { background: #fff; border: 1px solid var(--line); border-radius: 4px }
figure svg, figure img { display: block; max-width: 100%; height: auto; margin: 0 auto }
figcaption, caption { color: var(--soft); font-size: .9rem; text-align: left; padding: .4rem 0 }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .35rem 1.25rem .35rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line) }
th:last-child, td:last-child { padding-right: 0 }
th { color: var(--soft); font-weight: 600; border-bottom: 2px solid var(--line) }
.number { text-align: right }
details { margin: .75rem 0; padding: .5rem .9rem; background: var(--lane); border-radius: 4px }
summary { cursor: pointer; font-weight: 600 }
@media (max-width: 44rem) { figure svg, figure img { max-width: 44rem } }
@media print {
  :root { --paper: #fff; --ink: #000; --soft: #444; --line: #bbb; --lane: #fff }
  body { max-width: none; padding: 0 }
  h2 { break-after: avoid }
  figure, tr { break-inside: avoid }
  .wide { overflow: visible }
  details::details-content { content-visibility: visible; display: block }
}
"""

_GUARD = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What a browser may load and run: nothing but what stands in the page, and no script, whatever a picture holds."""

_NUMBER = re.compile(r"[-+−]?[\d.,]*\d([eE][-+−]?\d+)?( ?[^\W\d]{1,5}| ?%)?")
_PICTURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"GIF87a": "image/gif", b"GIF89a": "image/gif"}


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Some sentences; line breaks are kept."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head; columns of numbers, such as "1.32", "61 %" or "14 min", stand to the right.

    Attributes:
        head: names of the columns.
        rows: as many cells each as the head has.
        caption: what the table shows, or nothing.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.head):
                raise ValueError(f"a row of this table has {len(self.head)} cells, got {len(row)}: {list(row)}")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture on white paper.

    Attributes:
        data: the bytes of a PNG or GIF file, or the text of an SVG document, which is put into the page as it is.
        alt: what is seen, for those who do not see it.
        caption: written below, or nothing.
    """

    data: bytes | str
    alt: str
    caption: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.data, str):
            if not self.data.startswith("<svg "):
                raise ValueError(f"a picture given as text must be an SVG document, got {self.data[:20]!r}")
        elif not self.data.startswith(tuple(_PICTURES)):
            raise ValueError(f"a picture must be a PNG or GIF file, got bytes that begin with {self.data[:8]!r}")


@dataclass(frozen=True, slots=True)
class Details:
    """Parts that are folded away under a line until it is clicked; a printed page shows them."""

    summary: str
    parts: Sequence[Part]


Part = Paragraph | Table | Picture | Details


@dataclass(frozen=True, slots=True)
class Section:
    """Parts under a heading."""

    heading: str
    parts: Sequence[Part]


def report_page(title: str, sections: Sequence[Section]) -> str:
    """One HTML document: light or dark as the reader's system is, to be read on a phone, to be printed.

    Every text is escaped; what cannot be printed becomes a space.

    >>> page = report_page("Folk", [Section("Verdict", [Paragraph("held out < 1.3")])])
    >>> "<p>held out &lt; 1.3</p>" in page
    True
    """
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_GUARD}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{_safe(title)}</title>",
        f"<style>{_STYLE}</style>",
        f"<h1>{_safe(title)}</h1>",
    ]
    for section in sections:
        lines += ["<section>", f"<h2>{_safe(section.heading)}</h2>", *map(_part, section.parts), "</section>"]
    return "\n".join([*lines, "</html>"]) + "\n"


def _safe(text: str) -> str:
    return escape("".join(c if c.isprintable() or c == "\n" else " " for c in text))


def _part(part: Part) -> str:
    if isinstance(part, Paragraph):
        return f"<p>{_safe(part.text)}</p>"
    if isinstance(part, Table):
        return _table(part)
    if isinstance(part, Picture):
        return _picture(part)
    inner = "\n".join(map(_part, part.parts))
    return f"<details>\n<summary>{_safe(part.summary)}</summary>\n{inner}\n</details>"


def _table(table: Table) -> str:
    columns = [[row[index].strip() for row in table.rows] for index in range(len(table.head))]
    # A dash stands for a number that is not known; a column of nothing else is none of numbers.
    told = [[cell for cell in column if cell not in ("", "-", "–", "—")] for column in columns]
    classes = [' class="number"' if cells and all(map(_NUMBER.fullmatch, cells)) else "" for cells in told]
    head = "".join(f'<th scope="col"{kind}>{_safe(name)}</th>' for name, kind in zip(table.head, classes, strict=True))
    rows = [
        "<tr>" + "".join(f"<td{kind}>{_safe(cell)}</td>" for cell, kind in zip(row, classes, strict=True)) + "</tr>"
        for row in table.rows
    ]
    caption = f"<caption>{_safe(table.caption)}</caption>" if table.caption else ""
    parts = [f'<div class="wide"><table>{caption}', f"<thead><tr>{head}</tr></thead>", "<tbody>", *rows, "</tbody>"]
    return "\n".join([*parts, "</table></div>"])


def _picture(picture: Picture) -> str:
    if isinstance(picture.data, str):
        image = f'<div class="wide" role="img" aria-label="{_safe(picture.alt)}">{picture.data}</div>'
    else:
        kind = next(kind for start, kind in _PICTURES.items() if picture.data.startswith(start))
        source = f"data:{kind};base64,{base64.b64encode(picture.data).decode()}"
        image = f'<div class="wide"><img alt="{_safe(picture.alt)}" src="{source}"></div>'
    caption = f"<figcaption>{_safe(picture.caption)}</figcaption>" if picture.caption else ""
    return f"<figure>{image}{caption}</figure>"
