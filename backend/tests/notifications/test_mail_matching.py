"""To which request a mail belongs, who wrote it, and whether it comes from whom it says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.notifications.incoming import bounces, matching
from waypost.notifications.incoming.matching import Nature, Signed, read_reply_address, reply_address
from waypost.notifications.incoming.reading import Arrived, read

KEY = b"k" * 32
OWN = {"help@waypost.test", "no-reply@waypost.test"}
IDS = st.integers(1, 2**63 - 1)


def mail(*headers: str, body: str = "words") -> Arrived:
    lines = [h for h in headers if not h.startswith("!")]
    if not any(h.startswith("From:") for h in lines):
        lines.append("From: ana@example.test")
    found = read(("\r\n".join(lines) + f"\r\n\r\n{body}").encode())
    assert isinstance(found, Arrived)
    return found


# --- reply addresses --------------------------------------------------------------------------------------------------


@given(IDS, IDS, st.booleans())
def test_an_address_says_what_it_was_made_of_in_any_case(ticket_id: int, user_id: int, is_internal: bool) -> None:
    made = reply_address("Help@waypost.test", ticket_id, user_id, KEY, is_internal=is_internal)
    assert len(made.partition("@")[0]) <= 64
    for as_it_comes in (made, made.upper(), made.lower()):
        assert read_reply_address(as_it_comes, KEY) == Signed(ticket_id, user_id, is_internal)


@given(IDS, IDS, st.integers(0, 40), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_no_code_but_ours_is_read(ticket_id: int, user_id: int, at: int, letter: str) -> None:
    made = reply_address("help@waypost.test", ticket_id, user_id, KEY)
    code = made.partition("+")[2].partition("@")[0]
    changed = code[: at % len(code)] + letter + code[at % len(code) + 1 :]
    found = read_reply_address(f"help+{changed}@waypost.test", KEY)
    assert found in (None, Signed(ticket_id, user_id))  # the last letter's spare bits say nothing
    assert read_reply_address(made, b"another key") is None


@given(st.text(max_size=80))
def test_any_address_is_read_or_is_none(text: str) -> None:
    assert read_reply_address(text, KEY) is None
    assert read_reply_address(f"a+{text}@b", KEY) is None


def test_a_name_too_long_for_a_code_stays_as_it_is() -> None:
    address = f"{'a' * 60}@waypost.test"
    assert reply_address(address, 1, 2, KEY) == address


# --- which request ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("subject", ["Fwd: x", "FW: x", "WG: x", "TR : x", "fwd:Re: x", "RV: x"])
def test_what_is_passed_on(subject: str) -> None:
    assert matching.is_forwarded(subject)


@pytest.mark.parametrize("subject", ["Re: Fwd: x", "x", "Forward planning", "AW: WG: x", ""])
def test_what_is_not_passed_on(subject: str) -> None:
    assert not matching.is_forwarded(subject)


def test_numbers_and_bare_subjects() -> None:
    assert matching.numbers_in("Re: [Waypost] ith-2026-000123: x (ITH-2026-000123, GEN-2026-000001)") == (
        "ITH-2026-000123",
        "GEN-2026-000001",
    )
    assert matching.numbers_in("XITH-2026-0001234567890123 A-ITH-2026-000123-B") == ()
    assert matching.bare_subject("Re: AW: Fwd: New laptop") == "New laptop"
    assert matching.bare_subject("Re: Re[2]: x") == "x"
    assert matching.bare_subject("Re:") == "Re:"
    assert matching.answered_ids(mail("In-Reply-To: <c@x>", "References: <a@x> <b@x> <c@x>")) == (
        "<c@x>",
        "<b@x>",
        "<a@x>",
    )


# --- who wrote it -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "nature"),
    [
        ((), Nature.PERSON),
        (("Auto-Submitted: no",), Nature.PERSON),
        (("Auto-Submitted: auto-replied",), Nature.AUTO_REPLY),
        (("Auto-Submitted: auto-generated; x=y",), Nature.PROGRAM),
        (("Auto-Submitted: auto-generated", "Subject: Out of Office: Re: x"), Nature.AUTO_REPLY),
        (("Precedence: bulk",), Nature.PROGRAM),
        (("Precedence: auto_reply",), Nature.AUTO_REPLY),
        (("Precedence: bulk", "Subject: Abwesenheitsnotiz"), Nature.AUTO_REPLY),
        (("X-Autoreply: yes",), Nature.AUTO_REPLY),
        (("X-Autoreply: no",), Nature.PERSON),
        (("List-Id: <l.example.test>",), Nature.PROGRAM),
        (("Return-Path: <>",), Nature.PROGRAM),
        (("Return-Path: <ana@example.test>",), Nature.PERSON),
        (("From: MAILER-DAEMON@example.test",), Nature.PROGRAM),
        (("From: help@waypost.test",), Nature.OURS),
        (("From: Help+abc@Waypost.test",), Nature.OURS),
        (("Return-Path: <no-reply@waypost.test>",), Nature.OURS),
        (("X-Loop: help@waypost.test",), Nature.OURS),
        (("X-Loop: others@example.test",), Nature.PERSON),
        (("Subject: Automatic reply: x", "In-Reply-To: <1@waypost.test>"), Nature.AUTO_REPLY),
        (("Subject: Automatic reply is broken",), Nature.PERSON),
        (("From: postmaster@example.test", "X-Failed-Recipients: a@b.test"), Nature.BOUNCE),
        (("X-Failed-Recipients: a@b.test",), Nature.PERSON),
    ],
)
def test_who_wrote_it(headers: tuple[str, ...], nature: Nature) -> None:
    assert matching.judge(mail(*headers), OWN).nature is nature


def test_who_asks_for_no_answer_gets_none() -> None:
    assert matching.may_be_answered(mail())
    assert not matching.may_be_answered(mail("X-Auto-Response-Suppress: OOF, AutoReply"))


# --- whether it comes from there --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("results", "is_so"),
    [
        ((), False),
        (("mx.test; dmarc=pass (p=none) header.from=example.test",), True),
        (("MX.test 1; dmarc=pass header.from=example.test",), True),
        (("other.test; dmarc=pass header.from=example.test",), False),
        (("mx.test; dmarc=fail header.from=example.test; spf=pass smtp.mailfrom=x@example.test",), False),
        (("mx.test; dmarc=pass header.from=evil.test",), False),
        (("mx.test; spf=pass smtp.mailfrom=bounce@mail.example.test",), True),
        (("mx.test; spf=pass smtp.mailfrom=evil.test; dkim=pass header.d=evil.test",), False),
        (("mx.test; dkim=pass header.d=example.test header.s=k",), True),
        (("mx.test; dkim=fail header.d=example.test", "mx.test; dkim=pass header.d=example.test"), False),
        (("mx.test; dkim=pass header.d=test",), False),
        # one our server wrote above one that came with the mail
        (("mx.test; dmarc=none header.from=example.test", "mx.test; dmarc=pass header.from=example.test"), False),
        (("mx.test; dmarc=fail header.from=example.test", "mx.test; dmarc=pass header.from=example.test"), False),
        (("mx.test; none",), False),
        (("evil.test (mx.test; dmarc=pass header.from=example.test)",), False),
    ],
)
def test_whether_it_comes_from_there(results: tuple[str, ...], is_so: bool) -> None:
    assert matching.is_authentic(mail(*(f"Authentication-Results: {r}" for r in results)), "mx.test") is is_so


def test_who_names_no_sender_comes_from_nowhere() -> None:
    two = mail("From: a@example.test, b@example.test", "Authentication-Results: mx.test; dmarc=pass")
    assert not matching.is_authentic(two, "mx.test")


# --- what could not be delivered --------------------------------------------------------------------------------------


def bounced(status: str, action: str = "failed", code: str = "550 5.1.1 no such user") -> Arrived:
    body = (
        "--b\r\nContent-Type: text/plain\r\n\r\nSorry\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.test\r\n\r\n"
        f"Final-Recipient: rfc822; Gone@example.test\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; {code}\r\n\r\n"
        "--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <12.34@waypost.test>\r\nSubject: x\r\n\r\n--b--"
    )
    return mail(
        "From: MAILER-DAEMON@mx.test",
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
        "MIME-Version: 1.0",
        body=body,
    )


def test_a_delivery_report() -> None:
    assert matching.judge(bounced("5.1.1"), OWN).nature is Nature.BOUNCE
    report = bounces.report_of(bounced("5.1.1"))
    assert report.message_ids == ("<12.34@waypost.test>",)
    [bounce] = report.bounces
    assert (bounce.recipient, bounce.is_permanent, bounce.is_gone) == ("gone@example.test", True, True)
    assert bounce.why == "5.1.1 550 5.1.1 no such user"


@pytest.mark.parametrize(
    ("status", "action", "is_permanent", "is_gone"),
    [
        ("4.4.1", "delayed", False, False),
        ("5.0.0", "delayed", False, False),
        ("4.4.7", "failed", False, False),
        ("", "delayed", True, True),
        ("5.7.1", "failed", True, False),
        ("5.2.3 (too large)", "failed", True, False),
    ],
)
def test_for_now_and_for_good(status: str, action: str, is_permanent: bool, is_gone: bool) -> None:
    code = "550 5.1.1 x" if status else "x"
    if not status:
        is_permanent = is_gone = False
    [bounce] = bounces.report_of(bounced(status, action, code)).bounces
    assert (bounce.is_permanent, bounce.is_gone) == (is_permanent, is_gone)


def test_what_did_arrive_is_no_bounce_and_reports_without_parts_name_recipients() -> None:
    assert bounces.report_of(bounced("2.0.0", "delivered")).bounces == ()
    named = mail("X-Failed-Recipients: a@b.test, c@d.test", "Subject: Undeliverable", "In-Reply-To: <1.2@waypost.test>")
    report = bounces.report_of(named)
    assert [b.recipient for b in report.bounces] == ["a@b.test", "c@d.test"]
    assert report.message_ids == ("<1.2@waypost.test>",)
    assert all(b.is_permanent for b in report.bounces)
