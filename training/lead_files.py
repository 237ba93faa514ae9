"""Leads in a CSV file, matched to the accounts of the workspace.

Turns a file of leads into matches and pairs to look at. Time rule: accounts are taken as they are known
today. Null rule: a lead without a company, a web site, an address or an identifier matches nobody.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from features.errors import ConfigError, ContractError, InputError, suggestion
from features.identity.companies import with_salesforce_ids
from features.identity.identifiers import registration_number, salesforce_id
from features.identity.leads import lead_records
from features.identity.matching import AccountMatcher, Matches, MatchSettings, write_review
from features.identity.resolving import read_decisions
from features.spreadsheets import write_csv
from features.tables import Tables
from features.text_files import TextFile, open_text

__all__ = ["LeadMatches", "match_lead_file"]

_FACTS = ("name", "domain", "country")
_OPTIONAL = ("registration_number", "salesforce_id")


@dataclass(frozen=True)
class LeadMatches:
    """What became of a file of leads. found: matches and pairs to look at. leads: how many there are.

    unread: by column of the file, cells that are no valid identifier, each once; nothing was matched by them.
    """

    found: Matches
    leads: int
    unread: Mapping[str, tuple[str, ...]]

    @property
    def unmatched(self) -> int:
        """Leads that are neither matched nor to be looked at."""
        return self.leads - len(self.found.matched) - self.found.review["record_id"].nunique()

    def write(self, *, out: Path, review: Path) -> None:
        """Write lead_id, account_id, rule and score, and the review file, for spreadsheets.

        Raises ConfigError for a file that cannot be written.
        """
        try:
            write_csv(self.found.matched.rename(columns={"record_id": "lead_id"}), out)
            write_review(self.found.review, review)
        except OSError as error:
            raise ConfigError("cannot write the file", got=error, fix="name another one") from error


def match_lead_file(
    tables: Tables,
    *,
    file: Path,
    columns: Mapping[str, str],
    required: Collection[str] = (),
    encoding: str | None = None,
    settings: MatchSettings | None = None,
    decisions: Sequence[Path] = (),
) -> LeadMatches:
    """Match the leads of a CSV file, whatever parts its cells.

    columns: the file's column for lead_id, company, email, website, country, registration_number and
        account_salesforce_id; those that the file lacks are empty, but for lead_id and those in `required`.
    encoding: of the file; without it, UTF-8 (UTF-16 with a byte-order mark).
    decisions: review files of earlier matches in which a person wrote "same" or "different"; a later file
        goes before an earlier one. What was decided of an account that another one stands for by now counts
        for that one.
    Raises InputError for a file that cannot be read, ContractError for one without leads or identifiers, and
    for a file of decisions that is none.
    """
    leads = _leads(file, columns=columns, required=required, encoding=encoding)
    decided: dict[tuple[str, str], bool] = {}
    for each in decisions:
        decided |= _standing(_decisions(each), tables=tables)
    matcher = AccountMatcher(_accounts(tables), settings=settings)
    found = matcher.match(lead_records(leads), decisions=decided)
    unread = _unread(leads, columns=columns, register=matcher.settings.register)
    return LeadMatches(found, len(leads), unread)


def _decisions(file: Path) -> dict[tuple[str, str], bool]:
    try:
        return read_decisions(file)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(
            f"{file}: cannot be read as CSV", got=str(error), fix="give a review file that `match` wrote"
        ) from error


def _standing(decisions: Mapping[tuple[str, str], bool], *, tables: Tables) -> dict[tuple[str, str], bool]:
    """The decisions of a file, with the accounts that stand for others in their place; "same" before
    "different"."""
    with tables.connect() as connection:
        rows = connection.execute("SELECT account_id, identity FROM merged_accounts").fetchall()
    stands = dict(rows)
    found: dict[tuple[str, str], bool] = {}
    for (one, two), same in decisions.items():
        pair = (stands.get(one, one), stands.get(two, two))
        key = (min(pair), max(pair))
        found[key] = same or found.get(key, False)
    return found


def _leads(
    file: Path, *, columns: Mapping[str, str], required: Collection[str], encoding: str | None
) -> pd.DataFrame:
    """The known columns of the file under our names, indexed by the row's number in the file."""
    raw = _cells(file, encoding=encoding)
    # One column may be several things: an address is an identifier, too.
    present = {name: raw[column] for name, column in columns.items() if column in raw.columns}
    for name in ("lead_id", *sorted(required)):
        if (column := columns[name]) not in raw.columns:
            raise ContractError(
                f"{file}: no column {column!r}",
                got=", ".join(raw.columns),
                fix=suggestion(column, raw.columns)
                or ("name it with --id" if name == "lead_id" else "name one that is there"),
            )
    if set(present) == {"lead_id"}:
        raise ContractError(
            f"{file}: no column says which company a lead is with",
            got=", ".join(raw.columns),
            allowed=", ".join(column for name, column in columns.items() if name != "lead_id"),
            fix="name them with --company, --email, --website, --registration-number or --salesforce-id",
        )
    leads = pd.DataFrame({**present, "lead_id": present["lead_id"].str.strip()})
    _require_one_row_each(leads["lead_id"], column=columns["lead_id"], file=file)
    return leads


def _cells(file: Path, *, encoding: str | None) -> pd.DataFrame:
    """Every cell as text; blank rows are left out."""
    with TemporaryDirectory(prefix="spearfish-") as folder:
        opened = _opened(file, encoding=encoding, scratch=Path(folder) / "leads.csv")
        try:
            with opened.path.open(encoding="utf-8-sig", newline="") as lines:
                rows = list(csv.reader(lines, delimiter=opened.delimiter))[opened.skip + 1 :]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise InputError(
                f"{file}: cannot be read as CSV", got=error, fix="write the file again"
            ) from error
    width = len(opened.header)
    numbered = {number: row for number, row in enumerate(rows, start=opened.skip + 2) if any(row)}
    for number, row in numbered.items():
        if len(row) != width:
            raise ContractError(
                f"{file}, row {number}: other cells than the header has",
                got=len(row),
                allowed=width,
                fix="export the file again, or mend that row",
            )
    return pd.DataFrame.from_dict(numbered, orient="index", columns=list(opened.header), dtype=object)


def _opened(file: Path, *, encoding: str | None, scratch: Path) -> TextFile:
    try:
        return open_text(file, encoding=encoding, delimiter=None, scratch=scratch)
    except ConfigError as error:
        if "is not text in" not in error.what:
            raise
        fix = "say what it is in, as in --encoding gb18030 or --encoding latin-1, or save it as UTF-8"
        raise ConfigError(error.what, got=error.got, allowed=error.allowed, fix=fix) from error


def _require_one_row_each(identifiers: pd.Series, *, column: str, file: Path) -> None:
    if (identifiers == "").any():
        row = identifiers.index[identifiers == ""][0]
        raise ContractError(f"{file}, row {row}: {column!r} is empty", fix="give each lead an identifier")
    if identifiers.duplicated().any():
        again = identifiers.index[identifiers.duplicated()][0]
        first = identifiers.index[identifiers == identifiers[again]][0]
        raise ContractError(
            f"{file}, row {again}: {column!r} names a lead twice",
            got=f"{identifiers[again]!r}, as in row {first}",
            allowed="one row for each lead",
            fix="leave one of them out, or name the column with the lead's identifier with --id",
        )


def _unread(
    leads: pd.DataFrame, *, columns: Mapping[str, str], register: str | None
) -> dict[str, tuple[str, ...]]:
    readers = {
        "registration_number": lambda text: registration_number(text, register=register),
        "account_salesforce_id": salesforce_id,
    }
    found = {}
    for name, reader in readers.items():
        cells = leads[name].str.strip() if name in leads.columns else pd.Series(dtype=object)
        odd = [text for text in dict.fromkeys(cells) if text and reader(text) is None]
        if odd:
            found[columns[name]] = tuple(odd)
    return found


def _accounts(tables: Tables) -> pd.DataFrame:
    """The latest of what tells an account from others."""
    optional = [attribute.name for attribute in tables.attributes if attribute.name in _OPTIONAL]
    # Two versions known at once are told apart by their text.
    latest = ", ".join(
        f'max_by("{name}", (known_at, "{name}")) FILTER ("{name}" IS NOT NULL) AS "{name}"'
        for name in (*_FACTS, *optional)
    )
    with tables.connect() as connection:
        sql = f"SELECT account_id, {latest} FROM accounts GROUP BY account_id ORDER BY account_id"
        frame: pd.DataFrame = connection.execute(sql).to_arrow_table().to_pandas()
    return with_salesforce_ids(frame)
