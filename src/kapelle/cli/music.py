"""The music that is learnt from, as a folder or by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import CorpusError
from .output import clock, count, plain
from .progress import ProgressLine

if TYPE_CHECKING:
    from ..corpora import Corpus

MOST_SKIPPED = 10
"""So many files that are left out are listed; the others are counted."""


def read_music(folder: Path | None, name: str | None) -> tuple[Corpus, str]:
    """The corpus that was asked for, and a title for what is learnt from it."""
    from ..corpora import get, load_folder

    with ProgressLine("reading music") as line:

        def tell(done: int, of_all: int) -> None:
            line.tell(done / of_all)

        if name is None:
            if folder is None:
                raise CorpusError("expected a FOLDER of music or a --corpus, got neither; see kapelle train --help")
            return load_folder(folder, tell), plain(folder.resolve().name)
        source = get(name)
        reads_folder = getattr(source, "READS_FOLDER", False)
        if reads_folder and folder is None:
            raise CorpusError(f"the corpus {name} is read from files: expected its FOLDER too, got none")
        if not reads_folder and folder is not None:
            raise CorpusError(f"expected a FOLDER of music or the corpus {name}, got both; leave one out")
        return source.load(folder, tell), source.TITLE


def tell_corpus(corpus: Corpus) -> None:
    """What there is to learn from, and what was left out and why."""
    if corpus.skipped:
        click.echo(f"left out {count(len(corpus.skipped), 'file')}:")
        for source, reason in corpus.skipped[:MOST_SKIPPED]:
            click.echo(f"  {plain(source)}: {plain(reason)}")
        if len(corpus.skipped) > MOST_SKIPPED:
            reasons = "; ".join(f"{plain(reason)} ({times})" for reason, times in corpus.reasons.most_common(5))
            click.echo(f"  and {len(corpus.skipped) - MOST_SKIPPED} more; in all: {reasons}")
    click.echo(
        f"read {count(len(corpus.pieces), 'piece')}, {count(corpus.num_notes, 'note')}, "
        f"{clock(corpus.seconds)} of music; a part is held out, never learnt from, to measure by"
    )
