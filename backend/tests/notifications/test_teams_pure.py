"""What a card for Teams looks like: by the published schema, and small enough, whatever people wrote."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
from hypothesis import given
from hypothesis import strategies as st

from tests.notifications.test_slack_pure import texts, words
from waypost.notifications.teams_cards import attachment, message_card, size_of, summary_card
from waypost.notifications.words import Words

SCHEMA = jsonschema_rs.validator_for(
    json.loads((Path(__file__).parent / "payloads" / "adaptive-card-1.5.schema.json").read_text())
)
MOST = 28 * 1024


@given(words, st.booleans(), st.booleans())
def test_a_card_is_valid_and_small(said: Words, is_urgent: bool, can_act: bool) -> None:
    card = message_card(said, is_urgent=is_urgent, can_act=can_act)
    SCHEMA.validate(card)
    assert size_of({"type": "message", "attachments": [attachment(card)]}) < MOST
    verbs = json.dumps(card).count('"verb"')
    assert verbs == (3 if said.decide and can_act and not said.outcome else 0)


@given(st.lists(words, min_size=2, max_size=60), texts)
def test_many_at_once_are_valid_and_small(many: list[Words], title: str) -> None:
    card = summary_card(title, many, "https://waypost.example/")
    SCHEMA.validate(card)
    assert size_of(card) < MOST


def test_more_than_a_card_holds_are_counted() -> None:
    few, many = (summary_card("Updates", [Words("One", "said")] * n, "") for n in (20, 21))
    assert "and 1 more" in json.dumps(many)
    assert "more" not in json.dumps(few)


def test_the_largest_texts_fit() -> None:
    huge = "🦓" * 9000
    said = Words(
        huge, f"{huge}\n{huge}", facts=tuple((huge, huge) for _ in range(14)), because=huge, action=huge, link="x"
    )
    assert size_of(message_card(said)) < MOST
    assert size_of(summary_card(huge, [said] * 60, "x")) < MOST
