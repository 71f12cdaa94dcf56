"""The evidence as a document for people: PDF/A with tags where every character can be shown, tagged PDF otherwise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from waypost.audit.pack import sha256, to_json
from waypost.kernel.pdf import set_as

SOURCE = r"""
#let d = json(bytes(sys.inputs.at("told")))
#set document(title: d.title, author: d.made_by, description: d.subtitle)
#set page(
  paper: "a4",
  margin: (x: 22mm, top: 24mm, bottom: 22mm),
  footer: context [
    #set text(size: 8pt, fill: luma(90))
    #grid(columns: (1fr, auto), d.footer, [#counter(page).display() / #counter(page).final().first()])
  ],
)
#set text(lang: "en", size: 10pt, font: ("Libertinus Serif", "DejaVu Sans Mono", "New Computer Modern"), hyphenate: false)
#set par(leading: 0.62em)
#show heading.where(level: 1): set text(size: 19pt, weight: "semibold")
#show heading.where(level: 2): set text(size: 12.5pt, weight: "semibold")
#show heading.where(level: 2): set block(above: 1.7em, below: 0.8em, sticky: true)
#let mono(it) = text(font: "DejaVu Sans Mono", size: 7.4pt, it)
#let breakable(it) = it.clusters().chunks(8).map(c => c.join("")).join("\u{200b}")
#let quiet(it) = text(fill: luma(80), it)
#set table(stroke: (x, y) => (bottom: 0.4pt + luma(190)), inset: (x: 4pt, y: 5pt), align: left + top)
#show table: set block(breakable: true)
#show table.cell: set par(justify: false)
#show table.cell.where(y: 0): set text(weight: "semibold", size: 9pt)

= #d.title
#quiet(d.subtitle)

#v(0.4em)
#block(width: 100%, inset: 10pt, radius: 3pt, fill: luma(243))[
  #set text(size: 9.5pt)
  #for line in d.claim [#line \ ]
]

== The request
#grid(
  columns: (32mm, 1fr), row-gutter: 0.75em,
  ..d.facts.map(f => (quiet(f.at(0)), f.at(1))).flatten()
)
#if d.description.len() > 0 [
  #v(0.3em)
  #block(inset: (left: 9pt), stroke: (left: 1.5pt + luma(200)), for p in d.description { par(p) })
]

== Decisions
#if d.decisions.len() == 0 [#quiet[Nobody was asked to decide.]] else [
#table(
  columns: (1fr, 1.25fr, 0.9fr, 1.4fr),
  table.header[Stage][Who][Decision][When, and how they showed who they are],
  ..d.decisions.map(r => r.map(c => [#c])).flatten()
)]

== Files
#if d.files.len() == 0 [#quiet[None.]] else [
#table(
  columns: (1.1fr, auto, 1.5fr),
  table.header[Name][Bytes][SHA-256],
  ..d.files.map(r => ([#r.at(0)], [#r.at(1)], mono(breakable(r.at(2))))).flatten()
)]

== Comments
#if d.comments.len() == 0 [#quiet[None.]]
#for c in d.comments [
  #block(above: 0.9em, below: 0.35em, sticky: true)[#strong(c.who) #quiet[ · #c.when]#if c.internal [#quiet[ · internal]]]
  #block(above: 0pt, below: 0.9em, for p in c.body { par(p) })
]

== What happened
#table(
  columns: (34mm, 1fr, auto, 64mm),
  table.header[When (UTC)][What, and by whom][Place][Hash of the row],
  ..d.events.map(r => ([#r.at(0)], [#r.at(1)], [#r.at(2)], mono(breakable(r.at(3))))).flatten()
)

== How to check this
#par(d.how.at(0))
#block(inset: (y: 3pt), text(font: "DejaVu Sans Mono", size: 8.5pt, d.command))
#par(d.how.at(1))
#v(0.3em)
#grid(
  columns: (32mm, 1fr), row-gutter: 0.75em,
  ..d.hashes.map(f => (quiet(f.at(0)), mono(breakable(f.at(1))))).flatten()
)
"""


def render(document: Mapping[str, Any]) -> bytes:
    """The document as PDF."""
    return set_as("a-2a", SOURCE, shown(document))


def shown(document: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in the document, in words."""
    ticket, keys = document["ticket"], document["keys"]
    people = document["people"]
    last = json.loads(document["stretches"][-1]["checkpoint"]["body"])
    in_log = [e for e in document["events"] if e["columns"]["object_type"] == "ticket"]
    events_n = len(in_log)
    proofs = {e["columns"]["id"]: e for e in document["events"]}
    return {
        "title": f"Evidence of {ticket['ticket_number']}",
        "subtitle": ticket["title"],
        "made_by": _name(document["made_by"]),
        "footer": f"{ticket['ticket_number']} · {document['installation']} · {_time(document['made_at'])}",
        "claim": [
            f"Taken from {document['installation']} by {_name(document['made_by'])}, {_time(document['made_at'])}.",
            f"{events_n} events of this request stand in the sealed log, the last covered by checkpoint {last['number']}, "
            f"signed {_time(last['at'])} with key {last['key_id']}.",
            *(["Only the first 20,000 events are here."] if document["is_cut"] else []),
        ],
        "facts": [[label, value] for label, value in _facts(ticket) if value],
        "description": _paragraphs(ticket["description"]),
        "decisions": _decisions(document, in_log, people, proofs),
        "files": [[f["filename"], f"{f['size']:,}", f["sha256"]] for f in document["files"]],
        "comments": [
            {
                "who": _name(c["author"]),
                "when": _time(c["created_at"]),
                "internal": c["visibility"] == "INTERNAL",
                "body": _paragraphs(c["body"]),
            }
            for c in document["comments"]
        ],
        "events": [_event(e, people, _hash_at(document, e["position"])) for e in in_log],
        "command": "waypost audit verify-pack FILE.zip --key PUBLIC-KEY",
        "how": [
            "On any machine with Waypost's command line, without a connection:",
            "Ask the installation for its public key by another way than this file. Each event is hashed, each hash is part "
            "of a chain, and the chain's end is signed: what was changed afterwards does not fit.",
        ],
        "hashes": [
            ["evidence.json", sha256(to_json(document))],
            *([f"Key {key_id}", public] for key_id, public in sorted(keys.items())),
            ["Chain", last["chain_hash"]],
        ],
    }


def _facts(ticket: Mapping[str, Any]) -> list[tuple[str, str]]:
    amount = f"{ticket['amount']} {ticket['currency']}" if ticket["amount"] else ""
    return [
        ("Number", ticket["ticket_number"]),
        ("Type", ticket["ticket_type_name"]),
        ("Status", _word(ticket["status"])),
        ("Priority", _word(ticket["priority"])),
        ("Amount", amount),
        ("Requested by", _name(ticket["requester"])),
        ("Assigned to", _name(ticket["assignee"]) if ticket["assignee"] else ""),
        ("Team", _name(ticket["team"]) if ticket["team"] else ""),
        ("Department", _name(ticket["department"]) if ticket["department"] else ""),
        ("Confidential", "Yes" if ticket["is_confidential"] else ""),
        ("Written", _time(ticket["created_at"])),
        ("Version", str(ticket["version"])),
    ]


def _decisions(
    document: Mapping[str, Any], events: list[Any], people: Mapping[str, Any], proofs: Mapping[int, Any]
) -> list[list[str]]:
    found = []
    for event in events:
        if event["columns"]["type"] not in ("approval.approved", "approval.rejected"):
            continue
        told = json.loads(event["data"])
        who = _name(people.get(str(event["columns"]["actor_id"])))
        if event["columns"]["on_behalf_of_id"]:
            who += f" for {_name(people.get(str(event['columns']['on_behalf_of_id'])))}"
        proof = proofs.get(document["proofs"].get(str(event["columns"]["id"])))
        how = f"{_time(event['at'])}, by {event['columns']['channel']}"
        if proof is not None:
            data = json.loads(proof["data"])
            way = str(data.get("factor") or data.get("method") or "?").replace("_", " ")
            word = "confirmed" if proof["columns"]["type"] == "auth.step_up" else "signed in"
            how += f"; {word} with {way} {_time(proof['at'])}"
        word = "Approved" if event["columns"]["type"] == "approval.approved" else "Rejected"
        how += _signed(document, told)
        version = told.get("subject_version") or told.get("decided_version")
        found.append([str(told.get("stage_name", "")), who, word + (f", version {version}" if version else ""), how])
    return found


def _signed(document: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    """That a decision was signed, and whether the signature was right when this was put together."""
    for one in document.get("signatures", ()):
        record = one["record"]
        if record["step_id"] != told.get("step_id") or record["decision"] not in ("APPROVE", "REJECT"):
            continue
        named = f" “{one['passkey']}”" if one["passkey"] else ""
        verdict = "verified" if one["wrong"] is None else f"NOT RIGHT: {one['wrong']}"
        return f"; signed with passkey{named}, {verdict}"
    return ""


def _event(event: Mapping[str, Any], people: Mapping[str, Any], row_hash: str) -> list[str]:
    columns = event["columns"]
    who = _name(people.get(str(columns["actor_id"]))) if columns["actor_id"] else "Waypost"
    what = _word(columns["type"].replace(".", " "))
    return [_time(event["at"]), f"{what}, by {who} ({columns['channel']})", str(event["position"]), row_hash]


def _hash_at(document: Mapping[str, Any], position: int) -> str:
    for stretch in document["stretches"]:
        if stretch["first"] <= position < stretch["first"] + len(stretch["row_hashes"]):
            return str(stretch["row_hashes"][position - stretch["first"]])
    return ""


def _word(code: str) -> str:
    return code.replace("_", " ").capitalize()


def _name(of: Any) -> str:
    if not isinstance(of, Mapping):
        return "?"
    return str(of.get("name") or of.get("full_name") or of.get("username") or "?")


def _time(at: str | None) -> str:
    return f"{at[:10]} {at[11:19]}" if at else ""


def _paragraphs(written: str | None) -> list[str]:
    """What somebody wrote, in paragraphs, without what no page can show."""
    plain = "".join(c for c in written or "" if c == "\n" or c.isprintable())
    return [line for line in plain.split("\n") if line.strip()]
