"""The evidence of a request: whole, checkable anywhere, harmless to set; and not for everybody."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from waypost.audit import anchors, commands, evidence, keys, pack
from waypost.audit.pack import NoPack, check, open_pack

HOSTILE = '#read("/etc/passwd") $x$ *bold* <label> @ref \\ #import "@preview/x:1.0.0": y \u202e "quote" ] [ #eval("1")'


@pytest.fixture
def anchored(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(anchors, "anchor_path", lambda: tmp_path / "checkpoints.jsonl")


async def _pack(fresh_who: Any, database: Any, hardware: Any, find_step: Any) -> tuple[bytes, Any, Any]:
    jane, manager, auditor = await fresh_who("employee"), await fresh_who("manager"), await fresh_who("auditor")
    ticket = await jane.post("/tickets", hardware("500.00", title=HOSTILE[:150], description=HOSTILE), expect=201)
    path = f"/tickets/{ticket['id']}"
    await jane.post(f"{path}/comments", {"body": HOSTILE, "visibility": "PUBLIC"}, expect=201)
    files = {"file": ("#read.txt", b"what was ordered", "text/plain")}
    await jane.post(f"{path}/attachments", expect=201, files=files)
    step = await find_step(manager, ticket["id"])
    await manager.post(f"/approvals/{step['id']}/approve")
    await jane.post(f"{path}/evidence", expect=403)
    asked = await auditor.post(f"{path}/evidence", expect=202)
    assert asked["status"] == "WAITING"
    await auditor.get(f"/evidence/{asked['id']}/file", 404)
    await evidence.run_due(database)
    ready = await auditor.get(f"/evidence/{asked['id']}")
    assert ready["status"] == "READY"
    answer = await auditor.get(f"/evidence/{asked['id']}/file", None)
    assert answer.status_code == 200
    assert pack.sha256(answer.content) == ready["sha256"]
    return answer.content, auditor, asked


async def test_evidence_is_whole_and_every_change_is_found(
    fresh_who: Any, fresh_database: Any, hardware: Any, find_step: Any, anchored: None, tmp_path: Path
) -> None:
    content, auditor, asked = await _pack(fresh_who, fresh_database, hardware, find_step)
    document = open_pack(content)
    verdict = check(document, keys.public_keys())
    assert verdict.is_whole, verdict.problems
    assert verdict.events > 5
    types = {e["columns"]["type"] for e in document["events"]}
    assert {"ticket.created", "approval.approved", "attachment.added", "auth.login"} <= types
    assert len(document["proofs"]) == 1
    assert document["files"][0]["sha256"] == pack.sha256(b"what was ordered")
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        pdf = file.read("evidence.pdf")
    assert pdf.startswith(b"%PDF-")
    assert b"/StructTreeRoot" in pdf
    assert b"pdfaid:part" in pdf

    def changed(change: Any) -> pack.Verdict:
        copy = json.loads(json.dumps(document))
        change(copy)
        return check(copy, keys.public_keys())

    first = document["events"][0]
    for change in (
        lambda d: d["events"][0]["columns"].update(actor_id=1),
        lambda d: d["events"][0].update(data='{"x": 1}'),
        lambda d: d["events"][0].update(salt=None),
        lambda d: d["events"][0].update(position=first["position"] + 1),
        lambda d: d["events"][0].update(leaves={}),
        lambda d: d["stretches"][0]["row_hashes"].reverse(),
        lambda d: d["stretches"][0].update(before="00" * 32),
        lambda d: d["stretches"][0]["checkpoint"].update(signature="00" * 64),
        lambda d: d["stretches"].clear(),
        lambda d: d["files"][0].update(sha256="00" * 32),
        lambda d: d.pop("ticket"),
        lambda d: d.update(events=None),
    ):
        assert changed(change).problems
    assert not check(document, {"other": b"x" * 32}).is_whole

    await auditor.get(f"/evidence/{asked['id'] + 1}", 404)
    other = await fresh_who("admin")
    await other.get(f"/evidence/{asked['id']}", 404)  # it is whose who asked

    file = tmp_path / "pack.zip"
    file.write_bytes(content)
    [signed_by] = verdict.keys
    public = keys.public_keys()[signed_by].hex()
    run = CliRunner().invoke
    assert run(commands.app, ["verify-pack", str(file), "--key", public]).exit_code == 0
    assert "compare it" in run(commands.app, ["verify-pack", str(file)]).output
    assert run(commands.app, ["verify-pack", str(file), "--key", "ab" * 32]).exit_code == 1
    assert run(commands.app, ["verify-pack", str(file), "--key", "nonsense"]).exit_code == 2
    file.write_bytes(b"nonsense")
    assert run(commands.app, ["verify-pack", str(file)]).exit_code == 1


def test_what_is_no_pack() -> None:
    for content in (b"", b"PK", b"[]", b"{}", b"[" * 100_000, b"\xff", b'{"format": "other"}'):
        with pytest.raises(NoPack):
            open_pack(content)


async def test_a_word_of_any_script_is_set(fresh_who: Any, fresh_database: Any, hardware: Any, anchored: None) -> None:
    """A character no font of ours has costs the archive's standard, not the document."""
    jane, auditor = await fresh_who("employee"), await fresh_who("auditor")
    ticket = await jane.post("/tickets", hardware(title="笔记本电脑 💻 لابتوب"), expect=201)
    asked = await auditor.post(f"/tickets/{ticket['id']}/evidence", expect=202)
    await evidence.run_due(fresh_database)
    assert (await auditor.get(f"/evidence/{asked['id']}"))["status"] == "READY"
    await auditor.post("/tickets/999999999/evidence", expect=404)
