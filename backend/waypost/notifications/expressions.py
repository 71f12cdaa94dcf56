"""What may stand in a template that people write, and putting values into it. Pure.

Text with values, choices between words, and a few filters. Nothing loops, calls, multiplies or reaches into what a value
is made of: a template is never longer than its text with its values put in, and is judged before it is compiled (the
compiler works out constants: `{{ 'a' * 10**9 }}` would fill the memory there). The sandbox stands behind that.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

MOST_SOURCE = 10_000
MOST_TEXT = 50_000  # characters of what comes out
MOST_NODES = 1000
MOST_DEPTH = 30
FILTERS = frozenset({"capitalize", "default", "lower", "title", "trim", "truncate", "upper"})
TESTS = frozenset({"defined", "undefined", "none"})
_PLAIN = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.If,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Concat,
    nodes.Keyword,
)
_WORDS: dict[type[nodes.Node], str] = {
    nodes.For: "repeating (for) is not possible here",
    nodes.Call: "calling something is not possible here",
    nodes.Assign: "setting a name is not possible here",
    nodes.AssignBlock: "setting a name is not possible here",
    nodes.Include: "taking in a file is not possible here",
    nodes.Import: "taking in a file is not possible here",
    nodes.FromImport: "taking in a file is not possible here",
    nodes.Extends: "taking in a file is not possible here",
    nodes.Macro: "macros are not possible here",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a template, and in which line of it."""

    line: int
    message: str


class CannotRender(Exception):
    """The template and the values do not fit; says why."""


_sandbox = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False
)


def faults(source: str, variables: Collection[str], most: int = MOST_SOURCE) -> list[Fault]:
    """What is wrong with a template, for values of these names (`ticket.title`); at most ten."""
    if len(source) > most:
        return [Fault(1, f"is longer than {most:,} characters")]
    try:
        tree = _sandbox.parse(source)
    except TemplateSyntaxError as wrong:
        return [Fault(wrong.lineno, _sentence(wrong.message or "cannot be read"))]
    except (RecursionError, ValueError, OverflowError):
        return [Fault(1, "is too deeply nested, or holds a number too large")]
    return _judged(tree, variables)[:10]


def _judged(tree: nodes.Template, variables: Collection[str]) -> list[Fault]:
    found: list[Fault] = []
    waiting: list[tuple[nodes.Node, int]] = [(tree, 0)]
    count = 0
    while waiting:
        node, depth = waiting.pop()
        count += 1
        if count > MOST_NODES or depth > MOST_DEPTH:
            return [Fault(node.lineno or 1, "is too complicated")]
        fault = _fault_of(node, variables)
        if fault is not None:
            found.append(Fault(node.lineno or 1, fault))
        elif not isinstance(node, nodes.Getattr | nodes.Getitem):
            waiting += [(child, depth + 1) for child in node.iter_child_nodes()]
    return sorted(set(found), key=lambda f: (f.line, f.message))


def _fault_of(node: nodes.Node, variables: Collection[str]) -> str | None:
    if isinstance(node, nodes.Name | nodes.Getattr | nodes.Getitem):
        return _path_fault(node, variables)
    if isinstance(node, nodes.Const):
        is_plain = node.value is None or isinstance(node.value, str | int | float | bool)
        return None if is_plain else "only words and numbers can stand here"
    if isinstance(node, nodes.Filter):
        return None if node.name in FILTERS and node.node is not None else f"there is no filter “{node.name[:50]}” here"
    if isinstance(node, nodes.Test):
        return None if node.name in TESTS else f"there is no test “{node.name[:50]}” here"
    if isinstance(node, _PLAIN):
        return None
    if isinstance(node, nodes.BinExpr | nodes.UnaryExpr):
        return f"reckoning (“{node.operator}”) is not possible here; “~” puts words together"
    return _WORDS.get(type(node), f"“{type(node).__name__.lower()}” is not possible here")


def _path_fault(node: nodes.Node, variables: Collection[str]) -> str | None:
    path = path_of(node)
    if path is None:
        return "a value is named like ticket.title"
    if path in variables:
        return None
    close = get_close_matches(path, variables, n=1)
    inner = sorted(v for v in variables if v.startswith(f"{path}."))
    hint = f"; did you mean {(inner or close)[0]}?" if inner or close else ""
    return f"there is no value {path[:80]}{hint}"


def path_of(node: nodes.Node | None) -> str | None:
    """The dotted name an expression asks for, or None when it is not one."""
    parts: list[str] = []
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        if isinstance(node, nodes.Getattr):
            parts.append(node.attr)
        elif isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            parts.append(node.arg.value)
        else:
            return None
        node = node.node
    return ".".join([node.name, *reversed(parts)]) if isinstance(node, nodes.Name) else None


def names_in(source: str) -> list[str]:
    """The values a template asks for, each once, in the order of its text. For our own templates."""
    found: dict[str, None] = {}

    def look(node: nodes.Node) -> None:
        if isinstance(node, nodes.Name | nodes.Getattr | nodes.Getitem) and (path := path_of(node)):
            found.setdefault(path)
            return
        for child in node.iter_child_nodes():
            look(child)

    look(_sandbox.parse(source))
    return list(found)


def fill(source: str, values: Mapping[str, Any]) -> str:
    """The template with values put in. Only for templates without faults. Raises `CannotRender`."""
    parts: list[str] = []
    left = MOST_TEXT
    try:
        for part in _compiled(source).generate(values):
            parts.append(part)
            left -= len(part)
            if left < 0:
                raise CannotRender(f"comes to more than {MOST_TEXT:,} characters")
    except CannotRender:
        raise
    except Exception as wrong:  # whatever an expression and a value can do to each other
        raise CannotRender(_sentence(str(wrong) or type(wrong).__name__)) from wrong
    return "".join(parts)


@lru_cache(maxsize=512)
def _compiled(source: str) -> Template:
    return _sandbox.from_string(source)


def _sentence(message: str) -> str:
    return message.strip().rstrip(".")[:300]
