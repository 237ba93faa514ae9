"""The HTTP surface: /v1, /docs.json and the page.

`application` puts it together; `routes` holds what answers. Time rule: none. Null rule: none. This module
imports nothing, so that the OpenAPI document can know the endpoints.
"""
