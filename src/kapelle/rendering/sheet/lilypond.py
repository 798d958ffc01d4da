"""LilyPond source from the same notation that the MusicXML is written from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from ...files.musicxml.bars import Event, PartBars
from ...files.musicxml.clefs import Clef
from ...files.musicxml.dynamics import dynamics_by_bar
from ...files.musicxml.names import abbreviation
from ...files.musicxml.spelling import spellings
from ...files.musicxml.staves import Staff, groups
from ...music import ChordSymbol, Key, Score, Track, spell
from .lilydrums import drum_names, drum_table

_LENGTHS = {
    "long": "\\longa", "breve": "\\breve", "whole": "1", "half": "2", "quarter": "4", "eighth": "8", "16th": "16",
    "32nd": "32", "64th": "64", "128th": "128", "256th": "256",
}  # fmt: skip
_CLEFS = {"G2": "treble", "F4": "bass", "C3": "alto", "C4": "tenor"}
_VOICES = ("\\voiceOne", "\\voiceTwo", "\\voiceThree", "\\voiceFour")
_TIED = frozenset({"start"})
_QUALITIES = {
    "": "", "m": ":m", "7": ":7", "m7": ":m7", "maj7": ":maj7", "dim": ":dim", "m7b5": ":m7.5-", "dim7": ":dim7",
    "aug": ":aug", "sus4": ":sus4", "sus2": ":sus2", "6": ":6", "m6": ":m6", "m(maj7)": ":m7+", "9": ":9", "5": ":1.5",
}  # fmt: skip


def source(
    score: Score, symbols: Sequence[tuple[int, ChordSymbol]], staves: Sequence[list[Staff]], staff_height: float
) -> str:
    """LilyPond source of a score as `canonical` gives it.

    Args:
        symbols: chords by onset, to stand over the first part.
        staves: of each part.
        staff_height: of five lines, in millimetres.
    """
    spelling = spellings(score)
    together = groups(score)
    lower = {group.last for group in together if group.symbol == "brace"}
    lines: list[str] = []
    if symbols:
        lines += _chord_names(score, symbols)
    for index, (track, parts) in enumerate(zip(score.tracks, staves, strict=True)):
        lines += [_GROUPS[group.symbol] for group in together if group.first == index]
        part = _Part(score, track, parts, PartBars(score, track, parts, spelling))
        lines += part.lines(with_dynamics=index not in lower, with_tempos=index == 0)
        lines += [">>" for group in together if group.last == index]
    head = [
        '\\version "2.24.0"',
        f"#(set-global-staff-size {staff_height * 72.27 / 25.4:.1f})",
        f"\\header {{ title = {_quoted(score.title)} tagline = ##f }}",
        '\\paper { #(set-paper-size "a4") indent = 22\\mm short-indent = 12\\mm }',
        "\\score {",
        "<<",
    ]
    return "\n".join([*head, *lines, ">>", "\\layout { }", "}", ""])


_GROUPS = {"brace": "\\new PianoStaff <<", "bracket": "\\new StaffGroup <<"}


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _fraction(score: Score, ticks: int) -> str:
    """A length as LilyPond multiplies a whole note."""
    return str(Fraction(ticks, 4 * score.ticks_per_quarter))


def _pitch_class(pitch_class: int, key: Key) -> str:
    name = spell(pitch_class, key)[0]
    return name[0].lower() + "is" * name.count("#") + "es" * name.count("b")


def _chord_names(score: Score, symbols: Sequence[tuple[int, ChordSymbol]]) -> list[str]:
    key = score.keys[0] if score.keys else Key()
    end = int(score.bars()[-1])
    words = [f"s1*{_fraction(score, symbols[0][0])}"] if symbols[0][0] else []
    edges = [onset for onset, _ in symbols[1:]] + [end]
    for (onset, symbol), stop in zip(symbols, edges, strict=True):
        bass = "" if symbol.bass == symbol.root else f"/{_pitch_class(symbol.bass, key)}"
        length = f"1*{_fraction(score, stop - onset)}"
        words.append(f"{_pitch_class(symbol.root, key)}{length}{_QUALITIES[symbol.quality.symbol]}{bass}")
    return ["\\new ChordNames \\chordmode {", " ".join(words), "}"]


class _Part:
    def __init__(self, score: Score, track: Track, parts: list[Staff], bars: PartBars) -> None:
        self._score, self._track, self._staves = score, track, parts
        self._starts = score.bars().tolist()
        self._bars = [bars.staves_of(index) for index in range(len(self._starts) - 1)]
        self._lengths = [bars.length_of(index) for index in range(len(self._starts) - 1)]
        self._drums = drum_names(track.notes.pitch.tolist()) if track.is_drum else {}

    def lines(self, *, with_dynamics: bool, with_tempos: bool) -> list[str]:
        """The staves of the part."""
        marks = dynamics_by_bar(self._track.notes, self._score.bars()) if with_dynamics else {}
        name = self._track.name
        label = f"instrumentName = {_quoted(name)} shortInstrumentName = {_quoted(abbreviation(name))}" if name else ""
        found = []
        if len(self._staves) > 1:
            found.append(f"\\new PianoStaff \\with {{ {label} }} <<" if label else "\\new PianoStaff <<")
            label = ""
        for number, staff in enumerate(self._staves):
            found += self._staff(number, staff, label, marks if number == 0 else {}, with_tempos and number == 0)
        if len(self._staves) > 1:
            found.append(">>")
        return found

    def _staff(self, number: int, staff: Staff, label: str, marks: dict[int, str], with_tempos: bool) -> Iterator[str]:
        if self._drums:
            label = f"{label} drumStyleTable = {drum_table(self._drums)}"
        yield f"\\new {'DrumStaff' if self._track.is_drum else 'Staff'}" + (f" \\with {{ {label} }}" if label else "")
        yield "<<"
        voices = sorted({voice for bar in self._bars for voice, _, _ in bar[number]})
        for rank, voice in enumerate(voices):
            kind = "\\drummode " if self._track.is_drum else ""
            context = "DrumVoice" if self._track.is_drum else "Voice"
            yield f"\\new {context} {kind}{{"
            yield "\\autoBeamOff"
            if len(voices) > len(_VOICES):
                yield "\\override NoteColumn.ignore-collision = ##t"
            for index in range(len(self._bars)):
                signs = self._signs(index, staff) if rank == 0 else []
                if with_tempos and rank == 0:
                    signs += self._tempos(index)
                words = self._voice(index, number, voice, marks.get(index, "") if rank == 0 else "")
                yield " ".join([*signs, *words, "|"])
            yield '\\bar "|."' if rank == 0 else ""
            yield "}"
        yield ">>"

    def _signs(self, index: int, staff: Staff) -> list[str]:
        score, start = self._score, self._starts[index]
        signs = []
        view, before = staff.views[index], staff.views[index - 1] if index else None
        if before is None or view.clef != before.clef:
            signs.append(f'\\clef "{_clef(view.clef)}"')
        signs += [f"\\ottava #{view.octaves}"] if view.octaves != (before.octaves if before else 0) else []
        if not self._track.is_drum:
            signs += [f"\\key {_pitch_class(key.tonic, key)} \\{key.mode}" for key in score.keys if key.onset == start]
        signs += [f"\\time {meter.name}" for meter in score.meters if meter.onset == start]
        full = score.meter_at(start).bar_length(score.ticks_per_quarter)
        length = self._lengths[index]
        if index == 0 and length != full:
            return [*signs, f"\\partial 1*{_fraction(score, length)}"]
        was_short = index > 1 and self._lengths[index - 1] != score.meter_at(self._starts[index - 1]).bar_length(
            score.ticks_per_quarter
        )
        if length != full or was_short:
            size = Fraction(length, 4 * score.ticks_per_quarter)
            signs.append(f"\\set Timing.measureLength = #(ly:make-moment {size.numerator}/{size.denominator})")
        return signs

    def _tempos(self, index: int) -> list[str]:
        tempos = self._score.tempos
        start, stop = self._starts[index], self._starts[index + 1]
        beat = self._score.meter_at(start).beat_quarters
        unit, beat = {0.5: ("8", 0.5), 1.5: ("4.", 1.5), 2.0: ("2", 2.0)}.get(beat, ("4", 1.0))
        return [
            f"\\tempo {unit} = {max(round(rate / beat), 1)}"
            for onset, rate in zip(tempos.onset.tolist(), tempos.quarters_per_minute.tolist(), strict=True)
            if start <= onset < stop
        ][-1:]

    def _voice(self, index: int, number: int, voice: int, mark: str) -> Iterator[str]:
        """What one voice plays in one bar."""
        here = self._bars[index][number]
        rank = next((rank for rank, (each, _, _) in enumerate(here) if each == voice), None)
        if rank is None:
            yield f"s1*{_fraction(self._score, self._lengths[index])}"
            return
        _, stem, events = here[rank]
        yield _VOICES[rank % len(_VOICES)] if stem and not self._track.is_drum else _stem(stem)
        for event in events:
            edges = event.value.edges
            if "start" in edges and event.value.tuplet:
                yield f"\\tuplet {event.value.tuplet[0]}/{event.value.tuplet[1]} {{"
            yield self._event(event, mark)
            mark = "" if event.chord is not None else mark
            if "stop" in edges:
                yield "}"

    def _event(self, event: Event, mark: str) -> str:
        value = event.value
        length = _LENGTHS[value.type] + "." * value.dots
        if event.chord is None:
            if event.whole_bar:
                return f"R1*{_fraction(self._score, value.length)}"
            return ("s" if event.hidden else "r") + length
        if self._drums:
            heads = [self._drums[pitch] for pitch in event.chord.pitches]
        else:
            heads = [_pitch(*name) for name in event.names]
        word = heads[0] if len(heads) == 1 else f"<{' '.join(heads)}>"
        word += length + ("~" if "start" in event.ties else "")
        if event.beams:
            word += {"begin": "[", "end": "]"}.get(event.beams[0], "")
        word += "\\fermata" if event.fermata else ""
        return word + (f"\\{mark}" if mark else "")


def _stem(stem: str) -> str:
    return {"up": "\\voiceOne", "down": "\\voiceTwo"}.get(stem, "\\oneVoice")


def _clef(clef: Clef) -> str:
    if clef.sign == "percussion":
        return "percussion"
    return _CLEFS[f"{clef.sign}{clef.line}"] + {-1: "_8", 1: "^8"}.get(clef.octave, "")


def _pitch(step: str, alter: int, octave: int) -> str:
    marks = "'" * (octave - 3) if octave >= 3 else "," * (3 - octave)
    return step.lower() + ("is" * alter if alter > 0 else "es" * -alter) + marks
