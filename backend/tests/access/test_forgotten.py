"""Changing one's password, having forgotten it, sign-ins that were not one's own, and guesses that keep nobody out."""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import delete, func, select, text, update

from tests.conftest import PASSWORD, Api
from waypost.access.cookies import DEVICE as COOKIE
from waypost.access.models import Credential, KnownDevice, LoginSession, OneTimeLink, Throttle
from waypost.access.providers.models import Identity, IdentityProvider
from waypost.access.resets import MOST_LINKS
from waypost.kernel import relay
from waypost.kernel.clock import now
from waypost.kernel.events import EventRow
from waypost.notifications.models import Delivery, Notification

BETTER = "eine ganz andere Wendung"


async def mails(database: Any, person: Api, kind: str) -> list[Delivery]:
    await relay.drain(database)
    async with database.read() as session:
        told = select(Delivery).where(Delivery.user_id == person.id, Delivery.kind == kind).order_by(Delivery.id)
        return list(await session.scalars(told))


def token_of(mail: Delivery) -> str:
    found = re.search(r"#(\S+)$", mail.words["link"])
    assert found
    return found[1]


async def forget(app: Any, username: str) -> Any:
    return await Api(app).post("/auth/forgot-password", {"username": username}, expect=None)


# --- changing it ------------------------------------------------------------------------------------------------------


async def test_a_new_password_ends_every_other_sign_in_and_is_told(
    app: Any, fresh_who: Any, fresh_database: Any
) -> None:
    here, there = await fresh_who("employee"), await fresh_who("employee")
    assert (await here.get("/auth/password"))["least"] == 15
    await here.post("/auth/password", {"password": BETTER, "current_password": PASSWORD}, expect=204)
    await asyncio.sleep(1.1)
    await there.get("/auth/me", expect=401)
    await here.get("/auth/me")
    await Api(app).post("/auth/login", {"username": "employee", "password": PASSWORD}, expect=401)
    await Api(app).post("/auth/login", {"username": "employee", "password": BETTER})
    (mail,) = await mails(fresh_database, here, "account.password_set")
    assert mail.channel == "email"
    assert "changed" in mail.subject
    async with fresh_database.read() as session:
        seen = await session.scalar(select(Notification.kind).where(Notification.kind == "account.password_set"))
    assert seen


async def test_it_takes_the_one_before_or_a_fresh_proof(fresh_who: Any, fresh_database: Any) -> None:
    person = await fresh_who("employee")
    async with fresh_database.transaction() as session:
        await session.execute(update(LoginSession).values(proved_at=now() - timedelta(hours=1)))
    wrong = await person.post("/auth/password", {"password": BETTER, "current_password": "not it"}, expect=422)
    assert wrong["errors"][0]["pointer"] == "/current_password"
    assert (await person.post("/auth/password", {"password": BETTER}, expect=403))["code"] == "step_up_needed"
    await person.post("/auth/step-up", {"factor": "password", "password": PASSWORD})
    await person.post("/auth/password", {"password": BETTER}, expect=204)


async def test_guessing_the_one_before_is_slowed_down(fresh_who: Any) -> None:
    person = await fresh_who("employee")
    statuses = [
        (await person.post("/auth/password", {"password": BETTER, "current_password": f"{n}"}, expect=None)).status_code
        for n in range(11)
    ]
    assert statuses == [422] * 10 + [429]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"password": ""},
        {"password": "x" * 600},
        {"password": "a\x00aaaaaaaaaaaaaaaa"},
        {"password": None},
        {"password": BETTER, "user_id": 1},
        {"password": BETTER, "current_password": 7},
    ],
)
async def test_bad_bodies_are_refused(who: Any, body: dict[str, Any]) -> None:
    await (await who("hragent")).post("/auth/password", body, expect=422)


async def test_a_short_one_stays_beside_a_second_factor_only(app: Any, fresh_who: Any, fresh_database: Any) -> None:
    person = await fresh_who("employee")
    await person.post("/auth/password", {"password": "k7#vRq2w"}, expect=422)
    secret = (await person.post("/auth/mfa/totp/enroll"))["secret"]
    await person.post("/auth/mfa/totp/confirm", {"code": pyotp.TOTP(secret).now()})
    assert (await person.get("/auth/password"))["least"] == 8
    await person.post("/auth/password", {"password": "k7#vRq2w"}, expect=204)
    assert (await person.call("DELETE", "/auth/mfa/totp", expect=409))["code"] == "password_too_short"
    await person.post("/auth/password", {"password": BETTER}, expect=204)
    await person.delete("/auth/mfa/totp")
    kinds = set()
    for kind in ("account.factor_added", "account.factor_removed", "account.codes_made"):
        kinds |= {mail.kind for mail in await mails(fresh_database, person, kind)}
    assert len(kinds) == 3


# --- having forgotten it ----------------------------------------------------------------------------------------------


async def test_the_link_comes_by_mail_opens_once_and_ends_what_was_open(
    app: Any, fresh_who: Any, fresh_database: Any
) -> None:
    person = await fresh_who("employee")
    assert (await forget(app, "Employee@example.com")).status_code == 204
    (mail,) = await mails(fresh_database, person, "account.reset")
    assert (mail.channel, mail.recipient) == ("email", "employee@example.com")
    token = token_of(mail)
    async with fresh_database.read() as session:
        link = (await session.scalars(select(OneTimeLink))).one()
        assert timedelta(minutes=29) < link.expires_at - now() <= timedelta(minutes=30)
        assert not await session.scalar(select(func.count()).where(Notification.kind == "account.reset"))
        for table in ("one_time_links", "events", "notifications"):
            rows = (await session.execute(text(f"SELECT row_to_json(t)::text FROM {table} t"))).scalars()
            assert not any(token in row for row in rows), table
    await person.get("/auth/me")
    weak = await Api(app).post("/auth/first-password", {"token": token, "password": "short"}, expect=422)
    assert weak["errors"][0]["pointer"] == "/password"
    body = {"token": token, "password": BETTER}
    answers = await asyncio.gather(*(Api(app).post("/auth/first-password", body, expect=None) for _ in range(4)))
    assert sorted(a.status_code for a in answers) == [200, 404, 404, 404], "it opens once, also at once"
    await asyncio.sleep(1.1)
    await person.get("/auth/me", expect=401)
    await Api(app).post("/auth/login", {"username": "employee", "password": BETTER})


async def test_it_opens_for_half_an_hour(app: Any, fresh_who: Any, fresh_database: Any) -> None:
    person = await fresh_who("employee")
    await forget(app, "employee")
    (mail,) = await mails(fresh_database, person, "account.reset")
    async with fresh_database.transaction() as session:
        await session.execute(update(OneTimeLink).values(expires_at=now() - timedelta(seconds=1)))
    await Api(app).post("/auth/first-password", {"token": token_of(mail), "password": BETTER}, expect=404)


async def test_a_second_factor_is_asked_for_all_the_same(app: Any, fresh_who: Any, fresh_database: Any) -> None:
    person = await fresh_who("employee")
    secret = (await person.post("/auth/mfa/totp/enroll"))["secret"]
    await person.post("/auth/mfa/totp/confirm", {"code": pyotp.TOTP(secret).now()})
    await forget(app, "employee")
    (mail,) = await mails(fresh_database, person, "account.reset")
    answer = await Api(app).post("/auth/first-password", {"token": token_of(mail), "password": BETTER})
    assert answer["mfa_required"] is True
    assert "access_token" not in answer


async def test_a_name_that_is_nobodys_is_answered_and_written_down_the_same(
    app: Any, fresh_who: Any, fresh_database: Any
) -> None:
    await fresh_who("employee")
    known, unknown = await forget(app, "employee"), await forget(app, "nobody-at-all")
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content) == (204, b"")
    assert set(known.headers) == set(unknown.headers)
    async with fresh_database.read() as session:
        asked = select(EventRow).where(EventRow.type == "auth.password_reset_asked").order_by(EventRow.id)
        rows = list(await session.scalars(asked))
    assert [set(row.data) for row in rows] == [{"user_id", "ip_address"}] * 2
    took: dict[str, list[float]] = {"employee": [], "nobody-at-all": []}
    async with fresh_database.transaction() as session:
        await session.execute(delete(Throttle))
    for _ in range(9):
        for name, times in took.items():
            began = time.perf_counter()
            await forget(app, name)
            times.append(time.perf_counter() - began)
    fast, slow = sorted(statistics.median(t) for t in took.values())
    assert slow < 2 * fast + 0.005, took


async def test_strangers_who_ask_keep_nobody_from_a_link(app: Any, fresh_who: Any, fresh_database: Any) -> None:
    person = await fresh_who("employee")
    for _ in range(MOST_LINKS + 3):
        await forget(app, "employee")
    sent = await mails(fresh_database, person, "account.reset")
    assert len(sent) == MOST_LINKS, "and no more mails than that"
    body = {"token": token_of(sent[0]), "password": BETTER}
    await Api(app).post("/auth/first-password", body)
    for other in sent[1:]:
        await Api(app).post("/auth/first-password", {"token": token_of(other), "password": BETTER}, expect=404)


async def test_one_address_asks_so_often_and_not_more(app: Any, fresh_who: Any) -> None:
    await fresh_who("employee")
    statuses = [(await forget(app, f"name-{n}")).status_code for n in range(21)]
    assert statuses == [204] * 20 + [429]


async def test_who_signs_in_by_a_provider_is_told_so(app: Any, fresh_who: Any, fresh_database: Any) -> None:
    person, at = await fresh_who("employee"), now()
    async with fresh_database.transaction() as session:
        await session.execute(delete(Credential).where(Credential.user_id == person.id))
        provider = IdentityProvider(
            key="contoso", name="Contoso", kind="oidc", is_on=True, settings={}, created_at=at, updated_at=at
        )
        session.add(provider)
        await session.flush()
        session.add(Identity(provider_id=provider.id, subject="1", user_id=person.id, created_at=at))
    assert (await forget(app, "employee")).status_code == 204
    assert await mails(fresh_database, person, "account.reset") == []
    (mail,) = await mails(fresh_database, person, "account.reset_elsewhere")
    assert "Contoso" in mail.words["body"]
    async with fresh_database.read() as session:
        assert not await session.scalar(select(func.count()).select_from(OneTimeLink))


async def test_who_left_gets_nothing(app: Any, fresh_who: Any, fresh_database: Any) -> None:
    colleague, admin = await fresh_who("colleague"), await fresh_who("admin")
    await admin.put(f"/users/{colleague.id}/active", {"is_active": False})
    assert (await forget(app, "colleague")).status_code == 204
    assert await mails(fresh_database, colleague, "account.reset") == []


async def test_administrators_let_a_link_be_sent(app: Any, fresh_who: Any, fresh_database: Any) -> None:
    admin, person = await fresh_who("admin"), await fresh_who("employee")
    await person.post(f"/users/{admin.id}/password-reset", expect=403)
    await admin.post("/users/987654321/password-reset", expect=404)
    await admin.post(f"/users/{person.id}/password-reset", expect=204)
    (mail,) = await mails(fresh_database, person, "account.reset")
    assert token_of(mail)


# --- guesses by others ------------------------------------------------------------------------------------------------


async def guess(app: Any, name: str, times: int, **cookies: str) -> list[int]:
    found = []
    for n in range(times):
        api = Api(app)
        for key, value in cookies.items():
            api.http.cookies.set(key, value)
        body = {"username": name, "password": f"a guess {n}"}
        found.append((await api.post("/auth/login", body, expect=None)).status_code)
    return found


async def test_a_known_browser_gets_in_while_strangers_guess(app: Any, fresh_who: Any, fresh_database: Any) -> None:
    known = await fresh_who("employee")
    assert (await guess(app, "employee", 12))[-1] == 429
    body = {"username": "employee", "password": PASSWORD}
    await Api(app).post("/auth/login", body, expect=429)
    await known.post("/auth/login", body)
    await known.post("/auth/step-up", {"factor": "password", "password": PASSWORD})
    stranger = Api(app)
    stranger.http.cookies.set(COOKIE, "wpd_" + "A" * 43)
    await stranger.post("/auth/login", body, expect=429)
    other = await fresh_who("colleague")
    await other.post("/auth/login", body, expect=429)  # known, but not as theirs
    assert (await guess(app, "employee", 1))[-1] == 429, "and the strangers still wait"


async def test_a_stolen_number_of_a_browser_guesses_no_faster(app: Any, fresh_who: Any) -> None:
    known = await fresh_who("employee")
    number = known.http.cookies.get(COOKIE)
    assert number
    assert await guess(app, "employee", 11, **{COOKIE: number}) == [401] * 10 + [429]
    await Api(app).post("/auth/login", {"username": "employee", "password": PASSWORD})


async def test_the_cookie_is_for_the_door_only_and_kept_as_a_hash(
    app: Any, fresh_who: Any, fresh_database: Any
) -> None:
    await fresh_who("employee")
    answer = await Api(app).post("/auth/login", {"username": "employee", "password": PASSWORD}, expect=None)
    (cookie,) = [c for c in answer.headers.get_list("set-cookie") if c.startswith(COOKIE)]
    assert "HttpOnly" in cookie
    assert "Path=/api/v1/auth" in cookie
    assert "SameSite=lax" in cookie
    number = cookie.partition("=")[2].partition(";")[0]
    async with fresh_database.read() as session:
        rows = (await session.execute(text("SELECT row_to_json(t)::text FROM known_devices t"))).scalars().all()
    assert len(rows) == 2
    assert not any(number in row for row in rows)


# --- sign-ins that were not one's own ---------------------------------------------------------------------------------


async def test_only_a_new_browser_is_told_of(app: Any, fresh_who: Any, fresh_database: Any) -> None:
    first = await fresh_who("employee")
    assert await mails(fresh_database, first, "account.new_device") == [], "the first there is"
    await first.post("/auth/login", {"username": "employee", "password": PASSWORD})
    assert await mails(fresh_database, first, "account.new_device") == [], "the same again"
    other = Api(app)
    other.http.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    await other.post("/auth/login", {"username": "employee", "password": PASSWORD})
    (mail,) = await mails(fresh_database, first, "account.new_device")
    facts = dict(mail.words["facts"])
    assert facts["Device"] == "Firefox on Linux"
    assert facts["Address"] == "127.0.0.1"


async def test_this_was_not_me(app: Any, fresh_who: Any, fresh_database: Any) -> None:
    person = await fresh_who("employee")
    old = {"name": "Mine", "permissions": ["tickets:read"], "expires_in_days": 9}
    mine = await person.post("/auth/tokens", old, expect=201)
    async with fresh_database.transaction() as session:
        await session.execute(text("UPDATE api_tokens SET created_at = created_at - interval '1 day'"))
    thief = await fresh_who("employee")
    theirs = await thief.post("/auth/tokens", {**old, "name": "Theirs"}, expect=201)
    secret = (await thief.post("/auth/mfa/totp/enroll"))["secret"]
    await thief.post("/auth/mfa/totp/confirm", {"code": pyotp.TOTP(secret).now()})
    (mail,) = await mails(fresh_database, person, "account.new_device")
    token = token_of(mail)
    await Api(app).post("/auth/first-password", {"token": token, "password": BETTER}, expect=404)
    answers = await asyncio.gather(*(Api(app).post("/auth/not-me", {"token": token}, expect=None) for _ in range(3)))
    assert sorted(a.status_code for a in answers) == [204, 404, 404]
    await asyncio.sleep(1.1)
    for api in (person, thief):
        await api.get("/auth/me", expect=401)
    await Api(app).post("/auth/login", {"username": "employee", "password": PASSWORD}, expect=401)
    for made, status in ((mine, 200), (theirs, 401)):
        await Api(app).get("/tickets", expect=status, headers={"Authorization": f"Bearer {made['token']}"})
    (reset,) = await mails(fresh_database, person, "account.reset")
    again = await Api(app).post("/auth/first-password", {"token": token_of(reset), "password": BETTER})
    assert again["user"]["username"] == "employee", "the factor the thief added is gone"


@pytest.mark.parametrize("token", ["wpn_unknown-token", "x" * 8])
async def test_other_tokens_say_nothing(who: Any, app: Any, token: str) -> None:
    await Api(app).post("/auth/not-me", {"token": token}, expect=404)


async def test_known_browsers_are_forgotten_after_a_year(fresh_who: Any, fresh_database: Any) -> None:
    from waypost.access.sessions import forget_old_sessions

    await fresh_who("employee")
    async with fresh_database.transaction() as session:
        await session.execute(update(KnownDevice).values(used_at=now() - timedelta(days=401)))
        await forget_old_sessions(session)
        assert not await session.scalar(select(func.count()).select_from(KnownDevice))
