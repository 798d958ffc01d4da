"""`kapelle quiz` as a listener has it: keys in, clips as files, a page, and what its answers say."""

from __future__ import annotations

import io
import json
import re
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kapelle
import tiny
from kapelle.cli import asking
from kapelle.codecs.chorale import ChoraleCodec
from kapelle.corpora import Corpus, Piece, load_folder, split
from kapelle.errors import MissingExtra
from kapelle.music import Notes, Score, TempoMap, Track
from kapelle.quiz import ALL, KINDS, SIDES, QuizError, StyleSources, opening, pair_of, rewriter
from kapelle.styles import Style
from quizzes import reply, reply_file
from terminal import Terminal

QUIZ = "quiz tiny --real pieces --data kept"


@pytest.fixture
def room(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal with a style, real pieces of its kind, and no program that plays."""
    monkeypatch.setattr(asking, "PLAYERS", ())
    Path("pieces").mkdir()
    for seed in range(20, 26):
        kapelle.save(tiny.band(seed, 10), f"pieces/piece-{seed}.mid")
    return terminal


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """What is typed, one key a line."""
    return lambda typed: monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{key}\n" for key in typed)))


# -- in the terminal ------------------------------------------------------------------------------


def test_a_listener_hears_both_answers_once_skips_and_quits_and_goes_on(room: Terminal, keys: Any) -> None:
    keys("2a1b" + "12bs" + "q")
    said = room.run(f"{QUIZ} --pairs 4 --seed 1")
    assert "hear both clips first" not in said.out.split("pair 2")[1]
    assert said.out.count("\nkept") == 2
    assert "intermediate" in said.out
    keys("a12a12b")
    said = room.run(f"{QUIZ} --resume")
    # Experience was asked for once.
    assert "How much" not in said.out
    assert "pair 3 of 4" not in said.out.split("pair 4 of 4")[1]
    said = room.run("quiz tiny --data kept --analyse --out found.json")
    assert re.search(r"all answers +\d+% +\d+% to \d+% +3 ", said.out)
    assert "1 pair skipped" in said.out
    found = json.loads(Path("found.json").read_text())
    assert found["everything"]["answers"] == 3 == found["by_kind"][ALL]["answers"]
    room.refuses(f"{QUIZ} --resume", "no unfinished quiz")


def test_clips_are_files_where_nothing_plays_and_they_are_gone_afterwards(
    room: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = []

    class Keys(io.StringIO):
        def readline(self, *_: Any) -> str:  # type: ignore[override]
            for path in Path("kept").glob("clips/*/*.wav"):
                with wave.open(str(path)) as sound:
                    heard.append((path.name, sound.getnframes() / sound.getframerate()))
            return super().readline()

    monkeypatch.setattr(sys, "stdin", Keys("1\n1\n2\nq\n"))
    said = room.run(f"{QUIZ} --pairs 1 --seed 1")
    assert {name for name, _ in heard} == {"pair-1-a.wav", "pair-1-b.wav"}
    assert all(8 < seconds < 20 for _, seconds in heard)
    assert "to be played: " in said.out
    assert room.files("kept") == ["quiz.db"]


def test_the_end_of_the_input_keeps_everything_as_quitting_does(room: Terminal, keys: Any) -> None:
    keys("112a")
    assert "go on with --resume" in room.run(f"{QUIZ} --pairs 2 --seed 1 --listener Ann").out
    assert "1 sitting" in room.run("quiz tiny --data kept --analyse").out
    # A listener with a name is not asked about experience again, and is shown no pair again.
    keys("q")
    said = room.run(f"{QUIZ} --pairs 2 --seed 1 --listener Ann")
    assert "How much" not in said.out


def test_ctrl_c_loses_nothing(room: Terminal, keys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Keys(io.StringIO):
        def readline(self, *_: Any) -> str:  # type: ignore[override]
            line = super().readline()
            if not line:
                raise KeyboardInterrupt
            return line

    monkeypatch.setattr(sys, "stdin", Keys("1\n1\n2\na\n2\n"))
    said = room.run_any(f"{QUIZ} --pairs 2 --seed 1")
    assert (said.code, said.err) == (130, "kapelle: stopped\n")
    assert room.files("kept") == ["quiz.db"]
    keys("1b")
    assert "2 pairs done" in room.run(f"{QUIZ} --resume").out


def test_a_program_that_plays_is_used_and_one_that_cannot_is_told(
    room: Terminal, keys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys("1" + "12aq")
    monkeypatch.setattr(asking, "PLAYERS", ((sys.executable, "-c", "import sys; open(sys.argv[1]).close()", "{}"),))
    said = room.run(f"{QUIZ} --pairs 2 --seed 1")
    assert "clip A, 0:12, through" in said.out
    assert "to be played" not in said.out
    keys("1" + "12aq")
    monkeypatch.setattr(asking, "PLAYERS", ((sys.executable, "-c", "raise SystemExit(3)"),))
    said = room.run(f"{QUIZ} --pairs 2 --seed 2")
    assert said.out.count("to be played") == 2
    # It is not tried again.
    assert said.err.count("failed with code 3") == 1


# -- as a page ------------------------------------------------------------------------------------


def test_a_page_is_made_answered_taken_in_once_and_analysed(room: Terminal) -> None:
    said = room.run(f"{QUIZ} --page --pairs 2 --seed 3 --out quiz.html")
    page = Path("quiz.html").read_text()
    assert "quiz.html  2 pairs" in said.out
    assert page.count("data:audio/mpeg") == 4
    assert "piece-2" not in page
    quiz = re.search(r'"quiz": "(\w+)"', page)
    assert quiz is not None
    answers = reply_file(Path("answers.json"), quiz[1], "as")
    assert "took in 2 answers" in room.run(f"quiz tiny --data kept --answers {answers}").out
    room.refuses(f"quiz tiny --data kept --answers {answers}", "taken in before")
    said = room.run("quiz tiny --data kept --analyse")
    assert "1 sitting, 1 pair skipped" in said.out
    assert "expert" in said.out
    room.refuses(f"{QUIZ} --page --out quiz.html", "exists already")


def test_the_sounds_of_a_page_change_sides_with_the_seed_alone(room: Terminal, tiny_style: Path) -> None:
    sources = StyleSources(kapelle.load_style(tiny_style), load_folder("pieces"))
    pairs = [pair_of(sources, ALL, seed) for seed in range(6)]
    assert {pair.real for pair in pairs} == set(SIDES)
    for pair in pairs:
        assert pair.a.tempos == pair.b.tempos
        assert [track.program for track in pair.a.tracks] == [track.program for track in pair.b.tracks]
        assert abs(pair.a.seconds - pair.b.seconds) < 1
        assert pair.a.meters == pair.b.meters


# -- what cannot be -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("quiz nosuch", "no style named 'nosuch'"),
        ("quiz", "expected STYLE, got none; for example: kapelle quiz"),
        ("quiz tiny --pairs 0", "--pairs to be a whole number from 1 to 100"),
        ("quiz tiny --page --analyse", "expected one of --page, --answers, --analyse and --resume"),
        ("quiz tiny --out x.html", "--out together with --page or --analyse"),
        ("quiz tiny --data kept --answers nosuch.json", "cannot be read"),
        ("quiz tiny --data kept --answers .", "expected a file, got a folder"),
        ("quiz tiny --data kept --answers pieces/piece-20.mid", "piece-20.mid: expected a file of answers"),
        ("quiz tiny --data kept --answers old.json", "old.json: these answers are of another quiz"),
        ("quiz tiny --data kept --analyse", "there are none about this style"),
        ("quiz tiny --data kept --resume", "no unfinished quiz"),
        ("quiz tiny --data kept --real nowhere", "there is no nowhere"),
        ("quiz tiny --data pieces/piece-20.mid", "piece-20.mid/quiz.db: cannot be opened: file exists"),
        ("quiz tiny --data damaged --analyse", "damaged, or no file of results"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(words: str, expected: str, room: Terminal) -> None:
    Path("old.json").write_text(json.dumps(reply("ab" * 8)))
    Path("damaged").mkdir()
    Path("damaged", "quiz.db").write_bytes(b"other bytes " * 400)
    room.refuses(words, expected)


def test_a_style_of_another_kind_of_music_is_refused_before_anything_is_asked(room: Terminal) -> None:
    Path("choir").mkdir()
    voices = [Track(Notes.of([(24 * beat, 24, pitch, 80) for beat in range(40)]), 52) for pitch in (72, 67, 60, 48)]
    for step in range(2):
        moved = tuple(track.replace(notes=track.notes.replace(pitch=track.notes.pitch + step)) for track in voices)
        kapelle.save(
            Score(24, (*moved[: 3 + step], Track(Notes.of([(0, 24, 60, 80)]), 6)), pickup=0), f"choir/{step}.mid"
        )
    room.refuses("quiz tiny --data kept --real choir", "composes nothing that compares with the real pieces")
    assert "How much" not in room.capture.readouterr().out


def test_without_the_extra_for_chorales_ones_own_pieces_are_offered(
    room: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: Any) -> Any:
        raise MissingExtra("music21's corpus", "score")

    monkeypatch.setattr("kapelle.corpora.chorale.load", missing)
    room.refuses("quiz tiny --data kept", r"pip install 'kapelle\[score\]'.*or give real pieces .* --real FOLDER")


# -- voices that are written anew -----------------------------------------------------------------


def choir(seed: int, bars: int = 12) -> Score:
    """Four voices."""
    rng = np.random.default_rng(seed)
    names = zip(("Soprano", "Alto", "Tenor", "Bass"), (72, 65, 58, 48), strict=True)
    tracks = [
        Track(
            Notes.of([(24 * beat, 24, base + int(rng.integers(0, 7)), 80) for beat in range(4 * bars)]), 52, name=name
        )
        for name, base in names
    ]
    return Score(24, tuple(tracks), pickup=24)


class Choirmaster:
    """A style that only says scores in four voices; its parts are written by a stranger."""

    def __init__(self, corpus: Corpus) -> None:
        self.codec, self.name, self.memory = (
            ChoraleCodec.for_scores([piece.score for piece in corpus.pieces]),
            "ch",
            None,
        )
        self.card = type("Card", (), {"corpus": corpus.fingerprint, "seed": 0})


def test_the_style_is_asked_for_a_piece_in_the_likeness_of_the_real_one_that_goes_on() -> None:
    corpus = Corpus.of("choirs", [Piece(choir(seed), str(seed), "") for seed in range(20)])
    style: Any = Choirmaster(corpus)
    style.memory, asked = object(), []

    def compose(**wishes: Any) -> Score:
        asked.append(wishes)
        return choir(99, wishes["bars"]).replace(tempos=TempoMap.constant(wishes["tempo"]))

    style.compose = compose
    real, composed, _ = StyleSources(style, corpus).clips(ALL, 4)
    tempo = real.tempos.quarters_per_minute[0]
    wished = {"bars": 12, "meter": "4/4", "instruments": [52] * 4, "seed": 4, "original": True}
    assert {name: value for name, value in asked[0].items() if name != "tempo"} == wished
    assert asked[0]["tempo"] == pytest.approx(tempo)
    assert real.tempos == composed.tempos
    assert real.end == composed.end < choir(99).end


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda score: score.replace(tracks=score.tracks[:3]), "it composes 3 parts in place of 4 parts"),
        (lambda score: opening(score, 3), r"it composes \d seconds in place of 12"),
        (lambda score: with_durations(score, 6), "1.0 sound at once, of theirs 4.0"),
    ],
)
def test_what_is_told_apart_without_listening_is_not_asked_about(spoil: Any, expected: str) -> None:
    corpus = Corpus.of("choirs", [Piece(choir(seed), str(seed), "") for seed in range(20)])
    style: Any = Choirmaster(corpus)
    style.compose = lambda bars, **_: spoil(choir(99, bars))
    with pytest.raises(QuizError, match=expected):
        StyleSources(style, corpus).clips(ALL, 4)
    # The very same notes are no question either.
    style.compose = lambda **_: style.codec.canonical(choir(5))
    same = StyleSources(style, Corpus.of("one", [Piece(choir(5), "one", "")]))
    with pytest.raises(QuizError, match="the very same notes"):
        same.clips(ALL, 4)


def with_durations(score: Score, ticks: int) -> Score:
    changed = [track.notes.replace(duration=np.full(len(track.notes), ticks)) for track in score.tracks]
    tracks = [track.replace(notes=notes) for track, notes in zip(score.tracks, changed, strict=True)]
    return score.replace(tracks=tuple(tracks))


def test_voices_that_are_written_anew_differ_and_the_others_are_the_composers() -> None:
    corpus = Corpus.of("choirs", [Piece(choir(seed), str(seed), "") for seed in range(20)])
    asked = []

    def rewrite(score: Score, voices: Any, seed: int) -> Score:
        asked.append((len(score.bars()), tuple(voices), seed))
        tracks = list(score.tracks)
        for voice in voices:
            tracks[voice] = tracks[voice].replace(
                notes=tracks[voice].notes.replace(pitch=tracks[voice].notes.pitch + 1)
            )
        return score.replace(tracks=tuple(tracks))

    style: Any = Choirmaster(corpus)
    assert StyleSources(style, corpus).kinds == (ALL,)
    sources = StyleSources(style, corpus, rewrite)
    assert sources.kinds == tuple(KINDS)
    assert sources.held_out
    for seed, kind in enumerate([kind for kind in KINDS if kind != ALL]):
        real, composed, _ = sources.clips(kind, seed)
        differ = [mine.notes != theirs.notes for mine, theirs in zip(real.tracks, composed.tracks, strict=True)]
        assert [place for place in range(4) if differ[place]] == list(KINDS[kind])
        assert real.end == composed.end
        # It is given the whole piece.
        assert asked[-1] == (14, KINDS[kind], seed)


def test_a_clip_whose_given_voices_are_not_the_real_ones_is_not_asked_about() -> None:
    corpus = Corpus.of("choirs", [Piece(choir(seed), str(seed), "") for seed in range(20)])

    def up(score: Score, voices: Any, seed: int) -> Score:
        tracks = [track.replace(notes=track.notes.replace(pitch=track.notes.pitch + 12)) for track in score.tracks]
        return score.replace(tracks=tuple(tracks))

    style: Any = Choirmaster(corpus)
    with pytest.raises(QuizError, match="moves the voices that it is given"):
        StyleSources(style, corpus, up).clips("AT", 1)


def test_real_pieces_are_those_held_out_and_each_comes_before_any_comes_again() -> None:
    corpus = Corpus.of("choirs", [Piece(choir(seed), str(seed), "") for seed in range(20)])
    style: Any = Choirmaster(corpus)

    def up(score: Score, voices: Any, seed: int) -> Score:
        soprano = score.tracks[0].replace(notes=score.tracks[0].notes.replace(pitch=score.tracks[0].notes.pitch + 1))
        return score.replace(tracks=(soprano, *score.tracks[1:]))

    held = {sources.clips("S", seed).piece for sources in [StyleSources(style, corpus, up)] for seed in range(4)}
    parts = split(corpus, 0)
    assert held == {piece.name for piece in parts.test + parts.valid}
    with pytest.raises(QuizError, match="expected real pieces"):
        StyleSources(style, Corpus.of("short", [Piece(choir(0, 2), "short", "")]))


def test_an_opening_stops_at_the_beat_nearest_to_its_length_or_at_the_end() -> None:
    for tempo in (40, 71, 120.5):
        score = choir(1).replace(tempos=TempoMap.constant(tempo))
        cut = opening(score)
        assert cut.end % 24 == 0
        assert cut.seconds == pytest.approx(min(12, score.seconds), abs=30 / tempo + 1e-9)
    assert opening(choir(1, 2)).end == choir(1, 2).end


@pytest.fixture(scope="module")
def choirs() -> Corpus:
    return Corpus.of("choirs", [Piece(choir(seed, 5), str(seed), "") for seed in range(20)])


@pytest.fixture(scope="module")
def singers(choirs: Corpus) -> Style:
    """A style of four voices that has hardly learnt anything but that some may be given."""
    pytest.importorskip("torch")
    sizes = {"embed_dim": 16, "hidden_dim": 16, "inner_dim": 16, "attention_dim": 8, "num_heads": 2}
    more = {**sizes, "told_dim": 8, "reveal_dim": 8, "reveal": 0.5}
    return kapelle.learn(choirs, "choir", network_name="voices", minutes=1, epochs=1, threads=1, command="none", **more)


def test_a_style_that_learnt_to_be_given_voices_writes_the_others(singers: Style, choirs: Corpus) -> None:
    rewrite = rewriter(singers)
    assert rewrite is not None
    sources = StyleSources(singers, choirs, rewrite)
    for kind in ("S", "B", "AT", "ATB"):
        real, composed, _ = sources.clips(kind, 3)
        for place in range(4):
            assert (real.tracks[place].notes == composed.tracks[place].notes) == (place not in KINDS[kind])
    whole = singers.codec.canonical(choirs.pieces[0].score)
    once, again, other = (rewrite(whole, (1, 2), seed) for seed in (3, 3, 5))
    assert once.tracks == again.tracks != other.tracks


def test_a_style_that_never_learnt_it_writes_no_single_voices(tiny_style: Path) -> None:
    assert rewriter(kapelle.load_style(tiny_style)) is None


def test_a_quiz_of_single_voices_is_told_by_kind(room: Terminal, singers: Style, choirs: Corpus, keys: Any) -> None:
    kapelle.save_style(singers, room.styles / "choir.safetensors")
    Path("choirs").mkdir()
    for piece in choirs.pieces:
        kapelle.save(piece.score, f"choirs/{piece.name}.musicxml")
    keys("4" + "12a" * 7)
    said = room.run("quiz choir --real choirs --data kept --pairs 7 --seed 1")
    assert "7 pairs done" in said.out
    said = room.run("quiz choir --data kept --analyse")
    assert set(re.findall(r"composed (\w+) ", said.out)) == set(KINDS)
    assert re.search(r"expert .* 7 ", said.out)
