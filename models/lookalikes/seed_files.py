"""A file of seeds: CSV or a workbook, with a header or without one.

Turns a file into numbered rows of cells by kind, for `match_seeds`. Time rule: none. Null rule: blank rows
are left out; a file of nothing but blanks is refused.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from features.errors import ConfigError, ContractError, InputError, suggestion
from features.text_files import TextFile, open_text
from features.workbooks import ENDINGS, open_sheet

__all__ = ["MOST_BYTES", "read_seed_file", "read_seed_lines"]

MOST_BYTES: Final = 200_000_000
"""A list of seeds is a few megabytes at most; a larger file is another file."""

_ENCODED: Final = "say what it is in, as in --encoding gb18030 or --encoding latin-1, or save it as UTF-8"

_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "account_id": ("accountid", "id", "account", "companyid", "recordid", "salesforceid", "客户标识"),
    "domain": (
        *("domain", "website", "url", "web", "homepage", "companydomain", "companydomainname"),
        *("域名", "网址", "网站"),
    ),
    "email": ("email", "mail", "emailaddress", "e-mail", "邮箱", "电子邮件"),
    "name": ("name", "company", "companyname", "accountname", "公司", "公司名称", "名称", "客户名称"),
    "country": ("country", "countryregion", "国家"),
}


def read_seed_file(
    file: Path, *, encoding: str | None = None, column: str | None = None
) -> list[tuple[int, dict[str, str]]]:
    """Rows of a file by number. column: the one that names the companies, whatever it is called.

    encoding: of a CSV file; without it UTF-8, or what a byte-order mark says.
    Raises InputError or ConfigError for a file that cannot be read, ContractError for one without companies.
    """
    if not file.is_file():
        raise InputError(f"{file} is no file", fix="name a CSV file or a workbook with one company per row")
    if (size := file.stat().st_size) > MOST_BYTES:
        raise InputError(
            f"{file} is too large for a list of seeds",
            got=f"{size:,} bytes",
            allowed=f"{MOST_BYTES:,}",
            fix="keep the column that names the companies",
        )
    if size == 0:
        raise ContractError(f"{file} is empty", allowed="one company per row", fix="list the seeds in it")
    try:
        with TemporaryDirectory(prefix="spearfish-") as folder:
            opened = _opened(file, encoding=encoding, scratch=Path(folder) / "seeds.csv")
            with opened.path.open(encoding="utf-8-sig", newline="") as lines:
                rows = list(csv.reader(lines, delimiter=opened.delimiter))[opened.skip :]
    except UnicodeDecodeError as error:
        told = f"byte {error.start + 1:,}: {error.object[error.start : error.end].hex()}"
        raise InputError(f"{file} is not text in {encoding or 'UTF-8'}", got=told, fix=_ENCODED) from error
    except (OSError, csv.Error) as error:
        raise InputError(f"{file} cannot be read", got=error, fix="write the file again") from error
    found = _by_kind(rows, named=str(file), first=opened.skip + 1, column=column)
    if not found:
        raise ContractError(
            f"{file} names no company",
            got=f"{len(rows):,} rows",
            fix="list account ids, domains or names in it",
        )
    return found


def read_seed_lines(text: str) -> list[tuple[int, dict[str, str]]]:
    """Rows of pasted lines, one company each; cells that are parted by tabs or semicolons are one row."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        cells = [cell.strip() for cell in line.replace(";", "\t").split("\t") if cell.strip()]
        found += [(number, {"anything": cell}) for cell in cells[:1]]
    return found


def _opened(file: Path, *, encoding: str | None, scratch: Path) -> TextFile:
    if file.suffix.lower() in ENDINGS:
        return open_sheet(file, sheet=None, scratch=scratch)
    try:
        return open_text(file, encoding=encoding, delimiter=None, scratch=scratch)
    except LookupError as error:
        raise ConfigError("no such encoding", got=encoding, fix="say utf-8, gb18030 or latin-1") from error
    except ConfigError as error:
        if "is not text in" not in error.what:
            raise
        raise ConfigError(error.what, got=error.got, allowed=error.allowed, fix=_ENCODED) from error


def _by_kind(
    rows: Sequence[Sequence[str]], *, named: str, first: int, column: str | None
) -> list[tuple[int, dict[str, str]]]:
    header = [cell.strip() for cell in rows[0]] if rows else []
    kinds = _kinds(header, named=named, column=column)
    numbered = list(enumerate(rows, start=first))
    if kinds is None:
        kinds = {0: "anything"}
    else:
        numbered = numbered[1:]
    found = []
    for number, row in numbered:
        told = {kind: row[at].strip() for at, kind in kinds.items() if at < len(row) and row[at].strip()}
        if told:
            found.append((number, told))
    return found


def _kinds(header: Sequence[str], *, named: str, column: str | None) -> dict[int, str] | None:
    """The kind of each known column; None where the first row is no header."""
    if column is not None:
        if column not in header:
            raise ContractError(
                f"{named}: no column {column!r}", got=", ".join(header), fix=suggestion(column, header)
            )
        return {list(header).index(column): "anything"}
    found: dict[int, str] = {}
    for at, name in enumerate(header):
        plain = "".join(sign for sign in name.casefold() if sign.isalnum())
        kind = next((kind for kind, names in _NAMES.items() if plain in names), None)
        if kind is not None and kind not in found.values():
            found[at] = kind
    naming = {at: kind for at, kind in found.items() if kind != "country"}
    if len(naming) == 1 and naming.keys() == found.keys():
        # People put domains below "company", and names below "account".
        return dict.fromkeys(naming, "anything")
    if naming:
        return found
    if len(header) > 1:
        raise ContractError(
            f"{named}: no column says which companies are meant",
            got=", ".join(header[:8]),
            allowed="account_id, domain, website, email, company or name",
            fix="rename a column, or name it with --column",
        )
    return None
