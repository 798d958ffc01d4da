"""A readable form of a score: one line a fact, one line a note; for tests, for diffs, for looking at music.

Nothing is lost: what is read back equals what was written. Bar, beat and name of a note stand behind a `#`
for people; only the ticks count. A pickup is bar 0.
"""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np

from ..errors import FileError
from ..music import Key, Meter, Notes, Score, Spans, TempoMap, Track, spell

NAME = "text"
SUFFIXES = (".txt",)
BEGINS = b"Kapelle score"

_FIRST_LINE = "Kapelle score, form 1"
_MAX_BARS = 1_000_000


def encode(score: Score) -> bytes:
    r"""The text of a score in UTF-8.

    >>> print(encode(Score(24, (Track(Notes.of([(24, 12, 60, 80)]), name="Tune"),))).decode())
    Kapelle score, form 1
    title ""
    ticks_per_quarter 24
    pickup 0
    tempo 0 120.0
    meter 0 4/4
    <BLANKLINE>
    track program 0 "Tune"
    note     24    12  60  80  # 1:2 C4
    <BLANKLINE>
    """
    lines = [
        _FIRST_LINE,
        f"title {_quoted(score.title)}",
        f"ticks_per_quarter {score.ticks_per_quarter}",
        f"pickup {score.pickup}",
    ]
    rates = score.tempos.quarters_per_minute.tolist()
    lines += [f"tempo {onset} {rate!r}" for onset, rate in zip(score.tempos.onset.tolist(), rates, strict=True)]
    lines += [f"meter {meter.onset} {meter.name}" for meter in score.meters]
    lines += [f"key {key.onset} {key.name}" for key in score.keys]
    lines += [f"fermata {onset}" for onset in score.fermatas]
    for track in score.tracks:
        kind = "drums" if track.is_drum else "track"
        lines += ["", f"{kind} program {track.program} {_quoted(track.name)}"]
        lines += _note_lines(score, track)
        pedal = zip(track.pedal.onset.tolist(), track.pedal.duration.tolist(), strict=True)
        lines += [f"pedal {onset:5} {duration:5}" for onset, duration in pedal]
    return ("\n".join(lines) + "\n").encode()


def decode(data: bytes) -> Score:
    """The score that a text tells.

    Raises:
        FileError: naming the line that cannot be understood.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(f"expected text in UTF-8, got byte {data[error.start]} at byte {error.start}") from error
    if not text.startswith(_FIRST_LINE):
        raise FileError(f"expected a text that starts with {_FIRST_LINE!r}, got {text[:30]!r}")
    reader = _Reader()
    for number, line in enumerate(text.split("\n")[1:], start=2):
        if line.strip():
            try:
                reader.read(line.strip(), number)
            except (ValueError, OverflowError) as error:
                raise FileError(f"line {number}: {error}") from error
    return reader.score()


def _quoted(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    try:
        quoted.encode()
    except UnicodeEncodeError:
        return json.dumps(text)
    return quoted


def _note_lines(score: Score, track: Track) -> list[str]:
    notes = track.notes
    rows = zip(
        notes.onset.tolist(), notes.duration.tolist(), notes.pitch.tolist(), notes.velocity.tolist(), strict=True
    )
    shortest = min(meter.bar_length(score.ticks_per_quarter) for meter in score.meters)
    if score.end // shortest > _MAX_BARS:
        return [f"note {onset} {duration} {pitch} {velocity}" for onset, duration, pitch, velocity in rows]
    bars = score.bars()
    numbers = np.searchsorted(bars, notes.onset, side="right") - 1
    lines = []
    for (onset, duration, pitch, velocity), bar in zip(rows, numbers.tolist(), strict=True):
        start = int(bars[bar])
        inside = onset - start
        if bar == 0 and score.pickup:
            # Beats of a pickup are counted as if the bar were whole.
            inside += score.meters[0].bar_length(score.ticks_per_quarter) - score.pickup
        beats = Fraction(inside, score.meter_at(start).beat_length(score.ticks_per_quarter))
        rest = beats - int(beats)
        place = f"{bar + (not score.pickup)}:{int(beats) + 1}{f'+{rest}' if rest else ''}"
        if not track.is_drum:
            key = [Key(), *(key for key in score.keys if key.onset <= onset)][-1]
            place += " " + "".join(map(str, spell(pitch, key)))
        lines.append(f"note {onset:6} {duration:5} {pitch:3} {velocity:3}  # {place}")
    return lines


class _Reader:
    """Gathers the lines of a text and makes a score of them."""

    def __init__(self) -> None:
        self.numbers = {"ticks_per_quarter": 0, "pickup": 0}
        self.title = ""
        self.tempos: list[tuple[int, float]] = []
        self.meters: list[Meter] = []
        self.keys: list[Key] = []
        self.fermatas: list[int] = []
        self.tracks: list[tuple[int, Track]] = []
        self.notes: list[tuple[int, tuple[int, ...]]] = []
        self.pedal: list[tuple[int, ...]] = []
        self.finished: list[Track] = []

    def read(self, line: str, number: int) -> None:
        """Take in one line.

        Raises:
            ValueError: saying what was expected.
        """
        word, _, rest = line.partition(" ")
        if word in ("note", "pedal"):
            self._read_row(word, rest, number)
        elif word in ("track", "drums"):
            self._finish()
            program, name = _fields(rest, 'program 0 "Name"', 3)[1:]
            track = Track(Notes.of([]), int(program), word == "drums", _unquoted(name))
            self.tracks.append((number, track))
        elif word == "title":
            self.title = _unquoted(rest)
        elif word in self.numbers:
            self.numbers[word] = int(rest)
        elif word == "tempo":
            onset, rate = _fields(rest, "0 120.0", 2)
            self.tempos.append((int(onset), float(rate)))
        elif word == "meter":
            onset, name = _fields(rest, "0 4/4", 2)
            self.meters.append(Meter.parse(name, int(onset)))
        elif word == "key":
            onset, name = _fields(rest, "0 D minor", 2)
            self.keys.append(Key.parse(name, int(onset)))
        elif word == "fermata":
            self.fermatas.append(int(rest))
        else:
            known = "note, pedal, track, drums, tempo, meter, key, fermata or title"
            raise ValueError(f"expected {known}, got {word[:20]!r}")

    def _read_row(self, word: str, rest: str, number: int) -> None:
        if not self.tracks:
            raise ValueError(f"expected a line 'track' before the first {word}")
        values = tuple(map(int, rest.split("#")[0].split()))
        size, names = (4, "onset, duration, pitch and velocity") if word == "note" else (2, "onset and duration")
        if len(values) != size:
            raise ValueError(f"expected {names} of a {word}, got {len(values)} numbers")
        if word == "note":
            self.notes.append((number, values))
        else:
            self.pedal.append(values)

    def _finish(self) -> None:
        """Make the track whose notes have been read."""
        if not self.tracks:
            return
        number, track = self.tracks[-1]
        try:
            table = np.array([row for _, row in self.notes], np.int64).reshape(-1, 4)
            pedal = np.array(self.pedal, np.int64).reshape(-1, 2)
            self.finished.append(track.replace(notes=Notes(*table.T), pedal=Spans(pedal[:, 0], pedal[:, 1])))
        except (ValueError, OverflowError) as error:
            for place, row in self.notes:
                try:
                    Notes(*np.array([row], np.int64).T)
                except (ValueError, OverflowError) as wrong:
                    raise FileError(f"line {place}: {wrong}") from wrong
            raise FileError(f"line {number}: {error}") from error
        self.notes, self.pedal = [], []

    def score(self) -> Score:
        """The score of all lines."""
        self._finish()
        try:
            return Score(
                self.numbers["ticks_per_quarter"],
                tuple(self.finished),
                TempoMap(np.array([onset for onset, _ in self.tempos]), np.array([rate for _, rate in self.tempos])),
                tuple(self.meters),
                tuple(self.keys),
                self.numbers["pickup"],
                self.title,
                tuple(self.fermatas),
            )
        except (ValueError, OverflowError) as error:
            raise FileError(f"the lines before the first track do not fit together: {error}") from error


def _fields(rest: str, example: str, size: int) -> list[str]:
    fields = rest.split(maxsplit=size - 1)
    if len(fields) != size:
        raise ValueError(f"expected something like {example!r}, got {rest[:40]!r}")
    return fields


def _unquoted(text: str) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, str):
        raise ValueError(f"expected text in double quotes, got {text[:40]!r}")
    return value
