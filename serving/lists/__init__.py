"""Target account lists: whom rules keep off, how a draw meets what people decided, and what is handed over.

`constraints`, `merging`, `life_cycle` and `settings` are pure; `drawing`, `deciding` and `handing_over` work
on a connection to the store.
"""
