"""How near composed chorales come to Bach's: rules of part-writing, originality, and a judge that tries to tell.

    python benchmarks/chorale_pieces.py corpus
    python benchmarks/chorale_pieces.py compose STYLE FOLDER
    python benchmarks/chorale_pieces.py rules FOLDER...
    python benchmarks/chorale_pieces.py copies FOLDER...
    python benchmarks/chorale_pieces.py judge FOLDER... --seeds 5

The chorales of music21 are split as training splits them (seed 0): 290 to learn from, 36 and 36 that are not.
`corpus` tells how many the codec keeps. `compose` writes a piece for each of the 362, as long as it and in its metre,
with nothing else wished, or the rules of part-writing, and nothing mended; the seed is its place. `rules` counts the
breaches in a hundred chords. `copies` tells what share of windows and of melodic n-grams is found in the 290, beside
the same of Bach's other 72. `judge` trains a small network to tell Bach from composed on the 290 and the 290 pieces
made after them, and asks it about others, of which it has seen nothing: eight bars at a time, in a random key. Half
right is indistinguishable. How to compose is chosen by the first 36, and the last 36 are looked at once (`--split
test`).
"""

from __future__ import annotations

import argparse
import itertools
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from kapelle import load, save
from kapelle.codecs.chorale import ChoraleCodec
from kapelle.codecs.chorale.piece import read
from kapelle.corpora import get
from kapelle.evaluation import voice_leading
from kapelle.evaluation.originality import Sources, originality
from kapelle.music import Score
from kapelle.music.partwriting import RULES
from kapelle.styles import load_style
from kapelle.styles.lesson import Lesson, Settings

STEPS, HEIGHTS = 128, 60
"""Sixteenths of a clip, and pitches that are told apart, from `LOW` on."""
LOW = 30
CODEC = ChoraleCodec()


def chorales() -> tuple[list[Score], list[Score]]:
    """Those to learn from, and those that are held out."""
    parts = Lesson.of(get("chorale").load(None), Settings("x", "chorale")).parts
    return [piece.score for piece in parts.train], [piece.score for piece in (*parts.valid, *parts.test)]


def composed(folder: Path) -> tuple[list[Score], list[Score]]:
    """The pieces made after those to learn from, and after those held out."""
    known, held_out = chorales()
    scores = [load(folder / f"{number}.mid") for number in range(len(known) + len(held_out))]
    return scores[: len(known)], scores[len(known) :]


def corpus(arguments: argparse.Namespace) -> None:
    """How many of music21's chorales the codec keeps, and what becomes of the others."""
    found = get("chorale").load(None)
    codec = ChoraleCodec.for_scores(piece.score for piece in found.pieces)
    same, lost = 0, []
    for piece in found.pieces:
        score = codec.decode(codec.encode(piece.score))
        same += score == codec.canonical(piece.score)
        notes = [[(track.name, track.notes.replace(velocity=0 * track.notes.velocity + 80)) for track in each.tracks]
                 for each in (piece.score, score)]  # fmt: skip
        signs = [([(meter.name, meter.onset) for meter in each.meters], each.pickup) for each in (piece.score, score)]
        if notes[0] != notes[1] or signs[0] != signs[1]:
            lost.append(piece.name)
    print(f"{len(found.pieces)} chorales, decode(encode) == canonical: {same}, nothing lost: {same - len(lost)}")
    print(f"something lost: {', '.join(lost)}")
    for name, reason in found.skipped:
        print(f"left out: {name}: {reason}")


def compose(arguments: argparse.Namespace) -> None:
    style, folder = load_style(arguments.style), arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    known, held_out = chorales()
    for number, score in enumerate((*known, *held_out)):
        path = folder / f"{number}.mid"
        if not path.exists():
            bars = len(score.bars()) - 1 - (score.pickup > 0)
            wishes = {"rules": RULES if arguments.rules else (), "temperature": arguments.temperature}
            save(style.compose(bars=bars, meter=score.meters[0].name, seed=number, **wishes), path)
    print(f"{len(known) + len(held_out)} pieces in {folder}")


def rules(arguments: argparse.Namespace) -> None:
    known, held_out = chorales()
    rows = {"Bach, learnt from": known, "Bach, held out": held_out}
    rows |= {folder.name: [*itertools.chain(*composed(folder))] for folder in arguments.folder}
    print("| in a hundred chords | pieces | parallels | crossings | out of range | leading notes | dissonances |")
    print("|---|---|---|---|---|---|---|")
    for name, scores in rows.items():
        whole = [score for score in scores if len(score.tracks) == 4]
        share = voice_leading(whole).per_hundred
        kinds = ("parallels", "crossings", "ranges", "leading_notes", "dissonances")
        print(f"| {name} | {len(whole)} | " + " | ".join(f"{share[kind]:.2f}" for kind in kinds) + " |")


def copies(arguments: argparse.Namespace) -> None:
    known, held_out = chorales()
    sources = Sources.of((f"{number}", score) for number, score in enumerate(known))
    rng = np.random.default_rng(0)
    rows = {"Bach, held out": held_out} | {folder.name: composed(folder)[1] for folder in arguments.folder}
    print("| found in the 290 | windows of 4 beats | of 8 beats | 12 intervals of the soprano | longest, notes |")
    print("|---|---|---|---|---|")
    for name, scores in rows.items():
        found = originality(scores, sources, rng)
        shares = (found.windows[4], found.windows[8], found.grams[12])
        cells = [f"{share.value:.2%} ({share.low:.2%} to {share.high:.2%})" for share in shares]
        print(f"| {name} | {' | '.join(cells)} | {found.longest.value:.1f} |")


# -- the judge -------------------------------------------------------------------------------------


def clips(score: Score) -> list[NDArray[np.int64]]:
    """Every eight bars or so of a piece: words of its voices, 0 for silence, 1 + 2 h and 2 + 2 h for height h."""
    piece = read(score, CODEC.vocabulary)
    heights = np.clip(piece.sounds - LOW, 0, HEIGHTS - 1)
    words = np.where(piece.sounds < 0, 0, 1 + 2 * heights + piece.struck)
    first = max(min(len(words) - STEPS, 16), 0)
    starts = range(first, max(len(words) - STEPS // 2, first + 1), STEPS)
    return [
        np.pad(clip, ((0, STEPS - len(clip)), (0, 0))) for start in starts for clip in [words[start : start + STEPS]]
    ]


def all_clips(scores: list[Score]) -> NDArray[np.int64]:
    """Those of several pieces, shape (N, STEPS, 4)."""
    return np.concatenate([clips(score) for score in scores])


class Judge(nn.Module):
    """Looks at chords and moves in stretches of up to six beats, and says how sure it is that a clip is composed."""

    def __init__(self) -> None:
        super().__init__()
        self.voices = nn.ModuleList(nn.Embedding(2 * HEIGHTS + 1, 32) for _ in range(4))
        sizes = (128, 96, 96, 96)
        self.layers = nn.ModuleList(
            nn.Conv1d(a, b, 5, stride=stride, padding=2)
            for a, b, stride in zip(sizes, sizes[1:], (1, 2, 2), strict=False)
        )
        self.out = nn.Linear(2 * sizes[-1], 1)

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        x = torch.cat([table(words[:, :, voice]) for voice, table in enumerate(self.voices)], -1).transpose(1, 2)
        for layer in self.layers:
            x = nn.functional.dropout(nn.functional.relu(layer(x)), 0.3, self.training)
        return self.out(torch.cat([x.mean(2), x.amax(2)], 1)).squeeze(1)


def moved(words: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Clips each in a random key, a tritone away at most."""
    keys = 2 * rng.integers(-6, 6, (len(words), 1, 1))
    return np.where(words > 0, np.clip(words + keys, 1, 2 * HEIGHTS), 0)


def judged(seed: int, bach: tuple[Any, Any], ours: tuple[Any, Any], epochs: int) -> tuple[float, float]:
    """Share of clips told right: of those held out, and of those learnt from."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    judge = Judge()
    optimiser = torch.optim.AdamW(judge.parameters(), 2e-3, weight_decay=0.05)
    known = np.concatenate([bach[0], ours[0]])
    truth = np.repeat([0.0, 1.0], [len(bach[0]), len(ours[0])])
    weight = np.where(truth == 1, len(bach[0]) / len(ours[0]), 1.0)
    for epoch in range(epochs):
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * (1 - epoch / epochs)
        for chosen in np.array_split(rng.permutation(len(known)), len(known) // 64):
            words = torch.from_numpy(moved(known[chosen], rng))
            loss = nn.functional.binary_cross_entropy_with_logits(
                judge(words), torch.from_numpy(truth[chosen]).float(), torch.from_numpy(weight[chosen]).float()
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    judge.eval()
    shares = []
    with torch.no_grad():
        for place in (1, 0):
            right = [
                float(((judge(torch.from_numpy(clips)) > 0) == is_ours).float().mean())
                for clips, is_ours in ((bach[place], False), (ours[place], True))
            ]
            shares.append(sum(right) / 2)
    return shares[0], shares[1]


def judge(arguments: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    asked_about = slice(0, 36) if arguments.split == "valid" else slice(36, None)
    known, held_out = chorales()
    bach = all_clips(known), all_clips(held_out[asked_about])
    print(f"clips of Bach: {len(bach[0])} to learn from, {len(bach[1])} to be asked about")
    print("| | told right, held out | range | told right, learnt from |\n|---|---|---|---|")
    for folder in arguments.folder:
        after_known, after_held_out = composed(folder)
        ours = all_clips(after_known), all_clips(after_held_out[asked_about])
        found = [judged(seed, bach, ours, arguments.epochs) for seed in range(arguments.seeds)]
        asked, learnt = zip(*found, strict=True)
        print(
            f"| {folder.name} | {statistics.mean(asked):.1%} | {min(asked):.1%} to {max(asked):.1%} | "
            f"{statistics.mean(learnt):.1%} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    commands.add_parser("corpus").set_defaults(action=corpus)
    command = commands.add_parser("compose")
    command.set_defaults(action=compose)
    command.add_argument("style")
    command.add_argument("folder", type=Path)
    command.add_argument("--rules", action="store_true", help="keep to all rules of part-writing")
    command.add_argument("--temperature", type=float)
    for name, action in (("rules", rules), ("copies", copies), ("judge", judge)):
        command = commands.add_parser(name)
        command.set_defaults(action=action)
        command.add_argument("folder", type=Path, nargs="*")
    command.add_argument("--seeds", type=int, default=5)
    command.add_argument("--epochs", type=int, default=20)
    command.add_argument("--split", choices=("valid", "test"), default="valid")
    arguments = parser.parse_args()
    arguments.action(arguments)


if __name__ == "__main__":
    main()
