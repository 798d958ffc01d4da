"""`kapelle quiz`: a listening test in the terminal or on a page, and what its answers say."""

from __future__ import annotations

import json
import secrets
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import MissingExtra, WishError
from .asking import ask_all, ask_experience
from .music import read_music
from .opening import open_named
from .output import count, megabytes, plain, shown, table
from .progress import ProgressLine
from .words import Number
from .writing import check_folder, check_free, write_all

if TYPE_CHECKING:
    from ..corpora import Corpus
    from ..quiz import Analysis, Results, StyleSources, Tally
    from ..styles import Style

LARGEST_SEED = 2**31


@click.command()
@click.argument("style")
@click.option("--pairs", type=Number(int, "10", 1, 100), default=10, help="How many are asked about.  [10]")
@click.option("--listener", default="", metavar="NAME", help="Who listens, to be shown no pair twice. Nobody must.")
@click.option("--real", type=click.Path(path_type=Path), metavar="FOLDER", help="Real pieces.  [chorales by Bach]")
@click.option("--seed", type=Number(int, "7", 0, LARGEST_SEED), help="Of the pairs. A free random one without it.")
@click.option("--resume", is_flag=True, help="Go on with the last quiz that was not finished.")
@click.option("--page", is_flag=True, help="Make one HTML page of it, to be given to others.")
@click.option("--answers", type=click.Path(path_type=Path), metavar="FILE", help="Take in what a page has saved.")
@click.option("--analyse", is_flag=True, help="Say how often the real clip was found, and how sure that is.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Of --page; of --analyse, as JSON.")
@click.option("--force", is_flag=True, help="Replace the file that --out names.")
@click.option("--data", type=click.Path(path_type=Path), metavar="FOLDER", help="Where answers are kept.")
def quiz(
    style: str,
    pairs: int,
    listener: str,
    real: Path | None,
    seed: int | None,
    resume: bool,
    page: bool,
    answers: Path | None,
    analyse: bool,
    out: Path | None,
    force: bool,
    data: Path | None,
) -> None:
    """Hear pairs of clips, one real and one by a STYLE, and say which is which.

    Both clips of a pair must be heard before an answer counts, and the first answer counts. Everything is kept at
    once; Ctrl-C loses nothing.

    \b
    kapelle quiz chorale
    kapelle quiz chorale --page --out quiz.html
    kapelle quiz chorale --answers quiz-answers-1f0c.json
    kapelle quiz chorale --analyse
    """
    from ..quiz import Results, style_fingerprint

    _check_together(page, answers, analyse, resume, out)
    name = plain(listener)[:80]
    if data is None:
        import platformdirs

        data = Path(platformdirs.user_data_dir("kapelle", appauthor=False)) / "quiz"
    target = out or Path(f"quiz-{shlex.quote(_stem(style))}.html")
    if page or out is not None:
        check_folder(target.parent)
        if not force:
            check_free(target)
    composer = open_named(style, "`kapelle styles` lists the styles")
    results = Results(data / "quiz.db")
    try:
        if answers is not None:
            _take_in(results, answers, style_fingerprint(composer))
        elif analyse:
            _tell_analysis(results, composer, out, force)
        elif page:
            _make_page(results, composer, real, pairs, _seed(seed), name, target, force)
        else:
            _listen(results, composer, real, pairs, _seed(seed), name, resume, data / "clips")
    finally:
        results.close()


def _check_together(page: bool, answers: Path | None, analyse: bool, resume: bool, out: Path | None) -> None:
    chosen = [
        name
        for name, given in (
            ("--page", page),
            ("--answers", answers is not None),
            ("--analyse", analyse),
            ("--resume", resume),
        )
        if given
    ]
    if len(chosen) > 1:
        raise WishError(f"expected one of --page, --answers, --analyse and --resume, got {' and '.join(chosen)}")
    if out is not None and not (page or analyse):
        raise WishError("expected --out together with --page or --analyse: a quiz in the terminal writes no file")


def _seed(seed: int | None) -> int:
    return secrets.randbelow(LARGEST_SEED) if seed is None else seed


def _stem(style: str) -> str:
    return Path(style).name.removesuffix(".safetensors")


def _sources(composer: Style, real: Path | None) -> StyleSources:
    from ..quiz import StyleSources, rewriter

    corpus = _real_pieces(real)
    sources = StyleSources(composer, corpus, rewriter(composer))
    if len(sources.kinds) > 1 and not sources.held_out:
        click.echo("the style may have learnt from these very pieces, which makes its parts too good", err=True)
    return sources


def _real_pieces(real: Path | None) -> Corpus:
    try:
        return read_music(real, "chorale" if real is None else None)[0]
    except MissingExtra as error:
        raise WishError(f"{error}; or give real pieces of your own with --real FOLDER") from None


def _whom(real: Path | None) -> str:
    return "Bach" if real is None else "a composer"


# -- in the terminal ------------------------------------------------------------------------------


def _listen(
    results: Results,
    composer: Style,
    real: Path | None,
    pairs: int,
    seed: int,
    listener: str,
    resume: bool,
    folder: Path,
) -> None:
    from ..quiz import Listening, begin, style_fingerprint

    if resume:
        open_one = results.unfinished(listener, style_fingerprint(composer))
        if open_one is None:
            who = f" of {listener}" if listener else ""
            raise WishError(f"there is no unfinished quiz{who} about this style; begin one without --resume")
        listening = Listening(results, _sources(composer, real), open_one)
    else:
        sources = _sources(composer, real)
        # Made once before anybody is asked anything: what cannot be compared is found out now.
        sources.clips(sources.kinds[-1], seed)
        experience = results.experience(listener) or ask_experience()
        quiz_id, sitting = secrets.token_hex(8), secrets.token_hex(16)
        listening = begin(results, sources, quiz_id, sitting, pairs, seed, listener, experience)
    ask_all(listening, _whom(real), folder / listening.quiz.id)


# -- as a page ------------------------------------------------------------------------------------


def _make_page(
    results: Results,
    composer: Style,
    real: Path | None,
    pairs: int,
    seed: int,
    listener: str,
    target: Path,
    force: bool,
) -> None:
    from ..quiz import Quiz, new_pairs, plan, quiz_page, to_small_mp3

    sources = _sources(composer, real)
    kinds = plan(sources.kinds, pairs, seed)
    made, clips = [], []
    with ProgressLine("composing") as line:
        for pair in new_pairs(sources, kinds, seed, results.shown(listener)):
            made.append(pair)
            clips.append((to_small_mp3(pair.a), to_small_mp3(pair.b)))
            line.tell(len(made) / pairs)
    quiz_id = secrets.token_hex(8)
    text = quiz_page(quiz_id, _whom(real), listener, clips).encode()
    results.add_quiz(Quiz(quiz_id, sources.style, sources.fingerprint, seed, kinds, listener, True), made)
    write_all([(target, text)], force)
    click.echo(f"{shown(target)}  {count(pairs, 'pair')}, {megabytes(len(text))}")
    click.echo(f"    what it saves is taken in with: kapelle quiz {shlex.quote(composer.name)} --answers FILE")


def _take_in(results: Results, path: Path, fingerprint: str) -> None:
    from ..errors import FileError
    from ..files.disk import read_bytes
    from ..quiz import QuizError, read_reply, take_in

    data = read_bytes(path)
    try:
        taken = take_in(results, read_reply(data), fingerprint)
    except QuizError as error:
        raise FileError(f"{shown(path)}: {error}") from None
    click.echo(f"took in {count(taken, 'answer')}")


# -- what the answers say -------------------------------------------------------------------------


def _tell_analysis(results: Results, composer: Style, out: Path | None, force: bool) -> None:
    from ..quiz import analyse, style_fingerprint

    fingerprint = style_fingerprint(composer)
    found = analyse(results.judged(fingerprint))
    others = results.others(composer.name, fingerprint)
    if others:
        told = f"{count(others, 'answer')} about another style named {plain(composer.name)}"
        click.echo(f"left out: {told}, such as it was before it was trained anew", err=True)
    if not found.everything.answers and not found.skipped:
        raise WishError("expected answers to analyse, there are none about this style; take the quiz first")
    for line in _lines(found):
        click.echo(line)
    if out is not None:
        values = {"style": composer.name, "fingerprint": fingerprint, **found.to_json()}
        write_all([(out, (json.dumps(values, indent=1) + "\n").encode())], force)
        click.echo(shown(out))


def _lines(found: Analysis) -> list[str]:
    rows = [("", "found the real one", "95 % interval", "answers", "")]
    rows.append(_row("all answers", found.everything))
    rows += [_row(f"composed {kind}", tally) for kind, tally in found.by_kind.items()]
    rows += [_row(name, tally) for name, tally in found.by_experience.items()]
    if len(found.by_kind) > 1 and len(found.by_experience) > 1:
        rows += [_row(f"{kind}, {name}", tally) for (kind, name), tally in found.by_both.items()]
    note = f"{count(found.sittings, 'sitting')}, {count(found.skipped, 'pair')} skipped; 50 % is guessing"
    return [*table(rows), note]


def _row(name: str, tally: Tally) -> tuple[str, str, str, str, str]:
    low, high = tally.interval
    share = f"{tally.share:.0%}" if tally.answers else "-"
    return name, share, f"{low:.0%} to {high:.0%}", str(tally.answers), tally.verdict
