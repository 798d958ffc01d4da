"""The table of piano rolls: the protocol, what others have reached, and what was reached here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .rolls import SETS

PROTOCOL = (
    "88 keys, all voices in one, pieces in C; held and repeated notes alike; the standard split",
    "exact negative log-likelihood of whole frames given all before, in nats a frame",
    "pooled over all frames of all pieces, the first of each included; chosen by the validation pieces",
)
"""How it is measured, in a few lines."""

ORDER = ("jsb", "nottingham", "musedata", "piano")


class Row(NamedTuple):
    """What others have reached.

    Attributes:
        model: its name.
        figures: nats a frame of the test pieces of the four sets, in ORDER; None where there is none.
        mark: of MARKS.
        note: what is different, if anything is.
    """

    model: str
    figures: tuple[float | None, ...]
    mark: str
    note: str = ""


MARKS = {
    "c": "computed from the data",
    "r": "read in the paper or its code",
    "m": "told by later papers; not read in the source itself",
    "?": "not verified: do not quote",
}
"""How far a row can be trusted."""

LITERATURE = (
    Row("independent keys", (11.06, 10.25, 11.51, 11.05), "c"),
    Row("first-order Markov of each key", (10.49, 5.16, 8.56, 8.27), "c", "first frames left out"),
    Row("RNN", (8.71, 4.46, 8.13, 8.37), "r"),
    Row("TCN, independent keys", (8.10, 3.07, None, None), "m", "first frames left out"),
    Row("RTRBM", (6.35, 2.62, 6.35, 7.36), "m"),
    Row("RNN-RBM", (6.27, 2.39, 6.01, 7.09), "m"),
    Row("RNN-NADE, Hessian-free", (5.56, 2.31, 5.60, 7.05), "r"),
    Row("RNN-DBN", (5.68, 2.54, 6.28, 7.15), "m"),
    Row("STORN", (6.91, 2.85, 6.16, 7.13), "r", "bound"),
    Row("NASMC", (3.99, 2.72, 6.89, 7.61), "r", "estimated by sampling; an outlier on the chorales"),
    Row("SRNN", (4.74, 2.94, 6.28, 8.20), "m", "bound"),
    Row("DMM-Aug-NADE", (5.118, 2.305, 6.049, 7.048), "r", "estimated by sampling"),
    Row("TP-LSTM-NADE", (5.88, 1.61, 4.32, 5.44), "?"),
    Row("BALSTM", (5.05, 1.55, 3.90, 4.90), "?"),
    Row("DBN-LSTM", (3.47, 1.32, 3.91, 4.63), "?", "never reproduced"),
)
"""Published rows: Boulanger-Lewandowski et al. 2012; Bayer and Osendorfer 2014 (STORN); Goel et al. 2014 (RNN-DBN);
Gu et al. 2015 (NASMC); Vohra et al. 2015 (DBN-LSTM); Fraccaro et al. 2016 (SRNN); Krishnan et al. 2017 (DMM); Johnson
2017 (TP-LSTM-NADE, BALSTM); Bai et al. 2018 (TCN)."""


def lines(name: str, here: Sequence[tuple[str, float, str]]) -> list[str]:
    """The table of a set, from the worst to the best.

    Args:
        name: of the set.
        here: what was reached here: a name, nats a frame of the test pieces, and what is to be said of it.
    """
    place = ORDER.index(name)
    rows = [(row.figures[place], row.model, row.mark, row.note) for row in LITERATURE]
    told = [(figure, model, mark, note) for figure, model, mark, note in rows if figure is not None]
    told += [(figure, model, "here", note) for model, figure, note in here]
    told.sort(key=lambda row: -row[0])
    width = max(len(model) for _, model, _, _ in told)
    found = SETS[name]
    return [
        f"{found.title}, a frame is {_a(found.frame)}: test pieces, nats a frame, lower is better",
        *(f"  {line}" for line in PROTOCOL),
        "",
        *(f"  {figure:7.3f}  {model:<{width}}  {mark:<4}  {note}".rstrip() for figure, model, mark, note in told),
        "",
        *(f"  {mark:<4}  {meaning}" for mark, meaning in MARKS.items()),
    ]


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
