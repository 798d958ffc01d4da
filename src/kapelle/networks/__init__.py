"""Tensors and players: what learns, and what plays what was learnt. Networks have never heard of music.

The folder is the registry: a network is a package here, or a module named by an entry point of the group
`kapelle.networks`, that has

    NAME      its name
    CONFIG    a frozen dataclass whose first field is `columns`, with `to_json` and `from_json`
    PLAYER    plays weights in numpy, one field at a time
    MODULE    "package.module:Class" of the torch network, imported only for training
    PRESETS   named configurations: name -> what differs from the defaults
    ADOPT     optional: weights that begin with what another network of the kind has learnt, which has other words
    LATENT    optional: whether it tells windows from points of a space; its player then encodes and tells many at once
    SPACE     optional: what tuning tries: field of CONFIG -> its values, ascending; of sizes, what weighs most first
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any, Protocol

from ..errors import KapelleError, MissingExtra
from .columns import Columns
from .mixing import mixed
from .recurrent import Floats, Weights


class Player(Protocol):
    """What plays the weights of a network, one field at a time; see `StepwisePlayer`."""

    def reset(self) -> None: ...
    def logits(self, column: int) -> Floats: ...
    def put(self, column: int, word: int) -> None: ...
    def state(self) -> Any: ...
    def restore(self, state: Any) -> None: ...


@dataclass(frozen=True)
class Network:
    """A network and its configuration, without weights."""

    name: str
    config: Any

    def player(self, weights: Weights) -> Player:
        """A player of weights, which are named as in the torch network.

        Raises:
            KapelleError: if a weight is missing or has another shape than the configuration says.
        """
        try:
            player: Player = networks()[self.name].PLAYER(self.config, weights)
        except (KeyError, ValueError) as error:
            raise KapelleError(f"the weights do not fit the network '{self.name}' ({error}): train it again") from None
        return player

    def module(self) -> Any:
        """The torch network with fresh weights, drawn from torch's generator.

        Raises:
            MissingExtra: if torch is not installed.
        """
        path, _, name = networks()[self.name].MODULE.partition(":")
        try:
            module = importlib.import_module(path)
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            raise MissingExtra("training", "train") from None
        return getattr(module, name)(self.config)

    @property
    def adapts(self) -> bool:
        """Whether what one network of this kind has learnt can be gone on with by one that has other words."""
        return hasattr(networks()[self.name], "ADOPT")

    def adopted(self, fresh: Weights, base: Network, weights: Weights, words: Mapping[str, Any]) -> Weights:
        """Weights to begin with that go on from what another network has learnt.

        Args:
            fresh: weights of this network as they are drawn.
            base: the network that was trained.
            weights: what it learnt.
            words: for each column, which word of the base each word of this network begins as.

        Raises:
            KapelleError: if the two are of different kinds or sizes, or the kind cannot do it.
        """
        adopt = getattr(networks()[self.name], "ADOPT", None)
        try:
            if adopt is None or base.name != self.name:
                raise ValueError(f"the base has the network {base.name}, and this is {self.name}")
            begun: Weights = adopt(self.config, fresh, base.config, weights, words)
        except (KeyError, ValueError) as error:
            raise KapelleError(f"cannot go on from this base ({error}): take one with the network stepwise") from None
        return begun

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"name": self.name, "config": self.config.to_json()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Network:
        """The network that `to_json` wrote.

        Raises:
            KapelleError: if it is not known here, or its configuration is damaged.
        """
        known = networks()
        if values.get("name") not in known:
            raise KapelleError(
                f"expected a network named {', '.join(sorted(known))}, got {values.get('name')!r}: update Kapelle"
            )
        try:
            return cls(values["name"], known[values["name"]].CONFIG.from_json(values["config"]))
        except (KeyError, TypeError, ValueError) as error:
            raise KapelleError(
                f"the network's configuration is damaged ({error}): fetch or train the style again"
            ) from None


def networks() -> dict[str, ModuleType]:
    """Every kind of network by name."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        if module.ispkg:
            network = importlib.import_module(f"{__name__}.{module.name}")
            found[network.NAME] = network
    for entry in entry_points(group="kapelle.networks"):
        found[entry.name] = entry.load()
    return found


def presets() -> dict[str, tuple[str, dict[str, Any]]]:
    """Every named configuration: name -> (kind of network, what differs from its defaults)."""
    return {
        preset: (kind, changes) for kind, module in networks().items() for preset, changes in module.PRESETS.items()
    }


def is_latent(name: str) -> bool:
    """Whether a named configuration is of a network that learns a space of windows, and tells them from its points.

    Raises:
        KapelleError: if there is none of that name.
    """
    return getattr(networks()[_known(name)[0]], "LATENT", False)


def network(name: str, columns: Columns, **changes: Any) -> Network:
    """A network by the name of its configuration.

    Raises:
        KapelleError: if there is none of that name.
    """
    kind, own = _known(name)
    return Network(kind, networks()[kind].CONFIG(columns, **{**own, **changes}))


def _known(name: str) -> tuple[str, dict[str, Any]]:
    known = presets()
    if name not in known:
        close = get_close_matches(name, known, 1)
        hint = f"; did you mean '{close[0]}'?" if close else f"; there are {', '.join(sorted(known))}"
        raise KapelleError(f"no network named '{name}'{hint}")
    return known[name]


__all__ = ["Columns", "Floats", "Network", "Player", "Weights", "is_latent", "mixed", "network", "networks", "presets"]
