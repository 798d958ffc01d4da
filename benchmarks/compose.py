"""Composing from a cold start, and what starting costs.

    python benchmarks/compose.py [--runs 7]

Each figure is of whole processes: `kapelle compose folk --notes 500` into an empty folder, `import kapelle`, and
`kapelle --help`, in turn, median of the runs. Composing itself is measured inside one process, second piece
first. Peak memory is the operating system's own figure for the child.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

ARTICLE_SECONDS = 37.0
"""What the article's own script took for 500 notes on two such cores, loading not counted."""

INSIDE = """
import time, sys, kapelle
style = kapelle.load_style("folk"); style.compose(bars=2, seed=0)
start = time.perf_counter(); score = style.compose(notes=500, seed=int(sys.argv[1]))
assert score.num_notes == 500 and "torch" not in sys.modules
print(time.perf_counter() - start)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    whole, inside, imports, helps, peaks = [], [], [], [], []
    for seed in range(1, runs + 1):
        with tempfile.TemporaryDirectory() as folder:
            command = ["-m", "kapelle", "compose", "folk", "--notes", "500", "--seed", str(seed), "--out", folder]
            seconds, peak, _ = child(command)
        whole.append(seconds)
        peaks.append(peak)
        inside.append(float(child(["-c", INSIDE, str(seed)])[2]))
        imports.append(child(["-c", "import kapelle"])[0] - child(["-c", "pass"])[0])
        helps.append(child(["-m", "kapelle", "--help"])[0])
    print("| what | median | range |\n|---|---|---|")
    rows = [
        ("`kapelle compose folk --notes 500`, whole process", whole, "s"),
        ("composing 500 notes itself", inside, "s"),
        ("peak memory of that process", peaks, "MB"),
        ("`import kapelle`, over bare Python", imports, "s"),
        ("`kapelle --help`, whole process", helps, "s"),
    ]
    for what, values, unit in rows:
        print(f"| {what} | {statistics.median(values):.3g} {unit} | {min(values):.3g} to {max(values):.3g} |")
    faster = ARTICLE_SECONDS / statistics.median(inside)
    print(f"| times faster than the article's script ({ARTICLE_SECONDS:.0f} s) | {faster:.0f} | |")


def child(arguments: list[str]) -> tuple[float, float, str]:
    """Seconds, peak memory in MB and output of a Python process."""
    read, write = os.pipe()
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], stdout=write)
    os.close(write)
    with os.fdopen(read) as pipe:
        output = pipe.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed with {process.returncode}")
    return seconds, usage.ru_maxrss / 1024, output


if __name__ == "__main__":
    main()
