"""What a message looks like in Slack: Block Kit, within its limits. Pure.

What people wrote is escaped, so that it names nobody and links nowhere; every message has a `text` too, which screen
readers and notices outside the app read.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from waypost.notifications.shortening import cut
from waypost.notifications.words import Words

Block = dict[str, Any]
SECTION, FIELD, BUTTON, TITLE, FALLBACK = 3000, 2000, 75, 24, 3000
MOST_LISTED = 40  # notices in one message: a message has 50 blocks at most
FORM = "waypost-words"  # the callback id of the form that asks for a reason
WORDS = "words"
LONGEST_WORDS = 2900
BUTTONS = (
    ("approve", "Approve", "primary"),
    ("reject", "Reject", "danger"),
    ("request_info", "Ask for information", ""),
)


def escape(text: str) -> str:
    """Text as Slack wants it where it is not markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def message_of(words: Words, *, is_urgent: bool = False) -> tuple[str, list[Block]]:
    """One notice: its text, and its blocks. The buttons to decide are there while it can be decided."""
    alarm = ":rotating_light: *Emergency*\n" if is_urgent and not words.outcome else ""
    blocks = [_section(alarm + _heading(words))]
    if words.body:
        blocks.append(_section(cut(words.body, SECTION - 100, escape)))
    if words.facts:
        pairs = [f"*{cut(k, 200, escape)}*\n{cut(v, FIELD - 300, escape)}" for k, v in words.facts[:10]]
        blocks.append({"type": "section", "fields": [_mrkdwn(pair) for pair in pairs]})
    if words.outcome:
        blocks.append(_note(f":ballot_box_with_check: {cut(words.outcome, 1000, escape)}"))
    buttons = [] if words.outcome else _decisions(words)
    if words.link:
        buttons.append(_link(words.action or "Open in Waypost", words.link, words.subject))
    if buttons:
        blocks.append({"type": "actions", "elements": buttons})
    if words.because and not words.outcome:
        blocks.append(_note(f"You get this because {cut(words.because, 500, escape)}."))
    said = words.outcome or words.body.split("\n", 1)[0]
    return cut(f"{words.subject}: {said}" if said else words.subject, FALLBACK, escape), blocks


def summary_of(title: str, notices: Sequence[Words]) -> tuple[str, list[Block]]:
    """Several notices as one message. What is to be decided among them is decided where its link leads."""
    blocks = [_section(f"*{cut(title, 500, escape)}*")]
    blocks += [_section(f"{_heading(n)}\n{cut(n.body, 500, escape)}") for n in notices[:MOST_LISTED]]
    if len(notices) > MOST_LISTED:
        blocks.append(_note(f"and {len(notices) - MOST_LISTED} more"))
    return cut(f"{title}: " + "; ".join(n.subject for n in notices), FALLBACK, escape), blocks


def form(verb: str, title: str, kept: dict[str, Any]) -> Block:
    """The form that asks for a reason, or for the question; `kept` comes back with it."""
    asks = verb == "request_info"
    label = "What do you need to know?" if asks else "Why do you reject it?"
    hint = "Who asked reads this, and answers." if asks else "Who asked reads this."
    return {
        "type": "modal",
        "callback_id": FORM,
        "private_metadata": json.dumps(kept),
        "title": _plain("Ask for information" if asks else "Reject", TITLE),
        "submit": _plain("Ask" if asks else "Reject", TITLE),
        "close": _plain("Cancel", TITLE),
        "blocks": [
            _section(f"*{cut(title, 500, escape)}*"),
            {
                "type": "input",
                "block_id": WORDS,
                "label": _plain(label, 2000),
                "hint": _plain(hint, 2000),
                "element": {
                    "type": "plain_text_input",
                    "action_id": WORDS,
                    "multiline": True,
                    "min_length": 1,
                    "max_length": LONGEST_WORDS,
                },
            },
        ],
    }


def note(said: str, link: str) -> Block:
    """What stands in the form's place when the answer could not be taken."""
    return {
        "type": "modal",
        "title": _plain("Not done", TITLE),
        "close": _plain("Close", TITLE),
        "blocks": [_section(with_link(said, link))],
    }


def with_link(said: str, link: str) -> str:
    """A sentence to one person, and where to go on."""
    return f"{cut(said, SECTION - 600, escape)}\n<{link}|Open Waypost>"


def button_value(decide: Any) -> str:
    """What a button carries: the step, and the version of the request that was shown."""
    return f"{decide['step_id']}.{decide['version']}"


def _decisions(words: Words) -> list[Block]:
    if not words.decide:
        return []
    value = button_value(words.decide)
    return [
        {
            "type": "button",
            "action_id": verb,
            "text": _plain(label, BUTTON),
            "value": value,
            "accessibility_label": cut(f"{label}: {words.subject}", BUTTON),
            **({"style": style} if style else {}),
        }
        for verb, label, style in BUTTONS
    ]


def _heading(words: Words) -> str:
    title = cut(words.subject, 1000, lambda t: escape(" ".join(t.split())))
    return f"*<{escape(words.link)}|{title}>*" if words.link else f"*{title}*"


def _link(label: str, address: str, about: str) -> Block:
    return {
        "type": "button",
        "action_id": "open",
        "text": _plain(label, BUTTON),
        "url": address,
        "accessibility_label": cut(f"{label}: {about}", BUTTON),
    }


def _plain(text: str, most: int) -> Block:
    return {"type": "plain_text", "text": cut(text, most)}


def _mrkdwn(text: str) -> Block:
    # verbatim: nothing in it is made a mention or a link that is not written as one
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(text)}


def _note(text: str) -> Block:
    return {"type": "context", "elements": [_mrkdwn(text)]}
