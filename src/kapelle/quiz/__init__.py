"""Which one is by a composer? A listening test: pairs of clips, answers kept one by one, and what they say.

    sources = StyleSources(style, corpus)                 where clips come from; any `Sources` will do
    listening = begin(results, sources, ...)              one listener's going through a quiz
    listening.question(), .hear("a"), .answer("b")        until the question is None
    analyse(results.judged(sources.fingerprint))          shares, intervals, and whether they differ from chance

The same as a page: `quiz_page` makes it, `read_reply` and `take_in` take in what comes back from it. Nothing in here
knows of a terminal or of HTTP.
"""

from .analysis import NOT_TOLD, Analysis, Tally, analyse, wilson
from .page import quiz_page
from .pairs import ALL, KINDS, SIDES, Clips, Pair, QuizError, Sources, new_pairs, pair_of, plan
from .reply import Reply, read_reply, take_in
from .results import EXPERIENCES, SKIP, Answered, Judged, Quiz, Results, Sitting
from .rewriting import Rewrite, rewriter
from .sitting import Listening, Question, begin
from .sounds import to_small_mp3
from .sources import StyleSources, opening, style_fingerprint

__all__ = [
    "ALL",
    "EXPERIENCES",
    "KINDS",
    "NOT_TOLD",
    "SIDES",
    "SKIP",
    "Analysis",
    "Answered",
    "Clips",
    "Judged",
    "Listening",
    "Pair",
    "Question",
    "Quiz",
    "QuizError",
    "Reply",
    "Results",
    "Rewrite",
    "Sitting",
    "Sources",
    "StyleSources",
    "Tally",
    "analyse",
    "begin",
    "new_pairs",
    "opening",
    "pair_of",
    "plan",
    "quiz_page",
    "read_reply",
    "rewriter",
    "style_fingerprint",
    "take_in",
    "to_small_mp3",
    "wilson",
]
