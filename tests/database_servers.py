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

__all__ = ["PASSWORD", "mariadb_server", "postgresql_server"]

PASSWORD = "s3cret p@ss"
_CRM = f"""CREATE DATABASE crm CHARACTER SET utf8mb4; USE crm;
CREATE USER reader@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'; GRANT SELECT ON crm.* TO reader@'127.0.0.1';"""


@contextmanager
def postgresql_server(script: str) -> Iterator[str]:
    """The address of a database in which `script` was run, and in which the user `reader` may read."""
    programs = _newest(Path("/usr/lib/postgresql"), "bin/initdb", package="postgresql").parent
    with _folder("postgres") as (folder, user):
        data, port = folder / "data", _free_port()
        options = [f"--pgdata={data}", "--username=owner", "--auth=trust", "--encoding=UTF8", "--no-sync"]
        _run(programs / "initdb", *options, user=user, folder=folder)
        rules = ("host all owner 127.0.0.1/32 trust", "host all all 127.0.0.1/32 scram-sha-256")
        (data / "pg_hba.conf").write_text("\n".join([*rules, ""]), encoding="utf-8")
        started = f"-p {port} -h 127.0.0.1 -c unix_socket_directories= -c fsync=off"
        control = [f"--pgdata={data}", "--wait", f"--log={folder / 'log'}"]
        _run(programs / "pg_ctl", "start", *control, f"--options={started}", user=user, folder=folder)
        try:
            allowed = f"CREATE USER reader PASSWORD '{PASSWORD}'; GRANT pg_read_all_data TO reader;"
            owner = ["--host=127.0.0.1", f"--port={port}", "--username=owner", "--dbname=postgres"]
            _run(programs / "psql", *owner, user=user, folder=folder, told=script + allowed)
            yield f"postgresql://reader:{quote(PASSWORD)}@127.0.0.1:{port}/postgres"
        finally:
            _run(programs / "pg_ctl", "stop", "--mode=immediate", *control, user=user, folder=folder)


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
        pytest.skip(f"no database server: apt-get install {package}")  # a fresh machine has none; CI fails
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
