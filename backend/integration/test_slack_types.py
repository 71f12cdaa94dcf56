"""What stands in our messages, held against the types that Slack publishes for Block Kit."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from integration.systems import PATH, npm
from waypost.notifications import slack_blocks
from waypost.notifications.words import Words

WORDS = Words(
    "Please decide: <Laptop> & more",
    "Jane asks.\n\nFor a new colleague.",
    link="https://waypost.example.com/approvals?ticket=1&x=2",
    action="Open and decide",
    because="your approval is asked for",
    number="ITH-2026-000001",
    facts=(("From", "Jane Doe"), ("Amount", "500.00 USD")),
    decide={"step_id": 5, "version": 2},
)


@pytest.fixture(scope="module")
def types() -> Path:
    return npm("typescript", "5.9.3", "@slack/types@3.2.0")


def faults(types: Path, folder: Path, blocks: Any, *views: Any) -> str:
    (folder / "node_modules").symlink_to(types.parent)
    code = ['import type { KnownBlock, ModalView } from "@slack/types";']
    code.append(f"export const blocks: KnownBlock[] = {json.dumps(blocks)};")
    code += [f"export const view{n}: ModalView = {json.dumps(view)};" for n, view in enumerate(views)]
    (folder / "ours.ts").write_text("\n".join(code))
    command = [str(types / "tsc"), "--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "ours.ts"]
    command += ["--module", "nodenext", "--moduleResolution", "nodenext"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={"PATH": PATH}, timeout=120
    )
    return done.stdout + done.stderr


def test_our_messages_and_forms_are_block_kit(types: Path, tmp_path: Path) -> None:
    blocks = [
        *slack_blocks.message_of(WORDS, is_urgent=True)[1],
        *slack_blocks.message_of(replace(WORDS, outcome="Approved by Mike Okafor"))[1],
        *slack_blocks.summary_of("50 updates", [WORDS] * 50)[1],
    ]
    forms = [slack_blocks.form(verb, "Laptop", {"verb": verb, "value": "5.2"}) for verb in ("reject", "request_info")]
    assert faults(types, tmp_path, blocks, *forms, slack_blocks.note("Not done.", "https://x.example")) == ""


def test_what_is_none_is_found(types: Path, tmp_path: Path) -> None:
    blocks = slack_blocks.message_of(WORDS)[1]
    button = next(b for b in blocks if b["type"] == "actions")["elements"][0]
    button["style"] = "green"
    assert "green" in faults(types, tmp_path, blocks)
