"""VQA accuracy by the official rule (Antol et al. 2015; visualqa.org/evaluation), and the answer that needs no photo.

Both sides are normalised: lower case, full stops dropped unless in a number, numbers up to ten as digits, no articles,
contractions with their apostrophe, other punctuation made a space (a comma within a number dropped).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from train.questions import Question, fold_answer

# Forms whose letters alone are another word (it's, we're, she'll, I'd …) can't be told and stay as they are.
_CONTRACTIONS = {
    form.replace("'", ""): form
    for form in (
        "ain't aren't can't could've couldn't didn't doesn't don't hadn't hasn't haven't he'd he's i'm i've isn't it'd"
        " it'll let's ma'am might've mightn't must've mustn't needn't o'clock oughtn't she's should've shouldn't"
        " somebody'd somebody's someone's something's that'd that's there'd there're there's they'd they'll they're"
        " they've wasn't we've weren't what'll what're what's what've when's where'd where's who'd who'll who's"
        " who've why's won't would've wouldn't y'all you'd you'll you're you've"
    ).split()
}


def normalise(answer: str) -> str:
    """The form in which answers are compared."""
    return " ".join(_CONTRACTIONS.get(word, word) for word in fold_answer(answer).split())


def accuracy(answer: str, people: Sequence[str]) -> float:
    """Between 0 and 1. Several people: min(others who say the same / 3, 1), averaged over leaving out each of them.
    One person (DAQUAR, whose underscores are folded into spaces): 1 where the answers are the same."""
    given, said = normalise(answer), [normalise(other) for other in people]
    same = said.count(given)
    if len(said) == 1:
        return float(same)
    return sum(min((same - (other == given)) / 3, 1.0) for other in said) / len(said)


class PrefixAnswers:
    """The most common training answer to questions that begin alike: the longest beginning, in words, of at least
    `at_least` training questions counts, and nothing where there is none; the answer first met on a tie."""

    def __init__(self, questions: Iterable[Question], at_least: int = 3) -> None:
        answers: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        for question in questions:
            words = tuple(question.question.split())
            for length in range(len(words) + 1):
                answers[words[:length]][question.answer] += 1
        self._answers = {
            words: found.most_common(1)[0][0]
            for words, found in answers.items()
            if not words or found.total() >= at_least
        }

    def answer(self, question: str) -> str:
        """The answer to a clean question; an empty one where nothing was learnt from."""
        words = tuple(question.split())
        for length in range(len(words), -1, -1):
            if words[:length] in self._answers:
                return self._answers[words[:length]]
        return ""
