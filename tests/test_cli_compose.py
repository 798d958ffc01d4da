"""`kapelle compose` and `kapelle continue`, as typed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kapelle import load, open_style, save_style
from kapelle.cli.output import fact_line
from kapelle.evaluation import Memory
from kapelle.music import Key, Notes, Score, Track
from terminal import Terminal


def test_a_piece_is_named_after_style_and_seed_and_its_facts_are_told(terminal: Terminal) -> None:
    said = terminal.run("compose tiny --bars 4 --seed 7 --key 'D minor' --meter 3/4 --tempo 96 --out tunes")
    score = load("tunes/tiny-7.mid")
    path, line, last = said.out.splitlines()
    assert path == "tunes/tiny-7.mid"
    assert line.strip().startswith("D minor, 3/4, 96 beats a minute, 4 bars, ")
    assert f"{score.num_notes} notes" in line
    assert re.fullmatch(r"1 piece in \d+\.\d seconds", last)
    assert (score.keys[0], len(score.bars()) - 1, score.title) == (Key.parse("D minor"), 4, "tiny 7")


def test_the_same_seed_gives_the_same_file(terminal: Terminal) -> None:
    terminal.run("compose tiny --bars 4 --seed 7 --out a")
    terminal.run("compose tiny --bars 4 --seed 7 --out b")
    assert Path("a/tiny-7.mid").read_bytes() == Path("b/tiny-7.mid").read_bytes()


def test_several_pieces_have_the_seeds_that_follow(terminal: Terminal) -> None:
    said = terminal.run("compose tiny --bars 1 --seed 7 --count 3")
    assert terminal.files() == ["tiny-7.mid", "tiny-8.mid", "tiny-9.mid"]
    assert said.out.splitlines()[-1].startswith("3 pieces in ")
    terminal.run("compose tiny --bars 1 --seed 8 --out alone")
    assert Path("alone/tiny-8.mid").read_bytes() == Path("tiny-8.mid").read_bytes()


def test_every_format_is_written_and_its_path_told(terminal: Terminal) -> None:
    said = terminal.run("compose tiny --bars 2 --seed 1 --formats mid,musicxml,png,svg,txt,.MID")
    assert terminal.files() == [f"tiny-1.{suffix}" for suffix in ("mid", "musicxml", "png", "svg", "txt")]
    assert said.out.splitlines()[:5] == [f"tiny-1.{suffix}" for suffix in ("mid", "musicxml", "png", "svg", "txt")]
    assert Path("tiny-1.png").read_bytes().startswith(b"\x89PNG")
    assert load("tiny-1.txt") == load("tiny-1.txt")
    assert load("tiny-1.musicxml").num_notes


def test_without_a_seed_a_free_one_is_found_so_that_it_can_be_typed_again_and_again(terminal: Terminal) -> None:
    for _ in range(4):
        terminal.run("compose tiny --bars 1 --out out")
    assert len(terminal.files("out")) == 4


def test_lengths_range_polyphony_instruments_and_title_are_wished_for_by_options(terminal: Terminal) -> None:
    terminal.run(
        "compose tiny --notes 40 --range C4-C5 --polyphony 1 --instrument flute --instrument 42 --title Night --seed 1 "
        "--temperature 0.9 --top-k 20 --top-p 0.9 --min-p 0.01"
    )
    score = load("tiny-1.mid")
    pitched = [track for track in score.tracks if not track.is_drum]
    assert (score.num_notes, score.title) == (40, "Night")
    assert {track.program for track in pitched} <= {73, 42}
    assert all(60 <= pitch <= 72 for track in pitched for pitch in track.notes.pitch)
    terminal.run("compose tiny --seconds 10 --seed 2")
    score = load("tiny-2.mid")
    assert float(score.tempos.seconds(int(score.bars()[-1]), score.ticks_per_quarter)) == pytest.approx(10, abs=0.1)


@pytest.mark.parametrize("range_", ["C3-C6", "48-84", "C3,C6", "'C3 C6'", "48..84", "'C3 to C6'", "C-1-G9"])
def test_a_range_may_be_written_in_many_ways(terminal: Terminal, range_: str) -> None:
    terminal.run(f"compose tiny --bars 1 --range {range_}")


def test_a_style_may_be_named_by_its_file(terminal: Terminal, tiny_style: Path) -> None:
    terminal.run(f"compose {tiny_style} --bars 1 --seed 3")
    assert terminal.files() == ["tiny-3.mid"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("tinny", r"no style named 'tinny'; did you mean 'tiny'\?"),
        ("nothing-like-it", r"no style named .*; there are .*tiny.*train"),
        ("./none.safetensors", r"there is no such style; `kapelle styles` lists"),
        (
            "tiny --bars 0",
            r"expected bars as a whole number from 1 to 10,000, got 0; leave it out, and the style chooses",
        ),
        ("tiny --bars 2.5", r"expected --bars to be a whole number, such as 16; got '2\.5'"),
        (
            "tiny --bars many",
            r"expected --bars to be a whole number, such as 16; got 'many'; see kapelle compose --help",
        ),
        ("tiny --bars 4 --notes 20", r"expected one length: bars, notes or seconds, got several; leave all but one"),
        ("tiny --notes 0", r"notes .*from 1 to 100,000, got 0"),
        ("tiny --seconds 0", r"expected seconds above 0 and up to 36,000, got 0; leave it out"),
        ("tiny --seconds -1", r"expected seconds above 0 and up to 36,000, got -1"),
        ("tiny --seconds nan", r"expected seconds above 0 and up to 36,000, got nan"),
        ("tiny --seconds 1:30", r"expected --seconds to be a number, such as 30; got '1:30'"),
        ("tiny --tempo 5", r"expected a tempo from 10 to 400 beats a minute, got 5"),
        ("tiny --tempo inf", r"expected a tempo from 10 to 400"),
        ("tiny --key 'H major'", r"expected a key in major or minor, such as 'D minor'.*got 'H major'"),
        ("tiny --key 'C dorian'", r"in major or minor, .*got 'C dorian'; its notes are those of Bb major"),
        ("tiny --key D minor", r"got more than expected: 'minor'; a value of several words goes in quotes"),
        ("tiny --key", r"expected something after --key, got nothing"),
        ("tiny --meter 5/7", r"expected a metre such as 3/4 or 6/8, 1 to 16 over 2, 4, 8 or 16, .*; got 5/7"),
        ("tiny --meter 17/4", r"expected a metre such as 3/4 or 6/8, 1 to 16 over 2, 4, 8 or 16, .*; got 17/4"),
        ("tiny --meter waltz", r"expected a metre such as 3/4 or 6/8, got 'waltz'"),
        ("tiny --range C4", r"expected a --range such as C3-C6 or 48-84, got 'C4'"),
        ("tiny --range C6-C3", r"expected a range from low to high, got C6 \(84\) to C3 \(48\); write the lower"),
        ("tiny --range C4-C12", r"expected a --range such as"),
        ("tiny --range 60-200", r"pitch must be a MIDI number 0\.\.127"),
        ("tiny --polyphony 0", r"polyphony .*from 1 to 1,000, got 0"),
        ("tiny --instrument trumpetz", r"expected an instrument .*got 'trumpetz'; did you mean Trumpet"),
        ("tiny --instrument drums", r"got 'drums': a style brings its own drum kit or has none"),
        ("tiny --instrument 128", r"expected an instrument .*0 to 127, got '128'"),
        ("tiny --temperature -1", r"expected --temperature to be a number from 0 to 10, such as 0\.9; got '-1'"),
        ("tiny --temperature nan", r"expected a temperature of 0\.\.10, got nan"),
        ("tiny --top-p 0", r"expected top_p above 0 and up to 1, got 0"),
        ("tiny --top-p 7", r"expected --top-p to be a number from 0 to 1, such as 0\.98; got '7'"),
        ("tiny --min-p 1", r"expected 0 <= min_p < 1, got 1"),
        ("tiny --top-k -1", r"expected --top-k to be a whole number from 0 on, such as 20; got '-1'"),
        ("tiny --formats aac", r"expected --formats of mid, .*png, svg.*mp3, got 'aac'"),
        ("tiny --formats ,", r"expected --formats such as mid,musicxml,png"),
        ("tiny --count 0", r"expected --count to be a whole number from 1 to 10,000, such as 4; got '0'"),
        ("tiny --seed -3", r"expected --seed to be a whole number from 0 on, such as 7; got '-3'"),
        ("tiny --seed seven", r"expected --seed to be a whole number .*got 'seven'"),
        ("tiny --bras 3", r"there is no option --bras; did you mean --bars\?; see kapelle compose --help"),
        ("tiny extra", r"got more than expected: 'extra'"),
        ("", r"expected STYLE, got none; for example: kapelle compose folk .*; see kapelle compose --help"),
        (".", r"\.: expected a style, got a folder; to learn one from it: kapelle train \. --name NAME"),
        ("riff.mid", r"riff\.mid: expected a style, got .*music; to go on from it: kapelle continue riff\.mid --style"),
    ],
)
def test_what_cannot_be_is_told_in_one_line_and_nothing_is_written(
    terminal: Terminal, words: str, expected: str
) -> None:
    terminal.refuses(f"compose {words}", expected)
    assert terminal.files() == []


def test_an_instrument_that_finds_no_track_is_told(terminal: Terminal) -> None:
    terminal.add_style("solo", drums=False)
    said = terminal.run("compose solo --bars 2 --seed 1 --instrument flute --instrument cello --instrument oboe")
    assert said.err == "seed 1: no track for cello, oboe: the piece has 1 track for instruments\n"
    assert terminal.run("compose solo --bars 2 --seed 2 --instrument flute").err == ""


def test_originality_is_wished_for_by_an_option_and_without_it_copies_are_told(
    terminal: Terminal, tiny_style: Path
) -> None:
    style = open_style(tiny_style)
    piece = style.compose(notes=400, seed=7)
    save_style(replace(style, memory=Memory.of([piece])), terminal.styles / "new.safetensors")
    save_style(replace(style, memory=None), terminal.styles / "old.safetensors")
    said = terminal.run("compose new --notes 400 --seed 7")
    expected = r"seed 7: copies \d+ notes in bars \d+ to \d+ from what it learnt; up to 16 in a row are usual"
    assert any(re.fullmatch(expected, line) for line in said.err.splitlines())
    terminal.run("compose new --notes 400 --seed 7 --original --out other")
    found = Memory.of([piece]).longest(load("other/new-7.mid"))
    assert found is None or found.notes <= 16
    terminal.run("continue other/new-7.mid --style new --original --bars 2")
    for words in ("compose old --bars 2 --original", "continue other/new-7.mid --style old --original"):
        terminal.refuses(words, r"expected a style that remembers its pieces.*got 'tiny'.*train it again, or leave")


def test_a_piece_that_is_all_pickup_is_said_to_be_one_not_to_have_no_bars() -> None:
    pickup = Score(24, (Track(Notes.of([(0, 24, 60, 80)])),), pickup=24)
    assert "a pickup alone, 1 note" in fact_line(pickup)
    assert "1 bar, 1 note" in fact_line(pickup.replace(pickup=0))


def test_a_range_without_a_note_of_the_key_is_told_if_the_style_has_nothing_else_to_play(terminal: Terminal) -> None:
    terminal.add_style("solo", drums=False)
    terminal.refuses("compose solo --bars 2 --key 'C major' --range C#4-C#4", r".+")
    assert terminal.files() == []


def test_a_file_that_exists_is_never_overwritten_but_by_force(terminal: Terminal) -> None:
    Path("tiny-8.png").write_text("mine")
    said = terminal.refuses(
        "compose tiny --bars 1 --seed 7 --count 3 --formats mid,png", r"tiny-8\.png: exists already"
    )
    assert "--force" in said.err
    assert (terminal.files(), Path("tiny-8.png").read_text()) == (["tiny-8.png"], "mine")
    terminal.run("compose tiny --bars 1 --seed 8 --formats mid,png --force")
    assert Path("tiny-8.png").read_bytes().startswith(b"\x89PNG")


def test_a_link_to_nowhere_counts_as_a_file(terminal: Terminal) -> None:
    Path("tiny-8.mid").symlink_to("elsewhere.mid")
    terminal.refuses("compose tiny --bars 1 --seed 8", r"exists already")


@pytest.mark.parametrize("out", ["taken", "taken/below", "tiny-1.mid/"])
def test_a_file_in_the_place_of_the_folder_is_told(terminal: Terminal, out: str) -> None:
    Path("taken").write_text("mine")
    Path("tiny-1.mid").write_text("mine")
    terminal.refuses(f"compose tiny --bars 1 --out {out}", r"expected a folder to write to, got a file; .*--out")
    assert terminal.files() == ["taken", "tiny-1.mid"]


@pytest.mark.parametrize("name", ["tune.mid", "a/tune.PDF"])
def test_a_folder_that_is_called_like_a_file_is_refused(terminal: Terminal, name: str) -> None:
    terminal.refuses(f"compose tiny --bars 1 --out {name}", r"expected a folder to write to, got the name of a file")
    assert terminal.files() == []


def test_a_folder_that_cannot_be_written_is_told_before_the_work(terminal: Terminal) -> None:
    terminal.refuses("compose tiny --bars 1 --out /proc/kapelle", r"cannot be (written|made)")


def test_a_disk_that_is_full_leaves_nothing_of_the_piece(terminal: Terminal) -> None:
    said = terminal.separately("compose tiny --bars 64 --seed 1 --formats mid,txt --out new", most_bytes=3000)
    assert said.code == 2
    assert re.fullmatch(r"kapelle: new/tiny-1\.(mid|txt): cannot be written: .+", said.err.splitlines()[-1])
    assert terminal.files("new") == []


def test_an_output_that_is_full_is_told_in_one_line(terminal: Terminal) -> None:
    said = terminal.separately("styles", output="/dev/full")
    assert (said.code, said.err) == (2, "kapelle: cannot print: no space left on device\n")


def test_a_reader_that_goes_away_is_no_traceback(terminal: Terminal) -> None:
    assert "Traceback" not in terminal.separately("compose tiny --bars 1 --count 40", output="closed pipe").err


def test_a_title_the_terminal_cannot_print_does_not_end_the_program(terminal: Terminal) -> None:
    terminal.run("compose tiny --bars 1 --seed 1 --title 'Lied ♪ 日本'")
    said = terminal.separately("show tiny-1.mid", PYTHONIOENCODING="latin-1")
    assert said.code == 0
    assert "Lied ? ??" in said.out


# -- continue -------------------------------------------------------------------------------------


def test_a_beginning_is_continued_and_stays_as_it_is(terminal: Terminal) -> None:
    terminal.run("compose tiny --bars 4 --seed 1 --out given")
    given = Path("given/tiny-1.mid").read_bytes()
    said = terminal.run("continue given/tiny-1.mid --style tiny --bars 3 --seed 5")
    assert said.out.splitlines()[0] == "tiny-1-tiny-5.mid"
    before, after = load("given/tiny-1.mid"), load("tiny-1-tiny-5.mid")
    assert len(after.bars()) == len(before.bars()) + 3
    early = sum(int((track.notes.onset < before.bars()[-1]).sum()) for track in after.tracks)
    assert early == before.num_notes
    assert Path("given/tiny-1.mid").read_bytes() == given
    assert after.title == "tiny 1, continued by tiny 5"


def test_a_beginning_without_a_title_is_called_after_its_file(terminal: Terminal) -> None:
    terminal.write("riff.mid", np.arange(8))
    terminal.run("continue riff.mid --style tiny --bars 1 --seed 2")
    assert load("riff-tiny-2.mid").title == "riff, continued by tiny 2"


def test_a_name_in_any_script_is_continued(terminal: Terminal) -> None:
    terminal.run("compose tiny --bars 1 --seed 1")
    Path("tiny-1.mid").rename("Füße ♪ 日本.mid")
    terminal.run("continue 'Füße ♪ 日本.mid' --style tiny --bars 1 --seed 2")
    assert "Füße ♪ 日本-tiny-2.mid" in terminal.files()


def test_a_beginning_of_four_notes_and_one_of_five_hours_are_continued(terminal: Terminal) -> None:
    terminal.write("four.mid", np.arange(4))
    terminal.run("continue four.mid --style tiny --bars 2 --seed 1")
    terminal.write("long.mid", np.arange(0, 36_000, 500))
    terminal.run("continue long.mid --style tiny --bars 1 --seed 1")
    assert load("long-tiny-1.mid").seconds > 17_000


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", r"expected a MIDI file .*, got an empty one"),
        (b"I am a letter, not music.", r"expected a MIDI file .*something else"),
        (b"MThd\0\0\0\6\0\0\0\1\0\x60MTrk\0\0\0\4\0\xff\x2f\0", r"expected music with notes, got none"),
    ],
)
def test_what_is_no_music_cannot_be_continued(terminal: Terminal, content: bytes, expected: str) -> None:
    Path("riff.mid").write_bytes(content)
    terminal.refuses("continue riff.mid --style tiny", expected)
    assert terminal.files() == ["riff.mid"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("none.mid --style tiny", r"none\.mid: cannot be read: no such file"),
        ("notes.md --style tiny", r"expected a file name that ends in .*\.mid.* got the suffix \.md"),
        (". --style tiny", r"\.: expected one file of music, got a folder"),
        ("folder.mid --style tiny", r"folder\.mid: expected one file of music, got a folder"),
        ("tiny --style tiny", r"expected a file name that ends in"),
        ("riff.mid", r"expected --style, got none; for example: kapelle continue riff\.mid --style folk"),
        ("riff.mid --style riff.mid", r"expected a style, got .*music; `kapelle styles` lists"),
        (
            "riff.mid --style tiny --bars 0",
            r"expected --bars to be a whole number from 1 to 10,000, such as 8; got '0'",
        ),
        ("riff.mid --style tinny", r"no style named 'tinny'; did you mean 'tiny'"),
        ("riff.mid --style tiny --temperature 99", r"expected --temperature to be a number from 0 to 10"),
    ],
)
def test_what_cannot_be_continued_is_told_in_one_line(terminal: Terminal, words: str, expected: str) -> None:
    terminal.write("riff.mid", np.arange(8))
    Path("folder.mid").mkdir()
    terminal.refuses(f"continue {words}", expected)
    assert terminal.files() == ["folder.mid", "riff.mid"]


def test_odd_files_are_continued_or_refused_in_one_line(terminal: Terminal, shared_data: Path) -> None:
    # The two largest, whole pieces that are odd for their size only, take ten seconds; the others one.
    odd = sorted((shared_data / "_odd").glob("*/*"), key=lambda path: path.stat().st_size)[:-2]
    for path in odd:
        said = terminal.run_any(f"continue '{path}' --style tiny --bars 1 --seed 1 --out new --force")
        assert said.code == 0 or said.is_refusal, f"{path.name}: {said.err}"
