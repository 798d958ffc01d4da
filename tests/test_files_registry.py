"""Loading and saving by suffix, and writing that never leaves half a file."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kapelle.errors import FileError
from kapelle.files import disk, format_of, formats, load, save, write_atomically
from kapelle.music import Notes, Score, Track

TUNE = Score(480, (Track(Notes.of([(0, 480, 60, 80)]), program=40, name="Tune"),), title="Air")


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["a.mid", "b.MIDI", "c.txt", "Füße 日本語 ♪.Mid", "d.e.mid"])
def test_what_is_saved_is_loaded_whatever_the_name(tmp_path: Path, name: str) -> None:
    path = save(TUNE, tmp_path / name)
    assert load(path) == load(str(path)) == TUNE
    assert left_in(tmp_path) == [name]


def test_every_format_has_a_name_and_suffixes_of_its_own() -> None:
    suffixes = [suffix for form in formats().values() for suffix in form.SUFFIXES]
    assert len(set(suffixes)) == len(suffixes)
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in suffixes)
    assert {"midi", "text"} <= set(formats())
    assert all(format_of(f"x{form.SUFFIXES[0]}") is form for form in formats().values())


def test_no_format_is_imported_before_a_suffix_asks_for_it() -> None:
    code = (
        "import sys, kapelle.files as files\n"
        "loaded = lambda: sorted(m for m in sys.modules if m.startswith('kapelle.files.') and m.count('.') == 2)\n"
        "assert loaded() == ['kapelle.files.disk'], loaded()\n"
        "files.format_of('a.txt')\n"
        "assert loaded() == ['kapelle.files.disk', 'kapelle.files.text'], loaded()\n"
        "files.format_of('a.mid')\n"
        "assert not {'symusic', 'music21', 'torch'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(
    ("name", "line"),
    [("a.mdi", r"got the suffix \.mdi; did you mean \.mid"), ("a", "got no suffix"), ("a.", "expected")],
)
def test_an_unknown_suffix_is_told_with_the_known_ones(tmp_path: Path, name: str, line: str) -> None:
    with pytest.raises(FileError, match=line) as caught:
        load(tmp_path / name)
    assert ".mid" in str(caught.value)
    assert ".txt" in str(caught.value)
    with pytest.raises(FileError, match=line):
        save(TUNE, tmp_path / name)


def test_errors_start_with_the_path(tmp_path: Path) -> None:
    path = tmp_path / "tune.mid"
    path.write_bytes(b"not music at all")
    with pytest.raises(FileError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: expected a MIDI file (starting with MThd), got 16 bytes of something else; is it another format?"
    )
    with pytest.raises(FileError, match=r"long\.mid: a MIDI file holds"):
        save(Score(480, (Track(Notes.of([(2**35, 1, 60, 1)])),)), tmp_path / "long.mid")
    assert left_in(tmp_path) == ["tune.mid"]


def test_missing_files_folders_and_bad_names_are_told_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no such file"):
        load(tmp_path / "a.mid")
    (tmp_path / "folder.mid").mkdir()
    with pytest.raises(FileError, match="expected a file, got a folder"):
        load(tmp_path / "folder.mid")
    with pytest.raises(FileError, match="cannot be written"):
        save(TUNE, tmp_path / "folder.mid", force=True)
    with pytest.raises(FileError, match=r"there is no folder .*; make it first"):
        save(TUNE, tmp_path / "none" / "a.mid")
    with pytest.raises(FileError, match="cannot be read"):
        load("a\0.mid")
    with pytest.raises(FileError, match="cannot be written"):
        save(TUNE, tmp_path / "a\0.mid")
    with pytest.raises(FileError, match="cannot be written"):
        save(TUNE, tmp_path / ("a" * 300 + ".mid"))
    assert left_in(tmp_path) == ["folder.mid"]


def test_a_file_of_more_than_64_mb_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.mid"
    with open(path, "wb") as file:
        file.truncate(2**30)
    with pytest.raises(FileError, match="at most 64 MB of music, got 1024 MB"):
        load(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_device_is_not_read() -> None:
    with pytest.raises(FileError, match="a device or a pipe"):
        disk.read_bytes("/dev/null")


def test_a_file_that_exists_is_kept_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("precious")
    with pytest.raises(FileError, match="exists already"):
        save(TUNE, path)
    assert path.read_text() == "precious"
    save(TUNE, path, force=True)
    assert load(path) == TUNE
    assert left_in(tmp_path) == ["a.txt"]


def test_of_many_writers_at_once_one_wins_and_the_others_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    outcomes: list[int] = []

    def write(number: int) -> None:
        try:
            write_atomically(path, bytes([number]) * 1000, force=False)
            outcomes.append(number)
        except FileError:
            pass

    threads = [threading.Thread(target=write, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 1
    assert path.read_bytes() == bytes(outcomes) * 1000
    assert left_in(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("force", [False, True])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, force: bool
) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(disk.os, "fsync", full)
    with pytest.raises(FileError, match="cannot be written: no space left on device"):
        write_atomically(path, b"new", force)
    assert path.read_bytes() == b"old"
    assert left_in(tmp_path) == ["a.bin"]


def test_a_stopped_program_leaves_no_part_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(disk.os, "fsync", stopped)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a.bin", b"new", False)
    assert left_in(tmp_path) == []


def test_a_file_system_without_hard_links_is_as_safe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(source: Path, target: Path) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(disk.os, "link", unsupported)
    write_atomically(tmp_path / "a.bin", b"new", False)
    with pytest.raises(FileError, match="exists already"):
        write_atomically(tmp_path / "a.bin", b"newer", False)
    assert (tmp_path / "a.bin").read_bytes() == b"new"
    assert left_in(tmp_path) == ["a.bin"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_a_folder_without_permission_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(FileError, match="permission denied"):
        save(TUNE, tmp_path / "a.mid")
    tmp_path.chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no such permissions")
def test_a_file_gets_the_permissions_that_new_files_get(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_atomically(tmp_path / "ours", b"", False)
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode
