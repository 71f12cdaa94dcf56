"""What a provider has emptied or renamed since it spoke last; what is a person's own stays."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from waypost.access.providers.said import CAN_BE_EMPTY, emptied, kept, renamed, username_from

values = st.dictionaries(st.sampled_from(CAN_BE_EMPTY), st.sampled_from(["", "Ops", "OPS", "Sales"]))


@given(values, values, values)
def test_only_what_it_said_itself_and_says_no_more_goes(
    before: dict[str, str], now: dict[str, str], here: dict[str, str]
) -> None:
    for name in CAN_BE_EMPTY:
        goes = name in emptied(before, now, here)
        said, stands = before.get(name, ""), here.get(name, "")
        assert goes == (said != "" and not now.get(name) and stands.lower() == said.lower())


def test_what_somebody_wrote_here_stays() -> None:
    assert emptied({"job_title": "Editor"}, {}, {"job_title": "Editor"}) == ["job_title"]
    assert emptied({"job_title": "Editor"}, {}, {"job_title": "Poet"}) == []
    assert emptied({}, {}, {"job_title": "Editor"}) == []
    assert emptied({"manager": "s-1"}, {}, {"manager": None}) == []


def test_a_username_made_of_theirs_follows() -> None:
    was, now = {"username": "jane.doe@corp"}, {"username": "Jane.Fox@corp"}
    assert renamed(was, now, "jane.doe") == "jane.fox"
    assert renamed(was, now, "jane.doe2") == "jane.fox", "it had a number only because the other was taken"
    assert renamed(was, now, "boss") is None, "chosen here"
    assert renamed(was, was, "jane.doe") is None
    assert renamed({}, now, "jane.doe") is None
    assert renamed(was, {}, "jane.doe") is None
    assert renamed(was, {"username": "JANE.DOE@other"}, "jane.doe") is None, "the same but for where"
    assert renamed(was, {"username": "x@corp"}, "jane.doe") is None, "too short to be one"


@given(st.text(max_size=80))
def test_a_username_is_plain(said: str) -> None:
    name = username_from(said)
    assert name
    assert len(name) <= 58
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-")


def test_silence_about_what_was_not_asked_for_empties_nothing() -> None:
    before, here = {"job_title": "Editor", "department": "Ops"}, {"job_title": "Editor", "department": "Ops"}
    assert emptied(before, {}, here, ()) == []
    assert emptied(before, {}, here, ("department",)) == ["department"]
    assert kept(before, {}, ("department",)) == {"job_title": "Editor"}, "what it had said is known on"
