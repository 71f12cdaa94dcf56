"""Words for people: a template per kind (title, then body), and a layout around them in a mail.

Templates run in a sandbox: they see the plain values given and nothing behind them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from typing import Any, Literal

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from waypost.kernel.logs import get_logger
from waypost.notifications.expressions import CannotRender
from waypost.notifications.layouts import FOLDER, LAYOUT, built_in_layout, compiled
from waypost.notifications.words import Words

log = get_logger(__name__)
_text = ImmutableSandboxedEnvironment(
    loader=FileSystemLoader(FOLDER),
    undefined=StrictUndefined,
    autoescape=False,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(kind: str, values: dict[str, Any]) -> Words:
    """The words of a notice. `values` are plain: strings and dicts of strings.

    Raises `jinja2.TemplateError` when the template and the values do not fit.
    """
    whole = _text.get_template(f"{kind}.j2").render(values)
    title, _, body = whole.partition("\n---\n")
    return worded(title, body, values)


def worded(title: str, body: str, values: Mapping[str, Any]) -> Words:
    """Title and body, tidied, with what the values say besides: facts, and where it leads."""
    ticket = values.get("ticket", {})
    return Words(
        title=" ".join(title.split()),
        body=re.sub(r"\n{3,}", "\n\n", body).strip(),
        number=ticket.get("number", ""),
        ticket_id=ticket.get("id"),
        facts=tuple((k, v) for k, v in values.get("facts", {}).items() if v),
        link=values["link"],
        action=values["action"],
        because=values["because"],
        decide_link=values.get("decide_link", ""),
        decide=values.get("decide"),
        ticket_ids=tuple(values.get("ticket_ids", ())),
    )


@cache
def built_in(kind: str) -> tuple[str, str]:
    """The subject and the body of a kind's own template, as they are written."""
    if kind == LAYOUT:
        return "The layout of every mail", built_in_layout()
    subject, _, body = (FOLDER / f"{kind}.j2").read_text().partition("\n---\n")
    return subject.strip(), body.strip()


def mail_of(words: Words, layout: str = "", marker: str = "") -> tuple[str, str]:
    """One notice as a mail: its text and its HTML. `layout` is the company's, `marker` the line above which to reply."""
    facts = "\n".join(f"{k}: {v}" for k, v in words.facts)
    named = (("Decide", words.decide_link), (words.action, words.link))
    ways = "\n".join(f"{name}: {link}" for name, link in named if link)
    text = "\n\n".join(part for part in (marker, words.body, facts, ways) if part)
    values = asdict(words) | {
        "paragraphs": _paragraphs(words.body),
        "reason": _reason(words.because, opens=_DECIDES if words.decide_link else _OPENS),
        "reply_marker": marker,
    }
    return f"{text}\n", _framed("one", layout, values)


_OPENS = "The button only opens Waypost; nothing is decided by opening it."
_DECIDES = (
    "The button opens a page with what is needed to decide; nothing is decided by opening it. It is meant for you alone: "
    "please do not forward it."
)


def _reason(because: str, opens: str = "") -> str:
    return f"You get this because {because}. {opens}".strip()


def summary_of(
    title: str, notices: Sequence[Words], because: str, link: str, layout: str = "", marker: str = ""
) -> tuple[str, str]:
    """Several notices as one mail: its text and its HTML."""
    parts = [f"{n.subject}\n{n.body}\n{n.link}".strip() for n in notices]
    shown = [asdict(n) | {"subject": n.subject, "paragraphs": _paragraphs(n.body)} for n in notices]
    values = {"title": title, "number": "", "notices": shown, "reason": _reason(because), "link": link}
    html = _framed("many", layout, values | {"reply_marker": marker})
    return "\n\n".join([part for part in (marker, title) if part] + parts) + "\n", html


def _framed(part: Literal["one", "many"], layout: str, values: Mapping[str, Any]) -> str:
    """In the company's layout, or in the built-in one when that cannot be filled in."""
    if layout:
        try:
            return str(getattr(compiled(layout), part).render(values))
        except (CannotRender, TemplateError):
            log.exception("the company's mail layout cannot be filled in; the built-in one is used")
    return str(getattr(compiled(built_in_layout()), part).render(values))


def _paragraphs(text: str) -> list[str]:
    return [p for p in text.split("\n\n") if p]


def one_line(text: str) -> str:
    """Text that may stand in a mail header: one line, no control characters, nothing that reads as encoded words.

    What looks like an encoded word (RFC 2047, "=?…?=") would be decoded on its way, and could then hold line breaks and
    so headers of its own; an invisible character in its middle leaves it the text it is.
    """
    bare = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs") else c for c in text)
    return " ".join(bare.split()).replace("=?", "=\u2060?")[:200]
