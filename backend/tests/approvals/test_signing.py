"""Decisions signed with a passkey: of what a signature is, what counts as one, and that every change of it is found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, event, func, select, text, update

from tests.access.device import Device, encoded
from tests.conftest import PASSWORD, Api
from waypost.access.models import LoginSession, Passkey, PasskeyChallenge, RecoveryCode, Throttle
from waypost.approvals import statements
from waypost.approvals.models import ApprovalStep, ApprovalSubjectVersion
from waypost.approvals.signature_models import ApprovalSignature
from waypost.audit import sealing
from waypost.audit.commands import in_words
from waypost.audit.verifying import verify
from waypost.kernel.clock import clock, now, rfc3339
from waypost.kernel.settings import get_settings

HOST = "waypost.example.com"
ORIGIN = f"https://{HOST}"
HERE = {"origin": ORIGIN}
PROOF = {"factor": "password", "password": PASSWORD}


@pytest.fixture(autouse=True)
def demanding(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is worth more than 1,000 asks for a confirmation."""
    monkeypatch.setenv("STEP_UP_ABOVE", "1000")
    monkeypatch.setenv("STEP_UP_EMERGENCIES", "true")
    get_settings.cache_clear()
    monkeypatch.setattr(type(get_settings()), "origin", ORIGIN)
    yield
    monkeypatch.undo()
    get_settings.cache_clear()


class Signer:
    """Somebody with a passkey."""

    def __init__(self, api: Api, device: Device, passkey_id: int) -> None:
        self.api, self.device, self.passkey_id = api, device, passkey_id

    async def lay(self, expect: int = 200, **body: Any) -> Any:
        return await self.api.post("/approvals/signing", body, expect=expect, headers=HERE)

    async def sign(self, **body: Any) -> dict[str, Any]:
        return self.device.sign((await self.lay(**body))["options"])


async def signer_of(app: Any, username: str, name: str = "YubiKey") -> Signer:
    api = await Api(app, username).sign_in()
    device = Device(ORIGIN, HOST)
    options = (await api.post("/auth/passkeys/options"))["options"]
    made = await api.post("/auth/passkeys", {"name": name, "credential": device.make(options)}, expect=201)
    return Signer(api, device, made["id"])


@pytest.fixture
async def head(app: Any, database: Any) -> AsyncIterator[Signer]:
    signer = await signer_of(app, "head")
    yield signer
    async with database.transaction() as session:
        await session.execute(delete(Throttle))
        await session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == signer.api.id))
        await session.execute(delete(Passkey).where(Passkey.user_id == signer.api.id))
        await session.execute(delete(PasskeyChallenge))
    await signer.api.http.aclose()


async def age(database: Any, api: Api, **values: Any) -> None:
    past = {"proved_at": now() - timedelta(hours=1), **values}
    async with database.transaction() as session:
        await session.execute(update(LoginSession).where(LoginSession.user_id == api.id).values(**past))


@pytest.fixture
def asked(who: Any, hardware: Any, find_step: Any) -> Any:
    """`await asked(signer)`: a request that waits for somebody, and its step."""

    async def ask(signer: Signer, amount: str = "2000.00", **more: Any) -> tuple[Any, Any]:
        ticket = await (await who("employee")).post("/tickets", hardware(amount, **more), expect=201)
        return ticket, await find_step(signer.api, ticket["id"])

    return ask


async def kept_of(database: Any, ticket_id: int) -> ApprovalSignature:
    async with database.read() as session:
        found: ApprovalSignature = (
            await session.scalars(select(ApprovalSignature).where(ApprovalSignature.subject_id == ticket_id))
        ).one()
        return found


async def test_a_decision_is_signed_kept_and_told(head: Signer, asked: Any, database: Any, who: Any) -> None:
    await age(database, head.api)
    ticket, step = await asked(head)
    path, body = f"/approvals/{step['id']}/approve", {"version": 1, "comments": "Fits the budget."}
    needed = await head.api.post(path, body, expect=403)
    assert (needed["code"], needed["factors"]) == ("step_up_needed", ["passkey"])
    about = {"decision": "APPROVE", "step_ids": [step["id"]], "comments": "Fits the budget.", "version": 1}
    laid = await head.lay(**about)
    (told,) = laid["statements"]
    assert (told["title"], told["amount"], told["ticket_number"]) == (
        ticket["title"], "2000.00", ticket["ticket_number"],
    )  # fmt: skip
    said = json.loads(told["text"])
    assert said["subject"] == {
        "type": "ticket", "id": ticket["id"], "number": ticket["ticket_number"], "version": ticket["version"],
    }  # fmt: skip
    assert (said["decision"], said["amount"], said["currency"], said["approver"]) == (
        "APPROVE", "2000.00", "USD", head.api.id,
    )  # fmt: skip
    challenge = statements.decoded(laid["options"]["challenge"])
    assert challenge[32:] == hashlib.sha256(told["text"].encode()).digest()
    signed = head.device.sign(laid["options"])
    done = await head.api.post(path, {**body, "signature": signed}, headers=HERE)
    assert done["step"]["signature"]["is_right"]
    assert done["step"]["confirmed_by"] == "passkey"

    kept = await kept_of(database, ticket["id"])
    assert statements.verify(kept.record) is None
    assert (kept.passkey, kept.rp_id, kept.algorithm, kept.statement) == ("YubiKey", HOST, -7, told["text"])
    jane = await who("employee")
    (flow,) = (await jane.get(f"/tickets/{ticket['id']}/approvals"))["items"]
    (shown,) = [s for stage in flow["stages"] for s in stage["steps"] if s["id"] == step["id"]]
    assert (shown["signature"]["passkey"], shown["signature"]["is_right"]) == ("", True)
    # what somebody calls their device is told to them, and to who may read the trail
    for reader, named in ((head.api, True), (await who("auditor"), True), (jane, False)):
        history = [h["summary"] for h in (await reader.get(f"/tickets/{ticket['id']}/history"))["items"]]
        told = "the passkey “YubiKey”" if named else "a passkey"
        assert f"signed the approval with {told}; verified" in history
        (flow,) = (await reader.get(f"/tickets/{ticket['id']}/approvals"))["items"]
        names = [s["signature"]["passkey"] for stage in flow["stages"] for s in stage["steps"] if s["signature"]]
        assert names == ["YubiKey" if named else ""]
    async with database.read() as session:
        logged = await session.scalar(
            text("SELECT data->>'record_sha256' FROM events WHERE id = :id"), {"id": kept.event_id}
        )
    assert logged == statements.record_hash(kept.record)
    # it stays right when the passkey is gone
    await head.api.post("/auth/step-up", {"factor": "passkey", "credential": await _step_up(head)}, headers=HERE)
    await head.api.delete(f"/auth/passkeys/{head.passkey_id}")
    (flow,) = (await jane.get(f"/tickets/{ticket['id']}/approvals"))["items"]
    assert [s["signature"]["is_right"] for stage in flow["stages"] for s in stage["steps"] if s["signature"]] == [True]


async def _step_up(signer: Signer) -> dict[str, Any]:
    return signer.device.sign((await signer.api.post("/auth/passkeys/step-up/options"))["options"])


async def test_a_passkey_used_for_something_else_signs_nothing(head: Signer, asked: Any, database: Any) -> None:
    await age(database, head.api)
    _, step = await asked(head)
    path = f"/approvals/{step['id']}/approve"
    await head.api.post("/auth/step-up", {"factor": "passkey", "credential": await _step_up(head)}, headers=HERE)
    assert (await head.api.post(path, expect=403))["code"] == "step_up_needed"
    for by in ("passkey", "password+passkey"):
        await age(database, head.api, proved_at=now(), proved_by=by)
        await head.api.post(path, expect=403)
    plain = {"signature": await _step_up(head)}
    assert (await head.api.post(path, plain, expect=422, headers=HERE))["code"] == "signature_refused"
    signed = await head.sign(decision="APPROVE", step_ids=[step["id"]])
    step_up = {"factor": "passkey", "credential": signed}
    await head.api.post("/auth/step-up", step_up, expect=422, headers=HERE)  # and the other way round


async def test_a_code_or_a_password_confirms_without_signing(head: Signer, asked: Any, database: Any, who: Any) -> None:
    for by, said in (
        ("totp", "confirmed by code"), ("password+totp", "confirmed by code"),
        ("password", "confirmed by password"), ("oidc", "confirmed by signing in"),
    ):  # fmt: skip
        ticket, step = await asked(head)
        await age(database, head.api, proved_at=now(), proved_by=by)
        done = await head.api.post(f"/approvals/{step['id']}/approve")
        assert (done["step"]["confirmed_by"], done["step"]["signature"]) == (by, None)
        history = (await (await who("employee")).get(f"/tickets/{ticket['id']}/history"))["items"]
        assert f"approved a step, {said}" in [h["summary"] for h in history]


async def test_a_signature_is_of_one_decision_only(head: Signer, asked: Any, database: Any, app: Any) -> None:
    await age(database, head.api)
    _, step = await asked(head)
    _, other = await asked(head, "2100.00")
    path, about = f"/approvals/{step['id']}", {"decision": "APPROVE", "step_ids": [step["id"]], "comments": "Yes"}

    async def refused(verb: str, body: dict[str, Any], at: str = path) -> None:
        answer = await head.api.post(f"{at}/{verb}", body, expect=422, headers=HERE)
        assert answer["code"] == "signature_refused", answer

    await refused("approve", {"comments": "Yes, but", "signature": await head.sign(**about)})
    await refused("reject", {"comments": "Yes", "signature": await head.sign(**about)})
    await refused("approve", {"comments": "Yes", "signature": await head.sign(**about)}, f"/approvals/{other['id']}")
    thief = Device(ORIGIN, HOST)
    thief.id, thief.handle = head.device.id, head.device.handle
    forged = thief.sign((await head.lay(**about))["options"])
    await refused("approve", {"comments": "Yes", "signature": forged})
    absent = Device(ORIGIN, HOST, is_verified=False)
    absent.id, absent.handle, absent.key = head.device.id, head.device.handle, head.device.key
    await refused("approve", {"comments": "Yes", "signature": absent.sign((await head.lay(**about))["options"])})
    late = await head.sign(**about)
    with clock(lambda: now_ + timedelta(minutes=6)) if (now_ := now()) else clock(now):
        await refused("approve", {"comments": "Yes", "signature": late})
    invented = head.device.sign({"challenge": encoded(b"n" * 32 + hashlib.sha256(b"{}").digest())})
    await refused("approve", {"comments": "Yes", "signature": invented})
    async with database.read() as session:
        failed = await session.scalar(
            text("SELECT count(*) FROM events WHERE type = 'auth.step_up_failed' AND actor_id = :id"),
            {"id": head.api.id},
        )
    assert failed >= 7, "who comes with a signature that is none stands in the trail"
    signed = await head.sign(**about)
    await head.api.post(f"{path}/approve", {"comments": "Yes", "signature": signed}, headers=HERE)
    await refused("approve", {"comments": "Yes", "signature": signed}, f"/approvals/{other['id']}")


async def test_a_refused_signature_needs_one_connection(head: Signer, asked: Any, database: Any) -> None:
    """Whoever waits for a ticket's lock holds a connection: a second one while holding it would starve everybody."""
    await age(database, head.api)
    _, step = await asked(head)
    bad = {"signature": await _step_up(head)}
    out: list[int] = []
    pool = database.write_engine.sync_engine.pool

    def taken(*_: Any) -> None:
        out.append(pool.checkedout())

    async def failures() -> int:
        async with database.read() as session:
            count = "SELECT count(*) FROM events WHERE type = 'auth.step_up_failed' AND actor_id = :id"
            return int(await session.scalar(text(count), {"id": head.api.id}) or 0)

    before = await failures()
    paths = [f"/approvals/{step['id']}/approve", f"/approvals/{step['id']}/reject"]
    event.listen(pool, "checkout", taken)
    try:
        for path in paths:
            body = {**bad, "comments": "No"}
            answer = await head.api.post(path, body, expect=422, headers=HERE)
            assert answer["code"] == "signature_refused"
        many = {"step_ids": [step["id"]], "action": "APPROVE", **bad}
        await head.api.post("/approvals/bulk", many, expect=422, headers=HERE)
    finally:
        event.remove(pool, "checkout", taken)
    assert max(out) == 1, out
    assert await failures() == before + 3


async def test_many_are_laid_before_somebody_in_as_many_statements_as_one(
    head: Signer, asked: Any, database: Any, who: Any
) -> None:
    pairs = [await asked(head, f"{1500 + n}.00") for n in range(8)]
    ids = [step["id"] for _, step in pairs]

    async def cost(step_ids: list[int]) -> int:
        sent: list[str] = []

        def keep(conn: Any, cursor: Any, statement: str, *more: Any) -> None:
            sent.append(statement)

        engine = database.write_engine.sync_engine
        event.listen(engine, "before_cursor_execute", keep)
        try:
            laid = await head.lay(decision="APPROVE", step_ids=step_ids, versions={str(i): 1 for i in step_ids})
        finally:
            event.remove(engine, "before_cursor_execute", keep)
        assert len(laid["statements"]) == len(step_ids)
        return len(sent)

    assert await cost(ids) == await cost(ids[:1]) <= 8
    async with database.read() as session:
        waiting = select(func.count()).where(
            PasskeyChallenge.user_id == head.api.id, PasskeyChallenge.purpose == "sign"
        )
        assert await session.scalar(waiting) == 1, "what was asked before is over"
    # a changed one is left out, and alone says what reads otherwise
    jane = await who("employee")
    change = {"title": "Other", "version": (await jane.get(f"/tickets/{pairs[0][0]['id']}"))["version"]}
    await jane.put(f"/tickets/{pairs[0][0]['id']}", change)
    laid = await head.lay(decision="APPROVE", step_ids=ids, versions={str(i): 1 for i in ids})
    assert [s["step_id"] for s in laid["statements"]] == ids[1:]
    await head.lay(decision="APPROVE", step_ids=ids[:1], versions={str(ids[0]): 1}, expect=412)


async def test_a_deputy_signs_in_place_of_the_approver(head: Signer, asked: Any, app: Any, database: Any) -> None:
    other = await signer_of(app, "finance2", "Phone")
    ticket, step = await asked(head)
    about = {"decision": "APPROVE", "step_ids": [step["id"]]}
    await other.lay(**about, expect=404)
    window = {"starts_at": rfc3339(now()), "ends_at": rfc3339(now() + timedelta(days=1))}
    terms = {"delegate_id": other.api.id, **window, "include_waiting": True}
    await head.api.post("/approvals/delegations", terms, expect=201)
    (told,) = (laid := await other.lay(**about))["statements"]
    said = json.loads(told["text"])
    assert (said["approver"], said["in_place_of"]) == (other.api.id, head.api.id)
    body = {"signature": other.device.sign(laid["options"])}
    await other.api.post(f"/approvals/{step['id']}/approve", body, headers=HERE)
    assert statements.verify((await kept_of(database, ticket["id"])).record) is None
    await other.api.http.aclose()


async def test_somebody_else_s_signature_is_none(head: Signer, asked: Any, app: Any, database: Any) -> None:
    other = await signer_of(app, "finance3", "Phone")
    await age(database, head.api)
    _, step = await asked(head)
    options = (await head.lay(decision="APPROVE", step_ids=[step["id"]]))["options"]
    body = {"signature": other.device.sign(options)}
    await head.api.post(f"/approvals/{step['id']}/approve", body, expect=422, headers=HERE)
    await other.lay(decision="APPROVE", step_ids=[step["id"]], expect=404)
    await other.api.http.aclose()


async def test_what_was_changed_since_is_looked_at_again(head: Signer, asked: Any, database: Any, who: Any) -> None:
    await age(database, head.api)
    ticket, step = await asked(head)
    signed = await head.sign(decision="APPROVE", step_ids=[step["id"]], version=1)
    jane = await who("employee")
    change = {"title": "Other words", "version": (await jane.get(f"/tickets/{ticket['id']}"))["version"]}
    await jane.put(f"/tickets/{ticket['id']}", change)
    body = {"version": 1, "signature": signed}
    await head.api.post(f"/approvals/{step['id']}/approve", body, expect=412, headers=HERE)
    await head.api.post(f"/approvals/{step['id']}/approve", {"signature": signed}, expect=422, headers=HERE)
    await head.lay(decision="APPROVE", step_ids=[step["id"]], version=1, expect=412)


async def test_one_signature_of_many(head: Signer, asked: Any, database: Any) -> None:
    await age(database, head.api)
    pairs = [await asked(head, f"{1500 + n}.00") for n in range(3)]
    ids = [step["id"] for _, step in pairs]
    laid = await head.lay(decision="APPROVE", step_ids=[*ids, 10**12])
    assert [s["step_id"] for s in laid["statements"]] == ids
    hashes = sorted(hashlib.sha256(s["text"].encode()).hexdigest() for s in laid["statements"])
    challenge = statements.decoded(laid["options"]["challenge"])
    assert challenge[32:] == hashlib.sha256("\n".join(hashes).encode()).digest()
    many = {"step_ids": ids, "action": "APPROVE", "signature": head.device.sign(laid["options"])}
    results = (await head.api.post("/approvals/bulk", many, headers=HERE))["results"]
    assert all(r["ok"] for r in results), results
    for ticket, _ in pairs:
        kept = await kept_of(database, ticket["id"])
        assert (statements.verify(kept.record), kept.hashes) == (None, hashes)
        alone = replace(kept.record, hashes=(statements.hash_of(kept.statement),))
        assert statements.verify(alone) == "it was signed for something else"
    _, more = await asked(head)
    again = {**many, "step_ids": [more["id"]]}
    assert (await head.api.post("/approvals/bulk", again, expect=422, headers=HERE))["code"] == "signature_refused"


async def test_overriding_and_breaking_the_glass_are_signed(app: Any, who: Any, hardware: Any, database: Any) -> None:
    admin = await signer_of(app, "admin", "Safe key")
    await age(database, admin.api)
    jane = await who("employee")
    for verb, decision, priority in (
        ("override", "OVERRIDE_APPROVE", "HIGH"), ("break-glass", "BREAK_GLASS", "CRITICAL"),
        ("override", "OVERRIDE_APPROVE", "CRITICAL"),
    ):  # fmt: skip
        ticket = await jane.post("/tickets", hardware("2000.00", priority=priority), expect=201)
        (flow,) = (await admin.api.get(f"/tickets/{ticket['id']}/approvals"))["items"]
        body = {"comments": "Because"} | ({"action": "APPROVE"} if verb == "override" else {})
        path = f"/approvals/workflows/{flow['id']}/{verb}"
        assert (await admin.api.post(path, body, expect=403))["code"] == "step_up_needed"
        signed = await admin.sign(decision=decision, workflow_id=flow["id"], comments="Because")
        await admin.api.post(path, {**body, "signature": signed}, headers=HERE)
        (flow,) = (await jane.get(f"/tickets/{ticket['id']}/approvals"))["items"]
        assert flow["override"]["signature"]["is_right"], flow["override"]
        assert flow["override"]["signature"]["passkey"] == ""
        (flow,) = (await admin.api.get(f"/tickets/{ticket['id']}/approvals"))["items"]
        assert flow["override"]["signature"]["passkey"] == "Safe key"
    async with database.transaction() as session:
        await session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == admin.api.id))
        await session.execute(delete(Passkey).where(Passkey.user_id == admin.api.id))
    await admin.api.http.aclose()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"decision": "APPROVE"},
        {"decision": "APPROVE", "step_ids": []},
        {"decision": "APPROVE", "step_ids": [1], "workflow_id": 1},
        {"decision": "BREAK_GLASS", "step_ids": [1]},
        {"decision": "SHRUG", "step_ids": [1]},
        {"decision": "APPROVE", "step_ids": [2**63]},
        {"decision": "APPROVE", "step_ids": list(range(1, 202))},
        {"decision": "APPROVE", "step_ids": [1], "versions": {"1": 0}},
        {"decision": "APPROVE", "step_ids": [1], "comments": "\u0000"},
        {"decision": "APPROVE", "step_ids": [1], "comments": "x" * 10_001},
        {"decision": "APPROVE", "step_ids": [1], "more": 1},
    ],
)
async def test_bad_bodies(who: Any, body: dict[str, Any]) -> None:
    await (await who("head")).post("/approvals/signing", body, expect=422)


async def test_what_is_not_theirs_is_not_laid_before_them(head: Signer, asked: Any, who: Any) -> None:
    ticket, step = await asked(head)
    about = {"decision": "APPROVE", "step_ids": [step["id"]]}
    await (await who("outsider")).post("/approvals/signing", about, expect=404)
    await (await who("auditor")).post("/approvals/signing", about, expect=403)
    (flow,) = (await head.api.get(f"/tickets/{ticket['id']}/approvals"))["items"]
    past = {"decision": "OVERRIDE_APPROVE", "workflow_id": flow["id"]}
    await head.lay(**past, expect=403)
    await (await who("outsider")).post("/approvals/signing", past, expect=404)


# --- found later ------------------------------------------------------------------------------------------------------

_CHANGES: list[tuple[str, dict[str, Any], str]] = [
    ("statement", {"statement": lambda s: s.replace("2000.00", "9000.00")}, "not among what was signed"),
    ("format", {"statement": lambda s: s.replace('","', '" ,"', 1)}, "not written as it was signed"),
    ("number", {"statement": lambda s: "no JSON"}, "can not be read"),
    ("decision", {"decision": lambda _: "REJECT"}, "another decision"),
    ("person", {"user_id": lambda n: n + 1}, "another decision"),
    ("ticket", {"subject_id": lambda n: n + 1}, "another request"),
    ("hashes", {"hashes": lambda h: [*h, "00" * 32]}, "signed for something else"),
    ("signature", {"signature": lambda b: b[:-1] + bytes([b[-1] ^ 1])}, "signature is not right"),
    ("device", {"authenticator_data": lambda b: b[:33] + b"\x00\x00\x00\x01" + b[37:]}, "count of the device"),
    ("presence", {"authenticator_data": lambda b: b[:32] + b"\x01" + b[33:]}, "its owner is there"),
    ("address", {"rp_id": lambda _: "other.example.com"}, "at another address"),
    ("client", {"client_data": lambda b: b.replace(b"webauthn.get", b"webauthn.create")}, "not the use of a passkey"),
    ("key", {"public_key": lambda b: b[:-1] + bytes([b[-1] ^ 1])}, "can not be read"),
    ("algorithm", {"algorithm": lambda _: -257}, "another algorithm"),
    ("count", {"sign_count": lambda n: n + 1}, "count of the device"),
    ("nothing", {"client_data": lambda _: b""}, "can not be read"),
]


async def test_every_change_is_found(head: Signer, asked: Any, database: Any, who: Any, tmp_path: Any) -> None:
    await age(database, head.api)
    tickets = []
    for amount in ("2000.00", "2500.00"):
        ticket, step = await asked(head, amount)
        signed = await head.sign(decision="APPROVE", step_ids=[step["id"]], comments="Good")
        body = {"comments": "Good", "signature": signed}
        await head.api.post(f"/approvals/{step['id']}/approve", body, headers=HERE)
        tickets.append((ticket, step))
    (first, step), (second, _) = tickets
    await sealing.seal_all(database)

    async def check() -> dict[str, Any]:
        from waypost.audit import keys

        return (await verify(database, keys.public_keys())).told()

    whole = await check()
    assert whole["valid"], whole["problems"]
    assert whole["signatures"] >= 2
    assert any(
        f"{whole['signatures']:,} signatures of approvers checked, all of them right." in w for w in in_words(whole)
    )
    kept, other = await kept_of(database, first["id"]), await kept_of(database, second["id"])
    columns = {c.key: getattr(kept, c.key) for c in ApprovalSignature.__table__.columns}

    async def put(table: Any, where: Any, **values: Any) -> None:
        async with database.transaction() as session:
            await session.execute(update(table).where(where).values(**values))

    async def found_wrong(words: str, which: Any = kept) -> None:
        told = await check()
        assert not told["valid"]
        assert told["first_problem"]["event_id"] == which.event_id, told["problems"]
        assert told["first_problem"]["kind"] == "SIGNATURE_FALSE"
        assert words in told["first_problem"]["sentence"], told["first_problem"]
        assert told["first_problem"]["position"] is not None

    async def shown_wrong(*, in_history: bool = True) -> None:
        jane = await who("employee")
        why = "it is not the one that the log has the hash of"
        (flow,) = (await jane.get(f"/tickets/{first['id']}/approvals"))["items"]
        signatures = [s["signature"] for stage in flow["stages"] for s in stage["steps"] if s["signature"]]
        assert [(s["is_right"], s["why"]) for s in signatures] == [(False, why)]
        said = [h["summary"] for h in (await jane.get(f"/tickets/{first['id']}/history"))["items"]]
        end = f"NOT RIGHT: {why}" if in_history else "NOT THERE ANY MORE"
        assert next(s for s in said if s.startswith("signed")).endswith(end), said

    async with database.read() as session:
        first_event = await session.scalar(text("SELECT min(id) FROM events"))
    mine = ApprovalSignature.id == kept.id
    for name, change, words in _CHANGES:
        values = {column: do(columns[column]) for column, do in change.items()}
        await put(ApprovalSignature, mine, **values)
        await found_wrong(words)
        if name == "statement":
            history = (await (await who("employee")).get(f"/tickets/{first['id']}/history"))["items"]
            assert any("NOT RIGHT" in h["summary"] for h in history)
        await put(ApprovalSignature, mine, **{column: columns[column] for column in change})
    assert (await check())["valid"]

    # a good signature of something else, swapped in whole
    swapped = ("statement", "hashes", "client_data", "authenticator_data", "signature", "sign_count")
    await put(ApprovalSignature, mine, **{c: getattr(other, c) for c in swapped})
    await found_wrong("another decision")
    await put(ApprovalSignature, mine, **{c: columns[c] for c in swapped})
    # the decision beside it
    is_step = ApprovalStep.id == step["id"]
    await put(ApprovalStep, is_step, comments="Never")
    await found_wrong("the words are not those")
    await put(ApprovalStep, is_step, comments="Good", status="REJECTED")
    await found_wrong("kept as rejected")
    for status in ("PENDING", "WAITING", "CANCELLED"):  # an answer that was given is never open again
        await put(ApprovalStep, is_step, status=status)
        await found_wrong(f"kept as {status.lower()}")
    await put(ApprovalStep, is_step, status="APPROVED", decided_by_id=(await who("manager")).id)
    await found_wrong("somebody else's")
    await put(ApprovalStep, is_step, decided_by_id=head.api.id)
    # what the approver saw
    content = (ApprovalSubjectVersion.workflow_id == kept.workflow_id) & (ApprovalSubjectVersion.version == 1)
    async with database.read() as session:
        subject = (await session.scalars(select(ApprovalSubjectVersion.subject).where(content))).one()
    await put(ApprovalSubjectVersion, content, subject={**subject, "amount": "20000.00"})
    await found_wrong("the amount is not the one that was signed")
    await put(ApprovalSubjectVersion, content, subject={**subject, "title": "Gold"})
    await found_wrong("the content is not the one that was signed")
    await put(ApprovalSubjectVersion, content, subject=subject)
    assert (await check())["valid"]
    # another passkey's own good signature of the very same words is not the one of the log
    forger = Device(ORIGIN, HOST)
    options = {"challenge": encoded(b"n" * 32 + hashlib.sha256(kept.statement.encode()).digest())}
    made = forger.make({**options, "user": {"id": encoded(b"x" * 32)}})
    data = statements.decoded(made["response"]["attestationObject"])
    public = data[data.index(forger.id) + len(forger.id) :]
    answer = forger.sign(options)["response"]
    forged = {
        "public_key": public,
        "client_data": statements.decoded(answer["clientDataJSON"]),
        "authenticator_data": statements.decoded(answer["authenticatorData"]),
        "signature": statements.decoded(answer["signature"]),
        "sign_count": forger.count,
    }
    await put(ApprovalSignature, mine, **forged)
    assert statements.verify((await kept_of(database, first["id"])).record) is None
    await found_wrong("not the one that the log has the hash of")
    await shown_wrong()
    # nor where it says that the log has nothing of it any more, or is of another event
    for event_id in (0, kept.event_id + 10**9, first_event):
        await put(ApprovalSignature, mine, event_id=event_id)
        await shown_wrong(in_history=False)
    await put(ApprovalSignature, mine, event_id=kept.event_id)
    # gone
    async with database.transaction() as session:
        await session.execute(delete(ApprovalSignature).where(mine))
    told = await check()
    assert [(p["kind"], p["event_id"]) for p in told["problems"]] == [("SIGNATURE_MISSING", kept.event_id)]
    history = (await (await who("employee")).get(f"/tickets/{first['id']}/history"))["items"]
    assert any("NOT THERE ANY MORE" in h["summary"] for h in history)


async def test_a_record_travels(head: Signer, asked: Any, database: Any) -> None:
    await age(database, head.api)
    ticket, step = await asked(head)
    signed = await head.sign(decision="REJECT", step_ids=[step["id"]], comments="No")
    await head.api.post(f"/approvals/{step['id']}/reject", {"comments": "No", "signature": signed}, headers=HERE)
    record = (await kept_of(database, ticket["id"])).record
    travelled = json.loads(json.dumps(statements.portable(record)))
    assert statements.read(travelled) == record
    assert statements.verify(statements.read(travelled)) is None
    assert statements.contradicts(record, statements.Stood(None, None, None, None)) is None


async def test_the_evidence_holds_all_that_is_needed(
    head: Signer, asked: Any, database: Any, who: Any, monkeypatch: Any, tmp_path: Any
) -> None:
    from waypost.audit import anchors, evidence, keys, pack
    from waypost.audit.evidence_pdf import shown

    monkeypatch.setattr(anchors, "anchor_path", lambda: tmp_path / "checkpoints.jsonl")
    await age(database, head.api)
    ticket, step = await asked(head)
    signed = await head.sign(decision="APPROVE", step_ids=[step["id"]])
    await head.api.post(f"/approvals/{step['id']}/approve", {"signature": signed}, headers=HERE)
    auditor = await who("auditor")
    pack_id = (await auditor.post(f"/tickets/{ticket['id']}/evidence", expect=202))["id"]
    await evidence.run_due(database)
    document = pack.open_pack((await auditor.get(f"/evidence/{pack_id}/file", None)).content)
    verdict = pack.check(document, keys.public_keys())
    assert (verdict.problems, verdict.signatures) == ((), 1)
    (row,) = [r for r in shown(document)["decisions"] if r[2].startswith("Approved")]
    assert "signed with passkey “YubiKey”, verified" in row[3]

    def changed(**values: Any) -> tuple[str, ...]:
        copy = json.loads(json.dumps(document))
        copy["signatures"][0]["record"] |= values
        return pack.check(copy, keys.public_keys()).problems

    assert any("signature is not right" in p for p in changed(signature=encoded(b"none")))
    assert any("another decision" in p for p in changed(decision="REJECT"))
    assert any("can not be read" in p for p in changed(client_data_json=encoded(b"none")))
    copy = json.loads(json.dumps(document))
    copy["signatures"][0]["content"]["amount"] = "1.00"
    assert any("the amount is not" in p for p in pack.check(copy, keys.public_keys()).problems)
    copy = json.loads(json.dumps(document))
    (event,) = [e for e in copy["events"] if e["columns"]["type"] == "approval.signed"]
    event["data"] = json.dumps(json.loads(event["data"]) | {"record_sha256": "0" * 64})
    assert any("the log has the hash of" in p for p in pack.check(copy, keys.public_keys()).problems)
    copy["signatures"] = []
    assert any("the signature is not here" in p for p in pack.check(copy, keys.public_keys()).problems)
