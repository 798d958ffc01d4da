"""How much the bundled styles copy, beside how much human pieces of their corpora share, and what telling costs.

    python benchmarks/originality.py [CORPUS ...] [piano=FOLDER]

Prints Markdown: for each corpus (folk and chorale, if none is named) the figures of its held-out pieces and of pieces
that the style of its name composes, against the pieces learnt from; then how long it takes to index 1,000 of those,
to look up one piece, and how large the memory is. The corpora are split as they were for the style. Times are of this
process on the processor; those of look-ups are medians over the composed pieces.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from kapelle.corpora import Corpus, get, split
from kapelle.evaluation import Figure, Memory, Originality, Sources, originality
from kapelle.evaluation.originality.lines import lines
from kapelle.music import Notes, Score, Track
from kapelle.styles import Style, list_styles, load_style

Result = TypeVar("Result")

PIECES = 24
"""Composed by each style."""

MANY = 1000
"""Pieces learnt from, to time by."""


def main() -> None:
    for word in sys.argv[1:] or ["folk", "chorale"]:
        name, _, folder = word.partition("=")
        corpus = get(name).load(Path(folder) if folder else None)
        bundled = {listing.name for listing in list_styles()[0]}
        report(name, corpus, load_style(name) if name in bundled else None)


def report(name: str, corpus: Corpus, style: Style | None) -> None:
    if style is not None and style.card.corpus != corpus.fingerprint:
        sys.exit(f"expected the corpus that {name} was learnt from, got another one")
    parts = split(corpus, 0 if style is None else style.card.seed)
    train = [(piece.source, piece.score) for piece in parts.train]
    scores, held_out = [score for _, score in train], [piece.score for piece in parts.valid + parts.test]
    rng = np.random.default_rng(0)
    sources = Sources.of(train)
    human = originality(held_out, sources, rng)
    memory = Memory.of(scores, held_out)
    print(f"\n## {name}: {len(train)} pieces learnt from, {sum(score.num_notes for score in scores):,} notes\n")
    columns = {f"{human.pieces} held-out human pieces": human}
    composed = held_out
    if style is not None:
        style = replace(style, memory=memory)
        composed, free_time = timed(lambda: compose(style, original=False))
        original, original_time = timed(lambda: compose(style, original=True))
        columns |= {
            f"{PIECES} composed": originality(composed, sources, rng),
            f"{PIECES} composed with `--original`": originality(original, sources, rng),
        }
    tell(columns, human, rng)
    if style is not None:
        for what, pieces in (("freely", composed), ("with `--original`", original)):
            longer = sum(notes_of(memory, score) > memory.limit for score in pieces)
            print(
                f"\n{longer} of {PIECES} composed {what} have a passage longer than the limit of {memory.limit} notes",
                end="",
            )
        print(f"\n\ncomposing with `--original` takes {original_time / free_time:.2f} times as long")
    costs(train, held_out, composed, memory)


def compose(style: Style, original: bool) -> list[Score]:
    return [style.compose(seed=seed, original=original) for seed in range(PIECES)]


def notes_of(memory: Memory, score: Score) -> int:
    found = memory.longest(score)
    return 0 if found is None else found.notes


def tell(columns: dict[str, Originality], human: Originality, rng: np.random.Generator) -> None:
    """A table with a column for each set of pieces."""
    print(f"| | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    rows: dict[str, list[str]] = {}
    for found in columns.values():
        for beats, figure in found.windows.items():
            rows.setdefault(f"windows of {beats} beats found", []).append(percent(figure))
        for width, figure in found.grams.items():
            rows.setdefault(f"{width} melodic intervals found", []).append(percent(figure))
        longest = found.longest
        average = f"{longest.value:.1f} ({longest.low:.1f} to {longest.high:.1f})"
        rows.setdefault("longest passage, notes, average", []).append(average)
        rows.setdefault("longest passage of 95 % of pieces, notes", []).append(str(found.limit))
        rows.setdefault("longest passage of all", []).append(str(found.passage))
        rows.setdefault("verdict", []).append("" if found is human else found.against(human, rng))
    for name, cells in rows.items():
        print(f"| {name} | {' | '.join(cells)} |")


def percent(figure: Figure) -> str:
    return f"{figure.value:.2%} ({figure.low:.2%} to {figure.high:.2%})".replace("%", " %")


def costs(train: list[tuple[str, Score]], held_out: list[Score], pieces: list[Score], whole: Memory) -> None:
    """What it takes to know."""
    chosen = train[:MANY]
    sources, index_time = timed(lambda: Sources.of(chosen))
    memory, memory_time = timed(lambda: Memory.of([score for _, score in chosen], held_out))
    in_sources = statistics.median(timed(lambda score=score: sources.longest(score))[1] for score in pieces)
    in_memory = statistics.median(timed(lambda score=score: memory.longest(score))[1] for score in pieces)
    unknown = np.concatenate([line.moves for seed in range(20) for line in lines(noise(seed))])
    print(f"\n| against {len(chosen)} pieces | |\n|---|---|")
    print(f"| full index, made in | {index_time:.2f} s |")
    print(f"| memory, made in, its limit measured on {len(held_out)} pieces | {memory_time:.2f} s |")
    print(f"| one piece looked up in the full index | {1000 * in_sources:.1f} ms |")
    print(f"| one piece looked up in the memory | {1000 * in_memory:.2f} ms |")
    print(f"| memory of all {len(train)} pieces | {len(whole.bits) / 1000:.1f} kB |")
    print(f"| runs of notes drawn at random that it knows by mistake | {100 * whole.knows(unknown).mean():.2f} % |")
    print(f"| the same, as it states it | {100 * whole.false_positives:.2f} % |")


def noise(seed: int, notes: int = 5000) -> Score:
    """Notes at random, which no piece has."""
    rng = np.random.default_rng(seed)
    onset = np.cumsum(rng.integers(1, 48, notes))
    return Score(24, (Track(Notes(onset, np.full(notes, 6), rng.integers(20, 110, notes), np.full(notes, 80))),))


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    start = time.process_time()
    return work(), time.process_time() - start


if __name__ == "__main__":
    main()
