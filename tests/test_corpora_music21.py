"""Tunes and chorales from music21's corpus, a handful of each."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

pytest.importorskip("music21")

from kapelle.corpora import folk
from kapelle.corpora.abc import parse_tune, split_tunes, tune_score
from kapelle.corpora.cache import Parsed, cached
from kapelle.corpora.chorale import VOICES, parse_chorales
from kapelle.corpora.corpus import Piece
from kapelle.corpora.m21 import cache_key, music21_corpus
from kapelle.corpora.tunes import load_tunes
from kapelle.errors import CorpusError
from kapelle.files.barring import Measure, fit_bars
from kapelle.music import Score

HEAD = "X:1\nT:Test\nM:2/4\nL:1/8\nK:D\n"


def score_of(body: str, head: str = HEAD, missing_lines: bool = False) -> Score:
    return tune_score(parse_tune(head + body), 120.0, 40, missing_lines)


def line(score: Score) -> list[tuple[int, int, int]]:
    notes = score.tracks[0].notes
    return list(zip(notes.onset.tolist(), notes.duration.tolist(), notes.pitch.tolist(), strict=True))


def test_pitches_follow_the_key_and_the_accidentals_of_the_bar() -> None:
    assert [pitch for *_, pitch in line(score_of("FC ^GG|Gg =CC|cC =FF|]"))] == [
        *(66, 61, 68, 68),
        *(67, 79, 60, 60),
        *(73, 61, 65, 65),
    ]


def test_a_pickup_is_the_short_first_bar() -> None:
    score = score_of("A|d2 d2|d2 d:|\n|:A|d2 d2|d2 d|]")
    assert score.pickup == 12
    assert score.bars().tolist() == [0, 12, 60, 108, 156, 204]
    assert score.end == 12 + 48 * 4 - 12


def test_of_two_endings_the_second_stays() -> None:
    score = score_of("d2 d2|1 e2 e2:|2 f2 f2|g2 g2|]")
    assert [pitch for *_, pitch in line(score)] == [74, 74, 78, 78, 79, 79]
    assert [pitch for *_, pitch in line(score_of("a2 a2|d2 [1 e2:|[2 f2|g2 g2|]"))] == [81, 81, 74, 78, 79, 79]


def test_a_first_ending_without_a_second_stays() -> None:
    assert score_of("d2 d2|1 e2 e2|]").num_notes == 4


def test_ornaments_graces_chord_symbols_and_slurs_do_not_touch_the_notes() -> None:
    plain = line(score_of("d2 (3efg|a>b d2|]"))
    decorated = 'vHd2 ((3~e.fTg)|"D"{^cd}(a>.b) ">"kd2|]'
    assert line(score_of(decorated)) == plain
    assert plain[1:4] == [(24, 8, 76), (32, 8, 78), (40, 8, 79)]


def test_ties_join_equal_pitches_only() -> None:
    assert line(score_of("d2 d2-|d2 e2-|f2 f2|]")) == [
        (0, 24, 74),
        (24, 48, 74),
        (72, 24, 76),
        (96, 24, 78),
        (120, 24, 78),
    ]


def test_of_a_chord_the_top_note_stays() -> None:
    assert [pitch for *_, pitch in line(score_of("[Ad]2 [dA]2|z2 d2|]"))] == [74, 74, 74]


def test_metre_and_key_may_change() -> None:
    score = score_of("d2 d2|\nM:3/4\nK:G\nc2 c2 c2|c6|]")
    assert [(meter.onset, meter.name) for meter in score.meters] == [(0, "2/4"), (48, "3/4")]
    assert [(key.onset, key.fifths) for key in score.keys] == [(0, 2), (48, 1)]
    assert line(score)[2][2] == 72


@pytest.mark.parametrize(("body", "reason"), [("d2 d2|d3|d2 d2|]", "short"), ("d2 d2|d5|d2 d2|]", "long")])
def test_a_tune_whose_bars_do_not_add_up_is_refused(body: str, reason: str) -> None:
    with pytest.raises(CorpusError, match=f"too {reason}"):
        score_of(body)


def test_a_tune_without_a_metre_is_refused() -> None:
    with pytest.raises(CorpusError, match="no metre"):
        score_of("d2 d2|d4|]", HEAD.replace("2/4", "none"))


def test_lines_without_bar_lines_at_their_ends_can_be_read() -> None:
    body = "A|d2 d2|d2 d2\ne2 e2|e2 e2\nf2\nf2|f3|]"
    assert score_of(body, missing_lines=True).bars().tolist() == [0, 12, 60, 108, 156, 204, 252, 300]
    with pytest.raises(CorpusError, match="too long"):
        score_of(body)


def test_a_section_that_closes_short_before_a_whole_bar_is_filled() -> None:
    whole, most, little = Fraction(4), Fraction(3), Fraction(1)
    measures = [Measure(little, whole, True), Measure(most, whole, False), Measure(whole, whole, True)]
    assert [int(onset) for onset in fit_bars(measures).onsets] == [0, 1, 5]


@pytest.mark.parametrize(
    ("head", "tempo"),
    [
        ("R:reel\nM:C|", 220),
        ("R:Reel\nM:2/4", 110),
        ("R: double jig\nM:6/8", 174),
        ("R:slipjig\nM:9/8", 180),
        ("T:The Wedding -- Hornpipe\nM:C|", 160),
        ("M:3/4", 135),
        ("R:air\nM:6/8", 108),
    ],
)
def test_a_tempo_is_found_for_each_dance(head: str, tempo: float) -> None:
    tune = parse_tune(f"X:1\n{head}\nL:1/8\nK:D\nd2|d2|")
    assert folk.quarters_per_minute("Ryan", tune) == tempo


def test_a_stated_tempo_is_kept() -> None:
    assert score_of("d2 d2|d4|]", HEAD.replace("L:", "Q:1/2=60\nL:")).tempos.quarters_per_minute.tolist() == [120.0]


def test_a_section_of_the_book_tells_the_tempo() -> None:
    tune = parse_tune("X:1600\nM:C\nL:1/8\nK:D\nd8|d8|")
    assert folk.quarters_per_minute("O'Neill", tune) == 160


def test_a_page_of_the_installed_music21_is_read() -> None:
    path = music21_corpus("oneills1850") / "0732-0758_bs.abc"
    pieces, skipped = load_tunes([("O'Neill", path)], folk.quarters_per_minute, 40)
    assert len(pieces) + len(skipped) == len(list(split_tunes(path))) == 27
    assert len(pieces) >= 25
    first = pieces[0].score
    assert (first.title, first.meters[0].name, first.pickup, first.keys[0].name) == (
        "The Kerry Cobbler",
        "6/8",
        12,
        "D major",
    )
    assert first.num_notes == 94
    onsets = [(piece.score.bars()[:-1], set(piece.score.tracks[0].notes.onset.tolist())) for piece in pieces]
    on_the_bar = [bar in starts for bars, starts in onsets for bar in bars.tolist()]
    assert sum(on_the_bar) > 0.95 * len(on_the_bar)


def test_a_chorale_has_four_voices_with_pickup_metre_and_key() -> None:
    folder = music21_corpus("bach")
    pieces, skipped = parse_chorales([folder / "bwv101.7.mxl", folder / "bwv248.9-1.mxl"])
    [piece] = pieces
    assert tuple(track.name for track in piece.score.tracks) == VOICES
    assert {track.program for track in piece.score.tracks} == {52}
    assert piece.score.pickup == 24
    assert piece.score.meters[0].name == "4/4"
    assert piece.score.keys[0].name == "D minor"
    # Line by line, as the hymn book has it: every one ends with a fermata, on a note that starts there.
    assert len(piece.score.fermatas) == 6
    assert set(piece.score.fermatas) <= set(piece.score.tracks[0].notes.onset.tolist())
    ends = {int(track.notes.end.max()) for track in piece.score.tracks}
    assert len(ends) == 1
    assert skipped[0][1].startswith("other parts than four voices: ")


def parsed() -> Parsed:
    score = score_of("A|d2 d2|d2 d:|\nK:G\n|:A|d2 d2|d2 d|]")
    return (Piece(score, "Für Elise", "here"),), (("there", "why not"),)


def test_a_cache_gives_back_what_was_parsed_and_parses_once(tmp_path: Path) -> None:
    assert cached("key", parsed, tmp_path) == parsed()
    assert cached("key", lambda: ((), ()), tmp_path) == parsed()
    assert cached("other", lambda: ((), ()), tmp_path) == ((), ())


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 and then nothing", None])
def test_a_damaged_cache_is_made_anew(tmp_path: Path, damage: bytes | None) -> None:
    cached("key", parsed, tmp_path)
    [path] = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    assert cached("key", parsed, tmp_path) == parsed()
    assert cached("key", lambda: ((), ()), tmp_path) == parsed()


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert cached("key", parsed, tmp_path / "file" / "below") == parsed()


def test_the_key_of_a_cache_names_the_version_of_music21() -> None:
    import music21

    assert cache_key("folk", 3) == f"folk-3-music21-{music21.__version__}"
