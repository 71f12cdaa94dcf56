"""A password that an administrator chose for somebody is for a first sign-in: for a day, and never for good."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.conftest import Api
from waypost.access.models import Credential
from waypost.directory.models import User
from waypost.kernel.clock import now
from waypost.kernel.events import EventRow

GIVEN = "given-Passw0rd-2026"
OWN = "nobody else knows this sentence"


@pytest.fixture
async def person(fresh_who: Any, fresh_database: Any) -> dict[str, Any]:
    body = {
        "username": "newcomer",
        "email": "newcomer@example.com",
        "first_name": "Nora",
        "last_name": "Comer",
        "department_id": None,
        "manager_id": None,
        "roles": ["employee"],
        "password": GIVEN,
    }
    return dict(await (await fresh_who("admin")).post("/users", body, expect=201))


async def sign_in(app: Any, password: str, expect: int = 200) -> Any:
    return await Api(app).post("/auth/login", {"username": "newcomer", "password": password}, expect=expect)


async def test_it_opens_for_a_day(app: Any, fresh_database: Any, person: dict[str, Any]) -> None:
    await sign_in(app, GIVEN)
    async with fresh_database.transaction() as session:
        until = await session.scalar(select(Credential.given_until).where(Credential.user_id == person["id"]))
        assert timedelta(hours=23) < until - now() <= timedelta(hours=24)
        over = update(Credential).where(Credential.user_id == person["id"])
        await session.execute(over.values(given_until=now() - timedelta(seconds=1)))
    refused = await sign_in(app, GIVEN, 401)
    wrong = await sign_in(app, "some other words entirely", 401)
    assert {k: v for k, v in refused.items() if k != "request_id"} == {
        k: v for k, v in wrong.items() if k != "request_id"
    }
    async with fresh_database.read() as session:
        told = select(EventRow.data["reason"].astext).where(EventRow.type == "auth.login_failed").order_by(EventRow.id)
        assert list(await session.scalars(told))[-2:] == ["password_over", "wrong_credentials"]


async def test_it_cannot_be_kept_and_ones_own_stays(app: Any, fresh_database: Any, person: dict[str, Any]) -> None:
    api = Api(app)
    came = await api.post("/auth/login", {"username": "newcomer", "password": GIVEN})
    api.http.headers["Authorization"] = f"Bearer {came['access_token']}"
    kept = await api.post("/auth/password", {"current_password": GIVEN, "password": GIVEN}, expect=422)
    assert kept["code"] == "weak_password"
    assert kept["errors"][0]["pointer"] == "/password"
    await api.post("/auth/password", {"current_password": GIVEN, "password": OWN}, expect=204)
    await sign_in(app, OWN)
    async with fresh_database.read() as session:
        found = await session.execute(
            select(Credential.given_until).join(User, User.id == Credential.user_id).where(User.id == person["id"])
        )
        assert found.scalar_one() is None
