"""Mail as bytes: what is read of it, whatever it is. Every malformed mail is read or refused, and nothing raises."""

from __future__ import annotations

import base64
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waypost.notifications.incoming import markup, reading
from waypost.notifications.incoming.reading import Arrived, Unreadable, header_text, read

HEAD = b"From: Ana <Ana@Example.test>\r\nTo: help@waypost.test\r\nSubject: Hi\r\nMessage-ID: <1@example.test>\r\n"


def arrived(raw: bytes) -> Arrived:
    found = read(raw)
    assert isinstance(found, Arrived), found
    return found


def whole() -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Änne <a@example.test>"
    mail["To"] = "help@waypost.test, Other <o@example.test>"
    mail["Subject"] = "Über größere Bildschirme"
    mail["Message-ID"] = "<abc@example.test>"
    mail["In-Reply-To"] = "<p@waypost.test>"
    mail["References"] = "<o@waypost.test> <p@waypost.test>"
    mail["Date"] = "Mon, 02 Mar 2026 10:00:00 +0100"
    mail.set_content("Größer, bitte\n")
    mail.add_alternative("<p>Größer, <b>bitte</b></p><script>alert(1)</script><img src='http://t.test/x'>", "html")
    mail.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="Angebot Größe.pdf")
    return mail


def test_a_whole_mail() -> None:
    mail = arrived(whole().as_bytes())
    assert (mail.sender, mail.senders[0].name) == ("a@example.test", "Änne")
    assert mail.recipients == ("help@waypost.test", "o@example.test")
    assert mail.subject == "Über größere Bildschirme"
    assert mail.message_id == "<abc@example.test>"
    assert mail.references == ("<o@waypost.test>", "<p@waypost.test>")
    assert mail.sent_at is not None
    assert mail.sent_at.isoformat() == "2026-03-02T09:00:00+00:00"
    assert mail.text.strip() == "Größer, bitte"
    assert mail.html is not None
    assert "<b>bitte</b>" in mail.html
    assert "script" not in mail.html
    assert "img" not in mail.html
    assert "t.test" not in mail.html
    [file] = mail.files
    assert (file.name, file.content_type, file.data) == ("Angebot Größe.pdf", "application/pdf", b"%PDF-1.7")


def test_the_same_mail_by_two_ways_has_one_fingerprint_and_another_has_another() -> None:
    raw = whole().as_bytes()
    by_another_way = b"Received: from mx by inside; Mon, 02 Mar 2026 10:00:01 +0100\r\nX-Spam: no\r\n" + raw
    assert arrived(raw).fingerprint == arrived(by_another_way).fingerprint
    assert arrived(raw).fingerprint != arrived(raw.replace(b"%PDF", b"%PDG").replace(b"JVBERi", b"JVBERj")).fingerprint


def test_words_come_from_html_where_there_is_no_text() -> None:
    html = (
        b"<p>Hello&nbsp;<b>all</b>,<br>see <a href='https://x.test/y'>this</a></p><ul><li>one<li>two</ul>"
        b"<pre>a\n  b</pre><table><tr><td>1</td><td>2</td></tr></table><blockquote>old<br>words</blockquote>"
        b"<a href='mailto:a@b.test'>a@b.test</a><style>p{}</style>"
    )
    mail = arrived(HEAD + b"Content-Type: text/html; charset=utf-8\r\n\r\n" + html)
    assert mail.text == (
        "Hello\u00a0all,\nsee this <https://x.test/y>\n\n- one\n- two\n\na\n  b\n\n1 2\n\n> old\n> words\n>\na@b.test"
    )


def test_html_that_is_too_much_to_look_through_is_read_as_bare_words() -> None:
    mail = arrived(HEAD + b"Content-Type: text/html\r\n\r\n" + b"<div>" * markup.MOST_TAGS + b"&lt;words&gt;<")
    assert mail.html is None
    assert mail.text.strip() == "<words><"
    assert mail.left_out == ("how its text was laid out",)


@pytest.mark.parametrize(
    ("rest", "text"),
    [
        (b"Content-Type: text/plain; charset=klingon\r\n\r\nG\xfcte", "Güte"),
        (b"Content-Type: text/plain; charset=us-ascii\r\n\r\nG\xc3\xbcte", "Güte"),
        (b"Content-Type: text/plain; charset=utf-8\r\n\r\nG\xfcte", "G\ufffdte"),
        (b"Content-Type: text/plain; charset=idna\r\n\r\nxn--a", "xn--a"),
        (b"Content-Type: text/plain; charset=hex\r\n\r\nabc", "abc"),
        (b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n!!SGVsb G8*", "Hello"),
        (b"Content-Type: text/plain\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 a\n#0V%T\n`\nend", "Cat"),
        (b"\r\nNUL\x00 and e\xcc\x81", "NUL and \u00e9"),
        (b"Content-Type: multipart/mixed\r\n\r\nno boundary", "no boundary"),
        (b'Content-Type: \x00\xff/;;="\r\n\r\nx', "x"),
    ],
)
def test_broken_text(rest: bytes, text: str) -> None:
    assert arrived(HEAD + rest).text == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=?utf-8?Q?=C3=BCber?=", "über"),
        ("=?utf-8?B?w7w=?= =?utf-8?B?YmVy?=", "über"),
        ("=?utf-8?B?!!!?= =?x?Q?=?=", None),
        ("=?nowhere?Q?=FC?=", "ü"),
        ("a\r\n\tb\x00c", "a b c"),
        ("=?utf-8?Q?a=0D=0ABcc:_x@y.test?=", "a Bcc: x@y.test"),
        ("\udcc3\udcbcber", "über"),
        ("\udcff", "\ufffd"),
    ],
)
def test_broken_headers(value: str, text: str | None) -> None:
    found = header_text(value)
    assert text is None or found == text
    assert "\n" not in found
    assert "\x00" not in found


def test_no_sender_several_senders_and_addresses_that_are_none() -> None:
    assert arrived(b"Subject: x\r\n\r\nbody").sender == ""
    two = arrived(b"From: a@example.test\r\nFrom: b@example.test\r\n\r\nx")
    assert (two.sender, len(two.senders)) == ("", 2)
    assert arrived(b"From: a@example.test, b@example.test\r\n\r\nx").sender == ""
    assert arrived(b"From: @, <>, a b, x@, @y\r\n\r\nx").senders == ()
    assert arrived(b"Return-Path: <>\r\n\r\nx").return_path == ""
    assert arrived(b"Date: Mon, 99 Foo 0000\r\n\r\nx").sent_at is None
    assert arrived(b"Date: Mon, 02 Mar 2026 10:00:00 -0000\r\n\r\nx").sent_at is not None


def test_headers_are_looked_at_to_a_length_only() -> None:
    mail = arrived(b"To: " + b"a@example.test, " * 20_000 + b"\r\nX: " + b"(" * 300_000 + b"\r\nReferences: "
                   + b"<a@b> <c@d> " * 30_000 + b"\r\n" + b"Y: z\r\n" * 5000 + b"\r\nx")  # fmt: skip
    assert max(len(value) for _, value in mail.headers) <= reading.MOST_HEADER
    assert len(mail.headers) == 1000
    assert len(mail.references) == 2


def test_parts_without_number_or_end() -> None:
    part = b"--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment\r\n\r\nxx\r\n"
    mail = arrived(HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part * 3000 + b"--b--")
    assert len(mail.files) == reading.MOST_FILES
    assert mail.left_out == (f"{3000 - reading.MOST_FILES} more parts",)
    mail = arrived(HEAD + b"\r\n" + b"word " * 100_000)
    assert (len(mail.text), mail.left_out) == (reading.MOST_TEXT, ("the end of a very long text",))


def _nested(depth: int) -> bytes:
    levels = (b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(depth))
    return HEAD + b"".join(levels) + b"\r\nhello"


def test_parts_within_parts() -> None:
    assert arrived(_nested(100)).text == "hello"
    assert isinstance(read(_nested(4000)), Unreadable)
    assert isinstance(read(_nested(900)), (Arrived, Unreadable))
    assert isinstance(read(HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 2000 + b"\r\nx"), (Arrived, Unreadable))
    assert isinstance(read(b""), Unreadable)
    assert isinstance(read(b" " * (reading.MOST_BYTES + 1)), Unreadable)


def test_mails_and_pictures_within_a_mail_are_files() -> None:
    inner = EmailMessage()
    inner["Subject"] = "The offer"
    inner.set_content("cheap")
    mail = EmailMessage()
    mail["From"] = "a@example.test"
    mail.set_content("look")
    mail.add_attachment(inner)
    mail.add_attachment(b"\x89PNG", "image", "png", disposition="inline", cid="<1>")
    mail.add_attachment("BEGIN:VCALENDAR", "calendar")
    found = arrived(mail.as_bytes())
    assert [(f.name, f.content_type, f.is_inline) for f in found.files] == [
        ("The offer.eml", "message/rfc822", False),
        ("image-2.png", "image/png", True),
        ("text-3.ics", "text/calendar", False),
    ]
    assert b"cheap" in found.files[0].data


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=2000))
def test_any_bytes(raw: bytes) -> None:
    assert isinstance(read(raw), (Arrived, Unreadable))


SEEDS = [
    whole().as_bytes(),
    HEAD + b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n"
    b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; a@b.test\r\n"
    b"Action: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <x@y>\r\n\r\nz\r\n--b--",
    HEAD + b"Content-Type: text/html; charset*0*=utf-8''u%74; charset*1=f-8\r\n\r\n<p>x<blockquote>y",
]
PIECES = st.sampled_from(
    [b"\r\n", b"\n", b"\x00", b"--b\r\n", b"=?utf-8?B?", b"?=", b"boundary=", b'"', b"\\", b"(", b"<", b"@", b";", b":",
     b"\xff\xfe", b"Content-Type: ", b"multipart/mixed; boundary=b\r\n", b"charset=", b"message/rfc822\r\n\r\n", b"*0*="]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.floats(0, 1), PIECES, st.integers(0, 40)), max_size=12))
def test_mutated_mails(raw: bytes, changes: list[tuple[float, bytes, int]]) -> None:
    for where, piece, cut in changes:
        at = int(where * len(raw))
        raw = raw[:at] + piece + raw[at + cut :]
    found = read(raw)
    assert isinstance(found, (Arrived, Unreadable))
    if isinstance(found, Arrived):
        assert "\x00" not in found.text + found.subject
        for said in (found.text, found.subject, *(v for _, v in found.headers), *(f.name for f in found.files)):
            said.encode()


def test_a_file_of_some_size_comes_back_as_it_was() -> None:
    data = bytes(range(256)) * 4000
    raw = HEAD + b"Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    [file] = arrived(raw + base64.encodebytes(data)).files
    assert file.data == data
