"""What crosses HTTP about people, departments and teams."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, EmailStr, Field

from waypost.kernel.ids import Id
from waypost.kernel.shapes import Line, NamedRef, PersonRef, Remark, Strict, Version

_Name = Annotated[Line, Field(max_length=100, examples=["Jane"])]


class UserRole(BaseModel):
    key: Annotated[str, Field(examples=["employee"])]
    name: Annotated[str, Field(examples=["Employee"])]


class UserRead(BaseModel):
    """A person, as administrators see them."""

    id: Annotated[int, Field(examples=[1])]
    username: Annotated[str, Field(examples=["employee"])]
    email: Annotated[str, Field(examples=["jane.doe@example.com"])]
    first_name: Annotated[str, Field(examples=["Jane"])]
    last_name: Annotated[str, Field(examples=["Doe"])]
    name: Annotated[str, Field(examples=["Jane Doe"])]
    job_title: Annotated[str, Field(examples=["Marketing specialist"])]
    department: NamedRef | None
    manager: PersonRef | None
    roles: list[UserRole]
    is_active: bool
    timezone: Annotated[str, Field(examples=["Europe/Berlin"])]
    locale: Annotated[str, Field(examples=["en"])]
    signed_in_at: Annotated[datetime | None, Field(description="Their newest sign-in.")]
    has_second_factor: bool
    is_erased: Annotated[bool, Field(description="What was personal about them is gone.")]
    version: Annotated[int, Field(examples=[1])]


class UserPage(BaseModel):
    items: list[UserRead]
    next_cursor: str | None


class UserCreate(Strict):
    """A new person. Without a password they get a one-time link from an administrator."""

    username: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$", examples=["jdoe"])]
    email: Annotated[EmailStr, Field(max_length=254, examples=["jdoe@example.com"])]
    first_name: _Name
    last_name: Annotated[Line, Field(max_length=100, examples=["Doe"])]
    department_id: Annotated[Id | None, Field(examples=[2])] = None
    manager_id: Annotated[Id | None, Field(examples=[3])] = None
    job_title: Annotated[str, Field(max_length=100, examples=["Marketing specialist"])] = ""
    roles: Annotated[list[str], Field(max_length=20, examples=[["employee"]])] = ["employee"]
    password: Annotated[str | None, Field(max_length=512, examples=["correct horse battery staple"])] = None


class PersonItem(PersonRef):
    """A person in a picker."""

    department: NamedRef | None
    is_active: Annotated[bool, Field(examples=[True])]
    away_until: Annotated[datetime | None, Field(description="Set while they are away.", examples=[None])]


class PersonPage(BaseModel):
    items: list[PersonItem]
    next_cursor: str | None


class DepartmentRead(BaseModel):
    id: Annotated[int, Field(examples=[2])]
    name: Annotated[str, Field(examples=["Marketing"])]
    parent: NamedRef | None
    head: PersonRef | None
    people_count: Annotated[int, Field(description="Active people in it, without those below.", examples=[12])]
    version: Annotated[int, Field(examples=[1])]


class DepartmentPage(BaseModel):
    items: list[DepartmentRead]
    next_cursor: str | None


class DepartmentCreate(Strict):
    name: Annotated[Line, Field(max_length=100, examples=["Field marketing"])]
    parent_id: Annotated[Id | None, Field(examples=[2])] = None
    head_id: Annotated[Id | None, Field(examples=[3])] = None


class DepartmentUpdate(Strict):
    """The fields to change; what is left out stays."""

    version: Version | None = None
    name: Annotated[Line, Field(max_length=100, examples=["Field marketing"])] = ""
    parent_id: Annotated[Id | None, Field(examples=[2])] = None
    head_id: Annotated[Id | None, Field(examples=[3])] = None


class TeamRead(BaseModel):
    id: Annotated[int, Field(examples=[1])]
    name: Annotated[str, Field(examples=["IT Support"])]
    description: Annotated[str, Field(examples=["Laptops, accounts, printers"])]
    members: list[PersonRef]
    lead_ids: Annotated[list[int], Field(description="Members who lead it.", examples=[[4]])]
    version: Annotated[int, Field(examples=[1])]


class TeamPage(BaseModel):
    items: list[TeamRead]
    next_cursor: str | None


class TeamCreate(Strict):
    name: Annotated[Line, Field(max_length=100, examples=["Print shop"])]
    description: Annotated[str, Field(max_length=2000, examples=["Posters and flyers"])] = ""
    member_ids: Annotated[list[Id], Field(max_length=1000, examples=[[4, 5]])] = []


class TeamUpdate(Strict):
    """The fields to change; what is left out stays."""

    version: Version | None = None
    name: Annotated[Line, Field(max_length=100, examples=["Print shop"])] = ""
    description: Annotated[Remark, Field(max_length=2000, examples=["Posters and flyers"])] = ""


class TeamMemberSet(Strict):
    is_lead: Annotated[bool, Field(strict=True, examples=[False])] = False
