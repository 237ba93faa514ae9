"""A database server for these tests, and the helpers of those of the service."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from database_servers import postgresql_server
from sqlalchemy import create_engine, make_url, text

sys.path.append(str(Path(__file__).parent.parent / "serving"))


@pytest.fixture(scope="session", autouse=True)
def own_store() -> Iterator[None]:
    """No database and no workspace of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SPEARFISH_STORE_URL", "SPEARFISH_HOME"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def people_server() -> Iterator[str]:
    with postgresql_server("") as reader:
        owner = make_url(reader).set(drivername="postgresql+psycopg", username="owner", password=None)
        yield owner.render_as_string(hide_password=False)


@pytest.fixture
def own_postgresql_url(people_server: str) -> str:
    """An empty database, whose ids begin at 1."""
    server, name = make_url(people_server), f"own_{uuid4().hex}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0"))
    engine.dispose()
    return server.set(database=name).render_as_string(hide_password=False)
