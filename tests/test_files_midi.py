"""Strange and broken MIDI files. Bytes are written out so that they can be checked against the standard."""

from __future__ import annotations

import numpy as np
import pytest
import symusic

from kapelle.errors import FileError
from kapelle.files import midi as midi_format
from kapelle.files.midi import decode
from kapelle.music import Meter, Notes, Spans, TempoMap
from midi_bytes import C4, C4_ROWS, END, chunk, midi, rows


def test_a_plain_file_gives_its_note() -> None:
    assert rows(decode(midi(chunk(C4, END)))) == C4_ROWS


def test_a_note_on_with_velocity_zero_is_a_note_off() -> None:
    assert rows(decode(midi(chunk("00 90 3C 40  60 3C 00", END)))) == C4_ROWS


@pytest.mark.parametrize("junk", [b"\0\0\0", b"some text before", bytes(range(100))])
def test_bytes_before_the_header_are_passed_over(junk: bytes) -> None:
    assert rows(decode(junk + midi(chunk(C4, END)))) == C4_ROWS


def test_a_riff_container_is_opened() -> None:
    inner = midi(chunk(C4, END))
    data = b"data" + len(inner).to_bytes(4, "little") + inner
    outer = b"RMID" + data + b"LIST\x04\0\0\0INFO"
    assert rows(decode(b"RIFF" + len(outer).to_bytes(4, "little") + outer)) == C4_ROWS


def test_the_sequences_of_type_2_follow_each_other_on_bar_lines() -> None:
    waltz = "00 FF58 04 03 02 18 08"
    score = decode(midi(chunk(waltz, C4, END), chunk("00 FF51 03 0F4240", C4, END), kind=2))
    assert rows(score) == [(0, 96, 60, 64), (288, 96, 60, 64)]
    assert score.meters == (Meter(0, 3, 4), Meter(288, 4, 4))
    assert score.tempos == TempoMap([0, 288], [120.0, 60.0])


@pytest.mark.parametrize(
    ("division", "seconds"),
    [
        ("E728", 0.096),  # -25 frames of 40 ticks: a tick is a millisecond
        ("E804", 1.0),  # -24 frames of 4
        ("E205", 0.64),  # -30 frames of 5
        ("E304", 0.8008),  # -29 frames of 4: 30000 / 1001 a second
        ("E701", 3.84),  # an odd number of ticks a second
    ],
)
def test_time_in_frames_takes_as_long_in_quarters(division: str, seconds: float) -> None:
    tempo_that_does_not_count = "00 FF51 03 0F4240"
    score = decode(midi(chunk(tempo_that_does_not_count, C4, END), division=division))
    assert score.seconds == pytest.approx(seconds)


@pytest.mark.parametrize("division", ["0000", "E200", "8001", "FF60"])
def test_a_unit_of_time_that_means_nothing_is_an_error(division: str) -> None:
    with pytest.raises(FileError, match="MIDI header"):
        decode(midi(chunk(C4, END), division=division))


def test_a_note_without_an_end_ends_with_its_track() -> None:
    score = decode(midi(chunk("00 90 3C 40  00 90 40 40  60 80 40 40  60 FF2F00")))
    assert rows(score) == [(0, 96, 64, 64), (0, 192, 60, 64)]


def test_a_note_without_an_end_stops_a_bar_after_the_last_event_at_the_latest() -> None:
    score = decode(midi(chunk("00 90 3C 40  60 90 40 40  60 80 40 40  BD8440 FF2F00")))
    assert rows(score) == [(0, 192 + 4 * 96, 60, 64), (96, 96, 64, 64)]


def test_a_last_note_without_an_end_gets_a_bar() -> None:
    assert rows(decode(midi(chunk("00 90 3C 40", END)))) == [(0, 4 * 96, 60, 64)]


def test_notes_without_ends_stop_where_the_same_key_is_struck_again() -> None:
    score = decode(midi(chunk("00 90 3C 40  60 3C 41  60 3C 42  60 80 3C 40", END)))
    assert rows(score) == [(0, 96, 60, 64), (96, 96, 60, 65), (192, 96, 60, 66)]


def test_an_end_without_a_note_is_passed_over() -> None:
    assert rows(decode(midi(chunk("00 80 3C 40", C4, "00 80 40 40", END)))) == C4_ROWS


def test_a_note_of_no_length_gets_one_tick() -> None:
    assert rows(decode(midi(chunk("00 90 3C 40  00 80 3C 40", END)))) == [(0, 1, 60, 64)]


def test_overlapping_notes_of_one_pitch_end_in_the_order_in_which_they_started() -> None:
    score = decode(midi(chunk("00 90 3C 40  20 90 3C 50  20 80 3C 40  20 80 3C 40", END)))
    assert rows(score) == [(0, 64, 60, 64), (32, 64, 60, 80)]


def test_a_cut_off_file_gives_what_came_before_the_cut() -> None:
    whole = midi(chunk(C4, C4, "00 90 40 40  60 80 40 40", END))
    for size in range(len(whole)):
        if size < 14 + 8 + 8:
            continue
        assert rows(decode(whole[:size]))[0][2:] == (60, 64)
    assert rows(decode(whole[:-6])) == [(0, 96, 60, 64), (96, 96, 60, 64), (192, 384, 64, 64)]


@pytest.mark.parametrize("change", [-9, -1, 1, 5, 1000, 2**31])
def test_a_wrong_chunk_length_loses_no_note(change: int) -> None:
    first, second = chunk(C4, END), chunk("00 91 40 40  60 81 40 40", END)
    wrong = b"MTrk" + (len(first) - 8 + change).to_bytes(4, "big") + first[8:]
    score = decode(midi(wrong, second))
    assert [rows(score, track) for track in range(2)] == [C4_ROWS, [(0, 96, 64, 64)]]


def test_a_length_that_swallows_the_next_track_is_seen() -> None:
    first, second = chunk(C4, END), chunk("00 91 40 40  60 81 40 40", END)
    both = b"MTrk" + (len(first) - 8 + len(second)).to_bytes(4, "big") + first[8:]
    assert len(decode(midi(both, second)).tracks) == 2


def test_a_chunk_of_another_kind_is_passed_over() -> None:
    alien = b"XFIH\0\0\0\3abc"
    assert len(decode(midi(chunk(C4, END), alien, chunk("00 91 40 40  60 81 40 40", END))).tracks) == 2


@pytest.mark.parametrize("status", ["F4", "F5", "F8", "F9", "FD", "FE", "F1 00", "F2 0000", "F3 00"])
def test_illegal_status_bytes_are_passed_over(status: str) -> None:
    assert rows(decode(midi(chunk("00", status, C4, END)))) == C4_ROWS


def test_running_status_goes_on_after_a_meta_event() -> None:
    assert rows(decode(midi(chunk("00 90 3C 40  00 FF01 01 41  60 3C 00", END)))) == C4_ROWS


def test_data_before_the_first_status_loses_no_note() -> None:
    assert rows(decode(midi(chunk("00 40 00", C4, END)))) == C4_ROWS


@pytest.mark.parametrize("channel", [0, 7])
def test_a_pedal_pressed_while_it_is_down_stays_down(channel: int) -> None:
    pedal = f"00 B{channel:X} 40 7F  10 40 7F  10 40 00"
    data = midi(chunk(f"00 9{channel:X} 3C 40", pedal, f"60 8{channel:X} 3C 40", END))
    assert decode(data).tracks[0].pedal == Spans([0], [32])


def test_data_bytes_above_127_become_127() -> None:
    assert rows(decode(midi(chunk("00 90 BC C0  60 80 BC 40", END)))) == [(0, 96, 127, 127)]


def test_a_track_without_an_end_of_track_event_is_read() -> None:
    assert rows(decode(midi(chunk(C4)))) == C4_ROWS


def test_a_wrong_number_of_tracks_does_not_matter() -> None:
    data = bytearray(midi(chunk(C4, END)))
    data[11] = 16
    assert rows(decode(bytes(data))) == C4_ROWS


@pytest.mark.parametrize("pauses", [1, 3, 8, 40])
def test_an_end_of_track_far_away_does_not_matter(pauses: int) -> None:
    far = "FFFFFF7F FF0100" * pauses + "FFFFFF7F FF2F00"
    hanging = "00 90 40 40"
    assert rows(decode(midi(chunk(C4, far)))) == C4_ROWS
    assert rows(decode(midi(chunk(hanging, C4, far)))) == [(0, 96 + 4 * 96, 64, 64), (0, 96, 60, 64)]


@pytest.mark.parametrize("sign", ["FF58 04 03 02 18 08", "FF59 02 01 00", "FF51 03 0F4240"])
def test_a_sign_far_away_is_dropped(sign: str) -> None:
    score = decode(midi(chunk(C4, "FFFFFF7F", sign, END)))
    assert (score.meters, score.keys, score.tempos) == ((Meter(),), (), TempoMap.constant(120.0))


@pytest.mark.parametrize("pauses", [1, 3, 7, 8])
def test_a_note_far_away_is_an_error(pauses: int) -> None:
    with pytest.raises(FileError, match="too long"):
        decode(midi(chunk(C4, "FFFFFF7F FF0100" * pauses, C4, END)))


def test_more_than_six_hours_of_music_are_an_error() -> None:
    slowest, day = "00 FF51 03 FFFFFF", "00 90 3C 40  83CC00 80 3C 40"
    with pytest.raises(FileError, match="6 hours"):
        decode(midi(chunk(slowest, day, day, day, day, day, day, day, day, day, day, day, day, day, END)))


@pytest.mark.parametrize("meter", ["00 02", "41 02", "04 FF", "04 07"])
def test_a_metre_that_cannot_be_is_left_out(meter: str) -> None:
    assert decode(midi(chunk(f"00 FF58 04 {meter} 18 08", C4, END))).meters == (Meter(),)


@pytest.mark.parametrize("key", ["08 00", "F8 00", "00 02", "7F 01"])
def test_a_key_that_cannot_be_is_left_out(key: str) -> None:
    assert decode(midi(chunk(f"00 FF59 02 {key}", C4, END))).keys == ()


def test_a_tempo_of_zero_is_left_out() -> None:
    assert decode(midi(chunk("00 FF51 03 000000", C4, END))).tempos == TempoMap.constant(120.0)


def test_signs_that_come_late_leave_the_defaults_before_them() -> None:
    score = decode(midi(chunk(C4, "00 FF51 03 0F4240  00 FF58 04 03 02 18 08", C4, END)))
    assert score.tempos == TempoMap([0, 96], [120.0, 60.0])
    assert score.meters == (Meter(), Meter(96, 3, 4))


def test_of_signs_at_one_tick_the_last_holds() -> None:
    twice = "00 FF51 03 07A120  00 FF51 03 0F4240  00 FF58 04 04 02 18 08  00 FF58 04 03 02 18 08"
    score = decode(midi(chunk(twice, C4, END)))
    assert (score.tempos, score.meters) == (TempoMap.constant(60.0), (Meter(0, 3, 4),))


def test_a_short_first_metre_of_one_bar_is_a_pickup() -> None:
    score = decode(midi(chunk("00 FF58 04 01 02 18 08  60 FF58 04 04 02 18 08", END), chunk(C4, C4, END)))
    assert (score.pickup, score.meters) == (96, (Meter(0, 4, 4),))
    assert score.bars().tolist() == [0, 96, 480]


def test_the_pedal_is_read_and_one_that_is_never_lifted_ends_with_the_notes() -> None:
    pedal = "00 B0 40 7F  10 B0 40 00  10 B0 40 7F"
    score = decode(midi(chunk("00 90 3C 40", pedal, "60 80 3C 40", END)))
    assert score.tracks[0].pedal == Spans([0, 32], [16, 96])


def test_pedals_that_overlap_become_one() -> None:
    pressed = symusic.Pedal.from_numpy(*np.array([[0, 10, 40], [20, 15, 0]], np.int32))
    assert midi_format._pedal(pressed, Notes.of([(0, 96, 60, 64)])) == Spans([0], [25])


@pytest.mark.parametrize("channel", range(16))
def test_a_pedal_that_only_goes_up_was_never_down(channel: int) -> None:
    note = f"00 9{channel:X} 3C 40  60 8{channel:X} 3C 40"
    assert decode(midi(chunk(note, f"10 B{channel:X} 40 00", END))).tracks[0].pedal == Spans.none()


def test_each_program_of_a_channel_is_a_track_and_channel_ten_is_drums() -> None:
    data = midi(chunk("00 C0 05", C4, "00 C0 06", C4, "00 99 24 40  60 89 24 40", END), kind=0)
    tracks = decode(data).tracks
    assert [(track.program, track.is_drum) for track in tracks] == [(5, False), (6, False), (0, True)]


def test_tracks_without_notes_are_left_out_and_the_first_names_the_piece() -> None:
    score = decode(midi(chunk("00 FF03 03 416972", END), chunk("00 FF03 01 41", C4, END), chunk("00 FF03 01 42", END)))
    assert (score.title, [track.name for track in score.tracks]) == ("Air", ["A"])


@pytest.mark.parametrize("name", ["Füße", "日本語 ♪", "Flûte"])
def test_names_in_utf_8_are_read(name: str) -> None:
    raw = name.encode()
    assert decode(midi(chunk(f"00 FF03 {len(raw):02X} {raw.hex()}", C4, END))).tracks[0].name == name


@pytest.mark.parametrize("name", ["Füße", "Flûte", "Klavier – rechts"])
def test_names_in_windows_1252_are_read(name: str) -> None:
    raw = name.encode("cp1252")
    score = decode(midi(chunk(f"00 FF03 {len(raw):02X} {raw.hex()}", C4, END), kind=0))
    assert (score.title, score.tracks[0].name) == (name, name)


def test_a_file_without_notes_is_a_score_without_tracks() -> None:
    assert decode(midi(chunk(END))).tracks == ()
    assert decode(midi()).tracks == ()


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", "empty"),
        (b"hello", "5 bytes of something else"),
        (b"\xff" * 1000, "1,000 bytes of something else"),
        (b"MThd\0\0\0\6\0\1", "cut off"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (midi(chunk(C4, END))[:25], "damage before the first note"),
    ],
)
def test_what_is_no_midi_file_is_told_in_one_line(data: bytes, line: str) -> None:
    with pytest.raises(FileError, match=line) as caught:
        decode(data)
    assert "\n" not in str(caught.value)


def test_more_tracks_than_any_file_has_are_an_error() -> None:
    with pytest.raises(FileError, match="1024 tracks"):
        decode(midi(*[chunk(END)] * 200) + chunk(END) * 1000)
