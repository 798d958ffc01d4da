"""What was typed after `kapelle train`."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import KapelleError
from .output import plain
from .processes import Launched


@dataclass(frozen=True)
class Asked:
    """What was typed after `kapelle train`."""

    folder: Path | None
    name: str
    corpus: str | None
    base: str | None
    resume: bool
    network: str | None
    minutes: float | None
    epochs: int | None
    save_every: int | None
    keep: int | None
    seed: int | None
    threads: int | None
    processes: int | None
    device: str | None
    out: Path | None
    mixable: bool
    tensorboard: bool
    force: bool
    kind: str | None = None
    bars: int | None = None
    tracks: tuple[str, ...] = ()
    dynamics: bool = False
    hears: tuple[str, ...] = ()
    on: str | None = None

    @property
    def command(self) -> str:
        """What makes this style again, without where folders lie on this machine."""
        words = ["kapelle", "train"]
        if self.folder is not None:
            words.append(plain(self.folder.resolve().name))
        minutes = None if self.minutes is None else f"{self.minutes:g}"
        told: dict[str, object] = {"corpus": self.corpus, "name": self.name, "from": self.base, "on": self.on}
        told |= {"kind": self.kind, "bars": self.bars}
        told |= {"network": self.network, "minutes": minutes, "epochs": self.epochs, "seed": self.seed}
        launched = Launched.here()
        processes = self.processes if launched is None else launched.count
        told |= {"threads": self.threads, "processes": processes, "device": self.device}
        for name, value in told.items():
            if value is not None:
                words += [f"--{name}", str(value)]
        words += [word for track in self.tracks for word in ("--track", track)]
        words += [word for what in self.hears for word in ("--hear", what)]
        return shlex.join(words + ["--dynamics"] * self.dynamics + ["--mixable"] * self.mixable)

    @property
    def window(self) -> dict[str, Any]:
        """What windows are, for a network of windows; nothing for any other.

        Raises:
            KapelleError: if windows are asked for of a network that learns whole pieces.
        """
        from ..codecs.bars import KINDS, TIMING, VELOCITIES
        from ..networks import is_latent

        asked = self.kind is not None or self.bars is not None or bool(self.tracks or self.hears) or self.dynamics
        if not is_latent(self.network_name):
            if asked:
                raise KapelleError(
                    f"--kind, --bars, --track, --dynamics and --hear are for networks of windows, got --network "
                    f"{self.network_name}; leave it out for musicvae"
                )
            return {}
        kind, pairs = self.kind or "melody", [track.partition("=") for track in self.tracks]
        if kind not in KINDS:
            raise KapelleError(f"expected --kind {', '.join(KINDS)}, got {kind}")
        parts = KINDS[kind]
        if wrong := [part for part, equals, name in pairs if part not in parts or not equals or not name]:
            raise KapelleError(
                f"expected --track PART=NAME with a part of {', '.join(dict.fromkeys(parts))}, got {wrong[0]}"
            )
        window = {"kind": kind, "bars": self.bars or 2, "asked": {part: name for part, _, name in pairs}}
        if self.hears and not (self.dynamics and parts == ("drums",)):
            raise KapelleError("--hear is for drums and how they are played: add --kind drums and --dynamics")
        window |= {"velocities": VELOCITIES, "timing": TIMING} if self.dynamics else {}
        return window | ({"hears": self.hears} if self.hears else {})

    @property
    def network_name(self) -> str:
        """Of the network that is asked for."""
        windows = self.kind is not None or self.bars is not None
        return self.network or ("musicvae" if windows else "stepwise")

    @property
    def source(self) -> dict[str, str | None]:
        """Where the music comes from, so that a run can be gone on with by its name alone."""
        return {"folder": None if self.folder is None else str(self.folder.resolve()), "corpus": self.corpus}
