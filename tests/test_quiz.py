"""Listening tests: whatever listeners do, both clips are heard, the first answer counts, and none is lost."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapelle.quiz import (
    EXPERIENCES,
    KINDS,
    Judged,
    Quiz,
    QuizError,
    Results,
    analyse,
    new_pairs,
    pair_of,
    plan,
    quiz_page,
    read_reply,
    take_in,
    to_small_mp3,
    wilson,
)
from quizzes import Tunes, listening, reply

IN_MEMORY = Path(":memory:")

# -- pairs ----------------------------------------------------------------------------------------


def test_the_seed_decides_the_side_of_the_real_clip_and_takes_both_alike() -> None:
    sides = [pair_of(Tunes(), "S", seed).real for seed in range(200)]
    assert sides == [pair_of(Tunes(), "S", seed).real for seed in range(200)]
    low, high = wilson(sides.count("a"), len(sides))
    assert low < 0.5 < high


def test_the_clips_of_a_pair_are_those_of_its_sources_without_a_name() -> None:
    for seed in range(8):
        pair, clips = pair_of(Tunes(), "S", seed), Tunes().clips("S", seed)
        real, composed = (pair.a, pair.b) if pair.real == "a" else (pair.b, pair.a)
        assert real.tracks[0].notes == clips.real.tracks[0].notes
        assert composed.tracks[0].notes == clips.composed.tracks[0].notes
        assert {pair.a.title, pair.b.title, pair.a.tracks[0].name, pair.b.tracks[0].name} == {""}


@given(st.permutations(list(KINDS)).flatmap(lambda kinds: st.integers(1, 7).map(lambda some: kinds[:some])), st.data())
def test_no_kind_comes_twice_more_often_than_another(kinds: list[str], data: Any) -> None:
    pairs = data.draw(st.integers(1, 40))
    counts = Counter(plan(kinds, pairs, data.draw(st.integers(0, 99))))
    assert counts.total() == pairs
    assert max(counts.values()) - min(counts.get(kind, 0) for kind in kinds) <= 1


@given(st.lists(st.tuples(st.sampled_from(["", "Ann", "Bea"]), st.integers(0, 5), st.integers(1, 4)), max_size=5))
def test_no_listener_is_shown_a_pair_twice(quizzes: list[tuple[str, int, int]]) -> None:
    with closing(Results(IN_MEMORY)) as results:
        seen: dict[str, list[str]] = {}
        for number, (listener, seed, pairs) in enumerate(quizzes):
            made = list(new_pairs(Tunes(), plan(Tunes().kinds, pairs, seed), seed, results.shown(listener)))
            quiz = Quiz(str(number), "tunes", "f1", seed, tuple(pair.kind for pair in made), listener)
            results.add_quiz(quiz, made)
            seen.setdefault(listener, []).extend(pair.digest for pair in made)
        for digests in seen.values():
            assert len(set(digests)) == len(digests)


def test_when_all_pairs_were_shown_it_is_said() -> None:
    with pytest.raises(QuizError, match="all pairs"):
        list(new_pairs(Tunes(pieces=3), ["S"] * 4, 0, set()))


# -- sittings -------------------------------------------------------------------------------------


def test_an_answer_counts_once_both_clips_were_heard_and_not_before(tmp_path: Path) -> None:
    one = listening(tmp_path / "quiz.db")
    for heard in ("", "a", "a"):
        if heard:
            one.hear(heard)
        with pytest.raises(QuizError, match="hear both"):
            one.answer("b")
    one.hear("b")
    one.answer("b")
    assert one.done == 1


def test_the_first_answer_counts_even_for_who_writes_to_the_file(tmp_path: Path) -> None:
    one = listening(tmp_path / "quiz.db")
    one.hear("a")
    one.hear("b")
    one.answer("a")
    results = Results(tmp_path / "quiz.db")
    with pytest.raises(QuizError, match="pair 1 has been answered, and the first answer counts"):
        results.answer(one.sitting.id, 0, "b")
    file = sqlite3.connect(tmp_path / "quiz.db")
    with pytest.raises(sqlite3.IntegrityError, match="first answer"):
        file.execute("UPDATE answers SET choice = 'b'")
    with pytest.raises(sqlite3.IntegrityError):
        file.execute("INSERT INTO answers (sitting, number, choice) VALUES ('x', 1, 'a')")
    file.close()
    assert results.state(one.sitting.id)[0].choice == "a"


def test_a_quiz_goes_on_where_it_was_left(tmp_path: Path) -> None:
    one = listening(tmp_path / "quiz.db")
    one.skip()
    asked = one.question()
    one.hear("b")
    results = Results(tmp_path / "quiz.db")
    open_one = results.unfinished("", "f1")
    assert open_one == one.sitting
    again = type(one)(results, Tunes(), open_one)
    question = again.question()
    assert asked is not None
    assert question is not None
    assert (question.number, question.pair, question.heard) == (1, asked.pair, {"b"})
    again.hear("a")
    again.answer("a")
    again.skip()
    assert again.question() is None
    assert results.unfinished("", "f1") is None
    with pytest.raises(QuizError, match="all pairs"):
        again.skip()


def test_a_pair_that_can_no_longer_be_made_is_not_asked_about(tmp_path: Path) -> None:
    one = listening(tmp_path / "quiz.db", seed=7)
    one.question()
    with pytest.raises(QuizError, match="changed"):
        type(one)(Results(tmp_path / "quiz.db"), Tunes(pieces=3), one.sitting).question()


def test_what_breaks_off_in_the_middle_of_writing_leaves_nothing(tmp_path: Path) -> None:
    results = Results(tmp_path / "quiz.db")
    pairs = list(new_pairs(Tunes(), ["S", "A"], 0, set()))
    spoilt = replace(pairs[1], real="neither")
    with pytest.raises(QuizError):
        results.add_quiz(Quiz("q", "tunes", "f1", 0, ("S", "A")), [pairs[0], spoilt])
    assert results.quiz("q") is None
    assert results.pairs("q") == {}
    results.add_quiz(Quiz("q", "tunes", "f1", 0, ("S", "A")), pairs)
    assert list(results.pairs("q")) == [0, 1]


# -- answers in, answers out ----------------------------------------------------------------------

SITTINGS = st.lists(
    st.tuples(
        st.sampled_from([*EXPERIENCES, ""]),
        st.lists(st.sampled_from(["right", "wrong", "skip", "none"]), min_size=1, max_size=6),
    ),
    max_size=4,
)


@given(SITTINGS)
def test_every_answer_that_is_given_is_judged_once_and_rightly(sittings: list[tuple[str, list[str]]]) -> None:
    with closing(Results(IN_MEMORY)) as results:
        expected = []
        for number, (experience, deeds) in enumerate(sittings):
            one = listening(results, len(deeds), f"listener {number}", experience=experience)
            for deed in deeds:
                question = one.question()
                assert question is not None
                if deed == "none":
                    break
                if deed == "skip":
                    one.skip()
                else:
                    one.hear("b")
                    one.hear("a")
                    one.answer(question.pair.real if deed == "right" else "ab".replace(question.pair.real, ""))
                right = {"right": True, "wrong": False, "skip": None}[deed]
                expected.append(Judged(one.sitting.id, question.number, question.pair.kind, experience, right))
        assert Counter(results.judged("f1")) == Counter(expected)
        assert results.judged("another") == []
        assert results.others("tunes", "another") == len(expected)


JUDGED = st.builds(
    Judged,
    st.sampled_from("123"),
    st.integers(0, 9),
    st.sampled_from(list(KINDS)),
    st.sampled_from([*EXPERIENCES, ""]),
    st.sampled_from([True, False, None]),
)


@given(st.lists(JUDGED, max_size=60))
def test_every_answer_is_counted_exactly_once_in_each_analysis(judged: list[Judged]) -> None:
    found = analyse(judged)
    told = [answer for answer in judged if answer.right is not None]
    right = sum(answer.right is True for answer in told)
    for tallies in ([found.everything], found.by_kind.values(), found.by_experience.values(), found.by_both.values()):
        assert sum(tally.answers for tally in tallies) == len(told)
        assert sum(tally.right for tally in tallies) == right
    assert found.skipped + len(told) == len(judged)
    for kind, tally in found.by_kind.items():
        assert tally.answers == sum(answer.kind == kind for answer in told)
    json.dumps(found.to_json(), allow_nan=False)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_share_stays_in_bounds_and_is_the_same_from_the_other_side(counts: Any) -> None:
    right, answers = counts
    low, high = wilson(right, answers)
    assert 0 <= low <= right / answers <= high <= 1
    assert wilson(answers - right, answers) == pytest.approx((1 - high, 1 - low))
    wider = wilson(4 * right, 4 * answers)
    assert wider[1] - wider[0] < high - low


@pytest.mark.parametrize(
    ("right", "answers", "low", "high"), [(8, 10, 0.4902, 0.9433), (0, 10, 0, 0.2775), (81, 263, 0.2553, 0.3662)]
)
def test_intervals_are_those_of_the_books(right: int, answers: int, low: float, high: float) -> None:
    assert wilson(right, answers) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(
    ("right", "answers", "verdict"),
    [(50, 100, "chance"), (59, 100, "chance"), (60, 100, "told apart"), (40, 100, "taken for"), (5, 5, "told apart")],
)
def test_half_inside_the_interval_is_not_told_apart_from_chance(right: int, answers: int, verdict: str) -> None:
    judged = [Judged("1", number, "S", "novice", number < right) for number in range(answers)]
    assert verdict in analyse(judged).everything.verdict


# -- the file of results --------------------------------------------------------------------------


def newer(path: Path) -> None:
    Results(path).close()
    file = sqlite3.connect(path)
    file.execute("PRAGMA user_version = 99")
    file.close()


def strange(path: Path) -> None:
    file = sqlite3.connect(path)
    file.execute("PRAGMA user_version = 1")
    file.close()


def cut(path: Path) -> None:
    Results(path).close()
    path.write_bytes(path.read_bytes()[:5000])


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda path: path.write_bytes(b"no database" * 100), "damaged"),
        (cut, "damaged"),
        (newer, "version 99; update Kapelle"),
        (strange, "no file of results"),
        (lambda path: path.mkdir(), "cannot be opened"),
    ],
)
def test_a_file_that_is_damaged_newer_or_another_is_told_in_one_line(spoil: Any, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "kept" / "quiz.db"
    path.parent.mkdir()
    spoil(path)
    with pytest.raises(QuizError, match=expected) as told:
        Results(path)
    assert "\n" not in str(told.value)


# -- the page and what comes back -----------------------------------------------------------------


def on_page(path: Path, pairs: int = 2, quiz: str = "ab" * 8) -> Results:
    results = Results(path)
    made = list(new_pairs(Tunes(), plan(["SATB"], pairs, 1), 1, set()))
    results.add_quiz(Quiz(quiz, "tunes", "f1", 1, ("SATB",) * pairs, on_page=True), made)
    return results


def test_a_page_holds_its_sounds_and_asks_nobody_and_no_word_in_it_tells_which_is_which() -> None:
    pair = pair_of(Tunes(), "S", 3)
    sounds = to_small_mp3(pair.a), to_small_mp3(pair.b)
    assert not any(word in sound for sound in sounds for word in (b"hand", b"machine", b"piece"))
    page = quiz_page("ab" * 8, "a composer", "", [sounds])
    for word in ("http:", "https:", "//cdn", "by hand", "by machine", "piece 3", pair.digest):
        assert word not in page
    assert "default-src 'none'" in page
    assert page.count("data:audio/mpeg;base64,") == 2


def test_a_name_in_a_page_is_text_and_nothing_else() -> None:
    page = quiz_page("ab" * 8, 'a </script><b> "composer"', "</script><script>alert(1)", [(b"a", b"b")])
    assert page.count("<script") == 2
    assert "<b> " not in page


def test_ten_pairs_of_clips_are_small() -> None:
    clip = pair_of(Tunes(), "S", 3).a
    assert len(to_small_mp3(clip)) < 3_000_000 * 3 / 4 / 20 * clip.seconds / 12


def test_answers_of_a_page_are_judged_when_they_are_taken_in(tmp_path: Path) -> None:
    results = on_page(tmp_path / "quiz.db", 3)
    reals = [asked.real for asked in results.pairs("ab" * 8).values()]
    choices = reals[0] + "ab".replace(reals[1], "") + "s"
    assert take_in(results, read_reply(json.dumps(reply("ab" * 8, choices)).encode()), "f1") == 3
    assert [answer.right for answer in results.judged("f1")] == [True, False, None]
    assert {answer.experience for answer in results.judged("f1")} == {"expert"}


@pytest.mark.parametrize(
    ("changes", "fingerprint", "expected"),
    [
        ({}, "f1", "taken in before"),
        ({"sitting": "2" * 32, "listener": "Ann"}, "f1", "of 'Ann' were taken in before"),
        ({"quiz": "cd" * 8, "sitting": "2" * 32}, "f1", "of another quiz"),
        ({"sitting": "2" * 32}, "f2", "of another quiz: of the style 'tunes'"),
        ({"sitting": "2" * 32, "answers": [{"pair": 9, "heard": ["a", "b"], "choice": "a"}]}, "f1", "has not"),
    ],
)
def test_answers_that_are_not_wanted_change_nothing(
    changes: dict[str, Any], fingerprint: str, expected: str, tmp_path: Path
) -> None:
    results = on_page(tmp_path / "quiz.db")
    take_in(results, read_reply(json.dumps(reply("ab" * 8)).encode()), "f1")
    take_in(results, read_reply(json.dumps(reply("ab" * 8, sitting="3" * 32, listener="Ann")).encode()), "f1")
    before = results.judged("f1")
    with pytest.raises(QuizError, match=expected):
        take_in(results, read_reply(json.dumps({**reply("ab" * 8), **changes}).encode()), fingerprint)
    assert results.judged("f1") == before
    # Without a name there may be any number of listeners.
    take_in(results, read_reply(json.dumps(reply("ab" * 8, sitting="4" * 32)).encode()), "f1")


def test_pairs_of_a_page_for_anybody_are_not_shown_again_to_who_answered_it(tmp_path: Path) -> None:
    results = on_page(tmp_path / "quiz.db")
    on_it = {asked.digest for asked in results.pairs("ab" * 8).values()}
    assert not on_it & results.shown("Ann")
    take_in(results, read_reply(json.dumps(reply("ab" * 8, listener="Ann")).encode()), "f1")
    assert on_it <= results.shown("Ann")
    assert on_it <= results.shown("")


def test_a_quiz_in_the_terminal_is_no_page(tmp_path: Path) -> None:
    one = listening(tmp_path / "quiz.db")
    with pytest.raises(QuizError, match="another quiz"):
        take_in(Results(tmp_path / "quiz.db"), read_reply(json.dumps(reply(one.quiz.id)).encode()), "f1")


BAD = st.one_of(st.none(), st.integers(), st.text(max_size=5), st.lists(st.integers(), max_size=2), st.just({}))


@given(st.data())
def test_a_spoilt_file_of_answers_is_told_in_one_line(data: Any) -> None:
    values = reply("ab" * 8, "ab")
    place = data.draw(st.sampled_from([*values, "pair", "heard", "choice", "twice", "unheard"]))
    if place == "twice":
        values["answers"].append(values["answers"][0])
    elif place == "unheard":
        values["answers"][0]["heard"] = ["b"]
    elif place in ("pair", "heard", "choice"):
        values["answers"][0][place] = data.draw(BAD.filter(lambda value: value not in ([], 1, 2)))
    else:
        values[place] = data.draw(BAD.filter(lambda value: place != "listener" or not isinstance(value, str)))
        if values[place] in ("", 1) and place in ("experience", "version"):
            return
    with pytest.raises(QuizError) as told:
        read_reply(json.dumps(values).encode())
    assert "\n" not in str(told.value)


@given(st.binary(max_size=200))
def test_any_bytes_are_answers_or_one_line(data: bytes) -> None:
    with pytest.raises(QuizError, match="a quiz page has saved"):
        read_reply(data)


@given(st.text())
def test_any_name_that_a_page_lets_through_is_taken_in_on_one_line(name: str) -> None:
    try:
        listener = read_reply(json.dumps(reply("ab" * 8, listener=name)).encode()).sitting.listener
    except QuizError:
        assert len(name) > 80 or not name.isprintable()
    else:
        assert listener == name.strip()
