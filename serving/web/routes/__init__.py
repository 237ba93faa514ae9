"""Every endpoint of /v1: one module for each group, listed here.

A new group is a module with its `ENDPOINTS`, a line in `ENDPOINTS` below and a tag in `TAGS`; its routes, its
part of the OpenAPI document and its scopes follow from that. Time rule: none. Null rule: none.
"""

from __future__ import annotations

from serving.web.endpoint import Endpoint
from serving.web.routes import (
    accounts,
    activities,
    batches,
    charts,
    expansions,
    hubspot,
    jobs,
    list_decisions,
    list_draws,
    list_excluded,
    list_exports,
    list_history,
    list_members,
    list_outcomes,
    lists,
    models,
    plan,
    products,
    salesforce,
    scores,
    seeds,
    sessions,
    similar,
)

__all__ = ["ENDPOINTS", "TAGS"]

ENDPOINTS: tuple[Endpoint, ...] = (
    *scores.ENDPOINTS,
    *batches.ENDPOINTS,
    *salesforce.ENDPOINTS,
    *hubspot.ENDPOINTS,
    # Before what takes all that is left of a path.
    *similar.ENDPOINTS,
    *accounts.ENDPOINTS,
    *activities.ENDPOINTS,
    *jobs.ENDPOINTS,
    *seeds.ENDPOINTS,
    *expansions.ENDPOINTS,
    *plan.ENDPOINTS,
    *products.ENDPOINTS,
    *lists.ENDPOINTS,
    *list_draws.ENDPOINTS,
    *list_members.ENDPOINTS,
    *list_decisions.ENDPOINTS,
    *list_history.ENDPOINTS,
    *list_outcomes.ENDPOINTS,
    *list_excluded.ENDPOINTS,
    *list_exports.ENDPOINTS,
    *charts.ENDPOINTS,
    *models.ENDPOINTS,
    *sessions.ENDPOINTS,
)

TAGS = {
    "scores": "Scores with their reasons.",
    "salesforce": "Scores for Flow, External Services and Apex.",
    "hubspot": "Scores for workflows of HubSpot.",
    "accounts": "What was answered about an account, and what people said of it.",
    "activities": "What accounts do, sent as it happens.",
    "jobs": "Files of accounts, scored beside the service.",
    "expansions": "Accounts like some of yours, each with its reasons.",
    "lists": "Target account lists, from their first draw to what a CRM is given.",
    "charts": "Pictures of what answers hold.",
    "models": "What the models learned.",
    "session": "Who asks: signing in by a link, and signing out.",
}
"""The groups of the OpenAPI document, in its order."""
