"""A claim that is missing says nothing; one that is there and empty empties."""

from __future__ import annotations

from waypost.access.providers.oidc_claims import person_of

CONFIG = {"department_claim": "org.department", "job_title_claim": "title"}


def test_only_a_claim_that_is_there_and_empty_empties() -> None:
    assert person_of(CONFIG, {"sub": "1"}).empties == ()
    assert person_of(CONFIG, {"sub": "1", "title": None}).empties == ()
    assert person_of(CONFIG, {"sub": "1", "title": "Editor"}).empties == ()
    assert person_of(CONFIG, {"sub": "1", "title": " "}).empties == ("job_title",)
    assert person_of(CONFIG, {"sub": "1", "org": {"department": ""}}).empties == ("department",)
    assert person_of({}, {"sub": "1", "title": ""}).empties == ()
