"""Microsoft Graph as its published contract has it; a decision in Microsoft's own simulator of Teams."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from joserfc import jwt
from sqlalchemy import select, update

from integration.prism import prism
from integration.systems import PATH, npm, running
from tests.notifications.test_teams import BOT, KEY, TENANT
from tests.notifications.wire import Request, Said, Wire, wire
from waypost.kernel import relay
from waypost.kernel.clock import now
from waypost.kernel.embedded import free_port
from waypost.kernel.settings import get_settings
from waypost.notifications import sending
from waypost.notifications.channels import Message, teams
from waypost.notifications.channels.registry import seal
from waypost.notifications.models import ChannelSettings, Delivery
from waypost.notifications.words import Words
from waypost.vendors import bot_tokens, microsoft
from waypost.vendors.answers import client
from waypost.vendors.fates import Delivered, TryLater
from waypost.vendors.microsoft import GRAPH, App, MicrosoftError, call

ALEX = "00000000-0000-0000-0000-0000000000020"  # one of the simulator's people


@pytest.fixture(scope="module")
def graph() -> Iterator[str]:
    with prism("msgraph-v1.oas30.json") as url:
        yield url


@pytest.fixture
async def login() -> AsyncIterator[Wire]:
    for kept in (teams._talks, microsoft._tokens, microsoft._asking, bot_tokens._kept):
        kept.clear()  # type: ignore[attr-defined]
    async with wire(lambda request: {"access_token": "t", "expires_in": 3600}) as made:
        yield made


async def test_a_nudge_as_the_contract_has_it(graph: str, login: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPH_URL", graph)
    monkeypatch.setenv("MICROSOFT_LOGIN_URL", login.url)
    get_settings.cache_clear()
    config = {
        "people": "activity feed",
        "tenant": TENANT,
        "client_id": BOT,
        "client_secret": "s",
        "app_id": "manifest",
    }
    words = Words("Please decide: Laptop", "Jane asks.", "http://localhost/approvals?ticket=1", decide={"step_id": 1})
    message = Message("<1@x>", 1, "jane@example.com", words.subject, (words,), {})
    fates = [fate async for fate in teams.Teams().send(config, [message])]
    get_settings.cache_clear()
    # the account in the contract's example
    assert fates == [Delivered(address="87d349ed-44d7-43e1-9a83-5f2406dee5bd")]


async def test_being_busy_as_the_contract_has_it(graph: str, login: Wire) -> None:
    app = App(login.url, graph, "", "t", "c", "s")
    async with client(headers={"Prefer": "code=429"}) as http:
        with pytest.raises(MicrosoftError) as busy:
            await call(http, app, GRAPH, "POST", f"users/{ALEX}/teamwork/sendActivityNotification", {})
    assert busy.value.fate == TryLater("Graph answers 429", timedelta(seconds=2), for_all=True)


@pytest.fixture
def no_browser(tmp_path: Path) -> str:
    """The simulator wants to show itself, and ends when it cannot."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "xdg-open").write_text("#!/bin/sh\n")
    (folder / "xdg-open").chmod(0o755)
    return f"{folder}:{PATH}"


async def test_a_decision_in_teams(
    fresh_database: Any, fresh_who: Any, hardware: Any, no_browser: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    jane, seen = await fresh_who("employee"), []
    email = (await fresh_who("manager")).me["email"]
    port = free_port()
    connector = f"http://127.0.0.1:{port}/_connector"

    async def arrives(request: Request) -> Any:
        """What the simulator sends goes on to the product, with the token that Microsoft would have put on it."""
        if request.path != "/api/messages":
            return microsoft_says(request)
        seen.append(request.json)
        at = int(now().timestamp())
        claims = {
            "iss": bot_tokens.ISSUER,
            "aud": BOT,
            "exp": at + 600,
            "nbf": at - 5,
            "serviceurl": request.json["serviceUrl"],
        }
        token = jwt.encode({"alg": "RS256", "kid": "k1"}, claims, KEY, algorithms=["RS256"])
        headers = {"Authorization": f"Bearer {token}", "content-type": "application/json"}
        answer = await jane.http.post("/integrations/teams/messages", content=request.body, headers=headers)
        return Said(
            answer.content, answer.status_code, {"content-type": answer.headers.get("content-type", "text/plain")}
        )

    def microsoft_says(request: Request) -> Any:
        if request.path == "/keys":
            return {"jwks_uri": f"{outside.url}/keys/all"}
        if request.path == "/keys/all":
            return {"keys": [KEY.as_dict(private=False)]}
        if request.path.startswith(f"/graph/users/{ALEX}"):
            return {"id": ALEX, "accountEnabled": True, "mail": email}
        if request.path.startswith("/graph/users/"):
            return {"id": "user-id-0", "accountEnabled": True}  # the simulator opens no talk by the directory's id
        return {"access_token": "t", "expires_in": 3600}

    for kept in (teams._talks, microsoft._tokens, microsoft._asking, bot_tokens._kept):
        kept.clear()  # type: ignore[attr-defined]
    programs = npm("@microsoft/m365agentsplayground", "0.2.28")
    async with wire(arrives) as outside:
        for name, url in (
            ("MICROSOFT_LOGIN_URL", outside.url),
            ("GRAPH_URL", f"{outside.url}/graph"),
            ("TEAMS_BOT_URL", connector),
            ("TEAMS_OPENID_URL", f"{outside.url}/keys"),
        ):
            monkeypatch.setenv(name, url)
        get_settings.cache_clear()
        async with fresh_database.transaction() as session:
            await session.execute(update(Delivery).values(status="SENT"))
            settings = {"tenant": TENANT, "client_id": BOT}
            row = ChannelSettings(key="teams", is_on=True, settings=settings, updated_at=now())
            seal(row, {"client_secret": "s"})
            session.add(row)
        command = ("agentsplayground", "-e", f"{outside.url}/api/messages", "-c", "msteams", "-p", str(port))
        command = (str(programs / command[0]), *command[1:], "--service-url", connector, "--dt")
        with running(*command, ready="Listening on", PATH=no_browser, BROWSER="none"):
            ticket = await jane.post("/tickets", hardware("500.00"), expect=201)
            await relay.drain(fresh_database)
            await sending.send_due(fresh_database)
            asked = (await deliveries(fresh_database))[-1]
            assert (asked.status, asked.last_error) == ("SENT", None)
            talk, _, activity = (asked.provider_ref or "").rpartition(";")
            decide = asked.words["decide"]
            press = {"type": "Action.Execute", "verb": "approve"}
            press |= {"data": {"press": f"{decide['step_id']}.{decide['version']}"}}
            invoke = {
                "name": "adaptiveCard/action",
                "value": {"action": press, "trigger": "manual"},
                "from": {"id": "user-id-0"},
                "conversation": {"id": talk},
                "replyToId": activity,
            }
            async with httpx2.AsyncClient(timeout=20, trust_env=False) as teams_user:
                answer = await teams_user.post(f"http://127.0.0.1:{port}/_conversation/v1/invoke", json=invoke)
                assert answer.status_code == 200, answer.text
                assert "Approved." in json.dumps(answer.json())
                assert (await jane.get(f"/tickets/{ticket['id']}"))["status"] == "APPROVED"
                await relay.drain(fresh_database)
                await sending.send_due(fresh_database)
        settled = (await deliveries(fresh_database))[-1]
        assert (settled.kind, settled.status, settled.last_error) == ("approval.settled", "SENT", None)
        assert [a["from"]["aadObjectId"] for a in seen if a["type"] == "invoke"] == [ALEX]
    get_settings.cache_clear()


async def deliveries(database: Any) -> list[Delivery]:
    async with database.read() as session:
        found = select(Delivery).where(Delivery.channel == "teams", Delivery.user_id.is_not(None)).order_by(Delivery.id)
        return list(await session.scalars(found))
