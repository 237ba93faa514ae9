"""Files for CRMs: the scores of every account, as an import or a bulk upsert takes them.

`files` writes them, `layout` says which fields there are, `cells` how a value is written, `earlier` what was
written before, and `fields` how the fields are made in the CRM.
"""
