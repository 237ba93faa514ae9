"""Jobs over files: read here, answered in a process of their own, and handed out again.

`serving.store.jobs` holds the queue; `serving.web.routes.jobs` is the way in and out. Time rule: none. Null
rule: none.
"""
