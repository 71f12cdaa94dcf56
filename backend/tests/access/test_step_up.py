"""Confirming once more that it is oneself: what counts, for how long, where; and that guessing does not pay."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from tests.conftest import PASSWORD, Api
from waypost.access import step_up
from waypost.access.errors import SessionEnded, StepUpNeeded
from waypost.access.models import LoginSession, Throttle
from waypost.access.queries import actors
from waypost.access.step_up import Factor
from waypost.kernel.clock import now
from waypost.kernel.events import EventRow

PROOF = {"factor": "password", "password": PASSWORD}


@pytest.fixture
async def person(app: Any, database: Any) -> AsyncIterator[Api]:
    """Somebody who signed in an hour ago, with a session nobody else uses."""
    api = await Api(app, "hragent").sign_in()
    await age(database, api)
    yield api
    async with database.transaction() as session:
        await session.execute(delete(Throttle))
    await api.http.aclose()


async def age(database: Any, api: Api, by: timedelta = timedelta(hours=1)) -> None:
    async with database.transaction() as session:
        await session.execute(update(LoginSession).where(LoginSession.user_id == api.id).values(proved_at=now() - by))


async def test_signing_in_counts_for_five_minutes(person: Api, database: Any, app: Any) -> None:
    fresh = await Api(app, "hragent").sign_in()
    state = await fresh.get("/auth/step-up")
    assert (state["factors"], state["max_age_seconds"]) == (["password"], 300)
    assert state["valid_until"]
    assert (await person.get("/auth/step-up"))["valid_until"] is None, "of another session it counts nothing"
    await age(database, fresh, timedelta(seconds=299))
    assert (await fresh.get("/auth/step-up"))["valid_until"]
    await age(database, fresh, timedelta(seconds=300))
    assert (await fresh.get("/auth/step-up"))["valid_until"] is None
    async with database.transaction() as session:  # a session from before there was this
        await session.execute(update(LoginSession).where(LoginSession.user_id == fresh.id).values(proved_at=None))
    assert (await fresh.get("/auth/step-up"))["valid_until"] is None
    await fresh.http.aclose()


async def test_a_session_that_has_ended_is_not_asked_for_a_proof(person: Api, database: Any) -> None:
    async with database.transaction() as session:
        theirs = select(LoginSession).where(LoginSession.user_id == person.id, LoginSession.ended_at.is_(None))
        row = (await session.scalars(theirs.order_by(LoginSession.id.desc()).limit(1))).one()
        actor = await actors.get(database, user_id=person.id, session_id=row.id)
        with pytest.raises(StepUpNeeded):
            await step_up.require(session, actor)
        row.ended_at = now()
        await session.flush()
        with pytest.raises(SessionEnded):  # the actor was looked up a moment before
            await step_up.require(session, actor)
        row.ended_at = None


async def test_the_right_password_renews_it_in_this_session_only(person: Api, app: Any, database: Any) -> None:
    other = await Api(app, "hragent").sign_in()
    await age(database, other)
    done = await person.post("/auth/step-up", PROOF)
    assert done["valid_until"]
    assert (await person.get("/auth/step-up"))["valid_until"] == done["valid_until"]
    assert (await other.get("/auth/step-up"))["valid_until"] is None
    async with database.read() as session:
        kept = select(EventRow).where(EventRow.type == "auth.step_up").order_by(EventRow.id.desc()).limit(1)
        event = (await session.scalars(kept)).one()
    assert (event.object_id, event.actor_id, event.data["factor"]) == (person.id, person.id, "password")
    assert PASSWORD not in str(event.data)
    await other.http.aclose()


async def test_a_wrong_password_renews_nothing_and_is_recorded(person: Api, database: Any) -> None:
    wrong = await person.post("/auth/step-up", {**PROOF, "password": "not the password"}, expect=422)
    assert (wrong["code"], wrong["errors"][0]["pointer"]) == ("wrong_proof", "/password")
    assert (await person.get("/auth/step-up"))["valid_until"] is None
    async with database.read() as session:
        failed = select(func.count()).where(
            EventRow.type == "auth.step_up_failed", EventRow.object_id == person.id, EventRow.actor_id == person.id
        )
        assert await session.scalar(failed) == 1


async def test_guessing_is_slowed_down_as_signing_in_is(person: Api, app: Any, database: Any) -> None:
    for _ in range(10):
        await person.post("/auth/step-up", {**PROOF, "password": "wrong"}, expect=422)
    paused = await person.post("/auth/step-up", PROOF, expect=None)
    assert paused.status_code == 429
    assert int(paused.headers["retry-after"]) > 500
    assert (await person.get("/auth/step-up"))["valid_until"] is None
    door = await Api(app).post("/auth/login", {"username": "hragent", "password": PASSWORD}, expect=None)
    assert door.status_code == 200, "whoever holds a session keeps nobody out at the door"


async def test_a_right_password_forgives(person: Api) -> None:
    for _ in range(3):
        for _ in range(8):
            await person.post("/auth/step-up", {**PROOF, "password": "wrong"}, expect=422)
        await person.post("/auth/step-up", PROOF)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"factor": "password"},
        {"factor": "password", "password": ""},
        {"factor": "password", "password": "x" * 513},
        {"factor": "magic", "password": PASSWORD},
        {"factor": None, "password": PASSWORD},
        {"factor": "password", "password": 7},
        {**PROOF, "code": "123456"},
    ],
)
async def test_bad_bodies(person: Api, body: dict[str, Any]) -> None:
    await person.post("/auth/step-up", body, expect=422)


async def test_who_is_not_signed_in_confirms_nothing(app: Any) -> None:
    nobody = Api(app)
    await nobody.post("/auth/step-up", PROOF, expect=401)
    await nobody.get("/auth/step-up", expect=401)
    await nobody.http.aclose()


async def test_another_factor_registers_itself(person: Api, database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more way needs no change where confirmations are asked for."""
    from waypost.access.errors import StepUpNeeded, UnknownFactor, WrongProof
    from waypost.access.queries import actor_of_session
    from waypost.access.sessions import Caller

    async def is_had(_session: Any, user_id: int) -> bool:
        return user_id == person.id

    async def is_right(_database: Any, _user_id: int, proof: str) -> bool:
        return proof == "123456"

    monkeypatch.setattr(step_up, "_factors", dict(step_up._factors))
    step_up.register(Factor("totp", "code", is_had, is_right))
    assert (await person.get("/auth/step-up"))["factors"] == ["totp"], "a password is not enough for who has more"
    caller = Caller("192.0.2.7", "test")
    async with database.read() as session:
        login = select(func.max(LoginSession.id)).where(LoginSession.user_id == person.id)
        actor = await actor_of_session(session, user_id=person.id, session_id=await session.scalar(login))
        assert actor is not None
        with pytest.raises(StepUpNeeded) as needed:
            await step_up.require(session, actor)
    assert needed.value.facts == {"factors": ["totp"], "max_age_seconds": 300}
    with pytest.raises(WrongProof):
        await step_up.prove(database, caller, actor, "totp", {"code": "000000"})
    with pytest.raises(UnknownFactor):
        await step_up.prove(database, caller, actor, "passkey", {})
    await step_up.prove(database, caller, actor, "totp", {"code": "123456"})
    async with database.read() as session:
        await step_up.require(session, actor)
