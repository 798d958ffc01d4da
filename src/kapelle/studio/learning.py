"""What a worker does that learns a style, and what it tells of it on the way."""

from __future__ import annotations

import dataclasses
import json
import math
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..corpora import Corpus, fingerprint, load_folder
from ..corpora.folder import load_one
from ..errors import KapelleError
from ..files import write_atomically
from ..styles import Style, go_on, learn, open_style, picked, resume, run_path, save_style
from . import scores

Tell = Callable[[Any], None]

TELL_SECONDS = 0.4
"""How often it is told how far a run is."""
SAMPLE_SECONDS = 45.0
"""How often a piece is composed by what has been learnt so far; there is something new once a minute."""
SAMPLE_BARS = 8
STOP = "stop"
"""A file of this name in the folder of a training asks its run to stop."""


def inspect(tell: Tell, path: str) -> dict[str, Any]:
    """What a file gives to learn from: its pieces, and for each that is left out why."""
    pieces, problems = [], []
    for score, reason in load_one(Path(path)):
        if score is None:
            problems.append(reason)
            continue
        summary = scores.summary(score)
        wanted = ("bars", "notes", "seconds", "key", "meter", "tracks")
        pieces.append({name: summary[name] for name in wanted} | {"print": fingerprint(score)})
    return {"pieces": pieces, "problems": problems}


def train(
    tell: Tell, folder: str, names: dict[str, str], style: str, asked: dict[str, Any], base: str, further: bool
) -> dict[str, Any]:
    """Learn a style, or go on learning it if its run was begun, and save it.

    Args:
        folder: of the training.
        names: what the files were called, by the names they have there.
        style: path of the file of the style.
        asked: "name", "title" and "minutes".
        base: path of the style to go on from; "" for none.
        further: whether a run that is complete is gone on with for so many minutes more.

    Returns:
        What was found out about the style: "figures", "remarks", "verdict" and "originality".
    """
    home, path = Path(folder), Path(style)
    run = run_path(path)
    stop = home / STOP
    stop.unlink(missing_ok=True)
    tell("reading the music")
    corpus = _called(load_folder(home / "music"), names, asked["title"])
    watch = _Watch(tell, home, run, stop)
    path.parent.mkdir(parents=True, exist_ok=True)
    if further:
        learnt = go_on(run, corpus, asked["minutes"], progress=watch.progress, tell=tell)
    elif _is_complete(run):
        # It was ended after the last update: what is left is to look at what came of it.
        learnt = picked(run)
    elif (run / "manifest.json").exists():
        learnt = resume(run, corpus, watch.progress, tell)
    else:
        learnt = learn(
            corpus,
            asked["name"],
            minutes=asked["minutes"],
            base=open_style(base) if base else None,
            run=run,
            source={"folder": str(home / "music"), "corpus": None},
            command=f"kapelle train --name {asked['name']}",
            title=asked["title"],
            progress=watch.progress,
            tell=tell,
        )
    save_style(learnt, path, force=True)
    watch.sample(learnt, last=True)
    tell("comparing with what was learnt from")
    return _reported(run, corpus, learnt)


def _is_complete(run: Path) -> bool:
    from ..training.run import RunFolder

    if not (run / "manifest.json").exists() or not RunFolder(run).ended:
        return False
    return any(name.startswith("valid ") for name in picked(run).card.figures)


def _called(corpus: Corpus, names: dict[str, str], title: str) -> Corpus:
    """The corpus with the names that its files had, not the numbers they have here."""

    def name(source: str) -> str:
        return names.get(source.partition(",")[0], source)

    pieces = tuple(
        piece if piece.score.title.strip() else dataclasses.replace(piece, name=name(piece.source))
        for piece in corpus.pieces
    )
    return dataclasses.replace(corpus, name=title, pieces=pieces)


class _Watch:
    """Tells how a run goes, composes a piece now and then, and stops the run when it is asked to."""

    def __init__(self, tell: Tell, home: Path, run: Path, stop: Path) -> None:
        self._tell, self._run, self._stop = tell, run, stop
        self._samples = home / "samples"
        self._told = self._sampled = time.monotonic()
        self._last: Any = None
        self._best = 0
        self._asked = False

    def progress(self, share: float, cost: float, row: Any) -> None:
        """See `kapelle.training.trainer.Progress`."""
        fresh = row is not None and row is not self._last
        now = time.monotonic()
        if fresh or now - self._told >= TELL_SECONDS:
            self._last, self._told = row, now
            self._tell({"share": share, "cost": number(cost), "row": plain_row(row) if fresh else None})
        if now - self._sampled >= SAMPLE_SECONDS:
            self._sampled = now
            self._sample_best()
        if not self._asked and self._stop.exists():
            self._asked = True
            # The loop stops at this, after the update that it is at.
            signal.raise_signal(signal.SIGINT)

    def _sample_best(self) -> None:
        best = self._run / "best.safetensors"
        if best.exists() and best.stat().st_mtime_ns != self._best:
            self._best = best.stat().st_mtime_ns
            self.sample(picked(self._run))

    def sample(self, style: Style, last: bool = False) -> None:
        """Compose a piece and keep it."""
        there = len(list(self._samples.glob("*.json")))
        score = style.compose(bars=SAMPLE_BARS, seed=there, title=f"{style.name}, sample {there + 1}")
        line = {
            "number": there + 1,
            "epoch": round(style.card.figures.get("epochs", 0.0), 2),
            "valid": number(style.card.figures.get("valid nats per note", math.nan)),
            "last": last,
        }
        self._samples.mkdir(parents=True, exist_ok=True)
        data = json.dumps(line | {"score": scores.to_values(score)}).encode()
        write_atomically(self._samples / f"{there + 1:04d}.json", data, force=True)
        self._tell({"sample": line})


def _reported(run: Path, corpus: Corpus, style: Style) -> dict[str, Any]:
    """Write the report of a run beside it, and give what is told of it in short."""
    from ..styles.report import report
    from ..training.run import RunFolder

    folder = RunFolder(run)
    short: dict[str, Any] = {"figures": style.card.figures, "remarks": list(style.card.remarks)}
    try:
        found = report(style, corpus, folder.manifest, folder.rows, folder.ended)
    except KapelleError as error:
        return short | {"verdict": str(error), "originality": None}
    write_atomically(run / "report.html", found.html.encode(), force=True)
    write_atomically(run / "report.json", found.to_json().encode(), force=True)
    values = json.loads(found.to_json())
    return short | {"verdict": found.verdict, "originality": values["originality"]}


def plain_row(row: Any) -> dict[str, Any]:
    """A row of a run's log as values that JSON can say: what was not measured is null."""
    return {
        name: number(value) if isinstance(value, float) else value for name, value in dataclasses.asdict(row).items()
    }


def number(value: float) -> float | None:
    """JSON knows no NaN."""
    return value if math.isfinite(value) else None
