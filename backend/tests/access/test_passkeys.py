"""Passkeys: making them, signing in with them alone or after a password, confirming with them; and whose are not taken."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from tests.access.device import Device, encoded
from tests.conftest import PASSWORD, Api
from waypost.access import passkeys
from waypost.access.errors import NoPasskeysHere
from waypost.access.models import (
    FactorReset,
    LoginSession,
    Passkey,
    PasskeyChallenge,
    RecoveryCode,
    Role,
    SignInChallenge,
    Throttle,
    TotpSecret,
)
from waypost.access.queries import actors
from waypost.kernel.clock import now
from waypost.kernel.settings import get_settings

HOST = "waypost.example.com"
ORIGIN = f"https://{HOST}"


@pytest.fixture(autouse=True)
def named_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(get_settings()), "origin", ORIGIN)


@pytest.fixture
async def person(app: Any, database: Any) -> AsyncIterator[Api]:
    api = await Api(app, "finance2").sign_in()
    yield api
    async with database.transaction() as session:
        for table in (Throttle, TotpSecret, RecoveryCode, SignInChallenge, FactorReset, Passkey, PasskeyChallenge):
            await session.execute(delete(table))
        await session.execute(update(Role).values(needs_second_factor=False))
    await api.http.aclose()


async def enrol(api: Api, device: Device, name: str = "Laptop") -> dict[str, Any]:
    options = (await api.post("/auth/passkeys/options"))["options"]
    return await api.post("/auth/passkeys", {"name": name, "credential": device.make(options)}, expect=201)


def new_device(**more: Any) -> Device:
    return Device(ORIGIN, HOST, **more)


async def options_for(nobody: Api, **body: Any) -> dict[str, Any]:
    return (await nobody.post("/auth/passkeys/sign-in/options", body))["options"]


async def test_making_one_and_signing_in_with_it_alone(person: Api, app: Any, database: Any) -> None:
    device = new_device()
    made = await enrol(person, device, "Work laptop")
    assert (made["name"], len(made["recovery_codes"])) == ("Work laptop", 10)
    (listed,) = (await person.get("/auth/mfa"))["passkeys"]
    assert (listed["name"], listed["used_at"]) == ("Work laptop", None)
    nobody = Api(app)
    options = await options_for(nobody)
    assert "allowCredentials" not in options or options["allowCredentials"] == []
    assert (options["rpId"], options["userVerification"]) == (HOST, "required")
    signed = device.sign(options)
    entered = await nobody.post("/auth/passkeys/sign-in", {"credential": signed})
    assert entered["user"]["username"] == "finance2"
    again = await nobody.post("/auth/passkeys/sign-in", {"credential": signed}, expect=422)
    assert again["code"] == "passkey_refused", "what was signed counts once"
    assert (await person.get("/auth/mfa"))["passkeys"][0]["used_at"]


async def test_after_a_password_it_is_asked_for(person: Api, app: Any) -> None:
    device = new_device()
    await enrol(person, device)
    nobody = Api(app)
    asked = await nobody.post("/auth/login", {"username": "finance2", "password": PASSWORD})
    assert asked["methods"] == ["passkey", "recovery_code"]
    token = asked["mfa_token"]
    alone = await options_for(nobody)
    await nobody.post(
        "/auth/passkeys/sign-in", {"credential": device.sign(alone), "mfa_token": token}, expect=422
    )  # made for another purpose
    options = await options_for(nobody, mfa_token=token)
    assert [c["id"] for c in options["allowCredentials"]] == [encoded(device.id)]
    await nobody.post("/auth/passkeys/sign-in", {"credential": device.sign(options)}, expect=422)
    options = await options_for(nobody, mfa_token=token)
    await nobody.post("/auth/passkeys/sign-in", {"credential": device.sign(options), "mfa_token": token})
    await nobody.post("/auth/passkeys/sign-in/options", {"mfa_token": token}, expect=401)


def altered(credential: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    found = copy.deepcopy(credential)
    *outer, last = path.split(".")
    inner = found
    for key in outer:
        inner = inner[key]
    inner[last] = value
    return found


async def test_who_is_not_believed(person: Api, app: Any, database: Any) -> None:
    device = new_device()
    await enrol(person, device)
    nobody = Api(app)

    async def refused(credential: dict[str, Any]) -> None:
        answer = await nobody.post("/auth/passkeys/sign-in", {"credential": credential}, expect=422)
        assert answer["code"] in ("passkey_refused", "invalid"), answer

    elsewhere = Device("https://waypost.example.net", HOST)
    locked, stranger = new_device(is_verified=False), new_device()
    for other in (elsewhere, locked, Device(ORIGIN, "example.com")):
        other.key, other.id, other.handle, other.count = device.key, device.id, device.handle, 50
        await refused(other.sign(await options_for(nobody)))
    await refused(stranger.sign(await options_for(nobody)))
    stranger.id, stranger.handle, stranger.count = device.id, device.handle, 60
    await refused(stranger.sign(await options_for(nobody)))  # another key under the same name
    await refused(device.sign({"challenge": encoded(b"made up")}))
    options = await options_for(nobody)
    right = device.sign(options)
    for path, value in (
        ("response.userHandle", encoded(b"somebody else")),
        ("response.signature", encoded(b"\x30\x06\x02\x01\x01\x02\x01\x01")),
        ("response.authenticatorData", encoded(b"short")),
        ("response.clientDataJSON", encoded(b"[" * 5000)),
        ("response.clientDataJSON", encoded(b'{"challenge": 7}')),
        ("rawId", "A"),
        ("type", "password"),
    ):
        await refused(altered(right, path, value))
    async with database.transaction() as session:
        await session.execute(update(PasskeyChallenge).values(expires_at=now()))
    await refused(right)
    device.count = 0  # a copy of the device, which counted less than the one we know
    async with database.transaction() as session:
        await session.execute(update(Passkey).values(sign_count=1000))
    await refused(device.sign(await options_for(nobody)))


async def test_one_signature_opens_once_also_for_many_at_once(person: Api, app: Any) -> None:
    device = new_device()
    await enrol(person, device)
    nobody = Api(app)
    signed = device.sign(await options_for(nobody))
    raw = await asyncio.gather(
        *(nobody.post("/auth/passkeys/sign-in", {"credential": signed}, expect=None) for _ in range(5))
    )
    assert sorted(r.status_code for r in raw) == [200, 422, 422, 422, 422]


async def test_it_works_while_others_guess_the_password(person: Api, app: Any) -> None:
    device = new_device()
    await enrol(person, device)
    nobody = Api(app)
    for guess in range(11):
        await nobody.post("/auth/login", {"username": "finance2", "password": f"wrong {guess}"}, expect=None)
    paused = await nobody.post("/auth/login", {"username": "finance2", "password": PASSWORD}, expect=None)
    assert paused.status_code == 429
    await nobody.post("/auth/passkeys/sign-in", {"credential": device.sign(await options_for(nobody))})


async def test_confirming_with_it(person: Api, database: Any) -> None:
    device = new_device()
    made = await enrol(person, device)
    async with database.transaction() as session:
        await session.execute(update(LoginSession).where(LoginSession.user_id == person.id).values(proved_at=None))
    refused = await person.delete(f"/auth/passkeys/{made['id']}", expect=403)
    assert refused["factors"] == ["passkey"]
    options = (await person.post("/auth/passkeys/step-up/options"))["options"]
    wrong = new_device()
    wrong.id, wrong.handle = device.id, device.handle
    proof = {"factor": "passkey", "credential": wrong.sign(options)}
    assert (await person.post("/auth/step-up", proof, expect=422))["code"] == "wrong_proof"
    options = (await person.post("/auth/passkeys/step-up/options"))["options"]
    headers = {"origin": ORIGIN}
    await person.post("/auth/step-up", {"factor": "passkey", "credential": device.sign(options)}, headers=headers)
    await person.delete("/auth/passkeys/99999999", expect=404)
    await person.delete(f"/auth/passkeys/{made['id']}")
    state = await person.get("/auth/mfa")
    assert (state["passkeys"], state["recovery_codes_left"]) == ([], 0)


async def test_another_person_s_passkey_confirms_nothing(person: Api, app: Any) -> None:
    other = await Api(app, "finance1").sign_in()
    theirs, mine = new_device(), new_device()
    await enrol(other, theirs)
    made = await enrol(person, mine)
    options = (await person.post("/auth/passkeys/step-up/options"))["options"]
    await person.post("/auth/step-up", {"factor": "passkey", "credential": theirs.sign(options)}, expect=422)
    await other.delete(f"/auth/passkeys/{made['id']}", expect=404)
    options = (await person.post("/auth/passkeys/options"))["options"]
    body = {"name": "Copied", "credential": theirs.make(options)}
    assert (await person.post("/auth/passkeys", body, expect=422))["code"] == "passkey_refused"
    await other.http.aclose()


async def test_a_role_s_need_is_met_by_it_and_it_stays(person: Api, who: Any, database: Any) -> None:
    admin = await who("admin")
    role = next(
        r for r in (await admin.get("/roles", params={"limit": 100}))["items"] if r["key"] == "finance_committee"
    )
    async with database.transaction() as session:
        await session.execute(update(Role).where(Role.id == role["id"]).values(needs_second_factor=True))
    actors._kept.clear()
    await person.get("/tickets", expect=403)
    made = await enrol(person, new_device())
    await person.get("/tickets")
    assert (await person.delete(f"/auth/passkeys/{made['id']}", expect=409))["code"] == "factor_in_use"
    assert len((await person.get("/auth/mfa"))["passkeys"]) == 1
    second = await enrol(person, new_device(), "Key")
    assert second["recovery_codes"] is None, "they have some"
    await person.delete(f"/auth/passkeys/{made['id']}")


async def test_at_most_twenty_and_bad_bodies(person: Api, database: Any) -> None:
    options = (await person.post("/auth/passkeys/options"))["options"]
    credential = new_device().make(options)
    for body in (
        {},
        {"name": "x"},
        {"name": "", "credential": credential},
        {"name": "x" * 61, "credential": credential},
        {"name": "x", "credential": {}},
        {"name": "x", "credential": altered(credential, "response.attestationObject", "no base64!")},
        {"name": "x", "credential": altered(credential, "response.attestationObject", encoded(b"\xff" * 200))},
        {"name": "x", "credential": credential, "more": 1},
    ):
        await person.post("/auth/passkeys", body, expect=422)
    async with database.transaction() as session:
        await session.execute(delete(Passkey))
        session.add_all(
            Passkey(
                user_id=person.id, credential_id=bytes([n]) * 20, public_key=b"k", handle=b"h" * 32, sign_count=0,
                name=f"Key {n}", created_at=now(),
            )
            for n in range(20)
        )  # fmt: skip
    assert (await person.post("/auth/passkeys/options", expect=409))["code"] == "too_many_passkeys"


def test_which_addresses_can_have_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert passkeys.here("https://evil.example.net").origin == ORIGIN, "only ours is signed for"
    for origin in ("http://127.0.0.1:8000", "http://[::1]:8000"):
        monkeypatch.setattr(type(get_settings()), "origin", origin)
        with pytest.raises(NoPasskeysHere):
            passkeys.here(origin)
        found = passkeys.here("http://localhost:8000")
        assert (found.origin, found.rp_id) == ("http://localhost:8000", "localhost")


async def test_nothing_secret_is_kept(person: Api, database: Any) -> None:
    options = (await person.post("/auth/passkeys/options"))["options"]
    async with database.read() as session:
        kept = (await session.scalars(select(PasskeyChallenge))).one()
    assert options["challenge"].encode() not in kept.challenge_hash
    assert "finance2" not in str(kept.handle), "devices call people by nothing that tells who they are"
