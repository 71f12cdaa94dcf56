"""What a message looks like in Teams: an Adaptive Card 1.5 of at most 28 KB. Pure.

What people wrote stands in text runs, which know no markup: it links nowhere and mentions nobody.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from waypost.notifications.shortening import cut
from waypost.notifications.words import Words

Card = dict[str, Any]
MOST_BYTES = 24_000  # of the 28 KB a message may have, envelope included
MOST_LISTED = 20
LONGEST_WORDS = 2900
CONTENT = "application/vnd.microsoft.card.adaptive"
_BODIES = (4000, 1500, 500, 100)  # how much of a text is shown, until it fits


def message_card(words: Words, *, is_urgent: bool = False, can_act: bool = True) -> Card:
    """One notice. With `can_act` it has the buttons to decide, while it can be decided."""
    return _fitting(lambda most: _message(words, most, is_urgent=is_urgent, can_act=can_act))


def summary_card(title: str, notices: Sequence[Words], link: str) -> Card:
    """Several notices as one. What is to be decided among them is decided where the link leads."""

    def made(most: int) -> Card:
        body: list[Card] = [_text(cut(title, 200), weight="Bolder", size="Medium")]
        for notice in notices[:MOST_LISTED]:
            body.append(_text(cut(notice.subject, min(most, 200)), weight="Bolder", spacing="Medium"))
            body += [_text(cut(part, min(most, 300)), spacing="Small") for part in _paragraphs(notice.body)[:1]]
        if len(notices) > MOST_LISTED:
            body.append(_text(f"and {len(notices) - MOST_LISTED} more", isSubtle=True))
        return _card(body, [_open("Open Waypost", link)] if link else [])

    return _fitting(made)


def attachment(card: Card) -> Card:
    """A card as it stands in a message."""
    return {"contentType": CONTENT, "contentUrl": None, "content": card}


def size_of(card: Card) -> int:
    """Bytes on the wire."""
    return len(json.dumps(card, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))


def _message(words: Words, most: int, *, is_urgent: bool, can_act: bool) -> Card:
    body: list[Card] = []
    if is_urgent and not words.outcome:
        body.append(_text("Emergency", weight="Bolder", color="Attention"))
    body.append(_text(cut(words.subject, 300), weight="Bolder", size="Medium"))
    shown = cut(words.body, most)
    body += [_text(part, spacing="Small") for part in _paragraphs(shown)[:20]]
    for label, value in words.facts[:10]:
        body.append(_pair(cut(label, 60), cut(value, min(most, 300))))
    if words.outcome:
        body.append(_text(cut(words.outcome, 300), weight="Bolder", color="Accent", separator=True))
    elif words.because:
        because = f"You get this because {cut(words.because, 200)}."
        body.append(_text(because, isSubtle=True, size="Small", spacing="Medium"))
    actions = _decisions(words) if can_act and not words.outcome else []
    if words.link:
        actions.append(_open(cut(words.action or "Open in Waypost", 60), words.link))
    return _card(body, actions)


def _decisions(words: Words) -> list[Card]:
    if not words.decide:
        return []
    press = f"{words.decide['step_id']}.{words.decide['version']}"
    return [
        _execute("Approve", "approve", press, "positive"),
        _asking("Reject", "reject", press, "Why do you reject it? Who asked reads this.", "destructive"),
        _asking(
            "Ask for information", "request_info", press, "What do you need to know? Who asked reads this.", "default"
        ),
    ]


def _execute(title: str, verb: str, press: str, style: str) -> Card:
    return {"type": "Action.Execute", "title": title, "verb": verb, "data": {"press": press}, "style": style}


def _asking(title: str, verb: str, press: str, label: str, style: str) -> Card:
    words = {
        "type": "Input.Text",
        "id": "words",
        "label": label,
        "isMultiline": True,
        "isRequired": True,
        "errorMessage": "Please write a few words.",
        "maxLength": LONGEST_WORDS,
    }
    shown = {"type": "AdaptiveCard", "body": [words], "actions": [_execute(title, verb, press, style)]}
    return {"type": "Action.ShowCard", "title": title, "card": shown}


def _open(title: str, link: str) -> Card:
    return {"type": "Action.OpenUrl", "title": title, "url": link}


def _text(text: str, spacing: str = "Default", separator: bool = False, **run: Any) -> Card:
    block: Card = {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **run}], "spacing": spacing}
    return block | {"separator": True} if separator else block


def _pair(label: str, value: str) -> Card:
    runs = [{"type": "TextRun", "text": f"{label}: ", "weight": "Bolder"}, {"type": "TextRun", "text": value}]
    return {"type": "RichTextBlock", "inlines": runs, "spacing": "Small"}


def _card(body: list[Card], actions: list[Card]) -> Card:
    card: Card = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.5",
        "body": body,
    }
    return card | {"actions": actions} if actions else card


def _fitting(make: Any) -> Card:
    card: Card = {}
    for most in _BODIES:
        card = make(most)
        if size_of(card) <= MOST_BYTES:
            break
    return card


def _paragraphs(text: str) -> list[str]:
    return [part.strip() for part in text.split("\n") if part.strip()]
