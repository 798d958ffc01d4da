"""MIDI files: what is written is read back equal, and any bytes give a score or an error."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kapelle.errors import FileError, KapelleError
from kapelle.files import load
from kapelle.files.midi import decode, encode
from kapelle.files.midi_write import plain
from kapelle.music import Key, Meter, Notes, Score, Spans, TempoMap, Track, resample
from kapelle.music.instruments import name_of
from midi_bytes import chunk, midi, rows
from strategies import scores


def expected_tracks(score: Score) -> tuple[Track, ...]:
    """What encode promises to keep of the tracks."""
    kept = []
    for track in score.tracks:
        if not len(track.notes):
            continue
        notes, end = track.notes, track.notes.end
        for pitch in np.unique(notes.pitch):
            end[notes.pitch == pitch] = np.sort(end[notes.pitch == pitch])
        name = plain(track.name) or ("Drums" if track.is_drum else name_of(track.program))
        kept.append(track.replace(notes=notes.replace(duration=end - notes.onset), name=name))
    return tuple(kept)


@given(scores())
def test_what_is_written_is_read_back_equal(score: Score) -> None:
    back = decode(encode(score))
    unit = back.ticks_per_quarter
    assert unit >= 480
    assert unit % score.ticks_per_quarter == 0
    sent = resample(score, unit)
    shift = int(back.bars()[1] - sent.bars()[1])
    unsayable = shift != 0
    assert score.pickup or not unsayable
    if not unsayable:
        assert back.tracks == expected_tracks(sent)
        assert back.bars().tolist() == sent.bars().tolist()
        assert back.keys == sent.keys
        assert back.tempos.onset.tolist() == sent.tempos.onset.tolist()
        np.testing.assert_allclose(
            60e6 / back.tempos.quarters_per_minute, 60e6 / sent.tempos.quarters_per_minute, atol=0.51
        )
    else:
        assert [len(track.notes) for track in back.tracks] == [
            len(track.notes) for track in score.tracks if track.notes
        ]
        assert back.end == (sent.end + shift if sent.end else 0)
    if plain(score.title).casefold() not in ("tempo", "untitled"):
        assert back.title == plain(score.title)
    assert decode(encode(back)) == back


def test_a_score_in_steps_comes_back_equal_when_resampled_to_its_own_unit() -> None:
    melody = Track(Notes.of([(0, 24, 72, 80), (24, 24, 74, 90), (48, 48, 76, 100)]), program=73, name="Melody")
    chords = Track(Notes.of([(0, 96, 48, 70), (0, 96, 55, 70)]), name="Chords", pedal=Spans([0, 90], [80, 6]))
    drums = Track(Notes.of([(0, 6, 36, 110), (24, 6, 38, 100)]), is_drum=True, name="Kit")
    score = Score(
        24,
        (melody, chords, drums),
        TempoMap([0, 48], [100.0, 60.0]),
        (Meter(0, 3, 4), Meter(24, 6, 8)),
        (Key.parse("D minor"), Key.parse("A major", 24)),
        pickup=24,
        title="Für Elise ♪",
    ).replace(meters=(Meter(0, 6, 8),))
    assert resample(decode(encode(score)), 24) == score


@pytest.mark.parametrize(("pickup", "meter"), [(24, "4/4"), (12, "3/8"), (24, "6/8"), (9, "4/4"), (84, "4/4")])
def test_a_pickup_survives(pickup: int, meter: str) -> None:
    score = Score(24, (Track(Notes.of([(0, 200, 60, 64)]), name="a"),), meters=(Meter.parse(meter),), pickup=pickup)
    assert resample(decode(encode(score)), 24) == score


def test_a_pickup_that_no_metre_can_say_becomes_a_bar_that_starts_with_a_rest() -> None:
    score = Score(24, (Track(Notes.of([(0, 10, 60, 64), (10, 96, 62, 64)])),), pickup=10)
    back = resample(decode(encode(score)), 24)
    assert back.pickup == 0
    assert rows(back) == [(86, 10, 60, 64), (96, 96, 62, 64)]


def test_the_file_is_laid_out_as_sequencers_like_it() -> None:
    score = Score(
        24,
        (
            Track(Notes.of([(0, 24, 60, 80), (24, 24, 60, 81)]), program=40),
            Track(Notes.of([(0, 6, 36, 99)]), is_drum=True),
        ),
        keys=(Key.parse("G minor"),),
        title="Air",
    )
    conductor = (
        "00 FF03 03 416972",  # name: Air
        "00 FF58 04 04 02 18 08",  # 4/4, 24 clocks a beat
        "00 FF59 02 FE 01",  # two flats, minor
        "00 FF51 03 07A120",  # 500,000 microseconds a quarter
        "8F00 FF2F00",  # the end, 1,920 ticks later: the bar line
    )
    violin = (
        "00 FF03 06 56696F6C696E",  # name: Violin
        "00 C0 28",  # program 40 on channel 1
        "00 90 3C 50",
        "8360 80 3C 40",  # off after 480 ticks, before ...
        "00 90 3C 51",  # ... the next on
        "8360 80 3C 40",
        "8740 FF2F00",
    )
    drums = ("00 FF03 05 4472756D73", "00 C9 00", "00 99 24 63", "78 89 24 40", "8E08 FF2F00")
    assert encode(score) == midi(chunk(*conductor), chunk(*violin), chunk(*drums), division="01E0")


def channels_and_ports(data: bytes) -> list[tuple[int, int]]:
    found = []
    for body in data.split(b"MTrk")[2:]:
        port = body[body.index(b"\xff\x21\x01") + 3] if b"\xff\x21\x01" in body else 0
        found.append((port, body[body.index(b"\x00\xff\x2f") - 3] & 15))
    return found


def many(programs: list[int]) -> Score:
    # The length makes the last event before the end a note-off exactly at the bar line.
    return Score(480, tuple(Track(Notes.of([(0, 1920, 60, 64)]), program=program, name="x") for program in programs))


def test_fifteen_tracks_have_a_channel_each_and_none_has_that_of_the_drums() -> None:
    places = channels_and_ports(encode(many([0] * 15)))
    assert places == [(0, channel) for channel in range(16) if channel != 9]


def test_more_tracks_share_a_channel_only_with_the_same_program() -> None:
    programs = [0, 1, 2, 3] * 5
    places = channels_and_ports(encode(many(programs)))
    assert len(set(places)) == len(set(zip(places, programs, strict=True))) == 4
    assert {port for port, _ in places} == {0}


def test_more_than_fifteen_programs_go_to_further_ports_and_are_read_back() -> None:
    score = many(list(range(40)))
    assert len(set(channels_and_ports(encode(score)))) == 40
    assert decode(encode(score)).tracks == score.tracks


@pytest.mark.parametrize(
    "score",
    [
        Score(480, (Track(Notes.of([(2**35, 1, 60, 64)])),)),
        Score(1, meters=(Meter(), Meter(2**30))),
        Score(480, tuple(Track(Notes.of([(0, 1, 60, 64)])) for _ in range(1001))),
    ],
)
def test_a_score_that_the_format_cannot_hold_is_refused(score: Score) -> None:
    with pytest.raises(FileError):
        encode(score)


def test_a_unit_beyond_fifteen_bits_is_resampled() -> None:
    score = Score(65280, (Track(Notes.of([(65280, 65280, 60, 64)]), name="x"),))
    assert rows(decode(encode(score))) == [(32640, 32640, 60, 64)]


def check_any(data: bytes) -> None:
    try:
        score = decode(data)
    except KapelleError as error:
        message = str(error)
    else:
        message = ""
        score.bars()
        assert score.seconds <= 6 * 3600
    assert "\n" not in message


@given(st.binary(max_size=200), st.sampled_from([b"", b"MThd\0\0\0\6\0\1\0\1\0\x60", b"MThd\0\0\0\6\0\2\0\2\0\x60"]))
def test_any_bytes_give_a_score_or_an_error(body: bytes, header: bytes) -> None:
    check_any(header + body)
    check_any(header + b"MTrk" + len(body).to_bytes(4, "big") + body)
    check_any(header + b"MTrk" + (len(body) + 4).to_bytes(4, "big") + body + b"\0\xff\x2f\0")


@settings(max_examples=60)
@given(
    scores(),
    st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 255)), min_size=1, max_size=8),
    st.integers(0, 2**20),
)
def test_damaged_files_give_a_score_or_an_error(score: Score, changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(encode(score))
    for place, value in changes:
        data[place % len(data)] = value
        check_any(bytes(data))
    check_any(bytes(data[: cut % len(data)]))


def test_odd_real_files_give_a_score_or_an_error_that_names_the_file(shared_data: Path) -> None:
    for path in sorted((shared_data / "_odd").glob("*/*")):
        message = ""
        try:
            load(path)
        except KapelleError as error:
            message = str(error)
        assert not message or message.startswith(str(path))


def test_real_files_keep_every_note(shared_data: Path) -> None:
    with open(shared_data / "manifest.csv", encoding="utf-8", newline="") as file:
        listed = [row for row in csv.DictReader(file) if row["path"].lower().endswith(".mid")]
    for row in itertools.islice(listed, 0, None, 23):
        score = load(shared_data / row["path"])
        assert score.num_notes >= int(row["notes"]), row["path"]
        again = decode(encode(score))
        assert again.num_notes == score.num_notes
        assert decode(encode(again)) == again
