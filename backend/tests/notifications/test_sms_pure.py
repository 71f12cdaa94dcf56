"""Text messages without a network: what they cost, what they say, codes, answers, and what providers' words mean."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.notifications import capping, codes
from waypost.notifications.channels import Caps, Message
from waypost.notifications.channels.sms import Sms
from waypost.notifications.numbers import hidden, number_of
from waypost.notifications.segments import SEPTETS, Size, cut_to, plainer, size_of
from waypost.notifications.sms_reading import Answer, Wish, read
from waypost.notifications.sms_text import proof_of, summary_of, text_of
from waypost.notifications.words import Words
from waypost.vendors import sms
from waypost.vendors.fates import Misconfigured, Rejected

KEY = codes.key_of(b"0" * 32)
VECTOR = json.loads((Path(__file__).parent / "payloads" / "twilio_signature.json").read_text())


# --- what a text costs ------------------------------------------------------------------------------------------------


def test_the_alphabet_is_the_whole_of_gsm_7() -> None:
    assert sum(n == 1 for n in SEPTETS.values()) == 127, "128 places, one of which is the escape"
    assert {c for c, n in SEPTETS.items() if n == 2} == set("\f^{}\\[~]|€")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", Size("GSM-7", 0, 1)),
        ("a" * 160, Size("GSM-7", 160, 1)),
        ("a" * 161, Size("GSM-7", 161, 2)),
        ("a" * 306, Size("GSM-7", 306, 2)),
        ("a" * 307, Size("GSM-7", 307, 3)),
        ("€" * 80, Size("GSM-7", 160, 1)),
        ("a" * 159 + "€", Size("GSM-7", 161, 2)),
        # an escaped character is not torn: it leaves a septet of the first part empty
        ("a" * 152 + "€" + "a" * 152, Size("GSM-7", 306, 3)),
        ("я" * 70, Size("UCS-2", 70, 1)),
        ("я" * 71, Size("UCS-2", 71, 2)),
        ("a" * 69 + "я", Size("UCS-2", 70, 1)),
        ("😀" * 35, Size("UCS-2", 70, 1)),
        ("я" * 66 + "😀" + "я" * 66, Size("UCS-2", 134, 3)),
        ("a" * 153 + "😀", Size("UCS-2", 155, 3)),
    ],
)
def test_what_a_text_costs(text: str, size: Size) -> None:
    assert size_of(text) == size


@given(st.text())
def test_a_part_is_never_too_full_and_none_is_missing(text: str) -> None:
    size = size_of(text)
    alone, each = (160, 153) if size.alphabet == "GSM-7" else (70, 67)
    if size.units <= alone:
        assert size.segments == 1
    else:
        assert size.segments * each >= size.units
        assert (size.segments - 1) * (each - 1) < size.units, "at most one place is left empty in each part"


@given(st.text())
def test_plainer_costs_no_more_parts_than_letters_ask_for(text: str) -> None:
    plain = plainer(text)
    assert plainer(plain) == plain
    if text.isascii():
        assert size_of(plain).alphabet == "GSM-7"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("„Größe“ – 5 €…", '"Größe" - 5 €...'),
        ("Łódź, naïve, Zürich, Århus, ½ año", "Lodz, naive, Zürich, Århus, 1/2 año"),
        ("Party 🎉 at\u00a010\u200b", "Party  at 10"),
        ("Привет", "Привет"),
        ("ﬁne\tline\r", "fine line "),
        ("東京", "東京"),
    ],
)
def test_what_is_put_plainer(text: str, plain: str) -> None:
    assert plainer(text) == plain


@given(st.text(max_size=900), st.text(max_size=60), st.text(max_size=60), st.integers(1, 3))
def test_what_is_cut_fits_and_keeps_what_must_be_there(text: str, head: str, tail: str, most: int) -> None:
    made = cut_to(text, most, head, tail)
    assert made.startswith(head)
    assert made.endswith(tail)
    if size_of(head + tail).segments <= most:
        assert size_of(made).segments <= most


# --- what a message says ----------------------------------------------------------------------------------------------

ASKED = Words(
    "Please decide: New laptop – “Größe L”",
    "Jane Doe asks for your decision.\n\nIts PIN is 1234.",
    link="https://waypost.example.com/approvals?ticket=42",
    action="Open and decide",
    number="ITH-2026-000042",
    facts=(("From", "Jane Doe"), ("Amount", "1,450.00 USD"), ("Priority", "High"), ("Due", "30 November 2026")),
    decide_link="https://waypost.example.com/decide/wpd_secret",
    decide={"step_id": 5, "version": 1, "salt": 7},
)


def test_a_request_says_what_it_is_and_how_to_answer() -> None:
    said = text_of(ASKED, is_urgent=False, reply_code="C4D7F")
    assert said == (
        'ITH-2026-000042: Please decide: New laptop - "Größe L" (Jane Doe, 1,450.00 USD, 30 November 2026)\n'
        "Reply APPROVE C4D7F or REJECT C4D7F and why.\n"
        "https://waypost.example.com/approvals?ticket=42"
    )
    assert size_of(said) == Size("GSM-7", 190, 2)
    urgent = text_of(ASKED, is_urgent=True)
    assert urgent.startswith("URGENT ITH-2026-000042: ")
    assert "APPROVE" not in urgent


@given(st.text(max_size=500), st.booleans(), st.sampled_from(["", "C4D7F"]))
def test_no_message_is_longer_than_three_parts_or_decides_by_a_touch(title: str, is_urgent: bool, code: str) -> None:
    words = Words(title, "x", ASKED.link, number=ASKED.number, decide_link=ASKED.decide_link, decide=ASKED.decide)
    said = text_of(words, is_urgent=is_urgent, reply_code=code)
    assert size_of(said).segments <= 3
    assert "/decide/" not in said
    assert said.endswith(ASKED.link)
    assert not code or f"REJECT {code} and why." in said


def test_other_messages() -> None:
    answer = Words("Answer to a text message", "Approved. ITH-2026-000042 New laptop")
    assert text_of(answer, is_urgent=False) == "Waypost: Approved. ITH-2026-000042 New laptop"
    settled = Words("New laptop", "", number="ITH-1", outcome="Approved by Mike Okafor")
    assert text_of(settled, is_urgent=False) == "ITH-1 New laptop - Approved by Mike Okafor"
    two = (ASKED, Words("x", "y", number="ITH-2"), Words("x", "y", number="ITH-2"))
    assert summary_of("3 updates from Waypost", two, "https://w.example.com/") == (
        "3 updates from Waypost: ITH-2026-000042, ITH-2\nhttps://w.example.com/"
    )
    assert summary_of("2 updates", (Words("x", "y"),), "https://w.example.com/") == "2 updates\nhttps://w.example.com/"
    proof = proof_of("482913", "waypost.example.com")
    assert proof.endswith("\n@waypost.example.com #482913"), "phones fill it in where it belongs, and nowhere else"
    assert size_of(proof).segments == 1


# --- codes ------------------------------------------------------------------------------------------------------------


@given(st.integers(1, 2**62), st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1))
def test_codes_are_codes(step: int, version: int, salt: int) -> None:
    code = codes.reply_code(KEY, "+4915112345678", step, version, salt)
    assert codes.is_code(code)
    assert code == codes.reply_code(KEY, "+4915112345678", step, version, salt)
    assert read(f"approve {code.lower()}") == Answer(Wish.APPROVE, code)
    proof = codes.proof_code(KEY, step, salt)
    assert len(proof) == 6
    assert proof.isdigit()


def test_codes_are_their_phones_and_their_installations() -> None:
    made = [codes.reply_code(KEY, f"+49151123456{n:02}", 5, 1, 7) for n in range(100)]
    made += [codes.reply_code(KEY, "+4915112345600", 5, 1, n) for n in range(100, 4000)]
    made += [codes.reply_code(codes.key_of(bytes(32)), "+4915112345600", 5, v, 7) for v in range(1, 5)]
    assert len(set(made)) > 0.998 * len(made)
    assert set("".join(made)) == set(codes.ALPHABET), "every sign comes up"
    assert codes.hash_of(KEY, "+1", "AAAAA") != codes.hash_of(KEY, "+2", "AAAAA")
    assert not any(codes.is_code(w) for w in ("APPLE", "C4D7", "C4D7FF", "c4d7f", "C0D7F", "C4D7É", ""))


# --- what people answer -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("APPROVE C4D7F", Answer(Wish.APPROVE, "C4D7F")),
        (" «Approve»: c4d7f.", Answer(Wish.APPROVE, "C4D7F")),
        ("C4D7F yes", Answer(Wish.APPROVE, "C4D7F")),
        ("ＡＰＰＲＯＶＥ\u200b Ｃ４Ｄ７Ｆ", Answer(Wish.APPROVE, "C4D7F")),
        ("reject c4d7f $5 is  too\nmuch", Answer(Wish.REJECT, "C4D7F", "$5 is too much")),
        ("NO C4D7F", Answer(Wish.REJECT, "C4D7F")),
        ("Stop.", Answer(Wish.STOP)),
        ("unsubscribe", Answer(Wish.STOP)),
        ("START", Answer(Wish.START)),
        ("help!", Answer(Wish.HELP)),
        ("stop sending me this", Answer(Wish.UNCLEAR)),
        ("do not approve C4D7F", Answer(Wish.UNCLEAR)),
        ("approve", Answer(Wish.UNCLEAR)),
        ("approve today", Answer(Wish.UNCLEAR)),
        ("APPROVE C4D7F0", Answer(Wish.UNCLEAR)),
        ("", Answer(Wish.UNCLEAR)),
        ("…", Answer(Wish.UNCLEAR)),
        ("😀" * 500, Answer(Wish.UNCLEAR)),
    ],
)
def test_what_an_answer_means(text: str, answer: Answer) -> None:
    assert read(text) == answer


@given(st.text())
def test_no_text_decides_without_a_code_in_it(text: str) -> None:
    answer = read(text)
    assert (answer.wish in (Wish.APPROVE, Wish.REJECT)) == codes.is_code(answer.code)
    assert "\x00" not in answer.words


@given(st.text(max_size=3000))
def test_a_reason_stays_one(reason: str) -> None:
    answer = read(f"REJECT C4D7F {reason}")
    assert answer.wish is Wish.REJECT or not reason[:1].isspace()
    assert len(answer.words) <= 1000


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+49 151 1234-5678", "+4915112345678"),
        ("0049 (151) 12345678", "+4915112345678"),
        ("+1.555.123.0001", "+15551230001"),
        ("0151 12345678", None),
        ("+0151123456", None),
        ("+4915", None),
        ("+4915112345678901", None),
        ("+49151١٢٣٤٥٦٧٨", None),
        ("me", None),
        ("", None),
    ],
)
def test_numbers(written: str, number: str | None) -> None:
    assert number_of(written) == number


def test_a_gateway_may_leave_the_plus_out() -> None:
    assert number_of(" 15551230000", needs_plus=False) == "+15551230000"
    assert number_of("Waypost", needs_plus=False) is None
    assert hidden("+4915112345678") == "+49…678"


# --- providers --------------------------------------------------------------------------------------------------------


def test_twilios_published_signature() -> None:
    form = list(VECTOR["params"].items())
    good = (VECTOR["auth_token"], VECTOR["url"], form, VECTOR["signature"])
    assert sms.is_signed(*good)
    assert sms.is_signed(VECTOR["auth_token"], VECTOR["url"], form[::-1] + form[:1], VECTOR["signature"])
    assert not sms.is_signed("12346", *good[1:])
    assert not sms.is_signed("", *good[1:])
    assert not sms.is_signed(VECTOR["auth_token"], VECTOR["url"] + "&x=1", form, VECTOR["signature"])
    assert not sms.is_signed(VECTOR["auth_token"], VECTOR["url"], [*form, ("Digits", "5")], VECTOR["signature"])
    assert not sms.is_signed(*good[:3], "")
    assert not sms.is_signed(*good[:3], "é\ud800")


@pytest.mark.parametrize(
    ("url", "can"),
    [
        ("https://waypost.example.com/x", True),
        ("http://waypost.example.com/x", False),
        ("https://way_post.example.com/x", False),
        ("https://localhost/x", False),
        ("https://127.0.0.1/x", False),
    ],
)
def test_where_twilio_reports(url: str, can: bool) -> None:
    assert sms.can_be_called(url) is can


def test_what_reports_mean() -> None:
    assert sms.report_of_twilio("delivered", "") == ("DELIVERED", "")
    assert sms.report_of_twilio("read", "") == ("DELIVERED", "")
    assert sms.report_of_twilio("sent", "") is None
    assert sms.report_of_twilio("undelivered", "30003") == ("UNDELIVERED", "the phone is off or out of reach")
    assert sms.report_of_twilio("failed", "21610") == ("UNDELIVERED", sms.OPTED_OUT)
    assert sms.report_of_twilio("failed", "99999") == ("UNDELIVERED", "Twilio says 99999")
    assert sms.report_of_twilio("failed", "٣") == ("UNDELIVERED", "failed")
    assert sms.report_of_gateway("1") == ("DELIVERED", "")
    assert sms.report_of_gateway("delivrd") == ("DELIVERED", "")
    assert sms.report_of_gateway("2") == ("UNDELIVERED", "it could not be delivered")
    assert sms.report_of_gateway("16") == ("UNDELIVERED", "the network refused it")
    assert sms.report_of_gateway("EXPIRED") == ("UNDELIVERED", "the gateway says EXPIRED")
    assert [sms.report_of_gateway(s) for s in ("8", "4", "", "x")] == [None] * 4


def test_parameters_are_filled_in_once() -> None:
    written = "to={to}&text={text}\nfrom = {sender} & empty= &nothing&dlr-url={report_url}%26status%3D%d"
    assert sms.parameters_of(written) == [
        ("to", "{to}"),
        ("text", "{text}"),
        ("from", "{sender}"),
        ("empty", ""),
        ("dlr-url", "{report_url}&status=%d"),
    ]
    assert sms.fill("{text} {to} {other}", {"text": "{to}", "to": "+1"}) == "{to} +1 {other}"


GATEWAY = {"driver": "generic-http", "sender": "1", "url": "https://x.example.com"}


@pytest.mark.parametrize(
    ("config", "lacking"),
    [
        ({"driver": "twilio", "sender": "1", "account": "AC1", "auth_token": "x"}, []),
        ({"driver": "twilio", "sender": "1"}, ["account", "auth_token"]),
        ({"driver": "generic-http", "sender": "1"}, ["url"]),
        (GATEWAY, []),
        ({**GATEWAY, "takes_replies": True}, ["hook_secret"]),
        ({**GATEWAY, "takes_replies": True, "hook_secret": "0123456789abcdef"}, []),
        ({**GATEWAY, "hook_secret": "short"}, ["hook_secret"]),
        ({**GATEWAY, "hook_secret": "0123456789/../xyz"}, ["hook_secret"]),
        ({**GATEWAY, "most_to_one": "0", "most_in_all": "many"}, ["most_to_one", "most_in_all"]),
        ({**GATEWAY, "most_to_one": "9" * 5000, "most_in_all": "1000000"}, ["most_to_one"]),
    ],
)
def test_what_a_way_of_sending_lacks(config: dict[str, object], lacking: list[str]) -> None:
    assert list(Sms().faults(config)) == lacking


def test_caps_hold_one_person_and_all() -> None:
    assert Sms().caps({}) == Caps(20, 1000)
    assert Sms().caps({"most_to_one": "3", "most_in_all": "7"}) == Caps(3, 7)

    def message(user: int, *, is_urgent: bool = False) -> Message:
        return Message("m", user, "+1", "s", (), {}, is_urgent=is_urgent)

    had: Counter[int | None] = Counter({1: 2, 2: 1})
    found = capping.judged(
        Caps(2, 6), had, [message(1), message(1, is_urgent=True), message(2), message(2), message(3)]
    )
    assert found[0] == Rejected("this person had 2 messages within a day")
    assert found[1:3] == [None, None], "an emergency passes; the second person has one left"
    assert isinstance(found[3], Rejected)
    assert found[4] is None
    assert capping.judged(Caps(2, 6), had, [message(9, is_urgent=True)]) == [
        Misconfigured("6 messages went out within a day: no more do")
    ]
