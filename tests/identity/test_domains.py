"""Domains: one company, one spelling; mail providers are no company."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.identity import domains
from features.identity.domains import company_domain, is_mail_provider, registrable_domain


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("example.com", "example.com"),
        ("  EXAMPLE.COM. ", "example.com"),
        ("www.example.com", "example.com"),
        ("https://user:secret@shop.example.co.uk:8443/a/b?x=1#y", "example.co.uk"),
        ("//example.com.cn/index.html", "example.com.cn"),
        ("Ann@Mail.Example.com", "example.com"),
        ("Ann Lee <ann@example.com>", "example.com"),
        ("mailto:ann@example.com", "example.com"),
        ("bücher.de", "xn--bcher-kva.de"),
        ("XN--BCHER-KVA.de", "xn--bcher-kva.de"),
        ("www.例子.公司.cn", "xn--fsqu00a.xn--55qx5d.cn"),
        ("百度。中国", "xn--wxtr44c.xn--fiqs8s"),
        ("one.github.io", "one.github.io"),
        ("shop-one.myshopify.com", "shop-one.myshopify.com"),
        ("hp.com?utm_source=x", "hp.com"),
        ("co.uk", None),
        ("github.io", None),
        ("localhost", None),
        ("shop.brand.newtld", "brand.newtld"),
        ("printer.office.local", None),
        ("n.a", None),
        ("192.168.0.1", None),
        ("[2001:db8::1]", None),
        ("acme", None),
        ("Acme Inc.", None),
        ("n/a", None),
        ("", None),
        ("a" * 300 + ".com", None),
    ],
)
def test_every_way_of_writing_a_domain_gives_the_registrable_one(text: str, domain: str | None) -> None:
    assert registrable_domain(text) == domain


@given(st.text(max_size=60))
def test_any_text_gives_a_fixed_point_or_nothing(text: str) -> None:
    found = registrable_domain(text)
    assert found is None or registrable_domain(found) == found


@pytest.mark.parametrize(
    "text",
    [
        "gmail.com",
        "a@GMAIL.com",
        "qq.com",
        "x@vip.163.com",
        "163.com",
        "126.com",
        "outlook.com",
        "mailinator.com",
        "yahoo.co.jp",
        "web.de",
        "foxmail.com",
        "x@sina.com",
        "hotmail.fr",
        "10minutemail.com",
    ],
)
def test_mail_providers_identify_no_company(text: str) -> None:
    assert is_mail_provider(text)
    assert company_domain(text) is None


@pytest.mark.parametrize("text", ["ann@acme.com", "https://acme.com", "huawei.com", "salesforce.com"])
def test_other_domains_identify_companies(text: str) -> None:
    assert company_domain(text) == registrable_domain(text) is not None


def test_the_suffix_list_is_read_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    domains._extractor.cache_clear()
    registrable_domain.cache_clear()
    assert registrable_domain("a.b.example.com.au") == "example.com.au"
