"""A folder of files becomes a corpus, whatever lies in it."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from kapelle import files
from kapelle.corpora import folder, get, load_folder, sources
from kapelle.errors import CorpusError, StyleError
from kapelle.music import Notes, Score, Track


def line(first: int, count: int = 10, program: int = 0) -> Score:
    rows = [(24 * index, 24, first + (index * index) % 7, 80) for index in range(count)]
    return Score(24, (Track(Notes.of(rows), program=program),))


def write(score: Score, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    files.save(score, path)


def varied(index: int) -> Score:
    rows = [(24 * at, 24, 50 + (at * (index + 2)) % 11, 80) for at in range(20)]
    return Score(24, (Track(Notes.of(rows)),))


def test_a_folder_is_loaded_with_the_folders_in_it_in_order(tmp_path: Path) -> None:
    for index, name in enumerate(["b.mid", "a/z.MID", "a/y.midi", "Größe/日本語 ♪.mid"]):
        write(varied(index), tmp_path / name)
    seen: list[tuple[int, int]] = []
    corpus = load_folder(tmp_path, lambda done, total: seen.append((done, total)))
    assert {piece.source for piece in corpus.pieces} == {"a/y.midi", "a/z.MID", "b.mid", "Größe/日本語 ♪.mid"}
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert corpus.skipped == ()


def test_a_single_file_is_a_corpus_too(tmp_path: Path) -> None:
    write(varied(1), tmp_path / "one.mid")
    assert [piece.source for piece in load_folder(tmp_path / "one.mid").pieces] == ["one.mid"]


def test_bad_empty_and_short_files_are_left_out_with_their_reasons(tmp_path: Path) -> None:
    write(varied(1), tmp_path / "good.mid")
    write(line(60, 3), tmp_path / "short.mid")
    (tmp_path / "bad.mid").write_bytes(b"no music at all")
    (tmp_path / "empty.mid").write_bytes(b"")
    (tmp_path / "readme.md").write_text("not music")
    corpus = load_folder(tmp_path)
    reasons = dict(corpus.skipped)
    assert [piece.source for piece in corpus.pieces] == ["good.mid"]
    assert set(reasons) == {"bad.mid", "empty.mid", "short.mid"}
    assert reasons["short.mid"] == "fewer than 8 notes"
    assert all("\n" not in reason and str(tmp_path) not in reason for reason in reasons.values())


def test_hidden_files_are_passed_over(tmp_path: Path) -> None:
    write(varied(1), tmp_path / "good.mid")
    (tmp_path / "._good.mid").write_bytes(b"\0\5\26\7")
    (tmp_path / ".trash").mkdir()
    write(varied(2), tmp_path / ".trash" / "old.mid")
    corpus = load_folder(tmp_path)
    assert len(corpus.pieces) == 1
    assert corpus.skipped == ()


@pytest.mark.skipif(os.name == "nt", reason="names there are always Unicode")
def test_a_name_that_is_no_unicode_can_be_told(tmp_path: Path) -> None:
    raw = os.path.join(os.fsencode(tmp_path), b"f\xfcr.mid")
    try:
        with open(raw, "wb") as file:
            file.write(b"broken")
    except OSError:
        pytest.skip("this disk takes Unicode names only")
    write(varied(1), tmp_path / "good.mid")
    [(name, _)] = load_folder(tmp_path).skipped
    assert name.encode("utf-8")


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is closed here")
def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    write(varied(1), tmp_path / "good.mid")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    try:
        assert "cannot be read" in load_folder(tmp_path).skipped[0][1]
    finally:
        closed.chmod(0o700)


def test_a_folder_without_music_says_what_was_found(tmp_path: Path) -> None:
    for name in ("a.doc", "b.doc", "c.wav", "noending"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(CorpusError) as caught:
        load_folder(tmp_path)
    message = str(caught.value)
    assert ".mid" in message
    assert ".doc 2, .wav 1, no suffix 1" in message
    assert "\n" not in message


def test_a_folder_of_broken_music_says_why(tmp_path: Path) -> None:
    write(line(60, 3), tmp_path / "a.mid")
    with pytest.raises(CorpusError, match=r"its one file was left out: fewer than 8 notes \(1\)"):
        load_folder(tmp_path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="nowhere"):
        load_folder(tmp_path / "nowhere")


def test_a_reader_that_fails_in_its_own_way_does_not_end_the_loading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> Score:
        raise RuntimeError("a stranger's\nfault")

    monkeypatch.setattr(files, "load", fail)
    assert folder.load_one(tmp_path / "x.mid") == [(None, "cannot be read: RuntimeError: a stranger's fault")]


def test_every_named_corpus_says_what_it_is() -> None:
    found = sources()
    assert {"folk", "chorale", "composers", "essen", "piano"} <= set(found)
    for name, source in found.items():
        assert name == source.NAME
        assert source.TITLE
        assert source.LICENCE


def test_an_unknown_corpus_is_refused_with_a_near_name() -> None:
    with pytest.raises(CorpusError, match="did you mean 'chorale'"):
        get("chorales")
    assert not issubclass(CorpusError, StyleError)


def classics(root: Path) -> None:
    two_hands = Score(24, (Track(varied(1).tracks[0].notes), Track(varied(2).tracks[0].notes)))
    write(two_hands, root / "bach" / "piano_midi_de" / "hands.mid")
    write(line(60, program=40), root / "bach" / "piano_midi_de" / "violin.mid")
    rows = [
        ("free.mid", "Free", "Piano", "Public Domain"),
        ("alike.mid", "Alike", "Harpsichord, Piano", "Creative Commons Attribution-ShareAlike 3.0"),
        ("closed.mid", "Closed", "Piano", "Creative Commons Attribution-NonCommercial 3.0"),
        ("old.mid", "Old", "Piano", "Creative Commons Attribution-ShareAlike 1.0"),
        ("song.mid", "Song", "Voice and Piano", "Public Domain"),
        ("gone.mid", "Gone", "Piano", "Public Domain"),
    ]
    for index, row in enumerate(rows[:-1]):
        write(varied(index + 3), root / "bach" / "mutopia" / row[0])
    with open(root / "bach" / "mutopia" / "index.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "title", "instrument", "licence", "typeset_by"])
        table.writerows([*row, "Someone"] for row in rows)


@pytest.mark.parametrize("place", ["", "bach"])
def test_the_piano_corpus_takes_piano_pieces_under_free_licences(tmp_path: Path, place: str) -> None:
    classics(tmp_path)
    corpus = get("piano").load(tmp_path / place)
    assert {Path(piece.source).name for piece in corpus.pieces} == {"hands.mid", "free.mid", "alike.mid"}
    assert corpus.reasons == {
        "other instruments than the piano": 2,
        "the licence does not allow it": 2,
        "the file is missing": 1,
    }
    assert len(corpus.attribution) == 3
    assert {len(piece.score.tracks) for piece in corpus.pieces} == {1}
    assert max(piece.score.num_notes for piece in corpus.pieces) == 40


def test_the_piano_corpus_needs_its_folders(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="composer/piano_midi_de"):
        get("piano").load(tmp_path)


def test_composers_are_those_of_whom_there_are_pieces_enough_in_sixteenths(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for composer, pieces, triplets in (("bach", 9, 1), ("clara", 8, 0), ("liszt", 9, 2), ("one", 1, 0)):
        rows = [(f"{number}.mid", "", "Organ" if number else "Piano", "Public Domain") for number in range(pieces)]
        for number, (name, *_) in enumerate(rows):
            late = 8 if number < triplets else 0
            notes = [(24 * at + late * (at > 4), 16, int(rng.integers(50, 70)), 80) for at in range(20)]
            write(Score(24, (Track(Notes.of(notes), 19 if number else 0),)), tmp_path / composer / "mutopia" / name)
        with open(tmp_path / composer / "mutopia" / "index.csv", "w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(["file", "title", "instrument", "licence", "typeset_by"])
            table.writerows([*row, "Someone"] for row in rows)
    corpus = get("composers").load(tmp_path)
    assert {piece.source.split("/")[0] for piece in corpus.pieces} == {"bach", "clara"}
    assert corpus.reasons["not in sixteenths"] == 3
    assert corpus.reasons["one of fewer than 8 pieces of its composer"] == 8
    assert {piece.score.tracks[0].program for piece in corpus.pieces} == {0}


def test_the_shared_piano_music_is_read(shared_data: Path) -> None:
    corpus = get("piano").load(shared_data / "classical" / "burgmueller")
    assert len(corpus.pieces) >= 2
    assert all(piece.score.tracks[0].program == 0 for piece in corpus.pieces)
