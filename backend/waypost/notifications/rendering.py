"""Words for people: a template per kind (title, then body), and MJML layouts around them in a mail.

Templates run in a sandbox: they see the plain values given and nothing behind them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment
from mjml import mjml2html

from waypost.notifications.incoming.replies import MARKER
from waypost.notifications.words import Words

FOLDER = Path(__file__).parent / "templates"
_text = ImmutableSandboxedEnvironment(
    loader=FileSystemLoader(FOLDER),
    undefined=StrictUndefined,
    autoescape=False,
    trim_blocks=True,
    lstrip_blocks=True,
)
_html = ImmutableSandboxedEnvironment(loader=FileSystemLoader(FOLDER), undefined=StrictUndefined, autoescape=True)


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
    )


@cache
def built_in(kind: str) -> tuple[str, str]:
    """The subject and the body of a kind's own template, as they are written."""
    subject, _, body = (FOLDER / f"{kind}.j2").read_text().partition("\n---\n")
    return subject.strip(), body.strip()


@lru_cache
def _layout(name: str) -> Template:
    """A layout as an HTML template: MJML is turned into HTML once per process, its placeholders stay."""
    return _html.from_string(mjml2html((FOLDER / f"{name}.mjml").read_text()))


def mail_of(words: Words) -> tuple[str, str]:
    """One notice as a mail: its text and its HTML."""
    facts = "\n".join(f"{k}: {v}" for k, v in words.facts)
    named = (("Decide", words.decide_link), (words.action, words.link))
    ways = "\n".join(f"{name}: {link}" for name, link in named if link)
    text = "\n\n".join(part for part in (words.body, facts, ways) if part)
    return f"{text}\n", _layout("layout").render(asdict(words) | {"paragraphs": _paragraphs(words.body)})


def with_marker(text: str, html: str) -> tuple[str, str]:
    """A mail with the line above which an answer is written, so that the rest is known for a quote."""
    line = f'<div style="color:#526077;font-size:12px;text-align:center;padding:8px">{MARKER}</div>'
    body = re.search(r"<body[^>]{0,500}>", html)
    at = body.end() if body else 0
    return f"{MARKER}\n\n{text}", f"{html[:at]}{line}{html[at:]}"


def summary_of(title: str, notices: Sequence[Words], because: str, link: str) -> tuple[str, str]:
    """Several notices as one mail: its text and its HTML."""
    parts = [f"{n.subject}\n{n.body}\n{n.link}".strip() for n in notices]
    shown = [asdict(n) | {"subject": n.subject, "paragraphs": _paragraphs(n.body)} for n in notices]
    html = _layout("summary").render({"title": title, "notices": shown, "because": because, "link": link})
    return "\n\n".join([title, *parts]) + "\n", html


def _paragraphs(text: str) -> list[str]:
    return [p for p in text.split("\n\n") if p]


def one_line(text: str) -> str:
    """Text that may stand in a mail header: one line, no control characters, nothing that reads as encoded words.

    What looks like an encoded word (RFC 2047, "=?…?=") would be decoded on its way, and could then hold line breaks and
    so headers of its own; an invisible character in its middle leaves it the text it is.
    """
    bare = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs") else c for c in text)
    return " ".join(bare.split()).replace("=?", "=\u2060?")[:200]
