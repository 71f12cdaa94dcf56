"""A mail in the words of a request or a comment: cut to what they hold, and without what is its reader's alone. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from waypost.kernel.shapes import in_one_line, is_blank
from waypost.notifications.incoming.matching import bare_subject
from waypost.notifications.incoming.reading import Arrived
from waypost.notifications.incoming.replies import new_words


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MOST_COMMENT = 20_000
MOST_DESCRIPTION = 50_000
MOST_TITLE = 200
_NOTE_ROOM = 2_000
CUT = "(The end is cut off: the original mail has it.)"
# What lets whoever holds it decide in somebody's name: quoted in a reply, it must not reach the reply's readers.
_SECRET = re.compile(r"[a-z]{1,10}://[^\s<>\"'()\[\]]{1,300}/decide/[^\s<>\"'()\[\]]{0,300}|wpd_[0-9a-f]{8,128}", re.I)
_PLUS = re.compile(r"([\w.%-]{1,64})\+[a-z2-7]{20,60}(@[\w.-]{1,253})", re.IGNORECASE)
_THANKS = _words("""
    thanks thank thx cheers danke dank bedankt merci gracias obrigado obrigada grazie tack takk tak kiitos
    dziękuję dzięki děkuji спасибо 谢谢 謝謝 ありがとう ok okay great perfect super
""")
_WITH_THANKS = _words("""
    hi hello hallo hey dear all everybody team you so very much a lot many again for your the help it works
    now fine good done vielen besten herzlichen schön dir euch ihnen für die hilfe u wel je beaucoup pour
    votre aide muchas mil best kind regards viele liebe grüße passt
""")


@dataclass(frozen=True, slots=True)
class Written:
    """What is written in somebody's name. `is_thanks`: it says nothing but thanks."""

    title: str
    body: str
    is_thanks: bool = False


def reply(mail: Arrived, left_out: Sequence[str], *, has_files: bool, is_stranger: bool) -> Written:
    """The new words of a reply, with what could not be kept of it."""
    words = without_secrets(new_words(mail.text)).strip()
    if is_blank(words):
        words = "(A mail with files.)" if has_files else "(A mail without words.)"
    body = _cut(_from(mail, words) if is_stranger else words, MOST_COMMENT - _NOTE_ROOM) + _note(left_out)
    return Written("", body, is_thanks=says_thanks(words, [a.name for a in mail.senders]))


def request(mail: Arrived, left_out: Sequence[str], *, is_stranger: bool) -> Written:
    """A new request: what it is about, and all that was written, also of a mail that is passed on."""
    words = without_secrets(mail.text).strip()
    subject = in_one_line(without_secrets(bare_subject(mail.subject)))
    first = next((line for line in words.split("\n") if not is_blank(line)), "")
    title = subject if not is_blank(subject) else in_one_line(first)
    title = title[:MOST_TITLE].strip()
    body = _from(mail, words) if is_stranger else words
    description = "" if is_blank(body) and not left_out else _cut(body, MOST_DESCRIPTION - _NOTE_ROOM) + _note(left_out)
    return Written(title if not is_blank(title) else "A mail without a subject", description.strip())


def without_secrets(text: str) -> str:
    """Text without what only its first reader may use: links that decide, and codes of reply addresses."""
    return _PLUS.sub(r"\1\2", _SECRET.sub("[a personal link]", text))


def says_thanks(words: str, names: Sequence[str] = ()) -> bool:
    """Whether a few words say nothing but thanks: no reason to open again what is done. `names` may stand with them."""
    if len(words) > 200 or "?" in words:
        return False
    said = set(re.findall(r"\w+", words.casefold()))
    named = {word for name in names for word in re.findall(r"\w+", name.casefold())}
    return bool(said & _THANKS) and said <= _THANKS | _WITH_THANKS | named


def _from(mail: Arrived, words: str) -> str:
    name = next((a.name for a in mail.senders if a.name), "")
    return f"From: {name} <{mail.sender}>\n\n{words}".replace("From:  <", "From: <")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - len(CUT) - 2].rstrip()}\n\n{CUT}"


def _note(left_out: Sequence[str]) -> str:
    if not left_out:
        return ""
    shown = [in_one_line(one)[:150] for one in left_out[:8]]
    more = [f"{len(left_out) - 8} more"] if len(left_out) > 8 else []
    return f"\n\nNot kept of this mail: {'; '.join([*shown, *more])}."
