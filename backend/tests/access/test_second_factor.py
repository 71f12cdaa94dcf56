"""Second factors: setting one up, signing in with it, losing it; each code opens once; guessing does not pay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from tests.conftest import PASSWORD, Api
from waypost.access import totp
from waypost.access.models import (
    FactorReset,
    LoginSession,
    RecoveryCode,
    Role,
    SignInChallenge,
    Throttle,
    TotpSecret,
    UserRole,
)
from waypost.access.queries import actors
from waypost.directory.models import User
from waypost.kernel.clock import now
from waypost.kernel.events import EventRow

STEP = timedelta(seconds=30)


def at(step: int) -> datetime:
    return datetime.fromtimestamp(step * totp.STEP, UTC)


def test_codes_are_those_of_rfc_6238() -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # "12345678901234567890", appendix B; the last six of eight digits
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")):
        moment = datetime.fromtimestamp(seconds, UTC)
        assert totp.step_of(secret, code, moment, after=0) == seconds // 30
        assert totp.step_of(secret, code, moment, after=seconds // 30) is None, "no step counts twice"


@given(st.integers(10, 2**33), st.integers(-3, 3))
def test_a_clock_may_be_one_step_off(step: int, drift: int) -> None:
    secret = totp.new_secret()
    code = pyotp.TOTP(secret).generate_otp(step + drift)
    found = totp.step_of(secret, code, at(step), after=0)
    if abs(drift) <= 1:
        assert found is not None
    else:
        assert found is None or code in {pyotp.TOTP(secret).generate_otp(step + d) for d in (-1, 0, 1)}


@given(st.text(max_size=50))
def test_whatever_is_typed_is_only_wrong(typed: str) -> None:
    assert totp.step_of("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", typed, at(12345), after=12346) is None
    assert len(totp.hash_recovery_code(typed)) == 32


def test_recovery_codes_are_many_random_and_typed_as_one_likes() -> None:
    codes = totp.new_recovery_codes()
    assert len(set(codes)) == 10
    assert all(len(code) == 34 for code in codes)
    code = codes[0]
    same = (code.upper(), code.replace("-", ""), f" {code.replace('-', ' ')} ")
    assert {totp.hash_recovery_code(c) for c in same} == {totp.hash_recovery_code(code)}


class Enrolled:
    """Somebody with an authenticator app; `code` gives codes that were not used yet."""

    def __init__(self, api: Api, secret: str, recovery: list[str], step: int) -> None:
        self.api, self.secret, self.recovery, self.step = api, secret, recovery, step

    def code(self, step: int) -> str:
        return pyotp.TOTP(self.secret).generate_otp(step)


def current() -> int:
    return int(now().timestamp()) // totp.STEP


@pytest.fixture
async def person(app: Any, database: Any) -> AsyncIterator[Api]:
    """Somebody just signed in, who has no second factor, and none afterwards."""
    api = await Api(app, "agent2").sign_in()
    yield api
    async with database.transaction() as session:
        for table in (Throttle, TotpSecret, RecoveryCode, SignInChallenge, FactorReset):
            await session.execute(delete(table))
        await session.execute(update(Role).values(needs_second_factor=False))
        # the second administrator is one no more: others count them
        added = select(User.id).where(User.last_name == "Second")
        await session.execute(delete(UserRole).where(UserRole.user_id.in_(added)))
    await api.http.aclose()


@pytest.fixture
async def enrolled(person: Api, database: Any) -> Enrolled:
    begun = await person.post("/auth/mfa/totp/enroll")
    step = current()
    done = await person.post("/auth/mfa/totp/confirm", {"code": pyotp.TOTP(begun["secret"]).generate_otp(step)})
    async with database.transaction() as session:  # so that the codes of this moment can be used by a test
        await session.execute(update(TotpSecret).values(last_step=step - 3))
    return Enrolled(person, begun["secret"], done["recovery_codes"], step)


async def challenge(app: Any, username: str = "agent2") -> tuple[Api, dict[str, Any]]:
    nobody = Api(app)
    asked = await nobody.post("/auth/login", {"username": username, "password": PASSWORD})
    return nobody, asked


async def last_event(database: Any, type_: str) -> EventRow:
    async with database.read() as session:
        kept = select(EventRow).where(EventRow.type == type_).order_by(EventRow.id.desc()).limit(1)
        return (await session.scalars(kept)).one()


async def test_setting_up_and_signing_in(person: Api, app: Any, database: Any) -> None:
    begun = await person.post("/auth/mfa/totp/enroll")
    assert begun["otpauth_uri"].startswith("otpauth://totp/Waypost:agent2?secret=" + begun["secret"])
    assert begun["qr_svg"].startswith("<svg")
    assert (await person.get("/auth/mfa"))["totp"] is None, "it is not in force yet"
    _, still = await challenge(app)
    assert "access_token" in still, "nor asked for"
    wrong = await person.post("/auth/mfa/totp/confirm", {"code": "abcdef"}, expect=422)
    assert (wrong["code"], wrong["errors"][0]["pointer"]) == ("wrong_code", "/code")
    code = pyotp.TOTP(begun["secret"]).now()
    done = await person.post("/auth/mfa/totp/confirm", {"code": f"{code[:3]} {code[3:]}"})
    assert len(done["recovery_codes"]) == 10
    state = await person.get("/auth/mfa")
    assert state["totp"]["enrolled_at"]
    assert (state["recovery_codes_left"], state["needed_by"]) == (10, [])
    assert (await last_event(database, "auth.factor_added")).object_id == person.id
    async with database.read() as session:
        mine = select(TotpSecret).where(TotpSecret.user_id == person.id)
        kept = (await session.scalars(mine)).one()
        assert begun["secret"].encode() not in kept.sealed
    nobody, asked = await challenge(app)
    assert asked["mfa_required"] is True
    assert asked["methods"] == ["totp", "recovery_code"]
    assert "access_token" not in asked
    await nobody.post("/auth/mfa/verify", {"mfa_token": asked["mfa_token"], "code": code}, expect=422)  # it set it up
    async with database.transaction() as session:
        await session.execute(update(TotpSecret).values(last_step=0))
    body = {"mfa_token": asked["mfa_token"], "code": pyotp.TOTP(begun["secret"]).now()}
    signed_in = await nobody.post("/auth/mfa/verify", body)
    assert signed_in["user"]["username"] == "agent2"
    assert (await last_event(database, "auth.login")).data["method"] == "password+totp"
    over = await nobody.post("/auth/mfa/verify", body, expect=401)
    assert over["code"] == "challenge_over"


async def test_the_token_of_a_waiting_sign_in_opens_nothing(enrolled: Enrolled, app: Any) -> None:
    nobody, asked = await challenge(app)
    headers = {"authorization": f"Bearer {asked['mfa_token']}"}
    await nobody.get("/auth/me", expect=401, headers=headers)
    await nobody.post("/auth/mfa/verify", {"mfa_token": "made-up", "code": "000000"}, expect=401)


async def test_a_code_opens_once_also_for_two_at_once(enrolled: Enrolled, app: Any) -> None:
    waiting = [await challenge(app) for _ in range(4)]
    code = enrolled.code(current())
    raw = await asyncio.gather(
        *(n.post("/auth/mfa/verify", {"mfa_token": a["mfa_token"], "code": code}, expect=None) for n, a in waiting)
    )
    answers = [r.json() for r in raw]
    assert sum("access_token" in answer for answer in answers) == 1
    assert {answer["code"] for answer in answers if "code" in answer} == {"wrong_code"}


async def test_a_token_opens_once_also_with_two_right_codes(enrolled: Enrolled, app: Any) -> None:
    nobody, asked = await challenge(app)
    bodies = [{"mfa_token": asked["mfa_token"], "code": code} for code in enrolled.recovery[:4]]
    answers = await asyncio.gather(*(nobody.post("/auth/mfa/verify", b, expect=None) for b in bodies))
    assert sorted(r.status_code for r in answers) == [200, 401, 401, 401]


async def test_a_recovery_code_opens_once_and_is_told_of(enrolled: Enrolled, app: Any, database: Any) -> None:
    code = enrolled.recovery[0]
    nobody, asked = await challenge(app)
    await nobody.post("/auth/mfa/verify", {"mfa_token": asked["mfa_token"], "code": code.upper().replace("-", " ")})
    assert (await last_event(database, "auth.recovery_code_used")).data["left"] == 9
    assert (await enrolled.api.get("/auth/mfa"))["recovery_codes_left"] == 9
    nobody, asked = await challenge(app)
    await nobody.post("/auth/mfa/verify", {"mfa_token": asked["mfa_token"], "code": code}, expect=422)
    renewed = await enrolled.api.post("/auth/mfa/recovery-codes")
    await nobody.post("/auth/mfa/verify", {"mfa_token": asked["mfa_token"], "code": enrolled.recovery[1]}, expect=422)
    await nobody.post("/auth/mfa/verify", {"mfa_token": asked["mfa_token"], "code": renewed["recovery_codes"][1]})


async def test_another_person_s_codes_open_nothing(enrolled: Enrolled, app: Any, database: Any) -> None:
    other = await Api(app, "finance3").sign_in()
    begun = await other.post("/auth/mfa/totp/enroll")
    await other.post("/auth/mfa/totp/confirm", {"code": pyotp.TOTP(begun["secret"]).now()})
    nobody, asked = await challenge(app, "finance3")
    for code in (enrolled.code(current()), enrolled.recovery[0]):
        await nobody.post("/auth/mfa/verify", {"mfa_token": asked["mfa_token"], "code": code}, expect=422)
    await other.http.aclose()


async def test_guesses_are_counted_over_all_sign_ins_and_keep_no_password_out(
    enrolled: Enrolled, app: Any, database: Any
) -> None:
    for guess in range(10):
        nobody, asked = await challenge(app)
        await nobody.post("/auth/mfa/verify", {"mfa_token": asked["mfa_token"], "code": f"x{guess}"}, expect=422)
    nobody, asked = await challenge(app)
    body = {"mfa_token": asked["mfa_token"], "code": enrolled.code(current())}
    paused = await nobody.post("/auth/mfa/verify", body, expect=None)
    assert paused.status_code == 429
    assert int(paused.headers["retry-after"]) >= 1
    assert (await last_event(database, "auth.login_failed")).data["reason"] == "paused"
    await enrolled.api.get("/auth/me")  # who is in stays in
    other = await Api(app, "colleague").sign_in()
    await other.http.aclose()


async def test_a_waiting_sign_in_ends_by_itself(enrolled: Enrolled, app: Any, database: Any) -> None:
    nobody, asked = await challenge(app)
    async with database.transaction() as session:
        await session.execute(update(SignInChallenge).values(expires_at=now()))
    body = {"mfa_token": asked["mfa_token"], "code": enrolled.code(current())}
    assert (await nobody.post("/auth/mfa/verify", body, expect=401))["code"] == "challenge_over"


async def test_changing_factors_needs_a_fresh_proof_and_the_app_is_one(enrolled: Enrolled, database: Any) -> None:
    api = enrolled.api
    async with database.transaction() as session:
        await session.execute(update(LoginSession).where(LoginSession.user_id == api.id).values(proved_at=None))
    for method, path in (("post", "totp/enroll"), ("delete", "totp"), ("post", "recovery-codes")):
        refused = await getattr(api, method)(f"/auth/mfa/{path}", expect=403)
        assert (refused["code"], refused["factors"]) == ("step_up_needed", ["totp"])
    password = {"factor": "password", "password": PASSWORD}
    assert (await api.post("/auth/step-up", password, expect=422))["code"] == "unknown_factor"
    await api.post("/auth/step-up", {"factor": "totp", "code": "nothing"}, expect=422)
    await api.post("/auth/step-up", {"factor": "totp", "password": PASSWORD}, expect=422)
    code = enrolled.code(current())
    await api.post("/auth/step-up", {"factor": "totp", "code": code})
    await api.post("/auth/step-up", {"factor": "totp", "code": code}, expect=422)
    await api.delete("/auth/mfa/totp")
    state = await api.get("/auth/mfa")
    assert (state["totp"], state["recovery_codes_left"]) == (None, 0)
    assert (await last_event(database, "auth.factor_removed")).object_id == api.id
    await api.post("/auth/mfa/recovery-codes", expect=409)
    await api.post("/auth/mfa/totp/confirm", {"code": "123456"}, expect=409)


async def test_the_old_app_counts_until_the_new_one_is_confirmed(enrolled: Enrolled, app: Any) -> None:
    begun = await enrolled.api.post("/auth/mfa/totp/enroll")
    nobody, asked = await challenge(app)
    new = pyotp.TOTP(begun["secret"])
    await nobody.post("/auth/mfa/verify", {"mfa_token": asked["mfa_token"], "code": new.now()}, expect=422)
    await nobody.post("/auth/mfa/verify", {"mfa_token": asked["mfa_token"], "code": enrolled.code(current())})
    await enrolled.api.post("/auth/mfa/totp/confirm", {"code": new.now()})
    nobody, asked = await challenge(app)
    for old in (enrolled.code(current() + 1), enrolled.recovery[3]):
        await nobody.post("/auth/mfa/verify", {"mfa_token": asked["mfa_token"], "code": old}, expect=422)


async def test_a_role_that_needs_one_opens_nothing_else_before(person: Api, who: Any, database: Any) -> None:
    admin = await who("admin")
    roles = (await admin.get("/roles", params={"limit": 100}))["items"]
    agent = next(r for r in roles if r["key"] == "agent")
    assert agent["needs_second_factor"] is False
    await person.put(f"/roles/{agent['id']}/second-factor", {"is_needed": True}, expect=403)
    await admin.put("/roles/99999999/second-factor", {"is_needed": True}, expect=404)
    changed = await admin.put(f"/roles/{agent['id']}/second-factor", {"is_needed": True})
    assert changed["needs_second_factor"] is True
    assert changed["permissions"] == agent["permissions"]
    event = await last_event(database, "role.second_factor")
    assert (event.object_id, event.data["is_needed"]) == (agent["id"], True)
    actors._kept.clear()
    me = await person.get("/auth/me")
    assert me["must_enrol"] is True
    for path in ("/tickets", "/notifications", "/approvals/pending", "/reports/dashboard"):
        assert (await person.get(path, expect=403))["code"] == "second_factor_needed"
    assert (await person.get("/auth/mfa"))["needed_by"] == [agent["name"]]
    begun = await person.post("/auth/mfa/totp/enroll")
    await person.post("/auth/mfa/totp/confirm", {"code": pyotp.TOTP(begun["secret"]).now()})
    await person.get("/tickets")
    assert (await person.delete("/auth/mfa/totp", expect=409))["code"] == "factor_in_use"
    assert (await (await who("employee")).get("/auth/me"))["must_enrol"] is False


async def test_what_was_lost_is_taken_away_by_two_administrators(
    enrolled: Enrolled, who: Any, app: Any, database: Any
) -> None:
    admin = await who("admin")
    body = {"user_id": enrolled.api.id, "reason": "Lost the phone."}
    await (await who("employee")).post("/second-factor-resets", body, expect=403)
    await admin.post("/second-factor-resets", {**body, "user_id": 2**60}, expect=422)
    await admin.post("/second-factor-resets", {**body, "reason": "   "}, expect=422)
    await admin.post("/second-factor-resets", {**body, "user_id": admin.id}, expect=403)
    asked = await admin.post("/second-factor-resets", body, expect=201)
    assert asked["may_agree"] is False
    assert (await admin.post("/second-factor-resets", body, expect=409))["code"] == "reset_waits"
    assert (await admin.post(f"/second-factor-resets/{asked['id']}/agree", expect=403))["code"] == "another_must"
    second = await second_administrator(admin, app)
    (listed,) = (await second.get("/second-factor-resets"))["items"]
    assert (listed["id"], listed["may_agree"], listed["reason"]) == (asked["id"], True, "Lost the phone.")
    await second.post(f"/second-factor-resets/{asked['id']}/agree", expect=204)
    await second.post(f"/second-factor-resets/{asked['id']}/agree", expect=404)
    await enrolled.api.get("/auth/me", expect=401)
    _, signed_in = await challenge(app)
    assert "access_token" in signed_in
    event = await last_event(database, "auth.factors_reset")
    assert (event.object_id, event.actor_id, event.data["asked_by_id"]) == (enrolled.api.id, second.id, admin.id)


async def test_a_request_can_be_dropped_and_does_not_wait_for_ever(enrolled: Enrolled, who: Any, database: Any) -> None:
    admin = await who("admin")
    body = {"user_id": enrolled.api.id, "reason": "Lost the phone."}
    first = await admin.post("/second-factor-resets", body, expect=201)
    await admin.delete(f"/second-factor-resets/{first['id']}")
    await admin.delete(f"/second-factor-resets/{first['id']}", expect=404)
    await admin.post("/second-factor-resets", body, expect=201)
    async with database.transaction() as session:
        await session.execute(update(FactorReset).values(expires_at=now()))
    assert (await admin.get("/second-factor-resets"))["items"] == []
    await admin.post("/second-factor-resets", body, expect=201)


async def second_administrator(admin: Api, app: Any) -> Api:
    name = f"admin{now().timestamp():.0f}"
    users = {"username": name, "email": f"{name}@example.com", "first_name": "Ada", "last_name": "Second"}
    await admin.post(
        "/users",
        {
            **users,
            "roles": ["employee", "admin"],
            "department_id": None,
            "manager_id": None,
            "password": PASSWORD,
        },
        expect=201,
    )
    return await Api(app, name).sign_in()
