"""HTML of a mail: made safe to show, and turned into words. Pure.

What is shown keeps its paragraphs, lists, tables and links, and nothing that a browser would fetch or run: no images, no
styles, no forms. Links lead out only, and say nothing about where from.
"""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import nh3


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TAGS = _words("""
    p br div span b strong i em u s del ins sub sup small code pre kbd blockquote ul ol li dl dt dd hr table thead
    tbody tfoot tr td th caption h1 h2 h3 h4 h5 h6 a abbr cite q center
""")
_DROPPED = frozenset({"script", "style", "title", "head", "template", "noscript", "svg", "math", "iframe", "object"})
_BLOCKS = _words("""
    p div ul ol dl dt dd table tr caption h1 h2 h3 h4 h5 h6 pre hr center thead tbody tfoot blockquote
""")
_SPACED = _words("""
    p ul ol dl table h1 h2 h3 h4 h5 h6 pre blockquote hr
""")
MOST_TAGS = 15_000  # what makes HTML whole takes time by their number's square when all lie within each other
_MOST_QUOTES = 20  # quotes within quotes that are shown as such
_TAG = re.compile(r"<[^<>]{0,2000}>")


def cleaned(html: str) -> str | None:
    """Safe to show: everything that does or fetches something is gone. None for what is too much to look through."""
    if html.count("<") > MOST_TAGS:
        return None
    return nh3.clean(
        html.replace("\x00", ""),
        tags=set(_TAGS),
        clean_content_tags=set(_DROPPED),
        attributes={"a": {"href"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}},
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    )


def words_between_tags(html: str) -> str:
    """The bare words of HTML that is too much to look through."""
    return unescape(_TAG.sub(" ", html.replace("\x00", "")))


def words_of_html(clean: str) -> str:
    """The words of HTML that was made safe, with ">" before what it quotes, "-" before items, and where links lead."""
    reader = _Words()
    reader.feed(clean)
    reader.close()
    return reader.text()


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._line = ""
        self._depth = 0  # of quotes
        self._pre = 0
        self._links: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self._end_line()
        elif tag == "a":
            self._links.append((dict(attrs).get("href") or "", self._line))
        elif tag == "li":
            self._block()
            self._line = "- "
        elif tag in ("td", "th"):
            self._line += " " if self._line and not self._line.endswith(" ") else ""
        elif tag in _BLOCKS:
            self._block(is_spaced=tag in _SPACED)
        if tag == "blockquote":
            self._depth = min(self._depth + 1, _MOST_QUOTES)
        elif tag == "pre":
            self._pre += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._links:
            self._end_link(*self._links.pop())
        elif tag == "li":
            self._block()
        elif tag in _BLOCKS:
            self._block(is_spaced=tag in _SPACED)
        if tag == "blockquote":
            self._depth = max(0, self._depth - 1)
        elif tag == "pre":
            self._pre = max(0, self._pre - 1)

    def handle_data(self, data: str) -> None:
        if self._pre:
            first, *more = data.split("\n")
            self._line += first
            for line in more:
                self._end_line()
                self._line = line
            return
        words = re.sub(r"[ \t\r\n\f]+", " ", data)
        self._line += words.lstrip(" ") if not self._line or self._line.endswith(" ") else words

    def _end_link(self, where: str, before: str) -> None:
        words = self._line[len(before) :].strip() if self._line.startswith(before) else ""
        target = where.removeprefix("mailto:").removeprefix("tel:")
        if target and words and target.rstrip("/") != words.rstrip("/"):
            self._line += f" <{target[:500]}>"

    def _block(self, *, is_spaced: bool = False) -> None:
        if self._line.strip():
            self._end_line()
        self._line = ""
        if is_spaced and self._lines and self._lines[-1].strip("> "):
            self._lines.append(self._prefix().rstrip())

    def _end_line(self) -> None:
        self._lines.append(f"{self._prefix()}{self._line.rstrip()}".rstrip())
        self._line = ""

    def _prefix(self) -> str:
        return ">" * self._depth + (" " if self._depth else "")

    def text(self) -> str:
        if self._line.strip():
            self._end_line()
        return re.sub(r"\n{3,}", "\n\n", "\n".join(self._lines)).strip("\n")
