"""Takes are kept as they were, whatever the file of them has gone through."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given

from kapelle.errors import FileError
from kapelle.music import Score
from kapelle.studio import takes as module
from kapelle.studio.scores import MAX_QUARTERS, from_values, summary, to_values
from kapelle.studio.takes import NoSuchTake, Take, Takes, TakesError
from strategies import scores


@given(scores())
def test_a_score_comes_back_equal_from_its_values(score: Score) -> None:
    again = from_values(json.loads(json.dumps(to_values(score))))
    assert again == score.replace(
        title=score.title[:200], tracks=tuple(track.replace(name=track.name[:100]) for track in score.tracks)
    )
    assert summary(again)["notes"] == score.num_notes


@pytest.mark.parametrize(
    "changes",
    [
        {"tracks": None},
        {"tracks": [{"notes": [[0, 1, 200, 80]]}]},
        {"tracks": [{"notes": [[0, 1]]}]},
        {"tracks": [{"notes": [[0, 1, "x", 80]]}]},
        {"tracks": [{"notes": [[24 * (MAX_QUARTERS + 1), 1, 60, 80]]}]},
        {"tracks": [{"notes": []}] * 300},
        {"ticks_per_quarter": 0},
        {"ticks_per_quarter": True},
        {"tempos": []},
        {"tempos": [[0, float("nan")]]},
        {"meters": [[0, 4, 3]]},
        {"meters": [[0, 4]]},
        {"keys": [[0, 12, "major"]]},
        {"pickup": -1},
    ],
)
def test_values_that_are_no_score_are_refused_in_a_line(changes: dict[str, object]) -> None:
    values = to_values(Score(24)) | changes
    with pytest.raises(FileError) as caught:
        from_values(values)
    assert "\n" not in str(caught.value)


def test_nothing_at_all_is_no_score_either() -> None:
    for values in (None, [], {}, "score", 7):
        with pytest.raises(FileError):
            from_values(values)


def a_take(number: int = 0) -> Take:
    return Take(f"{number:016x}", f"Take {number}", "composed", "folk", "", {"seed": number}, {"bars": 4}, {"x": [1]})


def test_what_is_kept_is_there_after_a_restart_the_newest_first(tmp_path: Path) -> None:
    takes = Takes(tmp_path / "a" / "takes.sqlite")
    kept = [takes.add(a_take(number)) for number in range(3)]
    takes.change(kept[0].id, starred=True, title="Good")
    takes.change(kept[1].id, hidden=True)
    takes.close()
    again = Takes(tmp_path / "a" / "takes.sqlite")
    assert [(take.title, take.starred) for take in again.list()] == [("Take 2", False), ("Good", True)]
    assert again.get(kept[1].id) == Take(**{**vars(kept[1]), "hidden": True})
    assert [take.title for take in (again.change(kept[1].id, hidden=False), *again.list())].count("Take 1") == 2
    again.close()


def test_a_take_that_is_not_there_is_told(tmp_path: Path) -> None:
    takes = Takes(tmp_path / "takes.sqlite")
    for ask in (lambda: takes.get("x"), lambda: takes.change("x", starred=True)):
        with pytest.raises(NoSuchTake):
            ask()
    takes.close()


def test_a_file_of_the_first_version_is_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "takes.sqlite"
    first = Takes(path)
    kept = first.add(a_take())
    first.close()
    later = (*module.MIGRATIONS, "ALTER TABLE takes ADD COLUMN folder TEXT NOT NULL DEFAULT ''")
    monkeypatch.setattr(module, "MIGRATIONS", later)
    Takes(path).close()
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT id, folder FROM takes").fetchall() == [(kept.id, "")]
        assert db.execute("PRAGMA user_version").fetchone() == (2,)


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "takes.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(TakesError, match="update Kapelle"):
        Takes(path)
    assert path.read_bytes() == before


def test_a_file_that_holds_no_takes_is_told(tmp_path: Path) -> None:
    path = tmp_path / "takes.sqlite"
    path.write_bytes(b"MThd" * 1000)
    with pytest.raises(TakesError, match="not a database"):
        Takes(path)


def test_a_full_disk_loses_nothing_that_was_kept(tmp_path: Path) -> None:
    takes = Takes(tmp_path / "takes.sqlite")
    kept = takes.add(a_take())
    pages = takes._db.rows("PRAGMA page_count")[0][0]
    takes._db.rows(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(TakesError, match="full"):
        takes.add(Take("f" * 16, "Large", "composed", score={"x": list(range(50_000))}))
    assert [take.id for take in takes.list()] == [kept.id]
    takes.close()
