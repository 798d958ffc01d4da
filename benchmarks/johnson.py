"""How much faster the network `johnson` learns than the same network with loops over its notes.

    python benchmarks/johnson.py [--pieces 4] [--frames 64] [--keys 78] [--steps 2]

Both have the layers of Johnson's biaxial network of 2015, 300 and 300 along time, 100 and 50 along the notes, and are
given the same facts of each note. Kapelle moves all notes along time at once, and all frames along the notes. The
plain one goes from note to note in Python, in one form with all of time at once, and in another frame by frame too,
as it stands in a text. A step is a forward pass, a backward pass and an update. Where training makes its products in
bfloat16, as on a processor with AMX, each is measured so as well as in 32 bits. Seconds are of processor time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kapelle.networks import Columns, network
from kapelle.training.parallel import Alone

WORDS = 3


class Plain(nn.Module):
    """The layers of `johnson`, with a loop over notes, and, if wished, over frames.

    Args:
        inputs: numbers that each note is given in each frame.
        by_frame: whether frames are gone through one by one.
    """

    def __init__(self, inputs: int, by_frame: bool) -> None:
        super().__init__()
        self.by_frame = by_frame
        self.time = nn.ModuleList([nn.LSTMCell(inputs, 300), nn.LSTMCell(300, 300)])
        self.note = nn.ModuleList([nn.LSTMCell(302, 100), nn.LSTMCell(100, 50)])
        self.head = nn.Linear(50, WORDS)

    def forward(self, seen: Tensor, words: Tensor) -> Tensor:
        """The cost of words (B, T, K) from what each note is given, (B, T, K, I)."""
        along = torch.stack([self._along_time(seen[:, :, key]) for key in range(seen.shape[2])], dim=2)
        cost = seen.new_zeros(())
        frames = [slice(at, at + 1) for at in range(seen.shape[1])] if self.by_frame else [slice(None)]
        for frame in frames:
            now, told = along[:, frame].flatten(0, 1), words[:, frame].flatten(0, 1)
            states: list[tuple[Tensor, Tensor] | None] = [None, None]
            below = torch.zeros_like(told[:, 0])
            for key in range(seen.shape[2]):
                x = torch.cat([now[:, key], torch.stack([below > 0, below > 1], 1).float()], dim=1)
                for index, cell in enumerate(self.note):
                    states[index] = cell(x, states[index])
                    x = states[index][0]  # type: ignore[index]
                cost = cost + F.cross_entropy(self.head(x), told[:, key], reduction="sum")
                below = told[:, key]
        return cost

    def _along_time(self, x: Tensor) -> Tensor:
        """One note's way through time, (B, T, 300)."""
        states: list[tuple[Tensor, Tensor] | None] = [None, None]
        heard = []
        for frame in range(x.shape[1]):
            y = x[:, frame]
            for index, cell in enumerate(self.time):
                states[index] = cell(y, states[index])
                y = states[index][0]  # type: ignore[index]
            heard.append(y)
        return torch.stack(heard, dim=1)


def seconds(module: nn.Module, cost: Callable[[], Tensor], steps: int, low: bool) -> float:
    """Processor time of a training step, after one to warm up; in bfloat16 if `low`."""
    optimiser = torch.optim.Adadelta(module.parameters())
    begun = 0.0
    for number in range(steps + 1):
        if number == 1:
            begun = time.process_time()
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=low):
            found = cost()
        found.backward()
        optimiser.step()
    return (time.process_time() - begun) / steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, usual in (("pieces", 4), ("frames", 64), ("keys", 78), ("steps", 2)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    columns = Columns.of([("beat", 16, True), *((f"pitch {24 + key}", WORDS, False) for key in range(asked.keys))])
    net = network("johnson", columns)
    words = torch.randint(0, WORDS, (asked.pieces, asked.frames, asked.keys)) * (
        torch.rand(asked.pieces, asked.frames, asked.keys) < 0.06
    )
    steps = torch.cat([torch.arange(asked.frames).remainder(16).expand(asked.pieces, -1)[..., None], words], dim=2)
    own = net.module()
    seen = torch.randn(asked.pieces, asked.frames, asked.keys, net.config.input_dim)
    for low in (False, True)[: 1 + Alone().low_precision]:
        fast = seconds(own, lambda: own(steps)[0].sum(), asked.steps, low)
        print(f"{'bfloat16' if low else '32 bits'}: johnson {fast:.2f} s a step, {1 / fast:.2f} steps a second")
        for by_frame, name in ((False, "a loop over notes"), (True, "loops over notes and frames")):
            plain = Plain(net.config.input_dim, by_frame)
            slow = seconds(plain, lambda plain=plain: plain(seen, words), max(asked.steps // 2, 1), low)  # type: ignore[misc]
            print(f"  {name}: {slow:.2f} s a step, {slow / fast:.1f} times as long")


if __name__ == "__main__":
    main()
