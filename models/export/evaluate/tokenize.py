"""Sentences to lower-case tokens without punctuation, as caption scores are customarily computed.

The effect is that of Stanford's PTBTokenizer 3.4.1 with ``-preserveLines -lowerCase`` followed by the
removal of punctuation (as pycocoevalcap does it), for what occurs in captions: words, contractions,
hyphens, slashes, abbreviations, initials, numbers, times, fractions, quotes, brackets. Written from the
tokenizer's behaviour; not covered are URLs with a path, e-mail addresses, smileys, markup, currency other
than ``$`` and symbols beyond ASCII. Punctuation that is removed in any case is told apart only where it
decides how its neighbours are split.

The upper-case names of brackets in the customary list never match the lower-cased tokens, so brackets
stay, as ``-lrb-`` and the like; so do runs such as ``!!``.
"""

from __future__ import annotations

import re

# Dots come one by one here, so "..." needs no entry; up to four dashes become "--".
_PUNCTUATION = frozenset(["''", "'", "``", "`", '"', ".", "?", "!", ",", ":", "-", "--", "---", "----", ";"])
_BRACKETS = {"(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-"}
_ASSIMILATED = {
    "cannot": ("can", "not"),
    "gonna": ("gon", "na"),
    "gotta": ("got", "ta"),
    "gimme": ("gim", "me"),
    "lemme": ("lem", "me"),
    "wanna": ("wan", "na"),
    "'tis": ("'t", "is"),
    "'twas": ("'t", "was"),
}
_TYPOGRAPHIC = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "--", "—": "--", "…": "..."})

# Abbreviations that keep their full stop: always, when capitalised only, before a number only.
_ABBREVIATIONS = (
    "adj adm adv al ala alex apr ariz assn assoc asst atty attys aug ave bhd bldg blvd brig bros calif capt"
    " cf cie cmdr co col colo comdr conn corp cos cpl ct dak dec dept det dr drs elec ens esq est etc ext feb"
    " fla fri ft ga gen gov govs hon inc ind insp intl invt jan jos jr jul jun kan kans ky lieut lt ltd maj"
    " mar md mfg mich minn mlle mme mo mon mont mr mrs ms msgr mt mtg natl neb nev nov oct okla penn pfc ph"
    " plc pres prof profs pte pty pvt rd rep reps rev rt sen sens sep sept seq sfc sgt spc sq sr st ste supt"
    " supts sys tel tenn thu thurs treas tue tues univ va vs vt wed wis wisc wm wyo"
)
_CAPITALISED_ABBREVIATIONS = "Ark Az Del Ill La Mass Miss Ore Pa Tex Wash"
_NUMBER_ABBREVIATIONS = "art ca fig figs no nos op pp prop"
# A capitalised word that begins a sentence takes the full stop away from a single letter before it.
_SENTENCE_STARTS = (
    "A About After An As At But He Her Here If In It Many More Now One Other Our She Since So Some"
    " That The Their There These They This We What When While You"
)


def _any(words: str) -> str:
    """A group of alternatives, longest first."""
    return "(?:" + "|".join(sorted(words.split(), key=len, reverse=True)) + ")"


_LETTER = r"[^\W\d_]"
_WORD = rf"{_LETTER}[^\W_]*(?:[.!?]{_LETTER}[^\W_]*)*"
_PART = r"[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}"
_AUXILIARY = r"'(?i:[msd]|re|ve|ll)(?![A-Za-z])"
_NOT = r"(?i:n't)"

# The real tokenizer takes the longest match at each place; here the order stands for it.
_TOKEN = re.compile(
    "|".join(
        [
            r"[A-Za-z]+(?=\s|$)",
            # Before a contraction, and the contraction itself.
            rf"[A-Za-z]*[A-MO-Za-mo-z](?={_NOT})",
            rf"{_NOT}(?![A-Za-z])",
            rf"{_WORD}(?={_AUXILIARY})",
            r"(?i:'twas|'tis)(?![A-Za-z])",
            _AUXILIARY,
            # Apostrophes that belong to a word.
            r"(?i:ol|dunkin|somethin)'(?!\w)|(?i:li'l|c'mon|s'mores|ev'ry|nat'l)(?!\w)|[Yy]'(?=all)",
            r"[dDoOlL]'[^\W_]+(?:-[^\W_]+)*|[A-HJ-XZn]'[A-Za-z]{2}[^\W_]*|[A-Za-z]+[aeiouyAEIOUY]'[aeiouA-Z][A-Za-z]*",
            r"[lLdDjJ]'|'[2-9]0s|'\d\d(?=\s|$)|(?i:'n'|(?:'em|'till?|'cause|'n)(?!\w))",
            # Slashes and hyphens within a word, then fractions and numbers.
            rf"{_PART}(?:/{_PART}){{1,2}}",
            rf"{_LETTER}[^\W_]*(?:[.,]+[^\W_]+)*[.,]*(?:-[^\W_]+)+",
            r"(?:\d{1,4}-)?\d{1,4}/\d{1,4}",
            r"[-+]?\d*(?:[.:,]\d+)+(?:-[^\W_]+)*",
            r"\d[^\W_]*(?:-[^\W_]+)*",
            r"[-+]\d+",
            # Full stops that belong to a word.
            r"[A-Za-z](?:\.[A-Za-z])+\.(?![A-Za-z])|(?i:ph\.d)\.",
            rf"[A-Za-z]\.(?!{_LETTER})(?!\s+{_any(_SENTENCE_STARTS)}\s)",
            rf"(?i:{_any(_ABBREVIATIONS)})\.(?!{_LETTER})",
            rf"(?:{_any(_CAPITALISED_ABBREVIATIONS)}|{_any(_CAPITALISED_ABBREVIATIONS.upper())})\.(?!{_LETTER})",
            rf"(?i:{_any(_NUMBER_ABBREVIATIONS)})\.(?=\s?\d)",
            rf"{_WORD}\.(?=[,;:])",
            r"[A-Z]+(?:[+&][A-Z]+)+|[Cc]\+\+",
            r"[@#][A-Za-z_]\w*",
            _WORD + r"(?:_+[^\W_]+)*",
            # Everything else: runs of one sign, or one character.
            r"[?!]+|-+|_+|\*+|#+|''|``|\S",
        ]
    )
)


def tokenize(sentence: str) -> list[str]:
    """The sentence's lower-case tokens, punctuation removed; an empty list for an empty sentence."""
    tokens: list[str] = []
    for token in _TOKEN.findall(sentence.translate(_TYPOGRAPHIC)):
        token = token.lower()
        if token in _PUNCTUATION:
            continue
        if token in _ASSIMILATED:
            tokens.extend(_ASSIMILATED[token])
        else:
            tokens.append(_BRACKETS.get(token, token))
    return tokens
