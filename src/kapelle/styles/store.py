"""Where styles lie: in the package, in the user's data folder, or at a path."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ..codecs import codecs
from ..codecs.bars import BarsCodec, Vocabulary
from ..errors import KapelleError, StyleError
from .card import Card, card_from_json
from .file import SUFFIX, open_style, peek
from .style import Style

BUNDLED = Path(__file__).parent / "bundled"


@dataclass(frozen=True)
class Listing:
    """One line of the list of styles.

    Attributes:
        name: as typed.
        path: of its file.
        size: bytes.
        card: where it comes from.
        own: whether it is the user's, not bundled.
        can_be_given: whether it writes voices to others that are given; see `Style.can_be_given`.
        temperature: at which it composes without a wish.
        window: the words of its windows, if it is a style of windows.
        measures: names of what can be steered in them.
        manners: what can be mixed, such as composers.
    """

    name: str
    path: Path
    size: int
    card: Card
    own: bool
    can_be_given: bool = False
    temperature: float = 0.9
    window: Vocabulary | None = None
    measures: tuple[str, ...] = ()
    manners: tuple[str, ...] = ()


def user_folder() -> Path:
    """Where the user's styles lie; it need not exist."""
    import platformdirs

    return Path(platformdirs.user_data_dir("kapelle", appauthor=False)) / "styles"


def style_path(name: str) -> Path:
    """Where a new style of the user's is to lie.

    Raises:
        StyleError: if the name is not fit for a file.
    """
    if not re.fullmatch(r"\w[\w .-]{0,79}", name) or name.endswith((".", " ")):
        raise StyleError(f"expected a style's name of letters, digits, space, '-', '_' and '.', got {name!r}")
    return user_folder() / f"{name}{SUFFIX}"


def run_path(style: Path) -> Path:
    """The folder of the run that made a style: it lies beside it."""
    return style.with_suffix(".run")


def list_styles() -> tuple[list[Listing], list[str]]:
    """Every style that is found by name, and one line for each file that could not be read."""
    listings, problems = {}, []
    for folder, own in ((BUNDLED, False), (user_folder(), True)):
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            try:
                about = peek(path)
                card = card_from_json(about.get("card"))
            except StyleError as error:
                text = str(error)
                problems.append(text if str(path) in text else f"{path}: {text}")
                continue
            listings[path.stem] = Listing(path.stem, path, path.stat().st_size, card, own, **_traits(about))
    return sorted(listings.values(), key=lambda listing: listing.name), problems


def _traits(about: dict[str, Any]) -> dict[str, Any]:
    """What a file says of its style that a list tells."""
    try:
        codec = codecs()[about["codec"]["name"]]
        given = codec.in_voices and about["network"]["config"].get("reveal", 0) > 0
        traits = {"can_be_given": given, "temperature": codec.taste[0]}
        traits["manners"] = tuple(map(str, about["codec"].get("vocabulary", {}).get("manners", ())))
        if codec.in_windows and "measures" in about:
            traits["window"] = BarsCodec.from_json(about["codec"]).vocabulary
            traits["measures"] = tuple(map(str, about["measures"]))
        return traits
    except (LookupError, TypeError, AttributeError, ValueError, KapelleError):
        return {}


def load_style(name: str | os.PathLike[str]) -> Style:
    """A style by its name or by the path of its file; the user's goes before a bundled one of that name.

    >>> load_style("folk").compose(bars=4, seed=1).num_notes > 0
    True

    Raises:
        StyleError: if there is none, or it is damaged or of a newer version.
    """
    text = os.fspath(name)
    if text.endswith(SUFFIX) or os.sep in text:
        return open_style(text)
    for folder in (user_folder(), BUNDLED):
        path = folder / f"{text}{SUFFIX}"
        if path.is_file():
            return open_style(path)
    known = [listing.name for listing in list_styles()[0]]
    close = get_close_matches(text, known, 1)
    hint = (
        f"did you mean '{close[0]}'?" if close else f"there are {', '.join(known) or 'none'}; train one: kapelle train"
    )
    raise StyleError(f"no style named '{text}'; {hint}")
