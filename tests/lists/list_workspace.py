"""A small workspace for lists: a dozen companies, some of which must not be on any.

acme-1 and acme-2 have one parent; cust-1 is a customer (of the product crm), deal-1 has an open opportunity,
gone-1 has only contacts that have opted out, rival-1 is a competitor, part-1 a partner; bare-1 has nothing
but a name.
"""

from __future__ import annotations

from pathlib import Path

from features.ingest import ingest
from features.mapping import load_config
from features.workspace import Workspace

ACCOUNTS = """account_id,name,domain,industry,country,region,employees,technologies,owner,parent,relation
acme-1,Acme One,acme1.example,software,DE,north,100,crm;chat,Ann,acme,
acme-2,Acme Two,acme2.example,software,DE,north,200,crm,Ann,acme,
bank-1,Bank One,bank1.example,banking,US,south,5000,crm,Ben,,
bank-2,Bank Two,bank2.example,banking,US,south,4000,chat,Ben,,
soft-1,Soft One,soft1.example,software,US,south,30,chat,Ben,,
soft-2,Soft Two,soft2.example,software,FR,west,40,crm,Cat,,
soft-3,Soft Three,soft3.example,software,FR,west,50,crm,Cat,,
cust-1,Customer,cust1.example,software,DE,north,60,crm,Ann,,
deal-1,Dealing,deal1.example,software,DE,north,70,crm,Ann,,
gone-1,Silent,gone1.example,software,DE,north,80,crm,Ann,,
rival-1,Rival,rival1.example,software,DE,north,90,crm,Ann,,Competitor
part-1,Partner,part1.example,software,DE,north,95,crm,Ann,,partner
bare-1,Bare,,,,,,,,,
"""

CONTACTS = """contact_id,account_id,opted_out
c-1,gone-1,yes
c-2,gone-1,yes
c-3,acme-1,yes
c-4,acme-1,no
"""

OPPORTUNITIES = """opportunity_id,account_id,product,created_at,closed_at,outcome,known_at
o-1,cust-1,crm,2026-01-01,2026-02-01,won,2026-02-01
o-2,deal-1,erp,2026-01-01,,,2026-01-01
o-3,bank-1,crm,2025-01-01,2025-02-01,lost,2025-02-01
"""

MAPPING = """
[workspace]
name = "lists"
time_zone = "UTC"

[[sources]]
table = "accounts"
path = "{folder}/accounts.csv"
known = "start_of_time"
[sources.columns]
account_id = "account_id"
name = "name"
domain = "domain"
industry = "industry"
country = "country"
region = "region"
employees = "employees"
technologies = "technologies"
[sources.attributes.owner]
column = "owner"
type = "category"
label = "owner"
[sources.attributes.parent]
column = "parent"
type = "category"
label = "parent"
[sources.attributes.relation]
column = "relation"
type = "category"
label = "relation"

[[sources]]
table = "contacts"
path = "{folder}/contacts.csv"
known = "start_of_time"
consent = { opted_out = "opted_out" }
[sources.columns]
contact_id = "contact_id"
account_id = "account_id"

[[sources]]
table = "opportunities"
path = "{folder}/opportunities.csv"
known_at = "known_at"
time_zone = "UTC"
[sources.columns]
opportunity_id = "opportunity_id"
account_id = "account_id"
product = "product"
created_at = "created_at"
closed_at = "closed_at"
outcome = "outcome"
"""


def build(folder: Path) -> Workspace:
    """Ingest the tables."""
    for name, text in (("accounts", ACCOUNTS), ("contacts", CONTACTS), ("opportunities", OPPORTUNITIES)):
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    mapping = folder / "lists.toml"
    mapping.write_text(MAPPING.replace("{folder}", str(folder)), encoding="utf-8")
    workspace = Workspace(folder / "workspace")
    report = ingest(load_config(mapping, overrides={}), workspace=workspace)
    assert not workspace.manifest().quarantine, report
    return workspace
