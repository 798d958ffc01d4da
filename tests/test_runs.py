"""Runs: what is left behind can be gone on with, whatever happens, and says what it is."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import tiny  # noqa: E402
from kapelle.codecs import codecs  # noqa: E402
from kapelle.corpora import Corpus, Piece  # noqa: E402
from kapelle.errors import CorpusError, FileError, RunError  # noqa: E402
from kapelle.music import Score  # noqa: E402
from kapelle.networks import Columns, network  # noqa: E402
from kapelle.styles import go_on, learn, open_style, picked, resume  # noqa: E402
from kapelle.styles.lesson import Lesson, Settings  # noqa: E402
from kapelle.training import keeper as keeper_module  # noqa: E402
from kapelle.training import run as run_module  # noqa: E402
from kapelle.training.counts import baseline_accuracy  # noqa: E402
from kapelle.training.judgement import judge  # noqa: E402
from kapelle.training.likelihood import likelihood  # noqa: E402
from kapelle.training.log import Row, from_lines, to_line  # noqa: E402
from kapelle.training.run import RunFolder  # noqa: E402
from kapelle.training.trainer import Outcome, Recipe, Trainer  # noqa: E402
from kapelle.training.weights import adopted, module_of  # noqa: E402

CODEC = codecs()["events"].for_scores([tiny.tune(0)])
PIECES = [CODEC.encode(tiny.tune(seed)) for seed in range(12)]
RECIPE = Recipe(minutes=None, epochs=6, threads=1, rounding=4)
OFTEN = {**tiny.SMALL, "rounding": 4}
"""A small network, and a run that is short enough for its checkpoints to be told apart."""


class Watcher:
    """Calls a function after each update, and keeps nothing."""

    def __init__(self, work: object) -> None:
        self.work = work

    def add(self, row: Row) -> None:
        pass

    def after_update(self, trainer: Trainer) -> None:
        self.work(trainer)  # type: ignore[operator]

    def after_epoch(self, trainer: Trainer) -> None:
        pass

    def at_end(self, trainer: Trainer) -> None:
        pass


def trainer(recipe: Recipe = RECIPE, work: object = None, pieces: int = 10, **changes: object) -> Trainer:
    net = network("stepwise", Columns.of(CODEC.layout), **{**tiny.SMALL, **changes})
    return Trainer(net, CODEC, PIECES[:pieces], PIECES[10:], recipe, keeper=None if work is None else Watcher(work))


def same(left: Outcome, right: Outcome) -> bool:
    return all(np.array_equal(left.weights[name], right.weights[name]) for name in left.weights | right.weights)


def verdict(outcome: Outcome) -> str:
    return judge(outcome.rows, baseline_accuracy(PIECES[:10], PIECES[10:], CODEC), outcome.ended).name


# -- going on -------------------------------------------------------------------------------------


@pytest.mark.parametrize("update", [1, 4, 13, 29])
def test_a_run_that_goes_on_comes_to_the_same_weights_bit_for_bit(update: int) -> None:
    kept = []

    def keep(run: Trainer) -> None:
        if run.standing.updates == update:
            kept.append((run.snapshot(), list(run.rows)))

    whole = trainer(work=keep).run()
    again = trainer()
    again.restore(*kept[0])
    assert same(again.run(), whole)


def test_a_run_that_is_stopped_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    # What Ctrl-C leaves is how the run stood; the look that makes a style of it must not count later.
    stopped = trainer(work=lambda run: run.stop() if run.standing.updates == 12 else None)
    assert stopped.run().ended == "stopped"
    again = trainer()
    kept = stopped.snapshot()
    again.restore(replace(kept, standing=replace(kept.standing)), stopped.rows)
    assert stopped.standing.ended == ""


CHILD = """
import sys
sys.path.insert(0, {tests!r})
import tiny
from pathlib import Path
from kapelle.styles import learn, resume
from kapelle.training import keeper
keeper.FolderKeeper.__init__.__defaults__ = (None, None, 0.0, *keeper.FolderKeeper.__init__.__defaults__[3:])
where = Path({where!r})
if (where / "manifest.json").exists():
    resume(where, tiny.corpus())
else:
    learn(tiny.corpus(), "tiny", epochs=12, threads=1, run=where, save_every=2, **tiny.SMALL, rounding=4)
"""


def killed_at_random(where: Path, kills: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    code = CHILD.format(tests=str(Path(__file__).parent), where=str(where))
    for _ in range(kills):
        child = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
        begun = len(RunFolder(where).rows) if where.exists() else 0
        # Importing takes seconds, in which there is nothing to lose: wait for the first sign of work.
        while child.poll() is None and (len(RunFolder(where).rows) if where.exists() else 0) <= begun:
            time.sleep(0.01)
        time.sleep(rng.random() * 0.5)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        if child.returncode == 0:
            return
        for path in where.rglob("*.safetensors"):
            # Whatever has its name is whole.
            assert path.name == "state.safetensors" or open_style(path).weights
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    # The last kill may have come when all was done.
    assert done.returncode == 0 or b"is complete" in done.stderr, done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
@pytest.mark.slow
@pytest.mark.parametrize("kills", [1, 12])
def test_killing_the_process_at_random_moments_changes_nothing(tmp_path: Path, kills: int) -> None:
    whole = learn(tiny.corpus(), "tiny", epochs=12, threads=1, run=tmp_path / "whole", save_every=2, **OFTEN)
    killed_at_random(tmp_path / "killed", kills, seed=kills)
    killed = picked(tmp_path / "killed")
    assert all(np.array_equal(killed.weights[name], weight) for name, weight in whole.weights.items())
    rows = [RunFolder(tmp_path / name).rows for name in ("whole", "killed")]
    assert [row.updates for row in rows[0]] == [row.updates for row in rows[1]]
    assert [row.valid for row in rows[0]] == pytest.approx([row.valid for row in rows[1]], nan_ok=True)


def test_what_is_saved_on_the_way_can_be_picked_and_no_more_is_kept_than_wished(tmp_path: Path) -> None:
    style = learn(tiny.corpus(), "tiny", epochs=6, threads=1, run=tmp_path / "r", save_every=1, keep=3, **tiny.SMALL)
    assert list(RunFolder(tmp_path / "r").epochs) == [4, 5, 6]
    early = picked(tmp_path / "r", 4)
    assert early.card.figures["epochs"] == 4
    assert early.compose(bars=2, seed=1).num_notes
    best = picked(tmp_path / "r")
    assert all(np.array_equal(best.weights[name], weight) for name, weight in style.weights.items())
    with pytest.raises(RunError, match="saved are 4, 5, 6"):
        picked(tmp_path / "r", 3)


def test_going_on_with_more_music_keeps_what_was_held_out_apart(tmp_path: Path) -> None:
    run = tmp_path / "r"
    learn(tiny.corpus(10), "tiny", epochs=2, threads=1, run=run, **tiny.SMALL)
    before = {piece["digest"]: piece["part"] for piece in RunFolder(run).manifest["corpus"]["pieces"]}
    style = go_on(run, tiny.corpus(16), epochs=2)
    after = {piece["digest"]: piece["part"] for piece in RunFolder(run).manifest["corpus"]["pieces"]}
    assert len(after) == 16
    assert all(after[piece] == part for piece, part in before.items())
    assert any("Goes on from" in remark for remark in style.card.remarks)
    assert RunFolder(tmp_path / "r.1").has_state


# -- what can go wrong ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "tiny.run"
    learn(tiny.corpus(), "tiny", epochs=2, threads=1, run=run, **tiny.SMALL)
    return run


def copied(run: Path, to: Path) -> Path:
    import shutil

    return Path(shutil.copytree(run, to / run.name))


def test_there_is_a_line_for_everything_that_cannot_be_gone_on_with(finished: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no run"):
        resume(tmp_path / "none.run", tiny.corpus())
    with pytest.raises(RunError, match="complete"):
        resume(finished, tiny.corpus())
    with pytest.raises(CorpusError, match="had 12 pieces, now there are 5"):
        resume(finished, tiny.corpus(5))
    with pytest.raises(RunError, match="--resume"):
        learn(tiny.corpus(), "tiny", epochs=1, run=finished)


@pytest.mark.parametrize("damage", ["cut", "empty", "noise"])
def test_a_damaged_checkpoint_is_told_in_a_line(finished: Path, tmp_path: Path, damage: str) -> None:
    run = copied(finished, tmp_path)
    state = run / "state.safetensors"
    whole = state.read_bytes()
    state.write_bytes({"cut": whole[: len(whole) // 2], "empty": b"", "noise": bytes(range(256)) * 40}[damage])
    with pytest.raises(RunError, match="damaged"):
        resume(run, tiny.corpus())


def test_a_run_of_a_newer_version_is_told_in_a_line(finished: Path, tmp_path: Path) -> None:
    run = copied(finished, tmp_path)
    values = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps(values | {"version": 99}))
    with pytest.raises(RunError, match="version 99"):
        resume(run, tiny.corpus())


def test_two_programs_cannot_train_in_one_folder(finished: Path, tmp_path: Path) -> None:
    run = copied(finished, tmp_path)
    first, second = RunFolder(run), RunFolder(run)
    first.lock()
    with pytest.raises(RunError, match="another program"):
        second.lock()
    first.release()
    second.lock()
    second.release()


def test_half_a_line_at_the_end_of_the_log_does_not_count() -> None:
    rows = [Row(1.0, 12, 3.0, 2.0, 0.5, float("nan"), float("nan"), 1e-3, 0.4, 900.0)] * 3
    text = "".join(map(to_line, rows))
    for end in range(len(text)):
        lines = text[:end].splitlines(keepends=True)
        assert len(from_lines(lines)) == text[:end].count("\n")


def test_a_full_disk_makes_the_run_wait_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, left = run_module.write_atomically, {"state.safetensors": 2}

    def write(path: object, data: bytes, force: bool) -> None:
        name = Path(str(path)).name
        if left.get(name, 0) > 0:
            left[name] -= 1
            full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            raise FileError("no space left on device") from full
        real(path, data, force)

    monkeypatch.setattr(run_module, "write_atomically", write)
    monkeypatch.setattr(keeper_module, "PATIENT_SECONDS", 0.01)
    told: list[str] = []
    options = {"epochs": 3, "threads": 1, **tiny.SMALL}
    style = learn(tiny.corpus(), "tiny", run=tmp_path / "r", tell=told.append, **options)
    plain = learn(tiny.corpus(), "tiny", **options)
    assert ["full" in line for line in told] == [False, True, False]
    assert left["state.safetensors"] == 0
    assert RunFolder(tmp_path / "r").snapshot().standing.ended == "epochs"
    assert all(np.array_equal(plain.weights[name], weight) for name, weight in style.weights.items())


# -- judgement: the three ways in which training is known to fail ---------------------------------


def test_a_run_that_does_not_learn_is_called_so() -> None:
    outcome = trainer(replace(RECIPE, learning_rate=1e-9)).run()
    assert verdict(outcome) == "not learning"


@pytest.mark.parametrize(
    ("baseline", "accuracies", "found"),
    [
        (0.379, (0.385, 0.379, 0.404, 0.381, 0.402, 0.381), "not learning"),
        (0.379, (0.385, 0.379, 0.381, 0.41, 0.44, 0.48), "learning"),
        (0.97, (0.97, 0.971, 0.97, 0.971, 0.972, 0.971), "not learning"),
        (0.97, (0.97, 0.972, 0.975, 0.977, 0.979, 0.98), "learning"),
    ],
)
def test_a_run_that_is_above_the_commonest_word_for_a_moment_only_does_not_learn(
    baseline: float, accuracies: tuple[float, ...], found: str
) -> None:
    rows = [
        Row(epoch, 400 * epoch, 60.0 * epoch, 13.4, accuracy, 13.5 - 0.01 * epoch, accuracy, 0.003, 1.0, 500.0)
        for epoch, accuracy in enumerate(accuracies, 1)
    ]
    assert judge(rows, baseline, "time").name == found


@pytest.mark.slow
def test_a_run_that_goes_crazy_falls_back_goes_on_and_says_so() -> None:
    def spoil(run: Trainer) -> None:
        if run.standing.updates == 80 and not run.standing.falls:
            with torch.no_grad():
                run.module.embed.weight.fill_(float("nan"))

    outcome = trainer(replace(RECIPE, epochs=60, learning_rate=0.03), work=spoil, dropout=0.0).run()
    events = [row.event for row in outcome.rows if row.event]
    assert len(events) == 1
    assert "back to epoch" in events[0]
    assert verdict(outcome) == "learning"
    assert all(np.isfinite(weight).all() for weight in outcome.weights.values())


def test_a_run_that_goes_crazy_every_time_ends_with_the_best_it_has() -> None:
    def spoil(run: Trainer) -> None:
        if run.standing.updates - run.standing.warm == 30:
            with torch.no_grad():
                run.module.embed.weight.fill_(float("nan"))

    outcome = trainer(replace(RECIPE, epochs=60), work=spoil).run()
    assert outcome.ended == "diverged"
    assert verdict(outcome) == "diverged"
    assert outcome.best is not None
    assert all(np.isfinite(weight).all() for weight in outcome.weights.values())


def test_over_training_on_one_piece_is_seen_and_the_best_epoch_is_kept() -> None:
    outcome = trainer(replace(RECIPE, epochs=120, learning_rate=0.03), pieces=1, dropout=0.0).run()
    assert verdict(outcome) == "done"
    assert outcome.best is not None
    assert outcome.best.epoch < 100
    looks = [row.valid for row in outcome.rows if row.valid == row.valid]
    assert outcome.best.valid == min(looks)
    assert looks[-1] > 1.05 * outcome.best.valid


# -- going on from another style ------------------------------------------------------------------


def test_a_network_that_goes_on_begins_with_what_the_base_knows() -> None:
    base = learn(tiny.corpus(), "base", epochs=8, threads=1, **tiny.SMALL)
    begun = adopted(base.network, base.codec, PIECES, base.network, base.codec, base.weights, seed=0)
    theirs = likelihood(module_of(base.network, base.weights), PIECES, base.codec).nats_per_note
    # Only how often each word comes has been looked at anew.
    assert likelihood(module_of(base.network, begun), PIECES, base.codec).nats_per_note < theirs + 0.05


def test_a_vocabulary_that_has_more_words_goes_on_from_one_with_fewer_and_the_other_way() -> None:
    def played(seed: int) -> Score:
        """The tunes on two instruments, each with its own loudness."""
        score = tiny.tune(seed, program=73 if seed % 2 else 0)
        track = score.tracks[0]
        louder = track.notes.replace(velocity=np.full(len(track.notes), 110 if seed % 2 else 50))
        return score.replace(tracks=(track.replace(notes=louder),))

    for known, new in ((tiny.tune, played), (played, tiny.tune)):
        base = learn(tiny.corpus(make=known), "base", epochs=1, threads=1, **tiny.SMALL)
        scores = [new(seed) for seed in range(4)]
        codec = codecs()["events"].for_scores(scores)
        net = network("stepwise", Columns.of(codec.layout), **tiny.SMALL)
        pieces = [codec.encode(score) for score in scores]
        begun = adopted(net, codec, pieces, base.network, base.codec, base.weights, seed=0)
        nearest = codec.nearest_words(base.codec)
        pitches, theirs = (np.array(of.vocabulary.columns["pitch"]) for of in (codec, base.codec))
        shared = np.isin(pitches, theirs)
        assert shared.sum() >= 8
        assert np.array_equal(theirs[nearest["pitch"]][shared], pitches[shared])
        mine, before = net.config.columns, base.network.config.columns
        both = set(mine.predicted) & set(before.predicted)
        assert len(both) >= 3
        for column in both:
            rows = begun[f"words.{mine.predicted.index(column)}.weight"]
            learnt = base.weights[f"words.{before.predicted.index(column)}.weight"]
            assert np.array_equal(rows, np.asarray(learnt, np.float32)[nearest[mine.names[column]]])


def test_a_network_that_cannot_learn_other_words_goes_on_in_those_of_its_base() -> None:
    base = learn(tiny.corpus(4), "event", "event", epochs=1, threads=1, hidden_dims=(16, 12))

    def fiddled(seed: int) -> Score:
        score = tiny.tune(seed)
        return score.replace(tracks=tuple(track.replace(program=40) for track in score.tracks))

    corpus = tiny.corpus(4, fiddled)
    lesson = Lesson.of(corpus, Settings("on", epochs=1), base)
    assert lesson.codec.to_json() == base.codec.to_json()
    start = lesson.trainer().start
    assert all(np.array_equal(start[name], weight) for name, weight in base.weights.items())
    assert learn(corpus, "on", epochs=1, base=base).compose(bars=2, seed=0).num_notes


def test_one_piece_can_be_gone_on_with(tmp_path: Path) -> None:
    corpus = Corpus.of("one", [Piece(tiny.tune(1, bars=12), "one", "one.mid")])
    learn(corpus, "one", epochs=1, threads=1, run=tmp_path / "r", **tiny.SMALL)
    assert go_on(tmp_path / "r", corpus, epochs=1).compose(bars=2, seed=0).num_notes
