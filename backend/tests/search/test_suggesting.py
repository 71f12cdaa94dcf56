"""What is offered while one types, and what was asked for before: only what one may see."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.search.following import run_all
from waypost.search.suggesting import words_for


@given(st.text(max_size=60))
def test_any_beginning_may_go_on(text: str) -> None:
    for said in words_for(text):
        assert said.startswith(text.rpartition(" ")[0])


def test_fields_and_values_are_offered() -> None:
    assert words_for("laptop sta") == ["laptop status:"]
    assert "laptop -status:open" in words_for("laptop -status:o")
    assert words_for("laptop ") == words_for("") == words_for('"open sta') == words_for("s") == []


async def test_suggestions_are_ones_own(database: Any, who: Any) -> None:
    employee, outsider = await who("employee"), await who("outsider")
    body = {"title": "Platypusphone rings", "ticket_type": "IT_SUPPORT", "custom_fields": {}, "submit": True}
    ticket = await employee.post("/tickets", body, expect=201)
    view = await employee.post("/saved-views", {"name": "Platypus things", "filters": {"q": "platypus"}}, expect=201)
    await run_all(database)
    offered = await employee.get("/search/suggestions", params={"q": "platyp"})
    assert [t["id"] for t in offered["tickets"]] == [ticket["id"]]
    assert "<mark>Platypusphone</mark>" in offered["tickets"][0]["title_highlight"]
    assert [v["id"] for v in offered["views"]] == [view["id"]]
    nothing = await outsider.get("/search/suggestions", params={"q": "platyp"})
    assert nothing["tickets"] == nothing["views"] == []
    assert (await employee.get("/search/suggestions", params={"q": "okafor"}))["people"]
    for odd in ("", '"', "%", "\\", "a" * 300, "status:", "東"):
        await employee.get("/search/suggestions", params={"q": odd})


async def test_a_number_is_found_before_the_index_has_it(who: Any) -> None:
    employee, outsider = await who("employee"), await who("outsider")
    body = {"title": "Wombat", "ticket_type": "IT_SUPPORT", "custom_fields": {}, "submit": True}
    ticket = await employee.post("/tickets", body, expect=201)
    prefix, year, count = ticket["ticket_number"].split("-")
    for typed in (ticket["ticket_number"], f" {prefix.lower()}-{year}-{int(count)} "):
        offered = await employee.get("/search/suggestions", params={"q": typed})
        assert offered["tickets"][0]["id"] == ticket["id"]
        assert (await outsider.get("/search/suggestions", params={"q": typed}))["tickets"] == []


async def test_what_was_asked_for_before(database: Any, who: Any) -> None:
    employee, outsider = await who("employee"), await who("outsider")
    body = {
        "title": "Echidna scanner does not feed paper",
        "ticket_type": "IT_SUPPORT",
        "custom_fields": {},
        "submit": True,
    }
    ticket = await employee.post("/tickets", body, expect=201)
    await run_all(database)
    asked = {"title": "The echidna scanners feed no paper", "ticket_type": "IT_SUPPORT"}
    assert [t["id"] for t in (await employee.get("/search/similar", params=asked))["items"]] == [ticket["id"]]
    assert (await outsider.get("/search/similar", params=asked))["items"] == []
    for other in ("Echidna", "the and", "A quite different matter altogether", '"(', ""):
        found = await employee.get("/search/similar", params={"title": other})
        assert ticket["id"] not in [t["id"] for t in found["items"]]


@pytest.mark.parametrize("path", ["/search/suggestions", "/search/similar"])
async def test_nobody_is_nobody(who: Any, path: str) -> None:
    await (await who(None)).get(path, params={"q": "x", "title": "x"}, expect=401)
