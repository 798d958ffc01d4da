"""The page of a listening test in a real browser: from a file, with the keyboard alone, heard to the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kapelle.quiz import Quiz, Results, new_pairs, quiz_page, read_reply, take_in, to_small_mp3
from quizzes import Tunes

QUIZ = "ab" * 8
CONTRAST = """() => {
  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => {
    paint.clearRect(0, 0, 1, 1); paint.fillStyle = colour; paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data];
  };
  const light = (colour) => {
    const bent = (v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
    const [r, g, b] = rgb(colour).map((each) => bent(each / 255));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (rgb(colour)[3] === 255) return colour;
    }
    return "white";
  };
  const told = [...document.querySelectorAll("main *")].filter((node) =>
    node.checkVisibility() && [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim()));
  return told.map((node) => {
    const [high, low] = [light(getComputedStyle(node).color), light(ground(node))].sort((a, b) => b - a);
    return [node.textContent.trim().slice(0, 30), (high + .05) / (low + .05)];
  }).filter(([, ratio]) => ratio < 4.5);
}"""


@pytest.fixture
def results(tmp_path: Path) -> Iterator[Results]:
    kept = Results(tmp_path / "quiz.db")
    made = list(new_pairs(Tunes(), ["SATB", "S"], 1, set()))
    kept.add_quiz(Quiz(QUIZ, "tunes", "f1", 1, ("SATB", "S"), on_page=True), made)
    clips = [(to_small_mp3(pair.a), to_small_mp3(pair.b)) for pair in made]
    (tmp_path / "quiz.html").write_text(quiz_page(QUIZ, "a composer", "", clips))
    yield kept
    kept.close()


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, browser: Any, results: Results, tmp_path: Path) -> Iterator[Any]:
    """The page as a file, on a narrow screen; it must ask nobody for anything, and find no fault in itself."""
    screen = {"width": 320, "height": 700}
    context = browser.new_context(viewport=screen, color_scheme=request.param, accept_downloads=True)
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda said: faults.append(said.text))
    own = ("file:", "data:", "blob:")
    opened.on("request", lambda asked: None if asked.url.startswith(own) else faults.append(asked.url))
    opened.goto((tmp_path / "quiz.html").as_uri())
    yield opened
    context.close()
    assert faults == []


def is_legible(page: Any) -> bool:
    """Whether no text is pale, nothing reaches over the edge, and each button has a name."""
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    nameless = (
        "[...document.querySelectorAll('button, input')].filter(b => !(b.ariaLabel || b.textContent || b.labels?.[0]))"
    )
    return int(page.evaluate(f"{nameless}.length")) == 0


def begin(page: Any) -> None:
    """Choose an experience and begin, with the keyboard."""
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector("#ask:not([hidden])")


def hear(page: Any, key: str, side: str) -> None:
    page.keyboard.press(key)
    page.wait_for_selector(f"[data-side={side}].heard", timeout=20_000)


def test_a_listener_answers_with_the_keyboard_and_what_is_saved_is_taken_in(
    page: Any, results: Results, tmp_path: Path
) -> None:
    assert is_legible(page)
    begin(page)
    page.keyboard.press("a")
    assert "hear both" in page.inner_text("#hint")
    assert page.is_disabled("[data-side=a] .pick")
    hear(page, "1", "a")
    # Broken off is not heard.
    page.keyboard.press("2")
    page.wait_for_timeout(300)
    page.keyboard.press("2")
    assert page.is_disabled("[data-side=a] .pick")
    hear(page, "2", "b")
    assert is_legible(page)
    page.keyboard.press("b")
    assert page.inner_text("#where") == "Pair 2 of 2"
    page.reload()
    assert page.inner_text("#where") == "Pair 2 of 2"
    assert page.is_disabled("[data-side=b] .pick")
    page.keyboard.press("s")
    assert is_legible(page)
    with page.expect_download() as saved:
        page.click("#save")
    saved.value.save_as(tmp_path / "answers.json")
    reply = read_reply((tmp_path / "answers.json").read_bytes())
    assert [answer.choice for answer in reply.answers] == ["b", "skip"]
    assert reply.sitting.experience == "intermediate"
    assert take_in(results, reply, "f1") == 2
    assert results.judged("f1")[0].right == (results.pairs(QUIZ)[0].real == "b")
