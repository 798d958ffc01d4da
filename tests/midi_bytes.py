"""Files from bytes written out in hex, for the tests of MIDI: `from midi_bytes import chunk, midi`."""

from __future__ import annotations

from kapelle.music import Score

END = "00 FF2F00"
C4 = "00 90 3C 40  60 80 3C 40"  # delta 0, note on, channel 1, C4, velocity 64; 96 ticks later off
C4_ROWS = [(0, 96, 60, 64)]


def chunk(*events: str) -> bytes:
    body = bytes.fromhex("".join(events))
    return b"MTrk" + len(body).to_bytes(4, "big") + body


def midi(*chunks: bytes, kind: int = 1, division: str = "0060") -> bytes:
    """A file of 96 ticks a quarter."""
    return b"MThd\0\0\0\6" + bytes((0, kind, 0, len(chunks))) + bytes.fromhex(division) + b"".join(chunks)


def rows(score: Score, track: int = 0) -> list[tuple[int, ...]]:
    notes = score.tracks[track].notes
    return list(
        zip(*(getattr(notes, name).tolist() for name in ("onset", "duration", "pitch", "velocity")), strict=True)
    )
