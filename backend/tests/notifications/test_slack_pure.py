"""What a message looks like in Slack, and what its answers mean: within the limits, whatever people wrote."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.approvals.errors import CommentNeeded
from waypost.approvals.states import StepStatus, Verb
from waypost.kernel.errors import StaleVersion
from waypost.notifications.deciding import Press, in_words, press_of
from waypost.notifications.rooms import room_of, rooms_of
from waypost.notifications.settling import outcome_of
from waypost.notifications.shortening import cut
from waypost.notifications.slack_blocks import button_value, escape, form, message_of, note, summary_of
from waypost.notifications.words import Words
from waypost.vendors.answers import Answer, fate_of, retry_after
from waypost.vendors.fates import Misconfigured, Rejected, TryLater
from waypost.vendors.slack import is_signed, meaning

VECTOR = json.loads((Path(__file__).parent / "payloads" / "slack_signature.json").read_text())
AT = datetime.fromtimestamp(int(VECTOR["timestamp"]), UTC)
texts = st.text(max_size=6000) | st.sampled_from(["<" * 5000, "&" * 5000, "x" * 9000, "", "<!channel>", "a|b>c"])
words = st.builds(
    Words,
    title=texts,
    body=texts,
    link=st.sampled_from(["", "https://waypost.example/tickets/1?a=1&b=2"]),
    action=texts,
    because=texts,
    number=st.sampled_from(["", "ITH-2026-000001"]),
    facts=st.lists(st.tuples(texts, texts), max_size=14).map(tuple),
    decide=st.none() | st.just({"step_id": 5, "version": 2}),
    outcome=st.sampled_from(["", "Approved by Mike <x>"]),
)
LIMITS = {"section": 3000, "button": 75}


def check(text: str, blocks: list[dict[str, Any]]) -> None:
    """What Slack itself would refuse."""
    assert text
    assert len(text) <= 4000
    assert len(blocks) <= 50
    for block in blocks:
        if block["type"] == "section":
            for part in [block["text"]] if "text" in block else block["fields"]:
                assert 0 < len(part["text"]) <= (3000 if "text" in block else 2000)
            assert len(block.get("fields", ())) <= 10
        elif block["type"] == "actions":
            assert 0 < len(block["elements"]) <= 25
            for button in block["elements"]:
                assert 0 < len(button["text"]["text"]) <= 75
                assert len(button["accessibility_label"]) <= 75
                assert len(button.get("value", "")) <= 2000
                assert button.get("style", "primary") in ("primary", "danger")
        else:
            assert block["type"] == "context"
    parts = [p for b in blocks for p in (b.get("text"), *b.get("fields", ()), *b.get("elements", ())) if p]
    assert not any("<!" in p["text"] for p in parts if p["type"] == "mrkdwn")


@given(words, st.booleans())
def test_a_message_is_within_the_limits(said: Words, is_urgent: bool) -> None:
    text, blocks = message_of(said, is_urgent=is_urgent)
    check(text or "-", blocks)
    buttons = [e["action_id"] for b in blocks if b["type"] == "actions" for e in b["elements"]]
    may = said.decide is not None and not said.outcome
    assert ("approve" in buttons) == may
    assert ("open" in buttons) == bool(said.link)


@given(st.lists(words, min_size=2, max_size=60), texts)
def test_many_at_once_are_within_the_limits(many: list[Words], title: str) -> None:
    text, blocks = summary_of(title or "2 updates", many)
    check(text, blocks)
    assert len(blocks) == min(len(many), 40) + 1 + (len(many) > 40)


def test_more_than_a_message_holds_are_counted() -> None:
    _, blocks = summary_of("60 updates", [Words("One", "said")] * 60)
    check("-", blocks)
    assert blocks[-1]["elements"][0]["text"] == "and 20 more"


@given(texts, st.integers(1, 200))
def test_a_cut_text_fits_and_no_escape_is_torn(text: str, most: int) -> None:
    short = cut(text, most, escape)
    assert len(short) <= most
    if short != escape(text):
        assert short.endswith("…")
        whole = short[:-1].replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
        assert text.startswith(whole)


@pytest.mark.parametrize("verb", ["reject", "request_info"])
def test_a_form_is_within_the_limits(verb: str) -> None:
    view = form(verb, "<" * 4000, {"verb": verb, "value": "5.2"})
    assert json.loads(view["private_metadata"]) == {"verb": verb, "value": "5.2"}
    assert all(len(view[k]["text"]) <= 24 for k in ("title", "submit", "close"))
    check("-", [b for b in view["blocks"] if b["type"] != "input"])
    check("-", note("n" * 9000, "https://waypost.example")["blocks"])


def test_the_published_signature_is_ours() -> None:
    secret, body = VECTOR["signing_secret"], VECTOR["body"].encode()
    stamp, signature = VECTOR["timestamp"], VECTOR["signature"]
    assert is_signed(secret, stamp, signature, body, AT)
    assert is_signed(secret, stamp, signature, body, AT + timedelta(seconds=300))
    assert is_signed(secret, stamp, signature, body, AT - timedelta(seconds=300))
    wrong = [
        (secret, stamp, signature, body, AT + timedelta(seconds=301)),
        (secret, stamp, signature, body, AT - timedelta(seconds=301)),
        (secret, stamp, signature, body + b"&", AT),
        (secret, stamp, signature.upper(), body, AT),
        (secret, stamp, "", body, AT),
        (secret, stamp, "v0=é\udc00", body, AT),
        (secret, "not a number", signature, body, AT),
        (secret, "١٥٣١٤٢٠٦١٨", signature, body, AT),
        (secret, f"{stamp}.0", signature, body, AT),
        ("", stamp, signature, body, AT),
        (secret[:-1], stamp, signature, body, AT),
    ]
    assert not any(is_signed(*arguments) for arguments in wrong)


def test_what_slacks_words_mean() -> None:
    for code in ("invalid_auth", "not_authed", "account_inactive", "token_revoked"):
        assert meaning(code) == Misconfigured(f"Slack says {code}")
    lacking = meaning("missing_scope", {"needed": "users:read.email"})
    assert lacking == Misconfigured("Slack says missing_scope: the app needs users:read.email")
    for code in ("channel_not_found", "not_in_channel", "is_archived", "msg_too_long", "no_text", "what_is_this"):
        assert meaning(code) == Rejected(f"Slack says {code}")
    for code in ("users_not_found", "user_disabled"):
        assert meaning(code) == Rejected(f"Slack says {code}", is_gone=True)
    assert meaning("ratelimited") == TryLater("Slack says ratelimited", for_all=True)


def test_what_a_status_means() -> None:
    def fate(status: int, **headers: str) -> Any:
        return fate_of(Answer(status, {k.replace("_", "-"): v for k, v in headers.items()}, b""), AT, "X")

    assert fate(200) is None
    assert fate(204) is None
    assert fate(429, retry_after="7") == TryLater("X answers 429", timedelta(seconds=7), for_all=True)
    assert fate(429).after == timedelta(seconds=30)
    assert fate(503) == TryLater("X answers 503", None, for_all=True)
    assert fate(401) == Misconfigured("X answers 401")
    assert fate(302) == Rejected("X answers 302")
    assert fate(413) == Rejected("X answers 413")


def test_how_long_it_asks_to_be_left_alone() -> None:
    def wait(said: str) -> timedelta | None:
        return retry_after(Answer(429, {"retry-after": said}, b""), AT)

    assert wait("9" * 40) == timedelta(hours=24)
    assert wait("Thu, 12 Jul 2018 18:37:58 GMT") == timedelta(seconds=60)
    assert wait("Thu, 12 Jul 2018 18:37:58 -0000") == timedelta(seconds=60)
    assert wait("Thu, 12 Jul 2001 18:37:58 GMT") == timedelta(0)
    assert wait("soon") is None
    assert wait("") is None
    assert wait("-5") is None


def test_whose_place_it_is() -> None:
    written = "IT  Support = C1; HR Services=C2\n * = C9 ; nonsense; =C; x="
    assert rooms_of(written) == {"it support": "C1", "hr services": "C2", "*": "C9"}
    assert room_of(written, "it support") == "C1"
    assert room_of(written, "Facilities") == "C9"
    assert room_of("A = 1", "B") is None


def test_what_a_button_says() -> None:
    assert press_of("approve", button_value({"step_id": 5, "version": 2})) == Press(5, 2, Verb.APPROVE)
    nothing: tuple[tuple[object, object], ...] = (
        ("approve", "5"),
        ("approve", "05.1"),
        ("approve", 5),
        ("approve", "٥.1"),
        ("delegate", "5.1"),
        (None, "5.1"),
    )
    for verb, value in nothing:
        assert press_of(verb, value) is None


def test_a_refusal_in_words() -> None:
    assert in_words(CommentNeeded()) == "Please give a reason."
    changes = [{"label": f"F{n}", "before": None, "after": "y" * 99} for n in range(7)]
    said = in_words(StaleVersion("Changed.", changes=changes))
    assert "F0: nothing → " + "y" * 59 + "…" in said
    assert said.endswith("; and 2 more. Please look again.")
    assert "F5" not in said
    assert in_words(StaleVersion("Changed.", changes=[])) == "Changed."


def test_what_became_of_a_step() -> None:
    assert outcome_of(StepStatus.APPROVED, "Mike", "Helen") == "Approved by Mike on behalf of Helen"
    assert outcome_of(StepStatus.REJECTED, "") == "Rejected by somebody"
    assert outcome_of(StepStatus.NOT_NEEDED, "", "Helen") == "Not needed any more: others have decided"
    assert outcome_of(StepStatus.WAITING, "") == "Not to be decided any more"
