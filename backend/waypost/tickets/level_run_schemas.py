"""What crosses HTTP when a service level's newest version is applied to running requests."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from waypost.kernel.shapes import PersonRef, Strict, Version


class LevelRunBegin(Strict):
    """`version` is the policy's newest version, as it was read. A trial only counts what it would come to."""

    version: Version
    is_trial: Annotated[bool, Field(strict=True, examples=[True])]


class ByVersion(BaseModel):
    version: Annotated[int, Field(examples=[2])]
    requests: Annotated[int, Field(examples=[40])]


class LevelCounts(BaseModel):
    """What becomes of requests and of those clocks of theirs that run or wait."""

    requests: Annotated[int, Field(description="Requests that get the newest version.", examples=[40])]
    moved: Annotated[int, Field(description="Requests for which another policy, or none, holds now.", examples=[1])]
    clocks: Annotated[int, Field(description="Clocks whose numbers change.", examples=[55])]
    late: Annotated[int, Field(description="Clocks that are late at once.", examples=[3])]
    eased: Annotated[int, Field(description="Clocks that were late and are not any more.", examples=[0])]
    later: Annotated[int, Field(description="Clocks that are due later, or have more time left.", examples=[50])]
    earlier: Annotated[int, Field(description="Clocks that are due earlier, or have less time left.", examples=[5])]
    begun: Annotated[int, Field(description="Clocks of a target there was not before.", examples=[0])]
    ended: Annotated[int, Field(description="Clocks of a target there is no more.", examples=[0])]
    failed: Annotated[int, Field(description="Requests that could not be measured.", examples=[0])]


class LevelExample(BaseModel):
    """A request and the clock of it that changes most; a due moment is null while the clock waits, or where there is none."""

    ticket_id: Annotated[int, Field(examples=[42])]
    ticket_number: Annotated[str, Field(examples=["REQ-000042"])]
    title: Annotated[str, Field(examples=["New laptop"])]
    metric: Literal["FIRST_RESPONSE", "NEXT_UPDATE", "RESOLUTION", "OWN_TIME"]
    before: Annotated[str | None, Field(examples=["2026-11-26T09:30:00Z"])]
    after: Annotated[str | None, Field(examples=["2026-11-26T13:30:00Z"])]
    is_later: Annotated[
        bool | None, Field(description="Due later, or more time is left; false: the contrary.", examples=[True])
    ]
    is_late: Annotated[bool, Field(description="It is late at once.", examples=[False])]


class LevelRunInShort(BaseModel):
    id: Annotated[int, Field(examples=[7])]
    policy_id: Annotated[int, Field(examples=[1])]
    policy_version: Annotated[int, Field(examples=[3])]
    is_trial: bool
    status: Annotated[
        Literal["RUNNING", "FINISHED", "STOPPED", "OVERTAKEN", "REVOKED"],
        Field(
            description="`OVERTAKEN`: the policy was changed meanwhile. `REVOKED`: who began it may not any more.",
            examples=["RUNNING"],
        ),
    ]
    total: Annotated[int, Field(examples=[40])]
    done: Annotated[int, Field(examples=[12])]
    before: Annotated[list[ByVersion], Field(description="How many requests ran by which version when it began.")]
    counts: LevelCounts
    started_by: PersonRef | None
    stopped_by: PersonRef | None
    created_at: Annotated[str, Field(examples=["2026-11-26T09:30:00Z"])]
    finished_at: Annotated[str | None, Field(examples=["2026-11-26T09:31:00Z"])]
    allowed_actions: list[Literal["stop"]]


class LevelRunRead(LevelRunInShort):
    examples: Annotated[list[LevelExample], Field(description="At most 20, of those its reader may see.")]


class LevelRunPage(BaseModel):
    items: list[LevelRunInShort]
    next_cursor: str | None
