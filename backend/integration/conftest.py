"""Real systems beside the product: each is installed by its own package manager into a folder that is kept, started on
this machine, and stopped. One that cannot be installed or started is a failure, never a test that is left out.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration.open_ldap import OpenLdap, open_ldap
from integration.samba_ad import SambaAd, samba_ad
from tests.conftest import (  # noqa: F401  the product of the other tests: its servers, the demo company, its people
    app,
    data_dir,
    database,
    find_step,
    fresh_database,
    fresh_who,
    hardware,
    servers,
    template,
    who,
    whole_app,
    whole_database,
)


@pytest.fixture(scope="session")
def openldap() -> Iterator[OpenLdap]:
    with open_ldap() as made:
        yield made


@pytest.fixture(scope="session")
def ad() -> Iterator[SambaAd]:
    with samba_ad() as made:
        yield made
