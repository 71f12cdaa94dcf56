"""How much one caller may ask for, and who a caller is when proxies stand in front."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from waypost.kernel import limits, proxies
from waypost.kernel.limits import WINDOW, Limiter, Policy
from waypost.kernel.settings import get_settings

THREE = Policy("person", 3)


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def put(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        get_settings.cache_clear()

    yield put
    monkeypatch.undo()
    get_settings.cache_clear()


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """No request was counted yet, and nothing is heard of other tests'."""

    async def alone(self: Limiter, valkey: Redis) -> None:
        return None

    monkeypatch.setattr(Limiter, "share", alone)
    monkeypatch.setattr(limits, "limiter", Limiter())


@pytest.fixture
async def valkey(servers: dict[str, str]) -> AsyncIterator[Redis]:
    client = Redis.from_url(servers["REDIS_URL"])
    yield client
    await client.aclose()


def test_the_quota_is_for_a_minute_and_for_one_caller() -> None:
    clock = Clock()
    limiter = Limiter(clock)
    left = [limiter.take(THREE, "1").remaining for _ in range(4)]
    assert left == [2, 1, 0, -1]
    assert limiter.take(THREE, "1").is_over
    assert not limiter.take(THREE, "2").is_over
    assert not limiter.take(Policy("costly", 3), "1").is_over
    reset = limiter.take(THREE, "1").reset
    assert 0 < reset <= WINDOW
    clock.now += reset
    assert limiter.take(THREE, "1").remaining == 2


def test_the_headers_name_the_limit_and_what_is_left() -> None:
    standing = Limiter(lambda: 120.0).take(THREE, "1")
    assert standing.headers() == {"RateLimit-Policy": '"person";q=3;w=60', "RateLimit": '"person";r=2;t=60'}


async def test_processes_hear_of_each_other(valkey: Redis) -> None:
    clock = Clock()
    clock.now += 17 * WINDOW
    one, other = Limiter(clock), Limiter(clock)
    whose = "shared-by-two"
    for _ in range(2):
        one.take(THREE, whose)
    other.take(THREE, whose)
    await one.share(valkey)
    await other.share(valkey)
    assert other.take(THREE, whose).is_over  # two there, one here, and this
    await other.share(valkey)
    assert one.take(THREE, whose).remaining == 0  # it has heard nothing yet: it had nothing to tell
    await one.share(valkey)
    assert one.take(THREE, whose).is_over
    clock.now += WINDOW
    await one.share(valkey)
    assert one._counts == {}


async def test_without_the_cache_each_process_goes_on_counting(valkey: Redis) -> None:
    away = Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=0.2)
    clock = Clock()
    limiter = Limiter(clock)
    for _ in range(3):
        assert not limiter.take(THREE, "alone").is_over
        await limiter.share(away)
    assert limiter.take(THREE, "alone").is_over
    clock.now += 99 * WINDOW  # what could not be told is not told of another minute
    limiter.take(THREE, "alone")
    await limiter.share(valkey)
    assert limiter._counts["person", "alone"].others == 0


async def test_a_person_is_slowed_down_and_others_are_not(who: Any, settings: Any, fresh: None) -> None:
    employee, manager = await who("employee"), await who("manager")
    settings(PERSON_REQUESTS_PER_MINUTE="5")
    limits.limiter = Limiter()  # signing in was counted
    for n in range(5):
        answer = await employee.get("/auth/me", expect=None)
        assert answer.status_code == 200
        assert answer.headers["ratelimit-policy"] == '"person";q=5;w=60'
        assert answer.headers["ratelimit"].startswith(f'"person";r={4 - n};t=')
    refused = await employee.get("/auth/me", expect=None)
    assert refused.status_code == 429
    assert refused.json()["code"] == "too_many_requests"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["ratelimit"].startswith('"person";r=0;t=')
    # a body that is wrong counts once, and is not told before the limit
    assert (await employee.post("/tickets", {}, expect=None)).status_code == 429
    assert (await manager.get("/auth/me", expect=None)).status_code == 200


async def test_an_address_without_a_sign_in_is_slowed_down(who: Any, settings: Any, fresh: None) -> None:
    settings(ADDRESS_REQUESTS_PER_MINUTE="3", TRUSTED_PROXIES='["127.0.0.0/8"]')
    nobody = await who(None)
    from_one, from_other = {"X-Forwarded-For": "203.0.113.7"}, {"X-Forwarded-For": "203.0.113.8"}
    for _ in range(3):
        assert (await nobody.get("/auth/me", expect=None, headers=from_one)).status_code == 401
    assert (await nobody.get("/auth/me", expect=None, headers=from_one)).status_code == 429
    assert (await nobody.get("/auth/me", expect=None, headers=from_other)).status_code == 401
    # the header the proxies do not write is not believed
    lie = from_one | {"Forwarded": "for=198.51.100.1"}
    assert (await nobody.get("/auth/me", expect=None, headers=lie)).status_code == 429
    for _ in range(5):
        assert (await nobody.get("/health/live", expect=None, headers=from_one)).status_code == 200


@pytest.mark.parametrize("word", ["x", "Bearer x", "Bearer a.b.c", "Basic eDp5", "Bearer wp_pat_x"])
async def test_words_that_open_nothing_are_no_way_around_the_limit(
    who: Any, settings: Any, fresh: None, word: str
) -> None:
    employee, nobody = await who("employee"), await who(None)
    settings(ADDRESS_REQUESTS_PER_MINUTE="3")
    limits.limiter = Limiter()
    header = {"Authorization": word}
    paths = ["/auth/me", "/auth/providers"] * 3
    said = [(await nobody.get(path, expect=None, headers=header)).status_code for path in paths]
    assert said == [401, 200, 401, 429, 429, 429]
    # who is somebody goes on, also from there, and is not counted among the strangers
    assert [(await employee.get("/auth/me", expect=None)).status_code for _ in range(5)] == [200] * 5


async def test_who_is_somebody_is_not_counted_among_strangers(who: Any, settings: Any, fresh: None) -> None:
    employee, nobody = await who("employee"), await who(None)
    settings(ADDRESS_REQUESTS_PER_MINUTE="3")
    limits.limiter = Limiter()
    for _ in range(10):
        assert (await employee.get("/auth/me", expect=None)).status_code == 200
    assert (await nobody.get("/auth/me", expect=None)).status_code == 401


async def test_nobody_is_believed_who_is_no_proxy_of_ours(who: Any, settings: Any, fresh: None) -> None:
    settings(ADDRESS_REQUESTS_PER_MINUTE="2", TRUSTED_PROXIES="[]")
    nobody = await who(None)
    answers = [
        (await nobody.get("/auth/me", expect=None, headers={"X-Forwarded-For": f"203.0.113.{n}"})).status_code
        for n in range(4)
    ]
    assert answers == [401, 401, 429, 429]


async def test_what_costs_much_has_a_limit_of_its_own(who: Any, settings: Any, fresh: None) -> None:
    agent = await who("agent")
    settings(COSTLY_REQUESTS_PER_MINUTE="2")
    said = [await agent.post("/tickets/bulk/preview", {}, expect=None) for _ in range(3)]
    assert [answer.status_code for answer in said] == [422, 422, 429]
    assert said[2].headers["ratelimit-policy"] == '"costly";q=2;w=60'
    assert (await agent.get("/tickets", expect=None)).status_code == 200


def test_the_limits_fit_their_use(settings: Any) -> None:
    settings(DEMO="0", COSTLY_REQUESTS_PER_MINUTE="7")
    assert get_settings().quota("costly") == 7
    assert get_settings().quota("person") == 1200
    settings(DEMO="1")
    assert get_settings().quota("person") == 60_000


OURS = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8")]
CHAINS = [
    ("203.0.113.1", "198.51.100.9", "203.0.113.1"),  # a stranger's word counts nothing
    ("10.0.0.1", "198.51.100.9", "198.51.100.9"),
    ("10.0.0.1", "6.6.6.6, 198.51.100.9", "198.51.100.9"),  # what the client wrote itself stands on the left
    ("10.0.0.1", "198.51.100.9, 10.0.0.2", "198.51.100.9"),
    ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
    ("10.0.0.1", "198.51.100.9, nonsense", "10.0.0.1"),
    ("10.0.0.1", "198.51.100.9, nonsense, 10.0.0.2", "10.0.0.2"),
    ("10.0.0.1", "198.51.100.9:4711", "198.51.100.9"),
    ("10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
    ("10.0.0.1", "", "10.0.0.1"),
    ("fd00::1", "2001:db8::2", "2001:db8::2"),
    ("", "198.51.100.9", ""),
]
FORWARDED = [
    ("10.0.0.1", "for=198.51.100.9;proto=https;by=10.0.0.1", "198.51.100.9"),
    ("10.0.0.1", 'For="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"),
    ("10.0.0.1", "for=6.6.6.6, for=198.51.100.9", "198.51.100.9"),
    ("10.0.0.1", 'for=6.6.6.6, for="198.51.100.9:80";proto=http, for=10.0.0.2', "198.51.100.9"),
    ("10.0.0.1", "for=6.6.6.6, for=unknown", "10.0.0.1"),
    ("10.0.0.1", "for=_hidden", "10.0.0.1"),
    ("10.0.0.1", 'for="198.51.100.9, for=6.6.6.6', "10.0.0.1"),  # a quote that never ends
    ("10.0.0.1", 'secret="a, for=6.6.6.6";for=198.51.100.9', "198.51.100.9"),
    ("10.0.0.1", "proto=https, for=198.51.100.9;=", "10.0.0.1"),
    ("10.0.0.1", "proto=https", "10.0.0.1"),
    ("203.0.113.1", "for=198.51.100.9", "203.0.113.1"),
]


@pytest.mark.parametrize(("peer", "line", "client"), CHAINS)
def test_who_asks_by_x_forwarded_for(peer: str, line: str, client: str) -> None:
    assert proxies.client_of(peer, "x-forwarded-for", [line], OURS) == client


@pytest.mark.parametrize(("peer", "line", "client"), FORWARDED)
def test_who_asks_by_forwarded(peer: str, line: str, client: str) -> None:
    assert proxies.client_of(peer, "forwarded", [line], OURS) == client


def test_a_chain_in_several_lines_is_one_and_an_endless_one_is_none() -> None:
    assert proxies.client_of("10.0.0.1", "x-forwarded-for", ["6.6.6.6", "198.51.100.9"], OURS) == "198.51.100.9"
    endless = ",".join(["198.51.100.9"] * 1000)
    assert proxies.client_of("10.0.0.1", "x-forwarded-for", [endless], OURS) == "10.0.0.1"


@given(st.text(max_size=200), st.sampled_from(["forwarded", "x-forwarded-for"]))
def test_any_header_gives_an_address_and_no_error(line: str, header: str) -> None:
    ipaddress.ip_address(proxies.client_of("10.0.0.1", header, [line], OURS))


@given(st.ip_addresses(v=4), st.text(alphabet='for=;,"\\ .0123456789', max_size=60))
def test_what_the_client_writes_never_outweighs_what_our_proxy_adds(real: ipaddress.IPv4Address, written: str) -> None:
    """Ours writes behind it; a client can at most make it unreadable, and is then taken for the proxy itself."""
    said = proxies.client_of("10.0.0.1", "forwarded", [written, f"for={real}"], OURS)
    wanted = {"10.0.0.1", str(real)}
    assert said in wanted or real in OURS[0]
    plain = proxies.client_of("10.0.0.1", "x-forwarded-for", [written, str(real)], OURS)
    assert plain == str(real) or real in OURS[0]


def test_networks_of_callers() -> None:
    assert proxies.network("2001:db8:1:2:3::4") == "2001:db8:1:2::/64"
    assert proxies.network("198.51.100.9") == "198.51.100.9"
    assert proxies.network("nonsense") == "nonsense"


@pytest.mark.parametrize("variable", ["TRUSTED_PROXIES", "OUTGOING_ALLOW"])
def test_a_network_that_is_none_is_told_at_the_start(settings: Any, variable: str) -> None:
    settings(**{variable: '["10.0.0.0/33"]'})
    with pytest.raises(ValueError, match=variable.lower()):
        get_settings()


def test_a_certificate_needs_its_key(settings: Any, tmp_path: Any) -> None:
    settings(TLS_CERTIFICATE=str(tmp_path / "cert.pem"))
    with pytest.raises(ValueError, match="belong together"):
        get_settings()
