"""A style on disk: one safetensors file, weights in half precision, everything else as JSON in its header.

Nothing in it is executed and nothing is unpickled, so a style from a stranger is safe to open.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..codecs import codec_from_json
from ..errors import KapelleError, StyleError
from ..evaluation import Memory
from ..files import write_atomically
from ..networks import Columns, Network
from .card import card_from_json, habits_from_json, to_json
from .drumming import DrummingStyle
from .space import PREFIX as SPACE
from .space import Space
from .style import Style
from .windows import WindowStyle

SUFFIX = ".safetensors"
FORMAT = 1
"""Version of what stands in the header."""
MAX_BYTES = 1 << 30
MEMORY = "kapelle.memory"
"""The tensor that is no weight."""


def save_style(style: Style, path: str | os.PathLike[str], force: bool = False) -> Path:
    """Write a style to a file.

    Raises:
        FileError: if the file exists and `force` is not given, or cannot be written.
    """
    from safetensors.numpy import save

    about = {
        "format": FORMAT,
        "name": style.name,
        "codec": style.codec.to_json(),
        "network": style.network.to_json(),
        "card": to_json(style.card),
        "habits": to_json(style.habits),
    }
    weights = {
        name: np.ascontiguousarray(weight, np.float16) if weight.dtype.kind == "f" else np.ascontiguousarray(weight)
        for name, weight in style.weights.items()
    }
    if style.memory is not None:
        about["memory"] = style.memory.to_json()
        weights[MEMORY] = style.memory.bits
    if isinstance(style, WindowStyle) and style.space is not None:
        about["measures"] = list(style.space.names)
        weights |= style.space.to_tensors()
    data = save(weights, {"kapelle": json.dumps(about, separators=(",", ":"), ensure_ascii=False)})
    path = Path(path)
    write_atomically(path, data, force)
    return path


def open_style(path: str | os.PathLike[str]) -> Style:
    """Read a style from a file.

    Raises:
        StyleError: if it is missing, is no style, is damaged, or of a newer version.
    """
    path = Path(path)
    about, weights = _read(path)
    version = about.get("format")
    if not isinstance(version, int):
        raise StyleError(f"{path}: expected a Kapelle style, got a file that does not say its version")
    if version > FORMAT:
        raise StyleError(f"{path}: the style has version {version}, this Kapelle knows up to {FORMAT}: update Kapelle")
    try:
        bits = weights.pop(MEMORY, None)
        network, codec = Network.from_json(about["network"]), codec_from_json(about["codec"])
        tensors = {name: weights.pop(name) for name in list(weights) if name.startswith(SPACE)}
        style = style_class(codec)(
            str(about["name"]),
            codec,
            network,
            weights,
            card_from_json(about["card"]),
            habits_from_json(about["habits"]),
            Memory.from_json(about["memory"], bits) if "memory" in about else None,
        )
        if isinstance(style, WindowStyle) and tensors:
            style = replace(style, space=Space.from_tensors(tensors, [str(name) for name in about["measures"]]))
        if network.config.columns != Columns.of(style.codec.layout):
            raise StyleError("its network and its vocabulary do not belong together: fetch or train the style again")
        _try_a_step(style)
    except KapelleError as error:
        raise StyleError(f"{path}: {error}") from None
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, MemoryError) as error:
        raise StyleError(f"{path}: the style is damaged ({error!r}): fetch or train it again") from None
    return style


def style_class(codec: Any) -> type[Style]:
    """Of which class a style with a codec is."""
    if not codec.in_windows:
        return Style
    return DrummingStyle if codec.vocabulary.hears else WindowStyle


def _try_a_step(style: Style) -> None:
    """Play one step, here, where a damaged file can still be told from a fault of ours.

    Raises:
        ValueError: if what comes is no logits; or whatever the player stumbles over.
    """
    if not all(np.isfinite(weight).all() for weight in style.weights.values()):
        raise ValueError("some weights are no numbers")
    if isinstance(style, WindowStyle):
        style.try_a_window()
        return
    player = style.player
    for column, (_, size, _) in enumerate(style.codec.layout):
        if column in style.network.config.columns.predicted:
            logits = player.logits(column)
            if logits.shape != (size,) or not np.isfinite(logits).all():
                raise ValueError("the weights give no probabilities")
        player.put(column, 0)


def peek(path: Path) -> dict[str, Any]:
    """What a style file says about itself, without its weights.

    Raises:
        StyleError: as `open_style`.
    """
    return _read(path, weights=False)[0]


def _read(path: Path, weights: bool = True) -> tuple[dict[str, Any], dict[str, Any]]:
    from safetensors import SafetensorError, safe_open

    try:
        if path.stat().st_size > MAX_BYTES:
            raise StyleError(f"{path}: expected a style of at most 1 GB, got {path.stat().st_size >> 20} MB")
        with safe_open(path, "np") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()} if weights else {}  # noqa: SIM118
    except FileNotFoundError:
        raise StyleError(f"{path}: there is no such style; `kapelle styles` lists what there is") from None
    except OSError as error:
        raise StyleError(f"{path}: cannot read the style ({error.strerror or error})") from None
    except (SafetensorError, ValueError) as error:
        raise StyleError(f"{path}: expected a Kapelle style, got a damaged or other file ({error})") from None
    try:
        about = json.loads(metadata["kapelle"])
    except (KeyError, ValueError, RecursionError):
        raise StyleError(f"{path}: expected a Kapelle style, got a file of weights without a description") from None
    if not isinstance(about, dict):
        raise StyleError(f"{path}: the style's description is damaged: fetch or train it again")
    return about, tensors
