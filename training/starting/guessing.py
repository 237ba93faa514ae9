"""A mapping guessed from the names of files and columns.

Turns a folder of tables into a commented TOML file: what each file holds is told by its name, what each
column holds by its own. Time rule: a column that says when a row became known is bound; where there is none
the source is `undated`, or happens when its event says; nothing is invented. Null rule: a column that
nobody can place is listed in a comment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq

from features.bindings import UNDATED_TABLES
from features.contract import TABLES
from features.errors import ConfigError
from features.locations import matching_files
from features.text_files import open_text
from features.workbooks import ENDINGS, open_sheet

__all__ = ["guessed_mapping"]

_TABLE_WORDS = {
    "accounts": ("account", "compan", "customer", "organi", "firm", "客户", "公司"),
    "contacts": ("contact", "people", "person", "lead", "联系人"),
    "opportunities": ("opportunit", "deal", "商机"),
    "stage_changes": ("stage",),
    "intent_topics": ("topic", "intent", "surge"),
    "activities": (
        "activit",
        "event",
        "visit",
        "task",
        "call",
        "meeting",
        "email",
        "touch",
        "usage",
        "weblog",
        "pageview",
        "活动",
    ),
}
_COLUMN_WORDS = {
    "account_id": ("accountid", "companyid", "customerid", "organizationid", "organisationid", "account"),
    "contact_id": ("contactid", "personid", "leadid", "contact"),
    "opportunity_id": ("opportunityid", "dealid", "opportunity"),
    "activity_id": ("activityid", "eventid"),
    "name": ("name", "accountname", "companyname", "company", "公司名称", "客户名称"),
    "domain": ("domain", "website", "companydomainname", "web", "url", "网站"),
    "industry": ("industry", "sector", "行业"),
    "country": ("country", "countryregion", "billingcountry", "国家"),
    "region": ("region", "state", "stateregion", "billingstateprovince", "省份"),
    "city": ("city", "billingcity", "城市"),
    "employees": ("employees", "numberofemployees", "staff", "headcount", "employeecount", "员工人数"),
    "annual_revenue": ("annualrevenue", "revenue", "年收入"),
    "founded_year": ("foundedyear", "yearfounded", "founded"),
    "technologies": ("technologies", "webtechnologies", "techstack"),
    "title": ("title", "jobtitle", "职位"),
    "seniority": ("seniority",),
    "department": ("department", "部门"),
    "email": ("email", "emailaddress", "workemail", "邮箱", "电子邮箱"),
    "consent_basis": ("consentbasis", "legalbasis", "basis"),
    "opted_out_at": ("optedoutat", "optoutdate", "unsubscribedat", "unsubscribedate"),
    "channel": ("channel", "kind", "type", "activitytype", "eventtype"),
    "direction": ("direction",),
    "occurred_at": (
        "occurredat",
        "time",
        "timestamp",
        "date",
        "when",
        "activitydate",
        "eventtime",
        "week",
        "时间",
    ),
    "quantity": ("quantity", "count"),
    "seconds": ("seconds", "duration"),
    "people": ("people", "users"),
    "topic": ("topic",),
    "score": ("score",),
    "product": ("product", "productline"),
    "created_at": ("createdat", "createddate", "createdate", "created", "创建时间"),
    "closed_at": ("closedat", "closedate", "closeddate", "closed"),
    "outcome": ("outcome", "result"),
    "amount": ("amount", "value", "金额"),
    "stage": ("stage", "tostage", "stagename"),
}
_NORMALISED = {
    "domain": "domain",
    "industry": "industry",
    "country": "country",
    "employees": "employees",
    "annual_revenue": "revenue_usd",
    "technologies": "technologies",
}
"""How cells of companies are read: what several sources write in several ways."""

_TRAFFIC_WORDS = {"email": ("email", "visitoremail", "useremail"), "user_agent": ("useragent", "browser")}
_KNOWN_WORDS = (
    "knownat",
    "updatedat",
    "lastmodifieddate",
    "modifiedat",
    "createdat",
    "createddate",
    "createdate",
    "updated",
    "lastmodified",
    "created",
    "更新时间",
    "创建时间",
)
_OPT_OUT_WORDS = (
    *("hasoptedoutofemail", "emailoptout", "optedout", "optout", "unsubscribed", "hsemailoptout", "退订"),
    "unsubscribedfromallemail",
)
_NO_CONSENT = (
    "# On what basis may these people be addressed? Nothing in the file says so: write one of these lines.",
    '# consent = { opted_out = "A YES/NO COLUMN" }',
    '# consent = { assume = "legitimate interest: existing business contacts" } # every report prints it',
)
"""An ingest refuses contacts without a basis, and nobody but the user can name it."""

_KEYS = {"accounts": "account_id", "contacts": "contact_id", "opportunities": "opportunity_id"}


def guessed_mapping(folder: Path) -> str:
    """The text of a mapping for the tables in a folder.

    Raises ConfigError when no file looks like a list of companies.
    """
    sources, unplaced = [], []
    for file in matching_files(str(folder.absolute())):
        header = _header(file)
        table = _table(file, header=header)
        text = None if table is None else _source_text(file, table=table, header=header)
        if text is None:
            unplaced.append(f"# {file.name} is not bound. Its columns: {', '.join(header)}")
        else:
            sources.append((table, text))
    if not any(table == "accounts" for table, _ in sources):
        raise ConfigError(
            f"{folder} holds no table of companies with an identifier",
            got=", ".join(path.name for path in matching_files(str(folder.absolute()))) or "no tables",
            allowed="a file named like accounts.csv or companies.xlsx, with a column like account_id or id",
            fix="rename the file, or write the mapping from `spearfish init csv` without --folder",
        )
    order = list(TABLES)
    texts = [text for _, text in sorted(sources, key=lambda source: order.index(source[0] or ""))]
    return "\n".join([_HEAD.format(folder=_quoted(folder.absolute().as_posix())), *texts, *unplaced]) + "\n"


_HEAD = """# Guessed from names of files and columns by `spearfish init csv`: read it before you rely on it.
# `spearfish ingest --dry-run` shows what is bound, ignored, coerced and missing, and changes nothing.

[workspace]
name = "my_company"
time_zone = "UTC"

[parameters]
folder = {folder}
"""


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _header(file: Path) -> tuple[str, ...]:
    if file.suffix in (".parquet", ".pq"):
        return tuple(pq.read_schema(file).names)
    with TemporaryDirectory(prefix="spearfish-") as folder:
        scratch = Path(folder) / "sheet.csv"
        if file.suffix.lower() in ENDINGS:
            return open_sheet(file, sheet=None, scratch=scratch).header
        return open_text(file, encoding=None, delimiter=None, scratch=scratch).header


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())


def _table(file: Path, *, header: tuple[str, ...]) -> str | None:
    """What the file's name tells; the longest word that it begins with or holds decides."""
    name = _plain(file.name.split(".")[0])
    places = [
        (name.find(word), table) for table, words in _TABLE_WORDS.items() for word in words if word in name
    ]
    # The last word is the noun: account_activities are activities.
    return max(places)[1] if places and header else None


def _columns(table: str, *, header: tuple[str, ...]) -> dict[str, str]:
    """Source column by canonical column."""
    plain = {_plain(name): name for name in reversed(header)}
    own = {_KEYS[table]: ("id", "recordid")} if table in _KEYS else {}
    found: dict[str, str] = {}
    for column in TABLES[table].column_names:
        for word in (*_COLUMN_WORDS.get(column, ()), *own.get(column, ())):
            if word in plain and plain[word] not in found.values():
                found[column] = plain[word]
                break
    if not {"closed_at", "outcome"} <= found.keys():
        # One without the other would set every closed deal aside.
        found = {name: column for name, column in found.items() if name not in ("closed_at", "outcome")}
    return found


def _source_text(file: Path, *, table: str, header: tuple[str, ...]) -> str | None:
    """The source of a file; None when a column that has to be there cannot be told."""
    columns = _columns(table, header=header)
    known, used = _known(table, header=header, columns=columns)
    if "undated = true" in known:
        times = {column.name for column in TABLES[table].columns if column.type == "timestamp"}
        columns = {name: column for name, column in columns.items() if name not in times}
    consent, asked = _consent(table, header=header, columns=columns)
    lines = [f"{name} = {_bound(name, column, table=table)}" for name, column in columns.items()]
    traffic = _traffic(table, header=header)
    lines += _assumed(table, columns=columns)
    bound = {line.split(" = ")[0] for line in lines}
    required = {
        column.name
        for column in TABLES[table].columns
        if not column.nullable and column.default is None and column.type != "timestamp"
    } - {"activity_id"}
    if not required <= bound or (not known and table not in UNDATED_TABLES):
        return None
    rest = [name for name in header if name not in {*columns.values(), *used, *asked, *traffic.values()}]
    return (
        "\n".join(
            (
                f'[[sources]]\ntable = "{table}"\npath = {_quoted("{folder}/" + file.name)}',
                'time_zone = "UTC" # the zone of times that are written without one',
                *known,
                *consent,
                "\n[sources.columns]",
                *lines,
                *_traffic_lines(traffic),
                *_rest(table, rest=rest),
            )
        )
        + "\n"
    )


def _known(table: str, *, header: tuple[str, ...], columns: dict[str, str]) -> tuple[list[str], list[str]]:
    """The line that says when a row could be known, and the source columns that it uses."""
    if table in ("activities", "stage_changes", "intent_topics"):
        return (["known_immediately = true"], []) if "occurred_at" in columns else ([], [])
    if table == "opportunities":
        dated = "created_at" in columns
        return (["known_immediately = true"] if dated else ["undated = true # no column says when"]), []
    plain = {_plain(name): name for name in header}
    for word in _KNOWN_WORDS:
        if word in plain:
            first = "creat" in word or word == "创建时间"
            created = " # today's values, known since the creation" if first else ""
            marked = ["current_value_only = true"] if created else []
            return [f"known_at = {_quoted(plain[word])}{created}", *marked], [plain[word]]
    return ["undated = true # no column says when"], []


def _consent(table: str, *, header: tuple[str, ...], columns: dict[str, str]) -> tuple[list[str], list[str]]:
    """The line that says on what basis people may be addressed, and the source columns that it uses."""
    if table != "contacts":
        return [], []
    asked = [name for name in header if _plain(name) in _OPT_OUT_WORDS][:1]
    if asked:
        return [f"consent = {{ opted_out = {_quoted(asked[0])} }}"], asked
    if {"consent_basis", "opted_out_at"} & columns.keys():
        return [], []
    return list(_NO_CONSENT), []


def _bound(name: str, column: str, *, table: str) -> str:
    if table != "accounts" or name not in _NORMALISED:
        return _quoted(column)
    currency = " # sums without a currency are taken for dollars" if name == "annual_revenue" else ""
    return f"{{ column = {_quoted(column)}, normalise = {_quoted(_NORMALISED[name])} }}{currency}"


def _traffic(table: str, *, header: tuple[str, ...]) -> dict[str, str]:
    """The columns of activities that tell who was there, by what they tell."""
    plain = {_plain(name): name for name in reversed(header)}
    found = {
        told: plain[word]
        for told, words in _TRAFFIC_WORDS.items()
        for word in reversed(words)
        if word in plain
    }
    return found if table == "activities" else {}


def _traffic_lines(traffic: dict[str, str]) -> Iterator[str]:
    if traffic:
        yield "\n# Machines, and our own people (own_domains of [engagement]), never count as engagement."
        yield "[sources.traffic]"
        yield from (f"{told} = {_quoted(column)}" for told, column in traffic.items())


def _assumed(table: str, *, columns: dict[str, str]) -> Iterator[str]:
    if table == "activities":
        if "channel" not in columns:
            yield 'channel = { value = "web_visit" } # what these rows are'
        if "direction" not in columns:
            yield 'direction = { value = "inbound" } # what they did; our own outreach is "outbound"'


def _rest(table: str, *, rest: list[str]) -> Iterator[str]:
    if rest and table == "accounts":
        yield "\n# Not bound; each can become a feature (number, category, boolean, date, set, text):"
        yield "# [sources.attributes]"
        for name in rest:
            key = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "attribute"
            yield f'# {key} = {{ column = {_quoted(name)}, type = "category" }}'
    elif rest:
        yield f"# Not bound: {', '.join(rest)}"
