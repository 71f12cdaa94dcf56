"""What one was told, over HTTP: one's own, marked as read, and the log administrators see."""

from __future__ import annotations

from typing import Any

from waypost.kernel import relay


async def test_one_reads_ones_own_only(fresh_database: Any, fresh_who: Any, hardware: Any) -> None:
    jane, mike, outsider = await fresh_who("employee"), await fresh_who("manager"), await fresh_who("outsider")
    await mike.post("/notifications/read-all", expect=204)
    ticket = await jane.post("/tickets", hardware(), expect=201)
    await relay.drain(fresh_database)
    page = await mike.get("/notifications", params={"unread": "true"})
    (notice,) = page["items"]
    assert page["unread_count"] == 1
    assert notice["kind"] == "approval.requested"
    assert notice["ticket"]["id"] == ticket["id"]
    assert notice["link"] == f"/approvals?ticket={ticket['id']}"
    assert notice["read_at"] is None
    path = f"/notifications/{notice['id']}/read"
    await outsider.post(path, expect=404)
    await mike.post(path, expect=204)
    read = (await mike.get("/notifications"))["items"][0]["read_at"]
    await mike.post(path, expect=204)
    assert (await mike.get("/notifications"))["items"][0]["read_at"] == read
    assert (await mike.get("/notifications", params={"unread": "true"}))["items"] == []
    assert notice["id"] not in {n["id"] for n in (await outsider.get("/notifications"))["items"]}


async def test_all_about_one_request_is_marked(fresh_database: Any, fresh_who: Any, hardware: Any) -> None:
    jane, mike = await fresh_who("employee"), await fresh_who("manager")
    await mike.post("/notifications/read-all", expect=204)
    one, two = [await jane.post("/tickets", hardware(), expect=201) for _ in range(2)]
    await relay.drain(fresh_database)
    await mike.post(f"/notifications/read-all?ticket_id={one['id']}", expect=204)
    left = (await mike.get("/notifications", params={"unread": "true"}))["items"]
    assert {n["ticket"]["id"] for n in left} == {two["id"]}
    await mike.post("/notifications/read-all?ticket_id=nonsense", expect=422)


async def test_notices_are_paged(who: Any) -> None:
    mike = await who("manager")
    seen: list[int] = []
    cursor: dict[str, str] = {}
    for _ in range(50):
        page = await mike.get("/notifications", params={"limit": 2, **cursor})
        seen += [n["id"] for n in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) > 2
    await mike.get("/notifications", params={"cursor": "nonsense"}, expect=422)


async def test_the_delivery_log_is_for_administrators(fresh_database: Any, fresh_who: Any, hardware: Any) -> None:
    jane, admin = await fresh_who("employee"), await fresh_who("admin")
    await jane.post("/tickets", hardware(), expect=201)
    await relay.drain(fresh_database)
    await jane.get("/notification-deliveries", expect=403)
    page = await admin.get("/notification-deliveries", params={"status": "PENDING", "limit": 1})
    (mail,) = page["items"]
    assert mail["recipient"] == "manager@example.com"
    assert mail["headers"]["Auto-Submitted"] == "auto-generated"
    assert (await admin.get("/notification-deliveries", params={"limit": 1, "cursor": page["next_cursor"]}))["items"]
    await admin.get("/notification-deliveries", params={"status": "LOST"}, expect=422)
