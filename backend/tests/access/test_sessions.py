"""How long sign-ins last, how many there may be, how they are listed, renewed and ended."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from tests.conftest import PASSWORD, Api
from waypost.access import cookies, devices, session_times, sessions, step_up
from waypost.access.errors import TokensRenewed
from waypost.access.models import KnownDevice, LoginSession
from waypost.access.queries import actors
from waypost.access.session_models import SessionRules
from waypost.access.session_times import Times, last_used, minutes, strictest
from waypost.directory.models import User
from waypost.kernel import relay
from waypost.kernel.clock import clock, now
from waypost.kernel.events import EventRow
from waypost.notifications.models import Delivery

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
PAGE = {"Origin": "http://waypost.test"}
RULES = {"idle_minutes": 30, "absolute_minutes": 720, "most_at_once": 100}


# --- the rules, pure --------------------------------------------------------------------------------------------------

few = st.integers(min_value=1, max_value=100_000)
perhaps = st.one_of(st.none(), few)


@given(few, few, st.lists(st.tuples(perhaps, perhaps), max_size=5))
def test_the_strictest_of_house_and_roles_counts(idle: int, absolute: int, roles: list[Any]) -> None:
    found = strictest(minutes(idle=idle, absolute=absolute), roles)
    assert found.idle == timedelta(minutes=min([idle, *(i for i, _ in roles if i is not None)]))
    assert found.absolute == timedelta(minutes=min([absolute, *(a for _, a in roles if a is not None)]))


@given(few, few, st.integers(0, 10_000), st.one_of(st.none(), st.integers(1, 10_000)))
def test_it_ends_unused_in_all_or_with_the_providers(idle: int, absolute: int, used: int, there: int | None) -> None:
    seen, provider = NOON + timedelta(minutes=used), there and NOON + timedelta(minutes=there)
    times = minutes(idle=idle, absolute=absolute)
    end = times.end(created=NOON, seen=seen, provider_ends=provider or None)
    assert end == min(at for at in (seen + times.idle, NOON + times.absolute, provider) if at)
    assert end <= times.last(created=NOON, provider_ends=provider or None)


@given(st.integers(0, 10_000_000))
def test_a_page_that_is_only_open_is_no_use(idle: int) -> None:
    before = NOON - timedelta(hours=1)
    assert before <= last_used(before, NOON, idle) <= NOON
    assert last_used(before, NOON, 0) == NOON


# --- enforced ---------------------------------------------------------------------------------------------------------


@pytest.fixture
async def admin(fresh_who: Any) -> Api:
    signed_in: Api = await fresh_who("admin")
    return signed_in


async def rules(admin: Api, **wanted: int) -> Any:
    version = (await admin.get("/session-rules"))["version"]
    return await admin.put("/session-rules", {**RULES, **wanted, "version": version})


async def last_event(database: Any, kind: str) -> EventRow:
    async with database.read() as session:
        kept = select(EventRow).where(EventRow.type == kind).order_by(EventRow.id.desc()).limit(1)
        return (await session.scalars(kept)).one()


async def move(database: Any, api: Api, **back: timedelta) -> None:
    """Let a sign-in have begun, or been used, so long ago."""
    async with database.transaction() as session:
        values = {name: getattr(LoginSession, name) - by for name, by in back.items()}
        await session.execute(update(LoginSession).where(LoginSession.user_id == api.id).values(values))
    actors.forget_all()


async def test_administrators_set_them_and_before_and_after_are_recorded(admin: Api, fresh_database: Any) -> None:
    first = await admin.get("/session-rules")
    assert first == {"idle_minutes": 720, "absolute_minutes": 43200, "most_at_once": 100, "version": 1}
    done = await rules(admin)
    assert done == {**RULES, "version": 2}
    event = await last_event(fresh_database, "auth.session_rules_changed")
    assert (event.data["before"], event.data["after"]) == ({k: first[k] for k in RULES}, RULES)
    stale = await admin.put("/session-rules", {**RULES, "version": 1}, expect=412)
    assert stale["current_version"] == 2
    assert (await rules(admin))["version"] == 2, "nothing changed, nothing is recorded"


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({"idle_minutes": 4}, "/idle_minutes"),
        ({"idle_minutes": 10081}, "/idle_minutes"),
        ({"idle_minutes": 800}, "/idle_minutes"),  # longer than in all
        ({"absolute_minutes": 29}, "/absolute_minutes"),
        ({"absolute_minutes": 2**63}, "/absolute_minutes"),
        ({"most_at_once": 0}, "/most_at_once"),
        ({"most_at_once": "5"}, "/most_at_once"),
        ({"idle_minutes": None}, "/idle_minutes"),
        ({"who": 1}, "/who"),
    ],
)
async def test_what_is_no_rule_is_refused(who: Any, wanted: dict[str, Any], pointer: str) -> None:
    wrong = await (await who("admin")).put("/session-rules", {**RULES, "version": 1, **wanted}, expect=422)
    assert wrong["errors"][0]["pointer"] == pointer


async def test_who_may_read_and_set_them(who: Any) -> None:
    employee = await who("employee")
    await employee.get("/session-rules", expect=403)
    await employee.put("/session-rules", {**RULES, "version": 1}, expect=403)
    await employee.put(
        "/roles/1/session-times", {"idle_minutes": 30, "absolute_minutes": None, "version": 1}, expect=403
    )
    admin = await who("admin")
    await admin.put("/roles/999999/session-times", {"idle_minutes": "x"}, expect=404)


async def test_an_unused_one_ends_at_the_next_use_and_at_the_next_refresh(
    admin: Api, fresh_who: Any, fresh_database: Any
) -> None:
    person = await fresh_who("employee")
    await move(fresh_database, person, last_seen_at=timedelta(minutes=29))
    await rules(admin)
    await person.get("/auth/me")
    await move(fresh_database, person, last_seen_at=timedelta(minutes=2))
    assert (await person.get("/auth/me", expect=401))["code"] == "session_ended"
    assert (await person.post("/auth/refresh", expect=401))["code"] == "session_ended"


async def test_one_ends_however_much_it_is_used(admin: Api, fresh_who: Any, fresh_database: Any) -> None:
    person = await fresh_who("employee")
    await rules(admin, idle_minutes=700)
    await move(fresh_database, person, created_at=timedelta(hours=11, minutes=59))
    renewed = await person.post("/auth/refresh")
    assert datetime.fromisoformat(renewed["session"]["ends_at"]) - now() < timedelta(minutes=2)
    await move(fresh_database, person, created_at=timedelta(minutes=2))
    await person.get("/auth/me", expect=401)
    await person.post("/auth/refresh", expect=401)


async def test_the_strictest_role_counts_and_only_for_its_people(
    admin: Api, fresh_who: Any, fresh_database: Any
) -> None:
    roles = {r["key"]: r for r in (await admin.get("/roles", params={"limit": 100}))["items"]}
    agent = roles["agent"]
    body = {"idle_minutes": 15, "absolute_minutes": 60, "version": agent["version"]}
    changed = await admin.put(f"/roles/{agent['id']}/session-times", body)
    assert (changed["session_idle_minutes"], changed["session_absolute_minutes"]) == (15, 60)
    event = await last_event(fresh_database, "role.session_times")
    assert event.data["before"] == {"idle_minutes": None, "absolute_minutes": None}
    assert event.data["after"] == {"idle_minutes": 15, "absolute_minutes": 60}
    await admin.put(f"/roles/{agent['id']}/session-times", body, expect=412)
    strict, other = await fresh_who("agent"), await fresh_who("employee")
    assert (await strict.post("/auth/refresh"))["session"]["idle_seconds"] == 900
    assert (await other.post("/auth/refresh"))["session"]["idle_seconds"] == 43200
    for person in (strict, other):
        await move(fresh_database, person, last_seen_at=timedelta(minutes=16))
    await strict.get("/auth/me", expect=401)
    await other.get("/auth/me")
    body = {"idle_minutes": 60, "absolute_minutes": 30, "version": agent["version"] + 1}
    wrong = await admin.put(f"/roles/{agent['id']}/session-times", body, expect=422)
    assert wrong["errors"][0]["pointer"] == "/idle_minutes"


async def test_a_browser_tells_that_nobody_is_there(admin: Api, fresh_who: Any, fresh_database: Any) -> None:
    person = await fresh_who("employee")
    await rules(admin)
    await move(fresh_database, person, last_seen_at=timedelta(minutes=25))
    await person.post("/auth/refresh", {"idle_seconds": 1500})
    async with fresh_database.read() as session:
        login = (await session.scalars(select(LoginSession).where(LoginSession.user_id == person.id))).one()
    assert now() - login.last_seen_at > timedelta(minutes=24), "renewing it was no use of it"
    await move(fresh_database, person, last_seen_at=timedelta(minutes=6))
    await person.post("/auth/refresh", {"idle_seconds": 0}, expect=401)
    await Api(person.http._transport.app).post("/auth/refresh", {"idle_seconds": -1}, expect=422)  # type: ignore[attr-defined]


async def test_what_is_kept_in_memory_ends_with_the_sign_in(fresh_who: Any, fresh_database: Any) -> None:
    person = await fresh_who("employee")
    async with fresh_database.transaction() as session:
        login = (await session.scalars(select(LoginSession).where(LoginSession.user_id == person.id))).one()
        login.expires_at = now() + timedelta(milliseconds=700)
    actors.forget_all()
    actor = await actors.get(fresh_database, user_id=person.id, session_id=login.id)
    assert actor is not None
    with clock(lambda: login.expires_at + timedelta(milliseconds=1)):
        assert not actor.is_good(now())
        assert await actors.get(fresh_database, user_id=person.id, session_id=login.id) is None


# --- how many ---------------------------------------------------------------------------------------------------------


async def test_the_oldest_ends_when_there_are_too_many_and_is_told(
    admin: Api, fresh_who: Any, fresh_database: Any
) -> None:
    await rules(admin, most_at_once=2)
    first, second, third = [await fresh_who("employee") for _ in range(3)]
    actors.forget_all()
    await first.get("/auth/me", expect=401)
    await first.post("/auth/refresh", expect=401)
    for api in (second, third):
        await api.get("/auth/me")
    event = await last_event(fresh_database, "auth.session_ended")
    assert (event.object_id, event.data["reason"]) == (first.id, "too_many")
    await relay.drain(fresh_database)
    async with fresh_database.read() as session:
        told = select(Delivery).where(Delivery.user_id == first.id, Delivery.kind == "account.session_over")
        (mail,) = (await session.scalars(told)).all()
    assert mail.words["link"].endswith("/account/sessions")


# --- the list ---------------------------------------------------------------------------------------------------------


async def test_the_list_says_how_each_began_and_when_it_ends(fresh_who: Any, fresh_database: Any) -> None:
    person = await fresh_who("employee")
    await fresh_who("employee")
    listed = (await person.get("/auth/sessions"))["items"]
    assert [s["method"] for s in listed] == ["password", "password"]
    assert [s["provider"] for s in listed] == [None, None]
    for one in listed:
        lasts = datetime.fromisoformat(one["ends_at"]) - datetime.fromisoformat(one["last_seen_at"])
        assert lasts == timedelta(hours=12)
    async with fresh_database.transaction() as session:
        await session.execute(update(SessionRules).values(idle_minutes=30))
        await session.execute(
            update(LoginSession)
            .where(LoginSession.id == listed[0]["id"])
            .values(last_seen_at=now() - timedelta(minutes=31))
        )
    assert [s["id"] for s in (await person.get("/auth/sessions"))["items"]] == [listed[1]["id"]], "over is over"


async def test_ending_another_asks_to_confirm_and_ending_this_one_does_not(fresh_who: Any, fresh_database: Any) -> None:
    here, there, third = [await fresh_who("employee") for _ in range(3)]
    listed = {s["id"]: s for s in (await here.get("/auth/sessions"))["items"]}
    mine = next(i for i, s in listed.items() if s["is_current"])
    others = [i for i in listed if i != mine]
    async with fresh_database.transaction() as session:
        await session.execute(update(LoginSession).values(proved_at=now() - timedelta(hours=1)))
    assert (await here.delete(f"/auth/sessions/{others[0]}", expect=403))["code"] == "step_up_needed"
    assert (await here.post("/auth/sessions/end-others", expect=403))["code"] == "step_up_needed"
    for api in (there, third):
        await api.get("/auth/me")
    await here.post("/auth/step-up", {"factor": "password", "password": PASSWORD})
    assert (await here.post("/auth/sessions/end-others"))["ended"] == 2
    for api in (there, third):
        await api.get("/auth/me", expect=401)
    assert (await here.post("/auth/sessions/end-others"))["ended"] == 0
    async with fresh_database.transaction() as session:
        await session.execute(update(LoginSession).values(proved_at=now() - timedelta(hours=1)))
    await here.delete(f"/auth/sessions/{mine}")
    await here.get("/auth/me", expect=401)


# --- renewed ----------------------------------------------------------------------------------------------------------


async def test_signing_in_anew_ends_what_the_browser_had(fresh_who: Any, fresh_database: Any) -> None:
    browser = await fresh_who("employee")
    before = browser.http.headers["Authorization"]
    body = {"username": "colleague", "password": PASSWORD}
    assert (await browser.http.post("/auth/login", json=body)).status_code == 200
    await browser.get("/auth/me")  # a program that shows a cookie is no browser: nothing of its ends
    answer = await browser.http.post("/auth/login", json={**body, "username": "employee"}, headers=PAGE)
    assert answer.status_code == 200
    event = await last_event(fresh_database, "auth.session_ended")
    assert event.data["reason"] == "replaced"
    async with fresh_database.read() as session:
        ended = await session.get(LoginSession, event.data["session_id"])
    assert ended is not None
    assert ended.user_id != browser.id, "the last one it had, whoever's it was"
    assert (await browser.http.get("/auth/me", headers={"Authorization": before})).status_code == 200


async def test_confirming_gives_a_browser_new_tokens_and_voids_the_old(fresh_who: Any, fresh_database: Any) -> None:
    browser = await fresh_who("employee")
    cookie = browser.http.cookies["waypost_refresh"]
    # the token it has is of an earlier second
    async with fresh_database.read() as session:
        login = (await session.scalars(select(LoginSession).where(LoginSession.user_id == browser.id))).one()
    proof = {"factor": "password", "password": PASSWORD}
    later = now() + timedelta(seconds=2)
    with clock(lambda: later):
        done = await browser.post("/auth/step-up", proof, headers=PAGE)
    assert done["tokens"]["token_type"] == "bearer"
    assert browser.http.cookies["waypost_refresh"] != cookie
    assert (await browser.get("/auth/me", expect=401))["code"] == "session_ended", "who copied it has nothing of it"
    browser.http.headers["Authorization"] = f"Bearer {done['tokens']['access_token']}"
    await browser.get("/auth/me")
    assert (await browser.post("/auth/refresh"))["session"]
    assert login.renewed_at is None
    program = await fresh_who("colleague")
    assert (await program.post("/auth/step-up", proof))["tokens"] is None, "it showed no cookie of a page"
    await program.get("/auth/me")


async def test_confirming_with_a_token_somebody_else_has_used_ends_the_sign_in(
    fresh_who: Any, fresh_database: Any
) -> None:
    browser = await fresh_who("employee")
    copied = browser.http.cookies["waypost_refresh"]
    assert (await browser.post("/auth/refresh"))["session"]
    theirs = browser.http.cookies["waypost_refresh"]
    browser.http.cookies.clear()
    mine = {**PAGE, "Cookie": f"waypost_refresh={copied}"}
    proof = {"factor": "password", "password": PASSWORD}
    later = now() + timedelta(seconds=30)
    async with fresh_database.transaction() as session:
        old = now() - timedelta(hours=1)
        await session.execute(update(LoginSession).where(LoginSession.user_id == browser.id).values(proved_at=old))
    with clock(lambda: later):
        assert (await browser.post("/auth/step-up", proof, headers=mine, expect=401))["code"] == "session_ended"
        refused = await browser.http.post("/auth/refresh", headers={"Cookie": f"waypost_refresh={theirs}"})
    assert refused.status_code == 401, "the thief has nothing either"
    event = await last_event(fresh_database, "auth.session_ended")
    assert event.data["reason"] == "reuse"
    async with fresh_database.read() as session:
        login = await session.get(LoginSession, event.data["session_id"])
    assert login is not None
    assert (login.user_id, login.proved_at) == (browser.id, old), "and nothing was proven"


async def test_confirming_while_another_tab_refreshes_goes_on_and_voids_both(fresh_who: Any) -> None:
    browser = await fresh_who("employee")
    before = browser.http.cookies["waypost_refresh"]
    at = now()
    with clock(lambda: at):
        await browser.post("/auth/refresh")
        other = browser.http.cookies["waypost_refresh"]
        browser.http.cookies.clear()
        proof = {"factor": "password", "password": PASSWORD}
        mine = {**PAGE, "Cookie": f"waypost_refresh={before}"}
    with clock(lambda: at + timedelta(seconds=2)):
        done = await browser.post("/auth/step-up", proof, headers=mine)
        assert (await browser.get("/auth/me", expect=401))["code"] == "session_ended"
        browser.http.headers["Authorization"] = f"Bearer {done['tokens']['access_token']}"
        await browser.get("/auth/me")
        newest = browser.http.cookies["waypost_refresh"]
        assert newest not in (before, other)
        # what a confirmation has voided is good for no second more
        browser.http.cookies.clear()
        refused = await browser.http.post("/auth/refresh", headers={"Cookie": f"waypost_refresh={other}"})
        assert refused.status_code == 401


@pytest.mark.parametrize("late", [0, 9])
async def test_a_tab_that_renews_while_another_confirms_loses_nothing(
    fresh_who: Any, fresh_database: Any, late: int
) -> None:
    """What it had sent gets nothing, and ends nothing: the browser has the newest token by now, and shows that next."""
    browser = await fresh_who("employee")
    before = browser.http.cookies["waypost_refresh"]
    proof = {"factor": "password", "password": PASSWORD}
    at = now() + timedelta(seconds=2)
    with clock(lambda: at):
        done = await browser.post("/auth/step-up", proof, headers=PAGE)
    browser.http.headers["Authorization"] = f"Bearer {done['tokens']['access_token']}"
    newest = browser.http.cookies["waypost_refresh"]
    browser.http.cookies.clear()
    with clock(lambda: at + timedelta(seconds=late)):
        for path, body in (("/auth/refresh", {}), ("/auth/step-up", proof)):
            shown = {**PAGE, "Cookie": f"waypost_refresh={before}"}
            refused = await browser.http.post(path, json=body, headers=shown)
            assert (refused.status_code, refused.json()["code"]) == (401, "tokens_renewed")
            assert "set-cookie" not in refused.headers, "the newest stays where it is"
        assert await _is_open(browser, newest)


async def test_a_proof_that_another_tab_overtakes_counts(
    fresh_who: Any, fresh_database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another tab confirms while this one's proof is looked at: a code was used up for it, so what it asked for goes on."""
    browser = await fresh_who("employee")
    proof = {"factor": "password", "password": PASSWORD}
    async with fresh_database.transaction() as session:
        await session.execute(update(LoginSession).values(proved_at=now() - timedelta(hours=1)))

    async def overtaken(*_: Any) -> None:
        raise TokensRenewed

    with monkeypatch.context() as patched:
        patched.setattr(step_up, "renew_by_proof", overtaken)
        refused = await browser.post("/auth/step-up", proof, headers=PAGE, expect=401)
    assert refused["code"] == "tokens_renewed"
    assert (await browser.get("/auth/step-up"))["valid_until"]
    assert (await last_event(fresh_database, "auth.step_up")).data["factor"] == "password"


async def test_what_another_tab_had_voided_is_a_copy_a_while_later(fresh_who: Any, fresh_database: Any) -> None:
    browser = await fresh_who("employee")
    before = browser.http.cookies["waypost_refresh"]
    at = now() + timedelta(seconds=2)
    with clock(lambda: at):
        await browser.post("/auth/step-up", {"factor": "password", "password": PASSWORD}, headers=PAGE)
    newest = browser.http.cookies["waypost_refresh"]
    browser.http.cookies.clear()
    with clock(lambda: at + timedelta(seconds=11)):
        refused = await browser.http.post("/auth/refresh", headers={"Cookie": f"waypost_refresh={before}"})
        assert (refused.status_code, refused.json()["code"]) == (401, "session_ended")
        assert not await _is_open(browser, newest), "somebody has copied it: nobody goes on"
    assert (await last_event(fresh_database, "auth.session_ended")).data["reason"] == "reuse"


async def test_two_tabs_confirm_and_renew_at_once(fresh_who: Any) -> None:
    """Whatever comes first: one of them has the newest token, and the sign-in goes on."""
    browser = await fresh_who("employee")
    for _ in range(4):
        before = browser.http.cookies["waypost_refresh"]
        answers = await asyncio.gather(
            browser.http.post("/auth/step-up", json={"factor": "password", "password": PASSWORD}, headers=PAGE),
            browser.http.post("/auth/refresh"),
            browser.http.post("/auth/step-up", json={"factor": "password", "password": PASSWORD}, headers=PAGE),
        )
        told = [a.json().get("code") for a in answers if a.status_code != 200]
        assert set(told) <= {"tokens_renewed"}, told
        cookies = [a.cookies["waypost_refresh"] for a in answers if a.status_code == 200]
        open_ones = [c for c in dict.fromkeys(cookies) if await _is_open(browser, c)]
        assert len(open_ones) == 1
        assert before not in cookies
        await browser.sign_in()


async def _is_open(browser: Api, cookie: str) -> bool:
    browser.http.cookies.clear()
    answer = await browser.http.post("/auth/refresh", headers={"Cookie": f"waypost_refresh={cookie}"})
    return bool(answer.status_code == 200)


async def test_a_sign_in_and_a_leaver_wait_for_each_other(fresh_who: Any, fresh_database: Any) -> None:
    browser = await fresh_who("employee")
    token = browser.http.cookies["waypost_refresh"]
    caller = sessions.Caller("127.0.0.1", "", refresh=token)

    async def leaves() -> None:
        async with fresh_database.transaction() as session:
            await session.get(User, browser.id, with_for_update={"key_share": True})
            await asyncio.sleep(0.3)
            rows = select(LoginSession).where(LoginSession.user_id == browser.id).order_by(LoginSession.id)
            await session.execute(rows.with_for_update())

    async def signs_in() -> None:
        await asyncio.sleep(0.1)
        async with fresh_database.transaction() as session:
            await sessions.start_session(session, caller, user_id=browser.id, method="password")

    await asyncio.gather(leaves(), signs_in())


# --- cookies ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def over_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    from waypost.kernel.settings import Settings

    monkeypatch.setattr(Settings, "is_https", property(lambda _: True))


def set_by(answer: Any) -> dict[str, str]:
    return {line.partition("=")[0]: line for line in answer.headers.get_list("set-cookie")}


async def test_over_tls_cookies_are_of_this_host_alone(fresh_who: Any, over_tls: None) -> None:
    person = await fresh_who("employee")
    answer = await person.http.post("/auth/login", json={"username": "employee", "password": PASSWORD})
    given = set_by(answer)
    for name, site in (("__Host-waypost_refresh", "strict"), ("__Host-waypost_device", "lax")):
        line = given[name].lower()
        assert "secure" in line
        assert "httponly" in line
        assert "path=/;" in line + ";"
        assert f"samesite={site}" in line
        assert "domain" not in line
    assert 'waypost_refresh=""' in given["waypost_refresh"], "one under the old name goes"


async def test_who_is_signed_in_stays_so_through_the_new_names(
    fresh_who: Any, fresh_database: Any, monkeypatch: pytest.MonkeyPatch, over_tls: None
) -> None:
    person = await fresh_who("employee")
    jar = person.http.cookies
    token = jar["__Host-waypost_refresh"]
    old = {"Cookie": f"waypost_refresh={token}"}
    jar.clear()
    assert (await person.http.post("/auth/refresh", headers=old)).status_code == 401, (
        "one of today came by another host"
    )
    async with fresh_database.transaction() as session:
        await session.execute(update(SessionRules).values(cookies_since=now() + timedelta(minutes=1)))
    answer = await person.http.post("/auth/refresh", headers=old)
    assert answer.status_code == 200
    assert "__Host-waypost_refresh" in set_by(answer)


async def test_a_browser_another_host_names_is_none_of_theirs(fresh_database: Any, fresh_who: Any) -> None:
    mine, planted = await fresh_who("employee"), "wpd_" + "a" * 43
    async with fresh_database.transaction() as session:
        told, _ = await devices.recognise(session, mine.id, planted, now(), is_old_name=True)
        assert told != planted
        kept, is_new = await devices.recognise(session, mine.id, told, now(), is_old_name=True)
        assert (kept, is_new) == (told, False), "one they have used is"
        known = (await session.scalars(select(KnownDevice).where(KnownDevice.user_id == mine.id))).all()
    assert len(known) == 2


async def test_no_cookie_is_no_sign_in(fresh_database: Any) -> None:
    for shown in (None, cookies.Given("x"), cookies.Given("wpr_nothing", is_old=True)):
        with pytest.raises(sessions.SessionEnded):
            await sessions.refresh(fresh_database, shown)


def test_the_installation_has_times_of_its_own() -> None:
    assert session_times.installed() == {"idle_minutes": 720, "absolute_minutes": 43200}
    assert Times(timedelta(1), timedelta(2)) == minutes(idle=1440, absolute=2880)
