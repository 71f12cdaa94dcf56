"""The company's mail layout: what may stand in it, that it frames every mail, and that a broken one silences nobody."""

from __future__ import annotations

import time
from email import message_from_string
from email.policy import default
from typing import Any

import pytest
from sqlalchemy import select, text

from tests.notifications.test_mail import MailServer, serving
from waypost.kernel import relay
from waypost.kernel.settings import get_settings
from waypost.notifications import sending
from waypost.notifications.channels import Message
from waypost.notifications.channels.email import mail_message
from waypost.notifications.incoming.replies import MARKER
from waypost.notifications.layouts import built_in_layout, compiled, layout_faults
from waypost.notifications.models import Delivery
from waypost.notifications.rendering import mail_of, summary_of
from waypost.notifications.words import Words

PATH = "/notification-templates/mail.layout"


def layout(more: str = "", text: str = "Acme {{ number }}") -> str:
    return (
        f"<mjml><mj-head><mj-title>{{{{ title }}}}</mj-title></mj-head><mj-body><mj-section><mj-column>\n"
        f"<mj-text>{{{{ reply_marker }}}} {text}</mj-text>\n{more}\n{{{{ content }}}}\n<mj-text>{{{{ reason }}}}</mj-text>\n"
        "</mj-column></mj-section></mj-body></mjml>"
    )


def test_the_built_in_one_and_a_plain_one_are_fine() -> None:
    assert layout_faults(built_in_layout()) == []
    assert layout_faults(layout('<mj-image src="https://cdn.example.com/logo.png" alt="Acme" width="120px" />')) == []
    assert layout_faults(layout('<mj-button href="{{ link }}">Open</mj-button><!-- ours -->')) == []


def test_nothing_of_ours_is_fetched() -> None:
    one, many = (t.render(sample) for t, sample in zip(_templates(), _samples(), strict=True))
    for html in (one, many):
        assert "fonts.googleapis" not in html
        assert "<link" not in html
        assert "@import" not in html


def _templates() -> tuple[Any, Any]:
    made = compiled(built_in_layout())
    return made.one, made.many


def _samples() -> tuple[dict[str, Any], dict[str, Any]]:
    same = {"title": "T", "number": "N-1", "reason": "R", "reply_marker": "", "link": "https://x.example.com"}
    return (
        {**same, "paragraphs": ["P"], "facts": [("A", "B")], "decide_link": "", "action": "Open"},
        {**same, "notices": [{"link": "L", "subject": "S", "paragraphs": ["P"]}]},
    )


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", "begins with <mjml>"),
        ("hello", "begins with <mjml>"),
        (layout().replace("{{ content }}", ""), "the words have no place"),
        (layout("{{ content }}"), "the words have no place"),
        (layout().replace("{{ reason }}", ""), "why one gets it"),
        (layout().replace("{{ reply_marker }}", ""), "where a reply begins"),
        (layout("<mj-text>{{ content }}</mj-text>").replace("\n{{ content }}\n", ""), "stands in an mj-column"),
        (layout("words in the open"), "words stand in an mj-text"),
        (layout('<mj-include path="/etc/passwd" />'), "<mj-include> is not possible"),
        (layout("<mj-raw><script>alert(1)</script></mj-raw>"), "<script> is not possible"),
        (layout("<mj-raw><iframe></iframe></mj-raw>"), "<iframe> is not possible"),
        (layout('<mj-text><p onclick="x()">x</p></mj-text>'), "nothing runs in a mail"),
        (layout('<mj-text><a href="javascript:x()">x</a></mj-text>'), "a link leads to"),
        (layout('<mj-text><a href="{{ title }}">x</a></mj-text>'), "a link leads to"),
        (layout('<mj-text><a href="https://x.example/{{ number }}">x</a></mj-text>'), "a link leads to"),
        (layout('<mj-image src="http://example.com/a.png" />'), "an image is fetched from https"),
        (layout('<mj-image src="data:image/png;base64,x" />'), "an image is fetched from https"),
        (layout('<mj-image src="https://x.example/{{ number }}" />'), "values stand in the text"),
        (layout('<mj-text><p style="background:url(https://x)">x</p></mj-text>'), "styles fetch nothing"),
        (layout('<mj-font name="X" href="https://fonts.example.com" />'), "<mj-font> is not possible"),
        (layout().replace("</mj-head>", "<mj-style>@import 'x';</mj-style></mj-head>"), "styles fetch nothing"),
        (layout("<!--[if mso]><script></script><![endif]-->"), "a comment holds words only"),
        (layout("<!-- {{ title }} -->"), "a comment holds words only"),
        (layout("<!DOCTYPE html>"), "declarations"),
        (layout("<?php x ?>"), "instructions"),
        (layout(text="{{ ticket.title }}"), "there is no value ticket.title"),
        (layout(text="{% for x in title %}{% endfor %}"), "repeating (for)"),
        (layout(text="{{ 'a' * 10**9 }}"), "reckoning"),
        (layout().replace("</mjml>", ""), "cannot be turned into a mail"),
        (layout(text="x" * 31_000), "is longer than 30,000"),
        (layout("<mj-spacer />" * 1001), "too complicated"),
        (layout("<mj-text>" + "<div>" * 40 + "</div>" * 40 + "</mj-text>"), "too complicated"),
    ],
)
def test_what_may_not_stand_in_it(source: str, says: str) -> None:
    found = layout_faults(source)
    assert 1 <= len(found) <= 10
    assert any(says in fault.message for fault in found), found


def test_the_line_is_named() -> None:
    (fault,) = layout_faults(layout("<mj-text>\n<video /></mj-text>"))
    assert (fault.line, fault.message) == (4, "<video> is not possible here")


def test_the_largest_one_takes_no_time() -> None:
    row = "<mj-text><b>words</b></mj-text>"
    source = layout(row * 480)
    assert layout_faults(source) == []
    compiled.cache_clear()
    began = time.process_time()
    assert layout_faults(source) == []
    assert time.process_time() - began < 2


def test_values_are_text_and_never_markup() -> None:
    words = Words("<b>T</b> {{ 7*7 }}", "<script>x</script>", "https://x.example.com", "Open", "you asked", "N-1")
    text_, html = mail_of(words, layout(text="<i>Acme</i> {{ title }}"), MARKER)
    assert "<script>x" not in html
    assert "<i>Acme</i> &lt;b&gt;T&lt;/b&gt; {{ 7*7 }}" in html
    assert text_.startswith(f"{MARKER}\n\n")
    many = summary_of("2 updates", [words, words], "you asked", "https://x.example.com", layout())
    assert many[1].count("&lt;script&gt;") == 2


def test_only_what_may_be_answered_says_above_which_line() -> None:
    message = Message("<1@x>", 1, "jane@example.com", "S", (Words("T", "B"),), {"Reply-To": "in+x@example.com"})
    for headers, is_said in (({"Reply-To": "in+x@example.com"}, True), ({}, False)):
        mail = mail_message(Message(message.id, 1, message.recipient, "S", message.notices, headers))
        parts: list[Any] = list(mail.iter_parts())
        assert [MARKER in p.get_content() for p in parts] == [is_said, is_said]


async def test_it_is_written_tried_used_and_taken_back(
    fresh_database: Any, fresh_who: Any, hardware: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin, jane = await fresh_who("admin"), await fresh_who("employee")
    kept = await admin.get(PATH)
    assert (kept["event"], kept["channel"], kept["version"], kept["is_default"]) == ("mail.layout", "email", 0, True)
    assert "content" in [v["name"] for v in kept["variables"]]
    assert (await admin.get("/notification-templates"))["items"][0]["key"] == "mail.layout"
    refused = await admin.put(PATH, {**kept, "body": layout("<video />")}, expect=422)
    assert refused["errors"] == [{"pointer": "/body", "message": "line 3: <video> is not possible here"}]
    ticket = await jane.post("/tickets", hardware("500.00", title="Chairs"), expect=201)
    shown = await admin.post(f"{PATH}/preview", {"ticket_id": ticket["id"], "body": layout(text="Acme Corp")})
    page = (await admin.get(shown["html_url"].removeprefix("/api/v1"), expect=None)).text
    assert "Acme Corp" in page
    assert "Chairs" in page
    await admin.post(f"{PATH}/preview", {"body": "<mjml>"}, expect=422)
    async with serving() as server:
        monkeypatch.setenv("SMTP_PORT", str(server.port))
        get_settings.cache_clear()
        await admin.post(f"{PATH}/test", {"body": layout(text="Only tried")}, expect=202)
        await sending.send_due(fresh_database)
        tried, usual = htmls(server, "admin@"), htmls(server, "manager@")
        assert [("Only tried" in h) for h in tried] == [True]
        assert all("Only tried" not in h for h in usual)

        saved = await admin.put(PATH, {**kept, "body": layout(text="Acme Corp")})
        assert (saved["version"], saved["is_default"]) == (1, False)
        await jane.post("/tickets", hardware("600.00", title="Desks"), expect=201)
        await relay.drain(fresh_database)
        server.taken.clear()
        await sending.send_due(fresh_database)
        assert all("Acme Corp" in h for h in htmls(server, "manager@"))

        back = await admin.delete(f"{PATH}?version=1", expect=200)
        assert (back["is_default"], back["body"]) == (True, kept["body"])
        assert [v["version"] for v in (await admin.get(f"{PATH}/versions"))["items"]] == [2, 1]

        async with fresh_database.transaction() as session:  # as a stricter product finds an older layout
            await session.execute(
                text(
                    "INSERT INTO notification_template_versions (key, channel, language, version, subject, body, created_at)"
                    " VALUES ('mail.layout', 'email', 'en', 3, 'S', '<mjml><script></mjml>', now())"
                )
            )
        await jane.post("/tickets", hardware("700.00", title="Lamps"), expect=201)
        await relay.drain(fresh_database)
        server.taken.clear()
        await sending.send_due(fresh_database)
        assert ["Lamps" in h for h in htmls(server, "manager@")] == [True], "told in the built-in layout"
    get_settings.cache_clear()
    async with fresh_database.read() as session:
        assert "PENDING" not in list(await session.scalars(select(Delivery.status)))


def htmls(server: MailServer, to: str) -> list[str]:
    mails = [message_from_string(m.as_string(), policy=default) for m in server.taken if to in str(m["To"])]
    bodies: list[Any] = [m.get_body(preferencelist=("html",)) for m in mails]
    return [b.get_content() for b in bodies]
