"""A provider that pushes, and its client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from waypost.access.providers.models import IdentityProvider

from .pushing import Push, a_provider, a_token, forget


@pytest.fixture
async def provider(database: Any) -> AsyncIterator[IdentityProvider]:
    row = await a_provider(database)
    yield row
    await forget(database, row)


@pytest.fixture
async def push(app: Any, database: Any, provider: IdentityProvider) -> AsyncIterator[Push]:
    made = Push(app, await a_token(database, provider))
    yield made
    await made.http.aclose()
