"""One listener goes through a quiz: pair by pair, both clips heard, the first answer kept."""

from __future__ import annotations

from dataclasses import dataclass

from .pairs import Pair, QuizError, Sources, new_pairs, pair_of, plan
from .results import SKIP, Answered, Quiz, Results, Sitting


@dataclass(frozen=True)
class Question:
    """What is asked next.

    Attributes:
        number: from 0.
        pair: its clips; which is real is not for the listener.
        heard: sides that were played already.
    """

    number: int
    pair: Pair
    heard: frozenset[str]


class Listening:
    """A sitting that goes on; whatever is told to it is kept at once.

    Args:
        results: where it is kept.
        sources: make the clips.
        sitting: as it was begun.
    """

    def __init__(self, results: Results, sources: Sources, sitting: Sitting) -> None:
        quiz = results.quiz(sitting.quiz)
        if quiz is None:
            raise QuizError(f"there is no quiz {sitting.quiz!r}; begin a new one")
        self.quiz, self.sitting = quiz, sitting
        self._results, self._sources = results, sources
        self._pair: tuple[int, Pair] | None = None

    @property
    def done(self) -> int:
        """How many pairs were answered or skipped."""
        return sum(bool(answer.choice) for answer in self._results.state(self.sitting.id).values())

    def question(self) -> Question | None:
        """The first pair without an answer; None if there is none left. Asking again gives the same one.

        Raises:
            QuizError: if a pair that was shown cannot be made again, or no new one can.
        """
        state = self._results.state(self.sitting.id)
        for number in range(len(self.quiz.kinds)):
            answer = state.get(number, Answered(number))
            if not answer.choice:
                return Question(number, self._made(number), answer.heard)
        return None

    def hear(self, side: str) -> None:
        """Tell that a clip of the question was played to its end, "a" or "b"."""
        self._results.hear(self.sitting.id, self._number(), side)

    def answer(self, side: str) -> None:
        """Tell which clip of the question the listener takes for the real one, "a" or "b".

        Raises:
            QuizError: if one of them has not been heard.
        """
        self._results.answer(self.sitting.id, self._number(), side)

    def skip(self) -> None:
        """Leave the question out for good."""
        self._results.answer(self.sitting.id, self._number(), SKIP)

    def _number(self) -> int:
        question = self.question()
        if question is None:
            raise QuizError("all pairs of this quiz have been answered, and the first answer counts")
        return question.number

    def _made(self, number: int) -> Pair:
        if self._pair is not None and self._pair[0] == number:
            return self._pair[1]
        pairs = self._results.pairs(self.quiz.id)
        if number in pairs:
            asked = pairs[number]
            pair = pair_of(self._sources, asked.kind, asked.seed)
            if (pair.digest, pair.real) != (asked.digest, asked.real):
                raise QuizError("the style or the real pieces have changed since this quiz began; begin a new one")
        else:
            seed = max((asked.seed + 1 for asked in pairs.values()), default=self.quiz.seed)
            shown = self._results.shown(self.sitting.listener)
            pair = next(new_pairs(self._sources, [self.quiz.kinds[number]], seed, shown))
            self._results.add_pair(self.quiz.id, number, pair)
        self._pair = number, pair
        return pair


def begin(
    results: Results, sources: Sources, quiz: str, sitting: str, pairs: int, seed: int, listener: str, experience: str
) -> Listening:
    """A new quiz and a listener who begins it; ids are of the caller's choice, and new."""
    kinds = plan(sources.kinds, pairs, seed)
    results.add_quiz(Quiz(quiz, sources.style, sources.fingerprint, seed, kinds, listener))
    results.begin(Sitting(sitting, quiz, listener, experience))
    return Listening(results, sources, Sitting(sitting, quiz, listener, experience))
