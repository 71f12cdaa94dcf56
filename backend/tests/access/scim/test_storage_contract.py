"""Our storage keeps the rules `scim2-server` asks of one: its own suite, on our tables."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from scim2_models import ScimProvider
from scim2_server.testing import AsyncScimStorageContract, BlockingStorage

from waypost.access.scim.resources import PROVIDER
from waypost.access.scim.storage import Storage
from waypost.kernel.db import Database
from waypost.kernel.settings import get_settings

from .pushing import a_provider, forget


class TestStorage(AsyncScimStorageContract):
    @pytest.fixture
    def provider(self) -> ScimProvider:
        return PROVIDER

    @pytest.fixture
    def storage(self, database: Any) -> Iterator[BlockingStorage]:
        with asyncio.Runner() as runner:
            own = Database.connect(get_settings())  # pools belong to one event loop
            row = runner.run(a_provider(own))
            rows = Storage(own, row, mail_domain=row.settings["mail_domain"])
            yield BlockingStorage(rows, runner)
            runner.run(forget(own, row))
            runner.run(own.dispose())
