"""Small soundfonts as bytes, made by hand."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

Settings = dict[int, int]
RATE, ROOT = 22_050, 69


def sine(frames: int = 2205, hertz: float = 440.0) -> np.ndarray:
    """A tone whose whole rounds fit: 44 of 440 Hz into 2,205 frames."""
    return (20_000 * np.sin(2 * np.pi * hertz * np.arange(frames) / RATE)).astype("<i2")


def chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def soundfont(
    presets: Sequence[tuple[int, int]] = ((0, 0),),
    zones: Sequence[Settings] = ({54: 1},),
    pcm: np.ndarray | None = None,
    loop: tuple[int, int] = (0, 2205),
    modulators: Sequence[tuple[int, int, int, int]] = (),
) -> bytes:
    """A bank with one instrument, which all presets play.

    Args:
        presets: bank and program of each.
        zones: the settings of each zone of the instrument by their numbers; all play the one sample.
        pcm: its frames; a looped sine of 440 Hz, recorded at the key 69, if None.
        loop: its first frame and the one after its last.
        modulators: of every zone: source, target, amount, scale.
    """
    pcm = sine() if pcm is None else pcm
    heads, bags, gens = b"", b"", b""
    for number, (bank, program) in enumerate(presets):
        heads += struct.pack("<20sHHHIII", b"preset", program, bank, number, 0, 0, 0)
        bags += struct.pack("<HH", number, 0)
        gens += struct.pack("<HH", 41, 0)
    heads += struct.pack("<20sHHHIII", b"EOP", 0, 0, len(presets), 0, 0, 0)
    bags += struct.pack("<HH", len(presets), 0)
    inner_bags, inner_gens, inner_mods = b"", b"", b""
    for zone in zones:
        inner_bags += struct.pack("<HH", len(inner_gens) // 4, len(inner_mods) // 10)
        # Ranges of keys and velocities come first, the sample last.
        for kind in sorted(zone, key=lambda kind: (kind not in (43, 44), kind)):
            inner_gens += struct.pack("<Hh", kind, zone[kind])
        inner_gens += struct.pack("<HH", 53, 0)
        inner_mods += b"".join(struct.pack("<HHhHH", *modulator, 0) for modulator in modulators)
    inner_bags += struct.pack("<HH", len(inner_gens) // 4, len(inner_mods) // 10)
    instruments = struct.pack("<20sH", b"instrument", 0) + struct.pack("<20sH", b"EOI", len(zones))
    samples = struct.pack("<20sIIIIIBbHH", b"sine", 0, len(pcm), *loop, RATE, ROOT, 0, 0, 1)
    samples += struct.pack("<20sIIIIIBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0)
    parts = (
        (b"phdr", heads),
        (b"pbag", bags),
        (b"pmod", b"\0" * 10),
        (b"pgen", gens + b"\0" * 4),
        (b"inst", instruments),
        (b"ibag", inner_bags),
        (b"imod", inner_mods + b"\0" * 10),
        (b"igen", inner_gens + b"\0" * 4),
        (b"shdr", samples),
    )
    body = b"sfbk" + chunk(b"LIST", b"INFO" + chunk(b"INAM", b"Sine\0"))
    body += chunk(b"LIST", b"sdta" + chunk(b"smpl", pcm.tobytes() + b"\0" * 92))
    body += chunk(b"LIST", b"pdta" + b"".join(chunk(*part) for part in parts))
    return chunk(b"RIFF", body)
