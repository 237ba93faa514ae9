"""Database servers of the tests' own: on loopback, in a folder that is thrown away, by an ordinary user.

Time rule: none. Null rule: none.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

__all__ = ["PASSWORD", "PostgreSQL", "mariadb_server", "postgresql", "postgresql_server"]

PASSWORD = "s3cret p@ss"
_CRM = f"""CREATE DATABASE crm CHARACTER SET utf8mb4; USE crm;
CREATE USER reader@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'; GRANT SELECT ON crm.* TO reader@'127.0.0.1';"""


class PostgreSQL:
    """A server that may be stopped and started again. url: of a database that belongs to its user."""

    def __init__(self, programs: Path, folder: Path, *, user: str | None) -> None:
        self._programs, self._folder, self._user, self._port = programs, folder, user, _free_port()
        self.place = f"127.0.0.1:{self._port}/postgres"
        self.url = f"postgresql+psycopg://owner@{self.place}"
        options = [f"--pgdata={folder / 'data'}", "--username=owner", "--auth=trust", "--encoding=UTF8"]
        self._run("initdb", *options, "--no-sync")
        rules = ("host all owner 127.0.0.1/32 trust", "host all all 127.0.0.1/32 scram-sha-256")
        (folder / "data" / "pg_hba.conf").write_text("\n".join([*rules, ""]), encoding="utf-8")

    def start(self) -> None:
        options = f"-p {self._port} -h 127.0.0.1 -c unix_socket_directories= -c fsync=off"
        self._control("start", f"--options={options}")

    def stop(self) -> None:
        """At once, as a crash would."""
        self._control("stop", "--mode=immediate")

    def run(self, script: str) -> None:
        owner = ["--host=127.0.0.1", f"--port={self._port}", "--username=owner", "--dbname=postgres"]
        self._run("psql", *owner, told=script)

    def _control(self, what: str, *options: str) -> None:
        files = (f"--pgdata={self._folder / 'data'}", f"--log={self._folder / 'log'}")
        self._run("pg_ctl", what, *files, "--wait", *options)

    def _run(self, program: str, *arguments: str, told: str = "") -> None:
        _run(self._programs / program, *arguments, user=self._user, folder=self._folder, told=told)


@contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """A server that runs; whoever stops it starts it again."""
    programs = _newest(Path("/usr/lib/postgresql"), "bin/initdb", package="postgresql").parent
    with _folder("postgres") as (folder, user):
        server = PostgreSQL(programs, folder, user=user)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def postgresql_server(script: str) -> Iterator[str]:
    """The address of a database in which `script` was run, and in which the user `reader` may read."""
    with postgresql() as server:
        allowed = f"CREATE USER reader PASSWORD '{PASSWORD}'; GRANT pg_read_all_data TO reader;"
        server.run(script + allowed)
        yield f"postgresql://reader:{quote(PASSWORD)}@{server.place}"


@contextmanager
def mariadb_server(script: str) -> Iterator[str]:
    """As `postgresql_server`. MariaDB speaks MySQL's protocol, and is what Debian has."""
    installer = _newest(Path("/usr/bin"), "mariadb-install-db", package="mariadb-server")
    with _folder("mysql") as (folder, user):
        data, port = folder / "data", _free_port()
        where = ["--no-defaults", f"--datadir={data}"]
        _run(installer, *where, "--auth-root-authentication-method=normal", user=user, folder=folder)
        options = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder / 'socket'}"]
        log = (folder / "log").open("wb")
        server = subprocess.Popen(
            ["/usr/sbin/mariadbd", *where, *options],
            **_as(user),
            cwd=folder,
            stdout=log,
            stderr=log,
        )
        try:
            local = ["--no-defaults", f"--socket={folder / 'socket'}", "--user=root"]
            _run(Path("/usr/bin/mariadb-admin"), *local, "--wait=60", "ping", user=user, folder=folder)
            client = [*local, "--default-character-set=utf8mb4"]
            _run(Path("/usr/bin/mariadb"), *client, user=user, folder=folder, told=f"{_CRM} {script}")
            yield f"mysql://reader:{quote(PASSWORD)}@127.0.0.1:{port}/crm"
        finally:
            server.terminate()
            server.wait(timeout=60)
            log.close()


def _newest(folder: Path, program: str, *, package: str) -> Path:
    found = sorted([*folder.glob(program), *folder.glob(f"*/{program}")])
    if not found:
        assert not os.environ.get("CI"), f"CI must have the server: apt-get install {package}"
        pytest.skip(f"no server: apt-get install {package}")  # a program of the machine: CI fails without it
    return found[-1]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _folder(user: str) -> Iterator[tuple[Path, str | None]]:
    """A folder of the user's; the servers refuse to run as root, so that a root hands over to the user."""
    folder, root = Path(tempfile.mkdtemp(prefix="spearfish-")), os.geteuid() == 0
    if root:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    try:
        yield folder, user if root else None
    finally:
        shutil.rmtree(folder)


def _as(user: str | None) -> dict[str, str]:
    return {} if user is None else {"user": user}


def _run(program: Path, *arguments: str, user: str | None, folder: Path, told: str = "") -> None:
    # A server that stays must not hold the pipe of what its starter says: it goes to a file.
    said = folder / "said"
    with said.open("wb") as output:
        done = subprocess.run(
            [program, *arguments],
            **_as(user),
            cwd=folder,
            input=told.encode(),
            stdout=output,
            stderr=output,
            check=False,
            timeout=120,
        )
    assert done.returncode == 0, said.read_text("utf-8", "replace")
