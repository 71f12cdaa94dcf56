"""Real systems beside the product: each is installed by its own package manager into a folder that is kept, started on
this machine, and stopped. One that cannot be installed or started is a failure, never a test that is left out.
"""

from __future__ import annotations

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
)
