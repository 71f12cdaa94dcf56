"""Words for people: a template per kind (subject, then body) and one MJML layout around it.

Templates run in a sandbox: they see the plain values given and nothing behind them.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment
from mjml import mjml2html

FOLDER = Path(__file__).parent / "templates"
_text = ImmutableSandboxedEnvironment(
    loader=FileSystemLoader(FOLDER),
    undefined=StrictUndefined,
    autoescape=False,
    trim_blocks=True,
    lstrip_blocks=True,
)
_html = ImmutableSandboxedEnvironment(loader=FileSystemLoader(FOLDER), undefined=StrictUndefined, autoescape=True)


@dataclass(frozen=True, slots=True)
class Rendered:
    """What one notice says: `title` and `body` in the app, `subject`, `text` and `html` in the mail."""

    title: str
    body: str
    subject: str
    text: str
    html: str


@lru_cache
def _layout() -> Template:
    """The layout as an HTML template: MJML is turned into HTML once per process, its placeholders stay."""
    return _html.from_string(mjml2html((FOLDER / "layout.mjml").read_text()))


def render(kind: str, values: dict[str, Any]) -> Rendered:
    """The words of a notice. `values` are plain: strings and dicts of strings.

    Raises `jinja2.TemplateError` when the template and the values do not fit.
    """
    whole = _text.get_template(f"{kind}.j2").render(values)
    title, _, body = whole.partition("\n---\n")
    title, body = " ".join(title.split()), re.sub(r"\n{3,}", "\n\n", body).strip()
    number = values["ticket"]["number"] if "ticket" in values else ""
    subject = f"[{number}] {title}" if number else title
    facts = [(k, v) for k, v in values["facts"].items() if v]
    about = "\n".join(f"{k}: {v}" for k, v in facts)
    return Rendered(
        title=title,
        body=body,
        subject=subject,
        text=f"{body}\n\n{about}\n\n{values['action']}: {values['link']}\n",
        html=_layout().render(
            values
            | {"number": number, "title": title, "paragraphs": [p for p in body.split("\n\n") if p], "facts": facts}
        ),
    )


def one_line(text: str) -> str:
    """Text that may stand in a mail header: one line, no control characters, nothing that reads as encoded words.

    What looks like an encoded word (RFC 2047, "=?…?=") would be decoded on its way, and could then hold line breaks and
    so headers of its own; an invisible character in its middle leaves it the text it is.
    """
    bare = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs") else c for c in text)
    return " ".join(bare.split()).replace("=?", "=\u2060?")[:200]
