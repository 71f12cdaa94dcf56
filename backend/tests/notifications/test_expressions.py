"""What may stand in a template that people write: every way out is refused before anything is compiled."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waypost.notifications.expressions import MOST_SOURCE, CannotRender, Fault, faults, fill, names_in
from waypost.notifications.kinds import KINDS
from waypost.notifications.rendering import built_in
from waypost.notifications.variables import examples_of, variables_of

KNOWN = variables_of("comment.created")
VALUES = examples_of("comment.created")
HOSTILE = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ticket.__class__.__init__.__globals__ }}",
    "{% for x in range(10**9) %}x{% endfor %}",
    "{{ ticket|attr('__class__') }}",
    "{{ self._TemplateReference__context }}",
    "{% include '/etc/passwd' %}",
    "{% import 'x' as x %}",
    "{% from 'x' import y %}",
    "{% extends 'x' %}",
    "{{ 'x' * 1000000000 }}",
    "{{ 'a'*10**9 }}",
    "{{ 10**10**10 }}",
    "{{ -1 }}",
    "{{ [words] * 3 }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ words.replace('a', words) }}",
    "{{ words|replace('', words) }}",
    "{{ words|center(1000000000) }}",
    "{{ words|format(1) }}",
    "{{ words|map('upper')|join }}",
    "{{ '%1000000000d' % 1 }}",
    "{% set a = words ~ words %}{{ a }}",
    "{% set a %}x{% endset %}",
    "{% macro m() %}{{ m() }}{% endmacro %}",
    "{% filter upper %}x{% endfilter %}",
    "{{ words is callable }}",
    "{{ words[0] }}",
    "{{ words[ticket.title] }}",
    "{{ ticket }}",
    "{{ ticket['__class__'] }}",
    "{{ range }}",
    "{{ lipsum }}",
    "{{ {'a': 1} }}",
    "{{ (1, 2) }}",
    "{{ colour }}",
    "{{ 1" + "0" * 5000 + " }}",
    "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    "{{ " + "not " * 2000 + "1 }}",
    "{{ words" + "|upper" * 1000 + " }}",
    "{% if words %}" * 100 + "{% endif %}" * 100,
    "{{ words",
    "{% if words %}",
    "{% nonsense %}",
    "x" * (MOST_SOURCE + 1),
]


@pytest.mark.parametrize("source", HOSTILE, ids=lambda s: s[:40])
def test_a_way_out_is_refused_at_once(source: str) -> None:
    began = time.perf_counter()
    tracemalloc.start()
    found = faults(source, KNOWN)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found
    assert time.perf_counter() - began < 3
    assert peak < 20_000_000


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("Hello\n{{ ticket.titel }}", 2, "there is no value ticket.titel; did you mean ticket.title?"),
        ("{{ ticket }}", 1, "there is no value ticket; did you mean ticket.description?"),
        ("{{ zebra }}", 1, "there is no value zebra"),
        ("a\n\n{% for x in words %}{% endfor %}", 3, "repeating (for) is not possible here"),
        ("{{ 'a' * 9 }}", 1, "reckoning (“*”) is not possible here; “~” puts words together"),
        ("{{ words|attr('x') }}", 1, "there is no filter “attr” here"),
        ("{{ words is callable }}", 1, "there is no test “callable” here"),
        ("{{ words.upper() }}", 1, "calling something is not possible here"),
        ("{{ words[0] }}", 1, "a value is named like ticket.title"),
        ("{{ [1] }}", 1, "“list” is not possible here"),
    ],
)
def test_a_mistake_is_told_with_its_line(source: str, line: int, message: str) -> None:
    assert faults(source, KNOWN) == [Fault(line, message)]


def test_mistakes_are_told_together_and_not_without_end() -> None:
    assert [f.line for f in faults("{{ a }}\n{{ b }}\n{{ ''.c }}", KNOWN)] == [1, 2, 3]
    assert len(faults("\n".join(f"{{{{ a{n} }}}}" for n in range(50)), KNOWN)) == 10


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            "Plain ${ticket.__class__} {ticket.__class__.__mro__} text",
            "Plain ${ticket.__class__} {ticket.__class__.__mro__} text",
        ),
        ("{{ ticket.number }}: {{ ticket['title']|upper }}", "ITH-2026-000042: NEW LAPTOP FOR THE DESIGN TEAM"),
        ("{% if facts.Due %}due {{ facts.Due }}{% else %}no hurry{% endif %}", "due 30 November 2026"),
        ("{{ 'yes' if words and not audience == 'x' else 'no' }}", "yes"),
        ("{{ ticket.number ~ '!' }}{# said quietly #}", "ITH-2026-000042!"),
        ("{{ words|truncate(12) }}", "Please..."),
        ("{{ words|default('nothing')|trim|lower|title|capitalize }}", "Please say which model you need."),
        ("{{ words is defined or words is none }}", "True"),
        ("{% if words == 'a' %}a{% elif words != 'b' %}b{% endif %}", "b"),
    ],
)
def test_what_is_taken_is_filled_in(source: str, said: str) -> None:
    assert faults(source, KNOWN) == []
    assert fill(source, VALUES) == said


@pytest.mark.parametrize("kind", KINDS)
def test_the_built_in_words_keep_the_rules(kind: str) -> None:
    for source in built_in(kind):
        assert faults(source, variables_of(kind)) == []
        assert set(names_in(source)) <= set(variables_of(kind))
        assert fill(source, examples_of(kind)) is not None


def test_what_does_not_fit_says_why() -> None:
    with pytest.raises(CannotRender, match="no attribute"):
        fill("{{ ticket.title }}", {"ticket": {}})
    with pytest.raises(CannotRender, match="not supported"):
        fill("{% if words > 3 %}x{% endif %}", VALUES)
    with pytest.raises(CannotRender, match="more than 50,000"):
        fill("{{ words }}" * 20, {"words": "x" * 4000})


TOKENS = "{{ }} {% %} if else endif ticket . title words | upper ( ) [ ] ' ~ not 9 {# #} - * __class__ is defined"
tokens = st.sampled_from([*TOKENS.split(), " ", "\n"])


@settings(max_examples=300)
@given(st.lists(tokens, max_size=40).map("".join))
def test_whatever_is_written_is_refused_or_filled(source: str) -> None:
    if not faults(source, KNOWN):
        try:
            said = fill(source, VALUES)
        except CannotRender:
            return
        assert "<class" not in said
        assert "object at" not in said
