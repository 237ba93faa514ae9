"""Job titles to seniority, department and role in the buying group."""
