"""The drummers' dataset, read from a folder like it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kapelle import save
from kapelle.corpora import get, split
from kapelle.errors import CorpusError
from kapelle.music import Notes, Score, Track

SPLIT = ("train", "validation", "test")


def beat(seed: int) -> Score:
    hits = [(24 * place + (place * seed) % 3, 6, (36, 38, 42)[(place * seed) % 3], 90) for place in range(16)]
    return Score(24, (Track(Notes.of(hits), is_drum=True),))


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    rows = ["drummer,session,id,style,bpm,beat_type,time_signature,midi_filename,audio_filename,duration,split"]
    for number in range(12):
        name = f"drummer{number % 2}/{number}.mid"
        session = f"drummer{number % 2}/session{number // 4}"
        rows.append(
            f"drummer{number % 2},{session},{number},rock/indie,{90 + number},beat,4-4,{name},,10,{SPLIT[number % 3]}"
        )
        (tmp_path / name).parent.mkdir(exist_ok=True)
        save(beat(number + 1), tmp_path / name)
    rows.append("drummer1,drummer1/session9,13,funk,90,beat,4-4,drummer1/missing.mid,,10,test")
    (tmp_path / "info.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_takes_have_names_and_stay_where_the_makers_of_the_dataset_put_them(dataset: Path) -> None:
    corpus = get("groove").load(dataset)
    assert "rock, indie, 90, drummer0" in [piece.name for piece in corpus.pieces]
    assert corpus.licence == "CC BY 4.0"
    parts = split(corpus, 0)
    for at, part in enumerate((parts.train, parts.valid, parts.test)):
        numbers = {int(Path(piece.source).stem) for piece in part}
        assert numbers
        assert all(number % 3 == at for number in numbers)
    assert split(corpus, 1) == parts


def test_another_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"expected the folder of the Groove MIDI Dataset with its info\.csv"):
        get("groove").load(tmp_path)
    (tmp_path / "info.csv").write_text("a,b\n1,2\n")
    with pytest.raises(CorpusError, match="expected the folder"):
        get("groove").load(tmp_path)
