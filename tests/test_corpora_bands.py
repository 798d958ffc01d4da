"""Songs for bands, read from a folder like theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from kapelle import save
from kapelle.corpora import get
from kapelle.errors import CorpusError
from kapelle.music import Notes, Score, Track


def song(seed: int) -> Score:
    line = [(24 * place, 24, 60 + (place * seed) % 11, 90) for place in range(16)]
    return Score(24, (Track(Notes.of(line)),))


def test_the_collections_are_found_wherever_they_lie_and_no_others(tmp_path: Path) -> None:
    for number, place in enumerate(("punk/freedoom", "games/freedoom", "games/tannerhelland", "games/others"), 2):
        (tmp_path / place).mkdir(parents=True)
        save(song(number), tmp_path / place / "a.mid")
    corpus = get("bands").load(tmp_path)
    assert [piece.source for piece in corpus.pieces] == [
        "games/freedoom/a.mid", "games/tannerhelland/a.mid", "punk/freedoom/a.mid",
    ]  # fmt: skip
    assert [line.split(",")[0] for line in corpus.attribution] == ["Freedoom", "music by Tanner Helland"]


def test_another_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="expected MIDI files in folders named freedoom or tannerhelland in"):
        get("bands").load(tmp_path)
