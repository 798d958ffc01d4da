"""The laws of the house, read from the syntax trees; each is seen failing once with a planted fault."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "kapelle"

LAYERS = (
    {"errors"},
    {"music"},
    {"files", "codecs", "networks", "listening"},
    {"corpora", "rendering", "evaluation"},
    {"training", "sampling"},
    {"styles"},
    {"quiz", "bench"},
    {"studio"},
    {"cli"},
    {"__main__"},
)
"""Imports point to an earlier line, or stay inside their own folder."""

FLOOR = {folder: number for number, layer in enumerate(LAYERS) for folder in layer}

OUTSIDE = {"files", "corpora", "training", "styles", "quiz", "bench", "studio", "cli"}
"""Folders that may touch files and the network."""

NETWORK_MODULES = {"socket", "ssl", "http", "urllib", "requests", "ftplib", "asyncio", "webbrowser"}
FILE_CALLS = {"open", "read_text", "read_bytes", "write_text", "write_bytes", "mkdir", "unlink", "touch"}
FILE_CALLS |= {"rmdir", "iterdir", "glob", "rglob", "is_file", "is_dir", "exists", "stat", "listdir", "scandir"}
WAITING = {
    "symusic",
    "music21",
    "PIL",
    "safetensors",
    "platformdirs",
    "optuna",
    "sqlalchemy",
    "tensorboard",
    "filelock",
    "soundfile",
    "verovio",
    "typst",
    "onnxruntime",
    "rtmidi",
}
"""Libraries that are imported only where they are used, or not installed at all."""

CHANCE_MODULES = {"random", "secrets", "uuid"}
NUMPY_CHANCE = {"default_rng", "Generator", "SeedSequence", "BitGenerator"}


class Module:
    """One source file of the package.

    Attributes:
        path: inside the package, "styles/learning.py".
        folder: its first part, "styles".
        tree: its syntax.
    """

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.folder = path.split("/")[0].removesuffix(".py")
        self.tree = ast.parse(text)

    def imports(self) -> Iterator[tuple[str, ast.AST]]:
        """The full name of everything that is imported, wherever it stands."""
        package = ["kapelle", *self.path.split("/")[:-1]]
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, node) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = package[: len(package) - node.level + 1] if node.level else []
                home = ".".join([*base, *([node.module] if node.module else [])])
                yield from ((f"{home}.{alias.name}", node) for alias in node.names)

    def calls(self) -> Iterator[tuple[str, ast.Call]]:
        """What is called, as written: "np.random.rand"; for the result of an expression its last name."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield _written(node.func), node

    def in_functions(self) -> set[ast.AST]:
        """Every node that stands in a function."""
        functions = [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef)]
        return {inner for function in functions for inner in ast.walk(function)}


def _written(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        before = _written(node.value)
        return f"{before}.{node.attr}" if before else node.attr
    return node.id if isinstance(node, ast.Name) else ""


def imports_point_down(module: Module) -> Iterator[str]:
    if module.folder == "__init__":
        # The root names everything for type checkers; that it imports nothing is a law of its own.
        return
    for name, node in module.imports():
        parts = name.split(".")
        if parts[0] != "kapelle":
            continue
        target = parts[1]
        if target not in FLOOR:
            if target != "__version__":
                yield f"line {node.lineno}: {name} belongs to no layer"  # type: ignore[attr-defined]
        elif target != module.folder and FLOOR[target] >= FLOOR[module.folder]:
            yield f"line {node.lineno}: {module.folder} imports {target}"  # type: ignore[attr-defined]


def networks_know_no_music(module: Module) -> Iterator[str]:
    for name, _ in module.imports():
        if module.folder == "networks" and name.startswith(("kapelle.music", "symusic", "music21")):
            yield f"imports {name}"


def torch_stays_where_it_trains(module: Module) -> Iterator[str]:
    parts = module.path.split("/")
    of_networks = parts[0] == "networks" and (parts[2:] == ["module.py"] or parts[1:] == ["scoring.py"])
    for name, _ in module.imports():
        if name.split(".")[0] == "torch" and module.folder != "training" and not of_networks:
            yield f"imports {name}"


def heavy_libraries_wait_inside_functions(module: Module) -> Iterator[str]:
    inside = module.in_functions()
    for name, node in module.imports():
        library = name.split(".")[0]
        if library in WAITING and node not in inside:
            yield f"imports {library} at its top"
        if library == "numpy" and module.folder in {"cli", "errors", "__init__"} and node not in inside:
            yield "imports numpy at its top"


def chance_is_an_argument(module: Module) -> Iterator[str]:
    for name, _ in module.imports():
        if name.split(".")[0] in CHANCE_MODULES and module.folder not in {"cli", "studio"}:
            yield f"imports {name}"
    for name, _ in module.calls():
        parts = name.split(".")
        if parts[-1] in {"urandom", "getrandbits"} and module.folder not in {"cli", "studio"}:
            yield f"calls {name}"
        if parts[:2] in (["np", "random"], ["numpy", "random"]) and parts[-1] not in NUMPY_CHANCE:
            yield f"calls {name}"
        if parts[0] == "torch" and parts[-1] in {"manual_seed", "seed"} and module.folder != "training":
            yield f"calls {name}"


def only_some_folders_touch_the_world(module: Module) -> Iterator[str]:
    if module.folder not in OUTSIDE:
        for name, _ in module.imports():
            library = name.split(".")[0]
            # Engravers and synthesisers may crash: rendering runs them in processes of their own.
            if library in NETWORK_MODULES | {"shutil", "tempfile"} or (
                library in {"subprocess", "multiprocessing"} and module.folder != "rendering"
            ):
                yield f"imports {name}"
        for name, _ in module.calls():
            if name.split(".")[-1] in FILE_CALLS:
                yield f"calls {name}"
    if module.folder not in {"cli", "studio"}:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "putenv"}:
                yield f"reads the environment: {_written(node)}"
            if isinstance(node, ast.Name) and node.id == "print":
                yield "prints"


LAWS: tuple[Callable[[Module], Iterator[str]], ...] = (
    imports_point_down,
    networks_know_no_music,
    torch_stays_where_it_trains,
    heavy_libraries_wait_inside_functions,
    chance_is_an_argument,
    only_some_folders_touch_the_world,
)

PLANTED = (
    (imports_point_down, "music/score.py", "from ..files import load"),
    (imports_point_down, "music/score.py", "from .. import styles"),
    (imports_point_down, "codecs/events/codec.py", "from ...networks import Columns"),
    (imports_point_down, "evaluation/facts.py", "def f():\n    from kapelle.rendering import to_png"),
    (imports_point_down, "files/midi.py", "import kapelle.cli.main"),
    (imports_point_down, "errors.py", "from .music import Score"),
    (imports_point_down, "sampling/draw.py", "from ..training.trainer import fit"),
    (imports_point_down, "styles/style.py", "from ..helpers import do_it"),
    (networks_know_no_music, "networks/lstm/player.py", "from ...music import Score"),
    (torch_stays_where_it_trains, "networks/lstm/player.py", "import torch"),
    (torch_stays_where_it_trains, "styles/lesson.py", "def f():\n    import torch"),
    (torch_stays_where_it_trains, "styles/style.py", "def f():\n    from torch import nn"),
    (heavy_libraries_wait_inside_functions, "files/midi.py", "import symusic"),
    (heavy_libraries_wait_inside_functions, "cli/main.py", "import numpy as np"),
    (chance_is_an_argument, "sampling/draw.py", "import random"),
    (chance_is_an_argument, "sampling/draw.py", "import numpy as np\nx = np.random.rand(3)"),
    (chance_is_an_argument, "sampling/draw.py", "import numpy as np\nnp.random.seed(1)"),
    (chance_is_an_argument, "networks/lstm/module.py", "import torch\ntorch.manual_seed(1)"),
    (chance_is_an_argument, "codecs/events/codec.py", "import os\nx = os.urandom(8)"),
    (only_some_folders_touch_the_world, "codecs/events/codec.py", "x = open('a')"),
    (only_some_folders_touch_the_world, "rendering/roll.py", "from pathlib import Path\nPath('a').write_bytes(b'')"),
    (only_some_folders_touch_the_world, "evaluation/facts.py", "import urllib.request"),
    (only_some_folders_touch_the_world, "styles/style.py", "import os\nx = os.environ.get('HOME')"),
    (only_some_folders_touch_the_world, "training/trainer.py", "print('epoch')"),
)


def sources() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_every_module_keeps_to_the_law(law: Callable[[Module], Iterator[str]]) -> None:
    faults = [
        f"{path.relative_to(SOURCE)}: {fault}"
        for path in sources()
        for fault in law(Module(path.relative_to(SOURCE).as_posix(), path.read_text("utf-8")))
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("law", "path", "text"), PLANTED, ids=lambda value: getattr(value, "__name__", str(value))[:40]
)
def test_a_planted_fault_is_found(law: Callable[[Module], Iterator[str]], path: str, text: str) -> None:
    assert list(law(Module(path, text)))


def test_every_folder_of_the_package_has_its_layer() -> None:
    folders = {path.name for path in SOURCE.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    assert folders <= set(FLOOR)


# -- what importing does --------------------------------------------------------------------------

WATCH = """
import json, os, sys
seen = {"files": [], "environment": [], "sockets": []}
place = (sys.prefix, sys.base_prefix, SOURCE)
def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and not arguments[0].startswith(place):
        seen["files"].append(arguments[0])
    if event.startswith("socket."):
        seen["sockets"].append(event)
sys.addaudithook(hook)
ask = os._Environ.__getitem__
def watched(self, name):
    seen["environment"].append(name)
    return ask(self, name)
os._Environ.__getitem__ = watched
exec(CODE)
print(json.dumps({**seen, "modules": sorted({name.split(".")[0] for name in sys.modules})}))
"""

HEAVY = {"torch", "numpy", "symusic", "music21", "PIL", "safetensors", "platformdirs", "click"}


def watch(code: str) -> dict[str, list[str]]:
    """What a fresh process opens, reads and imports while it runs code; it must print nothing."""
    program = f"SOURCE, CODE = {str(SOURCE.parent)!r}, {code!r}\n{WATCH}"
    environment = {**os.environ, "PYTHONPATH": str(SOURCE.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1, done.stdout
    seen: dict[str, list[str]] = json.loads(done.stdout)
    return seen


def test_importing_kapelle_is_silent_and_touches_nothing() -> None:
    seen = watch("import kapelle")
    assert not HEAVY & set(seen["modules"])
    assert (seen["files"], seen["environment"], seen["sockets"]) == ([], [], [])


def test_importing_the_command_line_imports_click_and_nothing_else() -> None:
    assert HEAVY & set(watch("import kapelle.cli.main")["modules"]) == {"click"}


def test_a_heavy_import_an_opened_file_and_a_read_variable_would_be_seen() -> None:
    seen = watch("import os, numpy; os.environ.get('HOME'); open('/dev/null').close()")
    assert "numpy" in seen["modules"]
    assert "HOME" in seen["environment"]
    assert "/dev/null" in seen["files"]


def test_composing_imports_neither_torch_nor_music21_and_writing_midi_and_pictures_neither(tiny_style: Path) -> None:
    seen = watch(
        f"import kapelle; score = kapelle.load_style({str(tiny_style)!r}).compose(bars=2, seed=1)\n"
        "from kapelle.files import format_of\n"
        "from kapelle.rendering import to_png\n"
        "format_of('a.mid').encode(score), format_of('a.musicxml').encode(score), to_png(score)"
    )
    assert not {"torch", "music21"} & set(seen["modules"])
    assert seen["sockets"] == []


@pytest.mark.parametrize(("code", "limit"), [("import kapelle", 0.1), ("import kapelle.cli.main", 0.25)])
def test_starting_is_instant(code: str, limit: float) -> None:
    program = f"import time; start = time.process_time(); {code}; print(time.process_time() - start)"
    environment = {**os.environ, "PYTHONPATH": str(SOURCE.parent)}
    run = [sys.executable, "-c", program]
    # The processor's time, and the best of three: a busy neighbour is not our fault.
    spent = [float(subprocess.run(run, capture_output=True, env=environment, check=True).stdout) for _ in range(3)]
    assert min(spent) < limit
