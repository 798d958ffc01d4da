"""The documents: every example runs, every command is understood, and nothing that can be named is left out."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import io
import pkgutil
import re
import shlex
import tomllib
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest

import kapelle
from kapelle.cli.main import THREADS, main
from kapelle.cli.main import kapelle as command_line
from kapelle.codecs import codecs
from kapelle.corpora import sources
from kapelle.files import formats
from kapelle.music import Notes, Score, Track
from kapelle.networks import networks, presets
from kapelle.styles.store import BUNDLED

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MODULES = ["kapelle", *(module.name for module in pkgutil.walk_packages(kapelle.__path__, "kapelle."))]
COMMANDS = dict(command_line.commands)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to write to, and no styles but the bundled ones."""
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(examples: list[doctest.DocTest]) -> None:
    """Run examples that share what they define; what differs from the text fails the test with it."""
    for style in sorted(set(re.findall(r'load_style\("(\w+)"\)', "".join(test.docstring or "" for test in examples)))):
        if not (BUNDLED / f"{style}.safetensors").is_file():
            pytest.skip(f"needs the bundled style {style}")
    runner, report = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS), io.StringIO()
    for test in examples:
        runner.run(test, out=report.write, clear_globs=False)
    assert not runner.failures, report.getvalue()


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(page.read_text("utf-8")) if kind == language]


def code_lines(page: Path) -> list[str]:
    """Lines of code that is fenced, or indented by four spaces."""
    text = page.read_text("utf-8")
    fenced = "".join(block for kind, block in BLOCK.findall(text) if kind in ("", "console", "sh"))
    indented = re.findall(r"^    (\S.*)$", BLOCK.sub("", text), re.MULTILINE)
    return [*fenced.splitlines(), *indented]


def typed_commands(page: Path) -> list[list[str]]:
    lines = (line.removeprefix("$ ") for line in code_lines(page))
    return [shlex.split(line, comments=True)[1:] for line in lines if re.match(r"kapelle [a-z]", line)]


def options_of(command: click.Command) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts if option.startswith("--")}


OF_A_RUN = (
    *("train", "report", "pick", "tune", "play", "quiz", "bench", "studio"),
    *("morph", "vary", "grid", "steer", "map", "radio", "groove", "drumify", "hats"),
)
"""Commands that train, or that need a run, a loudspeaker, clips, answers or data of the reader's own."""


# -- examples -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_run(name: str, desk: Path) -> None:
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        pytest.skip("needs torch")
    run([test for test in doctest.DocTestFinder().find(module) if test.examples])


@each_page
def test_the_python_examples_of_a_page_run(page: Path, desk: Path) -> None:
    parts = blocks(page, "python")
    if any("learn(" in part for part in parts) and importlib.util.find_spec("torch") is None:
        pytest.skip("needs torch")
    shared: dict[str, object] = {}
    parser = doctest.DocTestParser()
    tests = [parser.get_doctest(part, {}, f"{page.name}, block {at}", str(page), 0) for at, part in enumerate(parts)]
    for test in tests:
        test.globs = shared
    run(tests)


@each_page
def test_every_python_block_of_a_page_is_an_example_that_runs(page: Path) -> None:
    assert all(">>>" in part for part in blocks(page, "python"))


@each_page
def test_every_command_of_a_page_is_understood(page: Path) -> None:
    for words in typed_commands(page):
        assert words[0] in COMMANDS, f"{page.name}: kapelle {words[0]}"
        COMMANDS[words[0]].make_context(words[0], list(words[1:]))


@each_page
def test_the_commands_of_a_page_do_what_they_say(page: Path, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundled = {path.stem for path in BUNDLED.glob("*.safetensors")}
    if "folk" not in bundled:
        pytest.skip("needs the bundled style folk")
    for name in THREADS:
        monkeypatch.setenv(name, "1" if name.endswith("THREADS") else "PASSIVE")
    # Where no seed is typed one is drawn; here it is none that a page types later.
    monkeypatch.setattr("secrets.randbelow", lambda most: most - 1)
    kapelle.save(Score(24, (Track(Notes.of([(0, 24, 62, 80), (24, 24, 66, 80), (48, 48, 69, 80)])),)), "riff.mid")
    hummed = ["render", "riff.mid", "--to", "hum.wav"]
    if hummed not in typed_commands(page):
        assert main(hummed) == 0
    for words in typed_commands(page):
        style = words[words.index("--style") + 1] if "--style" in words else "folk"
        # Learning takes too long here, and so there is no style of the reader's own.
        if words[0] not in OF_A_RUN and (words[1] if words[0] == "compose" else style) in bundled:
            assert main(words) == 0, f"kapelle {shlex.join(words)}"


@each_page
def test_every_option_that_a_page_mentions_exists(page: Path) -> None:
    known = {"--help", "--version"}.union(*map(options_of, COMMANDS.values()))
    mentioned = re.findall(r"`(?:kapelle [^`]*)?(--[a-z][a-z-]*)[^`]*`", page.read_text("utf-8"))
    assert set(mentioned) <= known


@each_page
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))
    missing = [link for link in links if "://" not in link and not leads_somewhere(page, link)]
    assert not missing


def leads_somewhere(page: Path, link: str) -> bool:
    """Whether there is the file, and in it the heading, as hosts of Markdown name it in links."""
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    if not target.exists() or not anchor:
        return target.exists()
    headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
    return anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_page
def test_every_function_that_a_page_names_exists(page: Path) -> None:
    for name in re.findall(r"`(kapelle(?:\.\w+)+)(?:\(\))?`", page.read_text("utf-8")):
        value: object = kapelle
        for part in name.split(".")[1:]:
            value = _part(value, part)


def _part(value: object, part: str) -> object:
    try:
        return getattr(value, part)
    except AttributeError:
        return importlib.import_module(f"{value.__name__}.{part}")  # type: ignore[attr-defined]


# -- nothing is left out --------------------------------------------------------------------------


def section(command: str) -> str:
    """What docs/commands.md says of a command: from its heading to the next."""
    text = (ROOT / "docs" / "commands.md").read_text("utf-8")
    found = re.search(rf"^## `kapelle {command}[^\n]*\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"docs/commands.md has no section on kapelle {command}"
    return found[1]


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_a_section_that_names_each_of_its_options(command: str) -> None:
    text = section(command)
    missing = {option for option in options_of(COMMANDS[command]) if f"`{option}" not in text}
    assert not missing


def named() -> Iterator[tuple[str, str]]:
    """Everything that can be chosen by name, and the page that has to name it."""
    yield from (("python.md", name) for name in codecs())
    yield from (("networks.md", name) for name in {*networks(), *presets()})
    yield from (("corpora.md", name) for name in sources())
    for form in formats().values():
        yield from (("files.md", name) for name in (form.NAME, *form.SUFFIXES))
    yield from (("styles.md", path.stem) for path in BUNDLED.glob("*.safetensors"))


@pytest.mark.parametrize(("page", "name"), sorted(set(named())))
def test_everything_that_has_a_name_is_in_the_documents(page: str, name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs" / page).read_text("utf-8")


def test_the_entry_points_in_the_documents_are_the_groups_that_are_looked_up() -> None:
    text = "".join(block for page in PAGES for block in blocks(page, "toml"))
    groups = set(tomllib.loads(text)["project"]["entry-points"])
    source = "".join(path.read_text("utf-8") for path in (ROOT / "src" / "kapelle").rglob("__init__.py"))
    assert groups == set(re.findall(r'(?:group=|GROUP = )"(kapelle\.\w+)"', source))
    assert all(not entry_points(group=group) for group in groups)
