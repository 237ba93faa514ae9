"""The file of an export is whole and open where it is sent, and closed where it cannot be written."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from tempfile import SpooledTemporaryFile
from types import SimpleNamespace
from typing import IO, Any

import pytest
from followed_lists import at

from features.errors import WorkspaceError
from serving.web.routes import list_exports

EXPORT: Any = SimpleNamespace(format="salesforce", at=at("2024-12-01"))
NO_STORE: Any = None


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[IO[bytes]]]:
    """The temporary files."""
    found: list[IO[bytes]] = []
    with ExitStack() as opened:

        def kept(most: int) -> IO[bytes]:
            found.append(opened.enter_context(SpooledTemporaryFile(most)))
            return found[-1]

        monkeypatch.setattr(list_exports, "SpooledTemporaryFile", kept)
        monkeypatch.setattr(list_exports, "lines", lambda *_: [("Id", "Name"), ("1", "Bee")])
        yield found


def failing(error: Exception) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_a_file_is_given_from_its_beginning_and_closed_by_who_sends_it(made: list[IO[bytes]]) -> None:
    file = list_exports._written(NO_STORE, EXPORT)
    assert (made, file.closed) == ([file], False)
    assert b"".join(list_exports._read(file)) == b"Id,Name\n1,Bee\n"
    assert file.closed


def test_a_file_that_does_not_fit_on_the_disk_is_closed(
    made: list[IO[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_exports, "write", failing(OSError(errno.ENOSPC, "no space left on device")))
    with pytest.raises(WorkspaceError, match=r"cannot be kept on disk.*free some space"):
        list_exports._written(NO_STORE, EXPORT)
    assert [one.closed for one in made] == [True]


def test_a_file_whose_list_cannot_be_read_is_closed(
    made: list[IO[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_exports, "write", failing(WorkspaceError("the store is gone", fix="mend it")))
    with pytest.raises(WorkspaceError, match="the store is gone"):
        list_exports._written(NO_STORE, EXPORT)
    assert [one.closed for one in made] == [True]
