"""Irish, Scottish and American fiddle tunes: O'Neill's, Aird's and Ryan's collections from music21's corpus."""

from __future__ import annotations

import re
from pathlib import Path

from ..music import Meter
from .abc import Tune
from .cache import cached
from .corpus import Corpus
from .m21 import cache_key, music21_corpus
from .tunes import Progress, load_tunes

NAME = "folk"
TITLE = "Fiddle tunes"
LICENCE = (
    "Tunes in the public domain (printed 1778-1903). Encodings by volunteers, handed on by music21 with their "
    "permission and without a stated licence."
)
ATTRIBUTION = (
    "O'Neill's Music of Ireland (1903): transcribed by John Chambers, Henrik Norbeck, Bob Safranek, Trish O'Neil, "
    "Dan G. Petersen, Michael Hogan, John B. Walsh and others",
    "James Aird, A Selection of Scotch, English, Irish and Foreign Airs (1778-1801): transcribed by Jack Campin, "
    "www.campin.me.uk, 2009",
    "Ryan's Mammoth Collection (1883): transcribed by Ray Davies, John Chambers, Bob Puckette and others",
    "All by way of the corpus of music21, https://www.music21.org",
)

_VERSION = 1
_FIDDLE = 40
_COLLECTIONS = (("O'Neill", "oneills1850"), ("Aird", "airdsAirs"), ("Ryan", "ryansMammoth"))

BARS_PER_MINUTE = {
    "slip jig": 40,
    "jig": 58,
    "slide": 34,
    "reel": 55,
    "hornpipe": 40,
    "clog": 36,
    "strathspey": 30,
    "fling": 34,
    "walkaround": 30,
    "polka": 60,
    "quickstep": 54,
    "waltz": 45,
    "minuet": 40,
    "gavotte": 34,
}
"""Dances go by the bar, so that a reel is as fast in 2/4 with sixteenths as in 2/2 with eighths: 58 bars of 6/8 are
116 dotted quarters a minute, 55 bars of 2/2 are 110 halves, 45 bars of 3/4 are 135 quarters."""

BEATS_PER_MINUTE = {"march": 104, "air": 72}
"""Marches and airs go by the beat: the dotted quarter in 6/8 and its like, else the quarter."""

_BY_METER = {"6/8": "jig", "9/8": "slip jig", "12/8": "slide", "2/2": "reel", "4/4": "hornpipe", "3/4": "waltz"}

_SECTIONS = (
    (700, "air"),
    (1115, "jig"),
    (1175, "slip jig"),
    (1555, "reel"),
    (1780, "hornpipe"),
    (1850, "march"),
)
"""Where the sections of O'Neill's book stop, by the numbers of the tunes."""


def load(cache: Path | None = None, progress: Progress | None = None) -> Corpus:
    """The three collections, each tune once through as written, in its own key, for one fiddle.

    Source:
        The ABC files of the installed music21. Parsed in some ten seconds the first time, kept in `cache` (the
        user's cache folder without it) from then on.

    Raises:
        MissingExtra: without music21.
    """
    files = [(name, path) for name, folder in _COLLECTIONS for path in sorted(music21_corpus(folder).glob("*.abc"))]
    key = cache_key(NAME, _VERSION)
    pieces, skipped = cached(key, lambda: load_tunes(files, quarters_per_minute, _FIDDLE, progress=progress), cache)
    return Corpus.of(NAME, pieces, skipped, LICENCE, ATTRIBUTION)


def quarters_per_minute(collection: str, tune: Tune) -> float:
    """A tempo for a tune that states none, from what its heading calls it, its title, its number or its metre."""
    meter = Meter(0, *tune.bars[0].meter) if tune.bars else Meter()
    dance = _dance(tune.rhythm) or _dance(tune.title) or _section(collection, tune)
    dance = dance or _BY_METER.get(meter.name, "march")
    if dance in BEATS_PER_MINUTE:
        return BEATS_PER_MINUTE[dance] * (1.5 if meter.is_compound else 1.0)
    return BARS_PER_MINUTE[dance] * meter.bar_quarters


def _dance(text: str) -> str | None:
    words = re.sub(r"[^a-z]+", " ", text.lower()).replace("slipjig", "slip jig").replace("quick step", "quickstep")
    return next((name for name in (*BARS_PER_MINUTE, *BEATS_PER_MINUTE) if re.search(rf"\b{name}\b", words)), None)


def _section(collection: str, tune: Tune) -> str | None:
    number = next(iter(tune.headings.get("X", [])), "")
    if collection != "O'Neill" or not number.isdigit():
        return None
    return next((dance for last, dance in _SECTIONS if int(number) <= last), None)
