"""What crosses HTTP about finding."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from waypost.kernel.shapes import NamedRef, PersonRef
from waypost.tickets.schemas import StatusWord, TicketListItem

PartWord = Literal["TITLE", "PEOPLE", "DESCRIPTION", "COMMENT", "INTERNAL_COMMENT", "FILE", "INTERNAL_FILE"]


class FoundIn(BaseModel):
    """Where the words stand: `id` and `name` of a comment or file, where it is one."""

    part: PartWord
    id: Annotated[int | None, Field(examples=[None])]
    name: Annotated[str | None, Field(examples=[None])]


class SearchHit(BaseModel):
    """A ticket that was found. Texts are HTML in which everything is escaped but `<mark>`."""

    ticket: TicketListItem
    title_highlight: Annotated[str, Field(examples=["A <mark>laptop</mark> for the new colleague"])]
    snippet: Annotated[str, Field(examples=["… the old <mark>laptop</mark> does not start any more …"])]
    found_in: FoundIn


class UnderstoodFilter(BaseModel):
    """A filter as it was understood; `text` is what stands for it in what was written."""

    field: Annotated[str, Field(examples=["status"])]
    value: Annotated[str, Field(examples=["open"])]
    text: Annotated[str, Field(examples=["status:open"])]
    is_without: bool


class SearchNote(BaseModel):
    """Something that was taken otherwise than it may have been meant."""

    code: Literal["too_long", "too_many", "unknown_field", "unknown_value", "unknown_part", "or_apart", "many_people"]
    text: Annotated[str, Field(examples=["colour"])]


class FacetCount(BaseModel):
    value: Annotated[str, Field(examples=["IN_PROGRESS"])]
    count: Annotated[int, Field(examples=[12])]


class Facets(BaseModel):
    """How many of what was found are of each kind."""

    status: list[FacetCount]
    ticket_type: list[FacetCount]


class SearchPage(BaseModel):
    """What was found, best first. `found` counts what was ranked; `found_more` says that there is more than that.

    `is_partial`: time ran out, and this is a part. `widened`: words were also taken as beginnings. `did_you_mean` is another
    spelling that finds more; `is_corrected` says that what is shown was found by it.
    """

    items: list[SearchHit]
    next_cursor: str | None
    found: Annotated[int | None, Field(examples=[3])]
    found_more: bool
    is_partial: bool
    widened: bool
    did_you_mean: Annotated[str | None, Field(examples=[None])]
    is_corrected: bool
    filters: list[UnderstoodFilter]
    notes: list[SearchNote]
    facets: Facets


class SuggestedTicket(BaseModel):
    """A ticket by its title. `title_highlight` is HTML in which everything is escaped but `<mark>`."""

    id: Annotated[int, Field(examples=[42])]
    ticket_number: Annotated[str, Field(examples=["ITH-2026-000123"])]
    title: Annotated[str, Field(examples=["A laptop for the new colleague"])]
    title_highlight: Annotated[str, Field(examples=["A <mark>laptop</mark> for the new colleague"])]
    status: StatusWord
    ticket_type: Annotated[str, Field(examples=["IT_HARDWARE"])]


class SuggestedView(BaseModel):
    id: Annotated[int, Field(examples=[4])]
    name: Annotated[str, Field(examples=["My open laptops"])]


class FoundPerson(PersonRef):
    """Somebody one may look up."""

    department: NamedRef | None


class FoundPeople(BaseModel):
    """Who fits, by name; `more`: there are others, whom more letters would bring."""

    items: list[FoundPerson]
    more: bool


class Suggestions(BaseModel):
    """What may be meant. `words` are ways in which what was written may go on."""

    tickets: list[SuggestedTicket]
    people: list[FoundPerson]
    views: list[SuggestedView]
    words: Annotated[list[str], Field(examples=[["status:open"]])]


class Similar(BaseModel):
    items: list[SuggestedTicket]
