"""The frame around every mail, as MJML that administrators may write: what may stand in it, and turning it into HTML. Pure.

A layout has a place for the words (`{{ content }}`), says why one gets the mail (`{{ reason }}`), and where a reply begins
(`{{ reply_marker }}`). Nothing in it runs or is fetched but images over https; it is judged before it is compiled, and is
small and flat enough that compiling takes no time worth measuring.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from mjml import mjml2html

from waypost.notifications.expressions import CannotRender, Fault, faults

LAYOUT = "mail.layout"
MOST_SOURCE = 30_000
MOST_TAGS = 1000
MOST_DEPTH = 30
FOLDER = Path(__file__).parent / "templates"
VARIABLES = {
    "content": "What there is to say, with its facts and the button",
    "reason": "You get this because you made this request.",
    "reply_marker": "##- Please write your reply above this line -##",
    "title": "New comment: New laptop for the design team",
    "number": "ITH-2026-000042",
    "link": "https://waypost.example.com/tickets/42",
}
NEEDED = {
    "content": "the words have no place: put {{ content }} into an mj-column, once",
    "reason": "it does not say why one gets it and where that is chosen: put {{ reason }} into an mj-text",
    "reply_marker": "nothing says where a reply begins: put {{ reply_marker }} into an mj-text",
}
_MJML = frozenset(
    [
        "mjml",
        "mj-head",
        "mj-title",
        "mj-preview",
        "mj-attributes",
        "mj-all",
        "mj-class",
        "mj-breakpoint",
        "mj-style",
        "mj-body",
        "mj-wrapper",
        "mj-section",
        "mj-group",
        "mj-column",
        "mj-text",
        "mj-button",
        "mj-image",
        "mj-divider",
        "mj-spacer",
        "mj-table",
        "mj-raw",
    ]
)
_HTML = frozenset(
    [
        "a",
        "b",
        "strong",
        "i",
        "em",
        "u",
        "s",
        "br",
        "p",
        "div",
        "span",
        "h1",
        "h2",
        "h3",
        "h4",
        "ul",
        "ol",
        "li",
        "table",
        "tbody",
        "thead",
        "tr",
        "td",
        "th",
        "img",
        "small",
        "sup",
        "sub",
        "hr",
        "blockquote",
    ]
)
_FRAME = frozenset(
    ("", "mjml", "mj-head", "mj-attributes", "mj-body", "mj-wrapper", "mj-section", "mj-group", "mj-column")
)
_HANGING = frozenset({"br", "hr", "img"})
_CONTENT = re.compile(r"\{\{-?\s*content\s*-?\}\}")
_EXPRESSION = re.compile(r"\{[{%#]")
_UNSAFE_STYLE = re.compile(r"url\s*\(|@import|expression|javascript:|behavior|-moz-binding|\\|/\*", re.IGNORECASE)
_LINK = re.compile(r"https://[^\s]+|mailto:[^\s]+|\{\{ link \}\}")
_html = ImmutableSandboxedEnvironment(loader=FileSystemLoader(FOLDER), undefined=StrictUndefined, autoescape=True)


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout around one notice and around several."""

    one: Template
    many: Template


def built_in_layout() -> str:
    """The layout that comes with the product."""
    return (FOLDER / "layout.mjml").read_text()


def layout_faults(source: str) -> list[Fault]:
    """What is wrong with a layout, and in which line; at most ten."""
    if len(source) > MOST_SOURCE:
        return [Fault(1, f"is longer than {MOST_SOURCE:,} characters")]
    found = faults(source, VARIABLES, most=MOST_SOURCE)
    found += _Judge().judged(source)
    if len(_CONTENT.findall(source)) > 1:
        found.append(Fault(1, NEEDED["content"]))
    found += [Fault(1, why) for name, why in NEEDED.items() if not re.search(rf"\{{\{{-?\s*{name}\s*-?\}}\}}", source)]
    if found:
        return sorted(set(found), key=lambda f: (f.line, f.message))[:10]
    try:
        compiled(source)
    except CannotRender as wrong:
        return [Fault(1, str(wrong))]
    return []


@lru_cache(maxsize=16)
def compiled(source: str) -> Layout:
    """A layout ready to be filled in. Only for layouts without faults. Raises `CannotRender`."""
    before, after = _CONTENT.split(source, maxsplit=1)
    try:
        one, many = (
            _html.from_string(mjml2html(before + part + after, fonts={})) for part in (_part("one"), _part("many"))
        )
    except (ValueError, TemplateError) as wrong:
        raise CannotRender(f"cannot be turned into a mail: {wrong}"[:300]) from wrong
    return Layout(one, many)


def _part(name: str) -> str:
    return (FOLDER / f"{name}.mjml").read_text()


class _Judge(HTMLParser):
    """Looks at every tag of a layout."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[Fault] = []
        self.inside: list[str] = []
        self.count = 0

    def judged(self, source: str) -> list[Fault]:
        """What is wrong with its tags."""
        self.feed(source)
        self.close()
        if not source.lstrip().startswith("<mjml"):
            self._say("begins with <mjml>", line=1)
        return self.found

    def _say(self, what: str, line: int | None = None) -> None:
        self.found.append(Fault(line or self.getpos()[0], what))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _HANGING:
            self.inside.append(tag)
        self._look(tag, attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._look(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.inside:
            while self.inside.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        around = self.inside[-1] if self.inside else ""
        if around == "mj-style" and _UNSAFE_STYLE.search(data):
            self._say("styles fetch nothing and run nothing")
        if _CONTENT.search(data) and around != "mj-column":
            self._say("{{ content }} stands in an mj-column, beside its other parts")
        elif around in _FRAME and _CONTENT.sub("", data).strip():
            self._say(f"words stand in an mj-text, not in {around or 'the open'}")

    def handle_comment(self, data: str) -> None:
        if data.lstrip().startswith("[") or _EXPRESSION.search(data):
            self._say("a comment holds words only")

    def handle_decl(self, decl: str) -> None:
        self._say("declarations are not possible here")

    def unknown_decl(self, data: str) -> None:
        self._say("declarations are not possible here")

    def handle_pi(self, data: str) -> None:
        self._say("instructions are not possible here")

    def _look(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count += 1
        if self.count == MOST_TAGS + 1 or len(self.inside) == MOST_DEPTH + 1:
            self._say("is too complicated: too many elements, or too deep within each other")
        if tag not in _MJML and tag not in _HTML:
            self._say(f"<{tag[:40]}> is not possible here")
        for name, given in attrs:
            value = (given or "").strip()
            if name.startswith("on"):
                self._say(f"nothing runs in a mail: {name[:40]} is not possible here")
            elif name == "href":
                if not _LINK.fullmatch(value) or _EXPRESSION.search(value.replace("{{ link }}", "", 1)):
                    self._say("a link leads to https://…, mailto:… or {{ link }}")
            elif _EXPRESSION.search(value):
                self._say(f"values stand in the text, not in {name[:40]}")
            elif name in ("src", "background", "background-url", "srcset"):
                if not re.fullmatch(r"https://[^\s,]+", value):
                    self._say("an image is fetched from https://…")
            elif _UNSAFE_STYLE.search(value):
                self._say("styles fetch nothing and run nothing")
