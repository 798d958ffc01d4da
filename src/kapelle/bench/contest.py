"""Networks that learn piano rolls, and what they come to."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import MissingExtra, RunError
from ..networks import Network, network
from .rolls import FACTS, Field, moved


@dataclass(frozen=True)
class Entry:
    """A network that takes part, and how it is trained.

    Attributes:
        network: name of its configuration.
        minutes: of processor time, looks included.
        seed: of every random choice.
        crop: frames of a crop.
        batch: frames of a batch.
        learning_rate: at its highest.
        weight_decay: of AdamW.
        changes: of the network's configuration.
    """

    network: str = "chords"
    minutes: float = 10.0
    seed: int = 0
    crop: int = 128
    batch: int = 512
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    changes: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, network: str, minutes: float | None, seed: int) -> Entry:
        """A network as it was found to learn a set best, judged by the pieces to choose by; for other minutes too."""
        habits = HABITS.get((name, network), {}) | ({} if minutes is None else {"minutes": minutes})
        return cls(network, seed=seed, **habits)


LONG: dict[str, Any] = {"crop": 256, "batch": 1024, "changes": {"dropout": 0.2}}
HABITS: dict[tuple[str, str], dict[str, Any]] = {
    ("jsb", "chords"): {"minutes": 6.0, "changes": {"hidden_dim": 160, "inner_dim": 160, "dropout": 0.45}},
    ("nottingham", "chords"): {"minutes": 7.0} | LONG,
    ("musedata", "chords"): {"minutes": 15.0} | LONG,
    ("piano", "chords"): {"minutes": 4.5} | LONG | {"changes": {"dropout": 0.3}},
    ("jsb", "biaxial"): {"minutes": 6.0, "batch": 256, "learning_rate": 5e-3},
}
"""How networks learn a set best: set and network -> what differs from the usual entry."""


def members(team: str, turn: int) -> list[tuple[str, int]]:
    """The networks that foretell together, each with its seed; no two of all turns are the same.

    >>> members("biaxial+biaxial+chords", 1)
    [('biaxial', 2), ('biaxial', 3), ('chords', 1)]
    """
    names = team.split("+")
    return [(name, turn * names.count(name) + names[:place].count(name)) for place, name in enumerate(names)]


@dataclass(frozen=True)
class Learnt:
    """A network that has learnt.

    Attributes:
        net: without weights.
        weights: in half precision.
        minutes: of processor time that it took, up to the weights that are kept.
        epochs: up to the same.
        valid: nats a frame of the pieces to choose by, as they were looked at in training.
    """

    net: Network
    weights: Mapping[str, NDArray[Any]]
    minutes: float
    epochs: float
    valid: float

    @property
    def num_weights(self) -> int:
        """How many numbers the weights are."""
        return sum(weight.size for weight in self.weights.values())


def learn(data: Field, entry: Entry, run: Path | None = None, progress: Any = None) -> Learnt:
    """Train a network on the training pieces, chosen by the pieces to choose by.

    Args:
        data: of a set.
        entry: what is trained.
        run: folder in which the run is kept; one that was cut off there goes on, one that is complete is read.
        progress: see `kapelle.training.trainer.Progress`.

    Raises:
        RunError: if another run is in the folder.
        MissingExtra: if torch is not installed.
    """
    try:
        from ..training.batches import few
        from ..training.trainer import LOOK_STEPS, Recipe, Trainer
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtra("training", "train") from None
    net = network(entry.network, data.columns, **entry.changes)
    recipe = Recipe(
        minutes=entry.minutes,
        learning_rate=entry.learning_rate,
        weight_decay=entry.weight_decay,
        crop=entry.crop,
        batch=entry.batch,
        seed=entry.seed,
        threads=1,
        clock=time.process_time,
    )
    train, valid = ([data.steps(roll) for roll in data.rolls[part]] for part in ("train", "valid"))
    trainer = Trainer(net, data, train, valid, recipe, progress=progress)  # type: ignore[arg-type]
    # The sets are so small that more can be looked at than is usual.
    trainer.valid = few(valid, LOOK_STEPS)
    trainer.low_precision = False
    if run is None:
        return _learnt(net, trainer.run())
    return _kept(run, trainer, net, asdict(entry) | {"moved": data.moved})


def _learnt(net: Network, outcome: Any) -> Learnt:
    best = outcome.best
    return Learnt(net, outcome.weights, best.seconds / 60, best.epoch, best.valid)


def _kept(run: Path, trainer: Any, net: Network, about: dict[str, Any]) -> Learnt:
    """Train in a folder, from where the run there is."""
    from safetensors.numpy import load_file, save_file

    from ..training.keeper import FolderKeeper
    from ..training.run import RunFolder

    folder = RunFolder(run)

    def save(weights: Any, rows: Any, path: Path) -> None:
        new = path.with_suffix(".new")
        save_file({name: np.ascontiguousarray(weight) for name, weight in weights.items()}, new)
        new.replace(path)

    if not folder.exists:
        folder.begin({"entry": about})
    elif json.loads(json.dumps(about)) != folder.manifest.get("entry"):
        raise RunError(f"expected a run of the same kind in {run}, got another one; choose another --out")
    try:
        folder.lock()
        if folder.has_state:
            snapshot = folder.snapshot()
            if snapshot.standing.best is not None:
                snapshot = replace(snapshot, best=load_file(folder.best))
            trainer.restore(snapshot, folder.cut_log(snapshot.standing.updates))
        trainer.keeper = FolderKeeper(folder, save)
        outcome = trainer.run()
        return _learnt(net, outcome)
    finally:
        folder.release()


def judged(
    data: Field,
    learnt: Sequence[Learnt],
    part: str,
    semitones: int = 0,
    told: bool = True,
    rate: float = 0.0,
) -> float:
    """Nats a frame of a part, pooled over all frames of all pieces, the first of each included.

    Of several networks the mean of their probabilities counts, key by key, which is a probability too.

    Args:
        data: of a set.
        learnt: networks, with the same columns.
        part: "valid" or "test".
        semitones: by which the pieces are moved; the keys that leave the keyboard are lost.
        told: whether the networks are told by how much.
        rate: at which they go on learning from each piece while it is read, each anew; see `Adapting`.
    """
    from ..training.dynamic import READ, Adapting
    from ..training.likelihood import CHUNK, costs_of_mean
    from ..training.weights import module_of

    modules = [module_of(one.net, one.weights) for one in learnt]
    if rate:
        some = [data.steps(roll) for roll in data.rolls["train"]]
        modules = [Adapting.of(module, some, rate) for module in modules]
    total, frames = 0.0, 0
    for roll in data.rolls[part]:
        steps = data.steps(roll, semitones)
        if not told:
            steps[:, : len(FACTS)] = data.steps(roll)[:, : len(FACTS)]
        costs = costs_of_mean(modules, steps, READ if rate else CHUNK)[:, len(FACTS) :]
        total += data.others(moved(roll, semitones)) + float(costs.sum())
        frames += len(roll)
    return total / frames
