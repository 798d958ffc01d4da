"""Benchmarks of the field as commands: their data, their protocol, what others have reached, and what Kapelle does.

data = read("jsb", folder)                       the piano rolls of a set, by part
field = Field.of(data)                           what is known of them before anything is learnt
learnt = learn(field, Entry("chords", 10))       a network that has learnt its training pieces
judged(field, [learnt], "test")                  nats a frame, exact
"""

from .contest import Entry, Learnt, judged, learn, members
from .rolls import SETS, BenchError, Field, Roll, RollSet, independent, read
from .table import LITERATURE, PROTOCOL, lines

__all__ = [
    "LITERATURE",
    "PROTOCOL",
    "SETS",
    "BenchError",
    "Entry",
    "Field",
    "Learnt",
    "Roll",
    "RollSet",
    "independent",
    "judged",
    "learn",
    "lines",
    "members",
    "read",
]
