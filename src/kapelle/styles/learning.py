"""From a corpus to a style."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..corpora import Corpus, digest
from ..errors import CorpusError, RunError
from ..files import save as save_score
from ..files import write_atomically
from ..training.run import RunFolder
from .copying import copying, samples
from .curves import picture
from .file import open_style, save_style
from .lesson import Lesson, Settings, sides_of
from .style import Style

SAMPLES, SAMPLE_BARS = 6, 8
"""So many pieces of so many bars tell whether a style copies."""

MOST_LINES = 10
"""Of so many files the terminal says how many windows they gave; a file in the run's folder says it of all."""

Tell = Callable[[str], None]
Source = Mapping[str, str | None]
"""Where a corpus comes from: "folder" and "corpus", as they were typed."""


def _silent(line: str) -> None:
    pass


def learn(
    corpus: Corpus,
    name: str,
    network_name: str = "stepwise",
    minutes: float | None = None,
    epochs: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    base: Style | None = None,
    run: Path | None = None,
    force: bool = False,
    save_every: int | None = None,
    keep: int | None = None,
    source: Source | None = None,
    command: str = "",
    title: str = "",
    progress: Any = None,
    tell: Tell = _silent,
    parallel: Any = None,
    window: Mapping[str, Any] | None = None,
    mixable: bool = False,
    **changes: Any,
) -> Style:
    """Learn a style from a corpus.

    The corpus is split by piece; the weights that are kept are those that foretell the held-out pieces
    best, and the card says how well, beside the pieces learnt from.

    Args:
        corpus: at least one piece.
        name: of the style.
        network_name: of a configuration; see `kapelle.networks.presets`. With a base, the base's counts.
        minutes: longest time; the run may end earlier, when held-out pieces are foretold no better. None for no
            limit if there are epochs, else for ten minutes.
        epochs: passes over the corpus; None for as many as fit.
        seed: of the split and of every random choice.
        threads: of torch; None for one.
        base: a style to go on from, which a small corpus needs; None begins from nothing.
        run: folder in which the run is kept, so that it can be watched, gone on with and reported; None for none.
        force: whether a run that is in this folder is thrown away.
        save_every: epochs after which the style as it is then is saved into the folder; None for never.
        keep: how many of these are kept; None for all.
        source: where the corpus comes from, written into the run's manifest.
        command: to be written into the card: what makes this style again.
        title: for people.
        progress: see `kapelle.training.trainer.Progress`.
        tell: called with a line when something is to be said.
        parallel: the processes that train together, and the device; see `kapelle.training.parallel`.
        window: what windows are, for networks of windows; see `kapelle.codecs.bars.BarsCodec.for_scores`.
        mixable: whether each folder in the corpus is a manner of its own, so that manners can be mixed; for networks
            that learn frames.
        changes: of the network's configuration.

    Raises:
        CorpusError: if there is nothing to learn from.
        RunError: if the folder holds a run and `force` is not given, or another program works in it.
        MissingExtra: if torch is not installed.
    """
    if minutes is None and epochs is None:
        minutes = 10.0
    if base is not None:
        network_name = base.card.network or network_name
    settings = Settings(
        name, network_name, minutes, epochs, seed, threads, title, command, changes, dict(window or {}), mixable
    )
    lesson = Lesson.of(corpus, settings, base)
    trainer = lesson.trainer(progress=progress, parallel=parallel)
    if run is None:
        outcome = trainer.run()
        return _judged(lesson, outcome)
    folder = RunFolder(run)
    try:
        folder.begin(_manifest(lesson, source, save_every, keep), force, _saver(base))
        return _train(folder, lesson, trainer, tell)
    finally:
        folder.release()


def resume(run: Path, corpus: Corpus, progress: Any = None, tell: Tell = _silent, parallel: Any = None) -> Style:
    """Go on with a run that was cut off, to the same result as if it had not been.

    Args:
        run: its folder.
        corpus: the very music it learns from.
        progress, tell, parallel: as in `learn`.

    Raises:
        RunError: if there is no run, or it is complete, damaged, or another program works in it.
        CorpusError: if the corpus is another one.
    """
    folder = RunFolder(run)
    manifest = folder.manifest
    if corpus.fingerprint != manifest["corpus"]["fingerprint"]:
        raise CorpusError(
            f"the music of the run {run.name} has changed since: it had {len(manifest['corpus']['pieces'])} pieces, "
            f"now there are {len(corpus.pieces)}; name the folder to go on with what is in it now"
        )
    base = open_style(folder.base) if folder.base.exists() else None
    lesson = Lesson.of(corpus, Settings(**manifest["settings"]), base, sides_of(manifest))
    trainer = lesson.trainer(progress=progress, parallel=parallel)
    folder.lock()
    try:
        if not folder.has_state:
            folder.cut_log(0)
            return _train(folder, lesson, trainer, tell)
        snapshot = folder.snapshot()
        # A run that was killed while its style was measured is complete but for that.
        if snapshot.standing.ended and any(name.startswith("valid ") for name in picked(run).card.figures):
            raise RunError(
                f"the run {run.name} is complete: nothing to resume; take its style with kapelle pick, or "
                "give --minutes or --epochs to go on with more, or a folder with more music"
            )
        if snapshot.standing.best is not None:
            snapshot = replace(snapshot, best=dict(picked(run).weights))
        try:
            trainer.restore(snapshot, folder.cut_log(snapshot.standing.updates))
        except (ValueError, KeyError) as error:
            raise RunError(f"{run.name}: the checkpoint is damaged ({error}); begin anew with --force") from None
        return _train(folder, lesson, trainer, tell)
    finally:
        folder.release()


def go_on(
    run: Path,
    corpus: Corpus,
    minutes: float | None = None,
    epochs: int | None = None,
    source: Source | None = None,
    command: str = "",
    progress: Any = None,
    tell: Tell = _silent,
    parallel: Any = None,
) -> Style:
    """A new run that goes on from the best of an earlier one, with more time, more music or both.

    What was held out before stays held out. The earlier run is kept beside the new one, with a number.

    Args:
        run: folder of the earlier run; the new one takes its place.
        corpus: all music to learn from now.
        minutes, epochs, source, command, progress, tell, parallel: as in `learn`.

    Raises:
        RunError: if there is no run, or it is damaged, or another program works in it.
        CorpusError: if there is nothing to learn from.
    """
    folder = RunFolder(run)
    manifest = folder.manifest
    before = picked(run)
    asked = manifest["settings"] | {"minutes": minutes, "epochs": epochs, "command": command}
    if minutes is None and epochs is None:
        asked["minutes"] = 10.0
    lesson = Lesson.of(corpus, Settings(**asked), before, sides_of(manifest))
    trainer = lesson.trainer(progress=progress, parallel=parallel)
    kept = manifest["kept"]
    folder.put_aside()
    try:
        folder.begin(_manifest(lesson, source or manifest["source"], **kept), False, _saver(before))
        return _train(folder, lesson, trainer, tell)
    finally:
        folder.release()


def picked(run: Path, epoch: int | None = None) -> Style:
    """The style of a saved epoch of a run, or the best so far.

    Args:
        run: its folder.
        epoch: one that was saved; None for the best.

    Raises:
        RunError: if there is no such run or epoch.
    """
    folder = RunFolder(run)
    if not folder.exists:
        raise RunError(f"{run.name}: there is no run; begin one with kapelle train")
    if epoch is not None:
        saved = folder.epochs
        if epoch not in saved:
            there = ", ".join(map(str, saved)) or "none, as it was trained without --save-every"
            raise RunError(f"expected an epoch that was saved, got {epoch}; saved are {there}")
        return open_style(saved[epoch])
    if not folder.best.exists():
        raise RunError(f"{run.name}: the run was stopped before its first checkpoint; go on with --resume")
    return open_style(folder.best)


def _train(folder: RunFolder, lesson: Lesson, trainer: Any, tell: Tell) -> Style:
    """Train to the end, keep in the folder what is left behind on the way, and give the style."""
    from ..training.keeper import FolderKeeper

    def save(weights: Any, rows: Any, path: Path) -> None:
        save_style(lesson.style(weights, rows, measured=False), path, force=True)

    def on_saved(epoch: int, weights: Any, rows: Any) -> None:
        drawn = picture(lesson.settings.name, rows, lesson.baseline, f"after epoch {epoch}")
        style = lesson.style(weights, rows, measured=False)
        sample = style.compose(bars=SAMPLE_BARS, title=f"{style.name}, epoch {epoch}", seed=0)
        for name in ("curves", "samples"):
            (folder.path / name).mkdir(exist_ok=True)
        write_atomically(folder.path / "curves" / f"{epoch:04d}.png", drawn.png, force=True)
        save_score(sample, folder.path / "samples" / f"epoch-{epoch:04d}.mid", force=True)

    kept = folder.manifest["kept"]
    _check_room(folder, lesson, trainer, kept, tell)
    if lines := lesson.window_lines():
        for line in lines[:MOST_LINES]:
            tell(line)
        learnt, choosing, testing = (len(part) for part in (lesson.train, lesson.valid, lesson.test))
        shares = f"{learnt} to learn from, {choosing} to choose by, {testing} to test by"
        tell(f"windows: {shares}; of every file: {folder.path / 'windows.txt'}")
        write_atomically(folder.path / "windows.txt", "\n".join([*lines, ""]).encode(), force=True)
    # What every style says of its corpus is found out now, and not while the loop waits.
    lesson.style({}, (), measured=False)
    trainer.keeper = FolderKeeper(folder, save, on_saved=on_saved, tell=tell, **kept)
    outcome = trainer.run()
    style = _judged(lesson, outcome)
    save_style(style, folder.best, force=True)
    return style


def _check_room(folder: RunFolder, lesson: Lesson, trainer: Any, kept: Mapping[str, int | None], tell: Tell) -> None:
    """Say how much the run will take of the disk, before it takes any time.

    Raises:
        RunError: if there is less.
    """
    weights = sum(parameter.numel() for parameter in trainer.module.parameters())
    # Of each weight a checkpoint holds six bytes and a little, a style two.
    checkpoint, style = 6.1 * weights, 2 * weights + len(lesson.memory.bits) + 200_000
    saved = kept["keep"]
    if kept["save_every"] is not None and saved is None and lesson.settings.epochs is not None:
        saved = lesson.settings.epochs // kept["save_every"] + 1
    # Twice, since the new one lies beside the old one until it is whole.
    needed, free = 2 * (checkpoint + style) + (saved or 0) * style, folder.free_bytes()
    if needed > free:
        raise RunError(
            f"expected {needed / 1e6:.0f} MB of room for the run in {folder.path}, got {free / 1e6:.0f} MB; make room, "
            "or keep fewer epochs with --keep"
        )
    each = (
        "" if saved or kept["save_every"] is None else f", and {style / 1e6:.0f} MB more for each epoch that is saved"
    )
    tell(f"the run takes up to {needed / 1e6:.0f} MB of {free / 1e9:,.0f} GB that are free{each}")


def _judged(lesson: Lesson, outcome: Any) -> Style:
    """The style that a run has made, measured, with a word on what the run was."""
    style = lesson.style(outcome.weights, outcome.rows, measured=True)
    copied = copying(lesson, samples(style, SAMPLES, SAMPLE_BARS))
    verdict = lesson.verdict(outcome.rows, outcome.ended, copied.words)
    stopped = ("stopped on the way; --resume goes on",) if outcome.ended == "stopped" else ()
    return replace(style, card=replace(style.card, remarks=(*style.card.remarks, str(verdict), *stopped)))


def _saver(base: Style | None) -> Callable[[Path], object] | None:
    return None if base is None else lambda path: save_style(base, path, force=True)


def _manifest(lesson: Lesson, source: Source | None, save_every: int | None, keep: int | None) -> dict[str, Any]:
    """What a run is, as plain values."""
    parts = {"train": lesson.parts.train, "valid": lesson.parts.valid, "test": lesson.parts.test}
    pieces = [
        {"name": piece.name, "source": piece.source, "digest": digest(piece.score), "part": part}
        for part, held in parts.items()
        for piece in held
    ]
    about = {"name": lesson.corpus.name, "fingerprint": lesson.corpus.fingerprint, "pieces": pieces}
    from .. import __version__

    programs = {"kapelle": __version__, **{name: version(name) for name in ("torch", "numpy", "symusic")}}
    return {
        "settings": lesson.settings.to_json(),
        "source": source,
        "kept": {"save_every": save_every, "keep": keep},
        "versions": {**programs, "python": platform.python_version()},
        "network": lesson.net.to_json(),
        "corpus": about,
    }
