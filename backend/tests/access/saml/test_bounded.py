"""The process that judges: what it answers, and that nothing makes it wait, grow or mix up answers."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from tests.access.saml import idp
from tests.access.saml.idp import AT, Told, packed, pair, response
from waypost.access.providers.saml import bindings, bounded, worker
from waypost.access.providers.saml.judging import Trust
from waypost.access.providers.saml.logout import LogoutAsked, LogoutDone
from waypost.access.providers.saml.reading import Asked, NameId
from waypost.access.providers.saml.refusing import Refused
from waypost.access.providers.saml.requests import logout_request, logout_response

ASKED = Asked(idp=idp.IDP, audience=idp.SP, acs_url=idp.ACS, request_id=idp.REQUEST_ID, at=AT)
TRUST = Trust(certificates=(pair("idp").certificate,), private_keys=(pair("sp").key,))


def job(name: str = "jane@example.com", **told: Any) -> worker.ResponseJob:
    root = idp.sign(idp.tree(response(Told(name_id=name, **told))), "saml:Assertion")
    return worker.ResponseJob(field=packed(root), asked=ASKED, trust=TRUST)


@pytest.fixture(autouse=True)
async def no_process_left() -> AsyncIterator[None]:
    yield
    await bounded.close()


async def test_facts_come_back_as_they_were_found() -> None:
    facts = await bounded.judge_response(job(session_ends=AT + timedelta(hours=1)))
    assert facts.name_id.value == "jane@example.com"
    assert facts.session_ends == AT + timedelta(hours=1)
    assert facts.attributes == {"mail": ("jane@example.com",), "groups": ("staff", "it")}
    with pytest.raises(Refused, match="wrong_audience"):
        await bounded.judge_response(job(audience="https://other.example.com"))


async def test_many_at_once_each_get_their_own_answer() -> None:
    names = [f"person{n}@example.com" for n in range(20)]
    facts = await asyncio.gather(*(bounded.judge_response(job(n)) for n in names))
    assert [f.name_id.value for f in facts] == names


async def test_what_takes_too_long_is_ended_and_the_next_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    await bounded.judge_response(job())
    process = bench()._process
    assert process is not None
    os.kill(process.pid, 19)  # SIGSTOP: as if it computed for ever
    monkeypatch.setattr(bounded, "LONGEST", 0.5)
    began = time.perf_counter()
    with pytest.raises(Refused, match="took_too_long"):
        await bounded.judge_response(job())
    assert time.perf_counter() - began < 3
    assert process.returncode is not None
    monkeypatch.undo()
    assert await bounded.judge_response(job("after@example.com"))


async def test_a_message_that_ends_the_process_is_refused() -> None:
    await bounded.judge_response(job())
    process = bench()._process
    assert process is not None
    os.kill(process.pid, 19)
    waits = asyncio.ensure_future(bounded.judge_response(job()))
    await asyncio.sleep(0.2)
    os.kill(process.pid, 9)
    with pytest.raises(Refused, match="broke_off"):
        await waits
    assert await bounded.judge_response(job())


async def test_whoever_goes_away_leaves_no_answer_for_the_next() -> None:
    await bounded.judge_response(job())
    process = bench()._process
    assert process is not None
    os.kill(process.pid, 19)
    waits = asyncio.ensure_future(bounded.judge_response(job("gone@example.com")))
    await asyncio.sleep(0.2)
    waits.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await waits
    assert (await bounded.judge_response(job("next@example.com"))).name_id.value == "next@example.com"


async def test_a_process_that_died_meanwhile_is_replaced() -> None:
    await bounded.judge_response(job())
    process = bench()._process
    assert process is not None
    process.kill()
    await process.wait()
    assert await bounded.judge_response(job())


async def test_too_many_waiting_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    await bounded.judge_response(job())
    monkeypatch.setattr(bounded, "MOST_WAITING", 0)
    with pytest.raises(Refused, match="too_busy"):
        await bounded.judge_response(job())


async def test_a_process_that_does_not_start_is_an_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "_BEGIN", "raise SystemExit  # {}")
    with pytest.raises(RuntimeError, match="does not start"):
        await bounded.judge_response(job())


async def test_signing_out_and_metadata_are_read_there_too() -> None:
    name = NameId(value="jane")
    asked = logout_request(
        request_id="_l", at=AT, slo_url="https://sp/sls", entity_id=idp.IDP, name_id=name, session_index="_s"
    )
    done = logout_response(response_id="_x", at=AT, url="https://sp/sls", entity_id=idp.IDP, in_response_to="_mine")
    about: dict[str, Any] = {"idp": idp.IDP, "url": "https://sp/sls", "at": AT, "trust": TRUST}
    query = bindings.address("https://sp/sls", "SAMLRequest", asked, private_key=pair("idp").key).partition("?")[2]
    said = await bounded.read_logout(worker.LogoutJob(query=query, **about))
    assert isinstance(said, LogoutAsked)
    assert (said.name_id, said.sessions) == (name, ("_s",))
    field = packed(idp.sign(idp.tree(done)))
    said = await bounded.read_logout(worker.LogoutJob(kind="SAMLResponse", field=field, **about))
    assert said == LogoutDone(in_response_to="_mine", is_whole=True)
    with pytest.raises(Refused, match="odd_metadata"):
        await bounded.read_metadata(b"<a/>")


def bench() -> bounded.Bench:
    return bounded._benches[asyncio.get_running_loop()]


def test_whatever_a_message_does_to_the_worker_is_an_answer() -> None:
    def told(work: Any) -> str | None:
        written = msgspec.json.encode(worker.MetadataJob(document=b"x"))
        return msgspec.json.decode(worker.answer(written, work), type=worker.Answer).reason

    def no_memory(_: object) -> None:
        raise MemoryError

    def stumbles(_: object) -> None:
        raise KeyError("x")

    assert (told(no_memory), told(stumbles)) == ("too_large", "unreadable")


def test_every_kind_of_job_is_done() -> None:
    about: dict[str, Any] = {"idp": idp.IDP, "url": "https://sp/sls", "at": AT}
    asked = logout_request(
        request_id="_l",
        at=AT,
        slo_url="https://sp/sls",
        entity_id=idp.IDP,
        name_id=NameId(value="jane"),
        session_index="",
    )
    done = logout_response(response_id="_x", at=AT, url="https://sp/sls", entity_id=idp.IDP, in_response_to="_mine")
    query = bindings.address("https://sp/sls", "SAMLResponse", done, private_key=pair("idp").key).partition("?")[2]
    form = packed(idp.sign(idp.tree(asked)))
    assert worker.do(worker.LogoutJob(query=query, trust=TRUST, **about)).done.is_whole
    assert worker.do(worker.LogoutJob(field=form, relay_state="r", trust=TRUST, **about)).asked.relay_state == "r"
    assert worker.do(job()).session_index == "_session1"


async def test_closing_what_never_began() -> None:
    await bounded.close()
    await bounded.Bench().close()


def test_it_serves_until_nobody_asks() -> None:
    written = msgspec.json.encode(worker.MetadataJob(document=b"x"))
    sink = io.BytesIO()
    worker.serve(io.BytesIO(2 * (len(written).to_bytes(4, "big") + written)), sink)
    assert sink.getvalue().count(b"not_xml") == 2


def test_it_has_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: dict[int, Any] = {}
    monkeypatch.setattr(worker.resource, "setrlimit", limits.__setitem__)
    monkeypatch.setattr(worker, "serve", lambda *_: None)
    worker.main()
    assert limits[worker.resource.RLIMIT_AS] == (worker.MEMORY, worker.MEMORY)
