"""`kapelle engrave`: which files it writes, and what it says where it writes none."""

from __future__ import annotations

from pathlib import Path

import pytest

import kapelle
from kapelle.cli.engraving import _file_name
from kapelle.cli.main import main
from kapelle.files.musicxml import decode
from kapelle.music import Notes, Score, Track
from kapelle.rendering.sheet import engraver

for_both = pytest.mark.skipif(
    engraver.find_spec("verovio") is None or engraver.find_spec("typst") is None, reason="needs verovio and typst"
)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a song of two parts and a tune of many pages."""
    monkeypatch.chdir(tmp_path)
    melody = Track(Notes.of((24 * at, 24, 60 + at % 12, 80) for at in range(16)), 40, name="Fiddle")
    bass = Track(Notes.of((96 * at, 96, 40, 80) for at in range(4)), 32, name="Bass / Kontrabass")
    kapelle.save(Score(24, (melody, bass)), "song.mid")
    long = Track(Notes.of((6 * at, 6, 60 + at % 12, 80) for at in range(1200)), 40)
    kapelle.save(Score(24, (long,), title="Long"), "long.mid")
    return tmp_path


def made(desk: Path) -> set[str]:
    return {path.name for path in desk.iterdir()} - {"song.mid", "long.mid"}


@for_both
def test_without_a_name_a_pdf_lies_beside_the_music(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["engrave", "song.mid"]) == 0
    assert made(desk) == {"song.pdf"}
    assert capsys.readouterr().out == "song.pdf\n    2 parts, 4 bars, 20 notes\n"


def test_notation_needs_no_extra(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engraver, "find_spec", lambda name: None)
    assert main(["engrave", "song.mid", "--to", "song.musicxml"]) == 0
    assert main(["engrave", "song.mid", "--to", "song.ly"]) == 0
    assert decode((desk / "song.musicxml").read_bytes()).title == "song"
    assert 'title = "song"' in (desk / "song.ly").read_text("utf-8")


def test_parts_are_numbered_and_named(desk: Path) -> None:
    assert main(["engrave", "song.mid", "--to", "new/song.ly", "--parts"]) == 0
    assert {path.name for path in (desk / "new").iterdir()} == {
        "song.ly", "song-1-fiddle.ly", "song-2-bass-kontrabass.ly",
    }  # fmt: skip


@for_both
def test_several_pages_of_pictures_are_numbered_and_one_is_not(desk: Path) -> None:
    assert main(["engrave", "song.mid", "--to", "song.svg"]) == 0
    assert main(["engrave", "song.mid", "--to", "song.png"]) == 0
    assert main(["engrave", "long.mid", "--to", "long.svg"]) == 0
    names = made(desk)
    assert {"song.svg", "song.png", "long-1.svg", "long-2.svg"} <= names
    assert "long.svg" not in names


def test_a_file_that_exists_stays_without_force(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (desk / "song-2-bass-kontrabass.ly").write_text("mine")
    assert main(["engrave", "song.mid", "--to", "song.ly", "--parts"]) == 2
    assert "exists already" in capsys.readouterr().err
    assert made(desk) == {"song-2-bass-kontrabass.ly"}
    assert main(["engrave", "song.mid", "--to", "song.ly", "--parts", "--force"]) == 0
    assert "version" in (desk / "song-2-bass-kontrabass.ly").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["song.mid", "--to", "song.doc"], "expected --to to end in .pdf, .png"),
        (["none.mid"], "none.mid"),
        (["."], "folder"),
        ([], "expected MUSIC"),
        (["song.mid", "--to", "song.mid/x.pdf"], "expected a folder"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    desk: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["engrave", *words]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert made(desk) == set()


def test_a_missing_extra_is_told_and_nothing_is_written(
    desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engraver, "find_spec", lambda name: None)
    assert main(["engrave", "song.mid"]) == 2
    assert "kapelle[sheet]" in capsys.readouterr().err
    assert made(desk) == set()


@pytest.mark.parametrize(("name", "file"), [("Violin I / solo", "violin-i-solo"), ("../../x", "x"), ("", "part")])
def test_names_of_parts_are_safe_names_of_files(name: str, file: str) -> None:
    assert _file_name(name) == file
