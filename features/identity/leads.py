"""Leads as records that can be matched to accounts.

Turns leads (a person's company, e-mail address, web site) into what `AccountMatcher` asks for. Only the
domain of an address is kept, never the address. Time rule: none. Null rule: absent columns are empty; a lead
whose address is with a mail provider is known by its web site, else by the name of its company.
"""

from __future__ import annotations

import pandas as pd

from features.errors import ContractError
from features.identity.domains import company_domain

__all__ = ["lead_records"]

_SAME = ("name", "country", "registration_number", "salesforce_id")


def lead_records(leads: pd.DataFrame) -> pd.DataFrame:
    """record_id, domain and what else is known of the company, one row per lead.

    leads: lead_id and any of company, email, website, country, registration_number, account_salesforce_id.
    The domain of the address goes before the web site's: a person works where the mail arrives.
    """
    if "lead_id" not in leads.columns:
        raise ContractError("no column lead_id", got=", ".join(map(str, leads.columns)), fix="add lead_id")
    renamed = leads.rename(columns={"company": "name", "account_salesforce_id": "salesforce_id"})
    domain = _domains(leads, "email").combine_first(_domains(leads, "website"))
    same = {name: renamed[name] for name in _SAME if name in renamed.columns}
    return pd.DataFrame({"record_id": leads["lead_id"], "domain": domain} | same)


def _domains(leads: pd.DataFrame, column: str) -> pd.Series:
    if column not in leads.columns:
        return pd.Series([None] * len(leads), index=leads.index, dtype=object)
    found = [company_domain(str(cell)) if pd.notna(cell) else None for cell in leads[column]]
    return pd.Series(found, index=leads.index, dtype=object)
