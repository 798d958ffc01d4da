"""What a run was and what its style does: curves, figures, samples, and how much of them is copied."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..corpora import Corpus
from ..evaluation import Originality
from ..music import Score
from ..rendering import Details, Paragraph, Picture, Section, Table, report_page, to_svg
from .copying import copying, samples
from .curves import film, picture
from .lesson import Lesson, Settings, sides_of
from .style import Style

SAMPLES, SAMPLE_BARS = 12, 16
"""So many pieces of so many bars are composed to see what the style does."""


@dataclass(frozen=True)
class Report:
    """A report in every form.

    Attributes:
        verdict: one line: what the run is, why, and what to do.
        html: a page that needs no other file.
        png: the curves.
        gif: the curves as they grew.
        values: everything as plain values, for JSON.
        samples: what was composed for it.
    """

    verdict: str
    html: str
    png: bytes
    gif: bytes
    values: dict[str, Any]
    samples: tuple[Score, ...]

    def to_json(self) -> str:
        """`values` as JSON; what was not measured is null."""
        return json.dumps(_plain(self.values), indent=1, ensure_ascii=False) + "\n"


def report(style: Style, corpus: Corpus, manifest: dict[str, Any], rows: Sequence[Any], ended: str = "") -> Report:
    """Compose samples with a style, measure them beside held-out human pieces, and write it all up.

    Args:
        style: that the run made.
        corpus: the music it learnt from.
        manifest: of the run.
        rows: of its log.
        ended: why the run is over, or nothing.
    """
    lesson = Lesson.of(corpus, Settings(**manifest["settings"]), sides=sides_of(manifest))
    composed = samples(style, SAMPLES, SAMPLE_BARS)
    copied = copying(lesson, composed)
    own, human, likeness = copied.composed, copied.human, copied.verdict
    verdict = lesson.verdict(rows, ended, copied.words)
    curves = picture(style.name, rows, lesson.baseline, verdict.name)
    grown = film(style.name, rows, lesson.baseline, curves.png)
    values = {
        "style": style.name,
        "verdict": asdict(verdict),
        "figures": style.card.figures,
        "settings": manifest["settings"],
        "versions": manifest["versions"],
        "originality": {"composed": _shares(own), "human": human and _shares(human), "verdict": likeness},
        "rows": [asdict(row) for row in rows],
    }
    sections = [
        Section("Curves", [Paragraph(f"{verdict}."), Picture(curves.svg, "Loss and accuracy over the epochs")]),
        Section("Figures", [_figures(style), *(Paragraph(remark) for remark in style.card.remarks)]),
        Section("Copying", _shared(own, human, likeness)),
        Section(
            "Samples", [Picture(to_svg(score), f"Sample {n}", f"seed {n}") for n, score in enumerate(composed[:4])]
        ),
        Section("How it was made", [_made(manifest), Details("How the curves grew", [Picture(grown, "A film")])]),
    ]
    page = report_page(f"{style.name}: {verdict.name}", sections)
    return Report(str(verdict), page, curves.png, grown, values, composed)


def _figures(style: Style) -> Table:
    card = style.card
    rows = [(name, f"{value:.4g}") for name, value in card.figures.items()]
    rows += [("pieces learnt from", f"{card.pieces:,}"), ("notes learnt from", f"{card.notes:,}")]
    return Table(("figure", "value"), [*rows, ("weights", f"{card.parameters:,}"), ("seconds", f"{card.seconds:.0f}")])


def _shared(own: Originality, human: Originality | None, likeness: str) -> list[Any]:
    """The shares that are found in training pieces, composed beside human."""

    def cell(figure: Any) -> str:
        return f"{figure.value:.1%} ({figure.low:.1%} to {figure.high:.1%})"

    rows = []
    for beats in own.windows:
        theirs = "" if human is None else cell(human.windows[beats])
        rows.append((f"windows of {beats} beats", cell(own.windows[beats]), theirs))
    for width in own.grams:
        theirs = "" if human is None else cell(human.grams[width])
        rows.append((f"runs of {width} intervals", cell(own.grams[width]), theirs))
    theirs = "" if human is None else f"{human.longest.value:.1f} notes"
    rows.append(("longest passage of a piece, on average", f"{own.longest.value:.1f} notes", theirs))
    found = [(f"seed {seed}", str(passage) if passage else "nothing") for seed, passage in enumerate(own.passages)]
    said = (
        f"{likeness[:1].upper()}{likeness[1:]}. What of {own.pieces} composed pieces is found in the training pieces, "
        "in any key, beside the same of human pieces that were held out; in brackets 95 % of redraws."
    )
    return [
        Paragraph(said),
        Table(("found in training pieces", "composed", "human, held out"), rows),
        Details("The longest passage of each sample", [Table(("sample", "passage"), found)]),
    ]


def _made(manifest: dict[str, Any]) -> Table:
    settings = {name: value for name, value in manifest["settings"].items() if value not in (None, "", {})}
    rows = [(name, str(value)) for name, value in (settings | manifest["versions"]).items()]
    return Table(("", ""), [*rows, ("music", manifest["corpus"]["fingerprint"])])


def _shares(found: Originality) -> dict[str, Any]:
    def figure(of: Any) -> dict[str, float]:
        return {"value": of.value, "low": of.low, "high": of.high}

    return {
        "pieces": found.pieces,
        "windows": {str(beats): figure(value) for beats, value in found.windows.items()},
        "intervals": {str(width): figure(value) for width, value in found.grams.items()},
        "longest": figure(found.longest),
        "limit": found.limit,
        "passage": found.passage and str(found.passage),
    }


def _plain(value: Any) -> Any:
    """JSON knows no NaN."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
