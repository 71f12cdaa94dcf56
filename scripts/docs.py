"""The pages of `docs/` that the code itself knows best: written by `make docs`, compared by `make check`."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import SecretStr

from waypost.kernel.settings import Settings
from waypost.tickets.lifecycle import TRANSITIONS, Part, Status, Transition

ROOT = Path(__file__).resolve().parents[1]
WHO = {
    Part.REQUESTER: "the requester",
    Part.FULFILLER: "the team",
    Part.KEEPER: "the team",
    Part.APPROVALS: "the approvers",
}


def configuration() -> str:
    """The table of variables, from `Settings`."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        shown = "" if default is None or isinstance(default, SecretStr) else f"`{_plain(default)}`"
        rows.append(f"| `{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(
        [
            "# Configuration",
            "",
            "Every variable Waypost reads from the environment. A value that cannot be used is named at start, and",
            "nothing runs. Without any of them everything needed is started on this machine. A secret can stand in a file",
            "instead, which `NAME_FILE` names (see [secrets](running.md#secrets)).",
            "",
            "| variable | default | meaning |",
            "| --- | --- | --- |",
            *rows,
            "",
        ]
    )


def _plain(default: object) -> str:
    if isinstance(default, bool):
        return str(int(default))
    return str(default)


def ticket_life() -> str:
    """The states and who moves a ticket between them, from the lifecycle's one table."""
    return "\n".join(
        [
            "# The life of a ticket",
            "",
            "Where a ticket can stand, and who moves it on. Whatever is not drawn here is refused.",
            "",
            "```mermaid",
            "stateDiagram-v2",
            f"    [*] --> {_state(Status.DRAFT)}",
            *(f"    {_state(t.source)} --> {_state(t.target)}: {t.step.value.replace('_', ' ')}" for t in TRANSITIONS),
            f"    {_state(Status.CLOSED)} --> [*]",
            "```",
            "",
            "| from | to | step | who | needs words |",
            "| --- | --- | --- | --- | --- |",
            *(_row(t) for t in TRANSITIONS),
            "",
            "“The approvers” means their decision, never a button: a ticket is approved when the approval says so, or",
            "by rule when its type needs nobody's yes. A completed ticket can be re-opened for as many days as",
            "`REOPEN_DAYS` says (see [configuration](../operators/configuration.md)).",
            "",
        ]
    )


def _state(status: Status) -> str:
    return status.value.title().replace("_", "")


def _row(t: Transition) -> str:
    who = ", ".join(WHO[p] for p in Part if p in t.by)
    words = "yes" if t.needs_comment else ""
    return f"| `{t.source.value}` | `{t.target.value}` | {t.step.value.replace('_', ' ')} | {who} | {words} |"


PAGES = {"operators/configuration.md": configuration, "users/ticket-life.md": ticket_life}


def main() -> None:
    stale = []
    for name, write in PAGES.items():
        path = ROOT / "docs" / name
        if "--check" in sys.argv:
            if not path.exists() or path.read_text() != write():
                stale.append(name)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(write())
    if stale:
        sys.exit(f"not what the code says: {', '.join(stale)}; run make docs")


if __name__ == "__main__":
    main()
