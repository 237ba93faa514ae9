"""What a title states in so many words, in many languages. Every expectation was written by hand."""

from __future__ import annotations

import csv
import doctest
import re
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.contract import SENIORITIES
from features.titles import chinese, departments, levels, reading, roles
from features.titles.departments import DEPARTMENTS, stated_department
from features.titles.levels import explicit_level
from features.titles.normalising import fold
from features.titles.reading import read_titles

with (Path(__file__).parent / "chinese_titles.csv").open(encoding="utf-8", newline="") as lines:
    CHINESE = [
        (row["title"], row["seniority"] or None, row["department"] or None) for row in csv.DictReader(lines)
    ]


def _list(text: str) -> list[str]:
    return [title.strip() for title in re.split(r"[|\n]", text) if title.strip()]


@pytest.mark.parametrize(
    ("title", "plain"),
    [
        ("Geschäftsführer:in (m/w/d)", "geschaeftsfuehrer in"),
        ("Geschaeftsfuehrer [w|m|d]", "geschaeftsfuehrer"),
        ("  V.P. — Sales & Marketing ", "v p sales marketing"),
        ("ＶＰ　Vertrieb", "vp vertrieb"),
        ("Directrice Générale", "directrice generale"),
        ("Gescha\u0308ftsfu\u0308hrer", "geschaeftsfuehrer"),
        ("销售总监(华东)", "销售总监 华东"),
        ("R&D", "r d"),
        ("…/–", ""),
    ],
)
def test_one_spelling_for_what_people_write(title: str, plain: str) -> None:
    assert fold(title) == plain


@given(st.text(max_size=60))
def test_a_folded_title_folds_to_itself(title: str) -> None:
    assert fold(fold(title)) == fold(title)


@pytest.mark.parametrize(
    "title",
    _list(
        """
    CEO | C.E.O. | Group CFO | CTO & Co-Founder | Chief Marketing Officer
    Chief Sales and Service Officer | President | President & COO | Executive Chairman
    Member of the Executive Board | Owner | Co-Owner | Founder/CEO | Managing Director DACH
    Managing Partner | Geschäftsführer | Geschäftsführerin (m/w/d) | Geschaeftsfuehrung
    Geschäftsführender Gesellschafter | Mitglied der Geschäftsleitung | Vorstand | Finanzvorstand
    Vorstandsvorsitzende | Vorständin Vertrieb | Inhaber | Firmeninhaberin | Gründer | Verwaltungsrat
    Präsidentin | Président | PDG | Directeur Général | Directrice générale France | Gérant
    Fondatrice | Director General | Consejero Delegado | Presidente | Fundador
    Amministratore Delegato | Direttore Generale | Diretor Geral | Eigenaar | Algemeen Directeur
    Prezes zarządu | Toimitusjohtaja | Verkställande direktör | Генеральный директор
    """
    ),
)
def test_c_level(title: str) -> None:
    assert explicit_level(fold(title)) == "c_level"


@pytest.mark.parametrize(
    "title",
    _list(
        """
    VP | VP Sales | V.P. Marketing | SVP | SVP Engineering | EVP Operations | RVP Sales EMEA
    Sr. Vice President | Senior Vice President (SVP) Solutions | Executive Vice President
    Vice-President Product | General Manager & Vice President | Vizepräsident Vertrieb
    Vice Président Ventes | Vicepresidente Comercial | Wiceprezes | Вице-президент | Deputy CEO
    Stellvertretender Geschäftsführer | Stv. Geschäftsleiterin | Directeur Général Adjoint | DGA
    """
    ),
)
def test_vice_president(title: str) -> None:
    assert explicit_level(fold(title)) == "vice_president"


@pytest.mark.parametrize(
    "title",
    _list(
        """
    Assistant to the VP | Executive Assistant to the CEO | Assistant to Vice President Sales
    EA to CFO | PA to the President | CEO Assistentin | Assistenz der Geschäftsführung
    Assistentin GF | Vorstandsassistentin des Vorstands | Sekretärin des Vorstands
    Sekretariat der Geschäftsleitung | Referent des Vorstandsvorsitzenden | Assistante du Président
    Secrétaire de direction du PDG | Asistente del Presidente | Advisor to the CEO
    Chief of Staff to the CEO | Working student reporting to the CMO
    Mitarbeiter der Geschäftsführung
    """
    ),
)
def test_who_assists_one_is_none(title: str) -> None:
    assert explicit_level(fold(title)) == "staff"


@pytest.mark.parametrize(
    "title", ["AVP", "Assistant Vice President", "Associate VP Sales", "General Manager"]
)
def test_ranks_just_below(title: str) -> None:
    assert explicit_level(fold(title)) == "director"


@pytest.mark.parametrize(
    "title",
    _list(
        """
    Head of Sales | Product Owner | Process Owner CRM | Geschäftsbereichsleiter | Chief Engineer
    Chief Product Owner | MVP Factory | Founding Engineer | Vorstandskommunikation
    Marketing Manager | Assistant Manager | Director Sales | CEO Office | Leiterin IT
    """
    ),
)
def test_what_states_no_such_level(title: str) -> None:
    assert explicit_level(fold(title)) is None


@pytest.mark.parametrize(("title", "seniority", "department"), CHINESE)
def test_chinese_titles_as_labelled_by_hand(
    title: str, seniority: str | None, department: str | None
) -> None:
    read = read_titles([title])[0]
    assert (read.seniority, read.department) == (seniority, department)


def test_the_chinese_titles_are_a_hundred_different_ones() -> None:
    assert len({title for title, _, _ in CHINESE}) == 100


@pytest.mark.parametrize(
    ("title", "seniority", "department"),
    [
        ("總經理", "c_level", None),
        ("業務經理", "manager", "sales"),
        ("資訊部 協理", "director", "information_technology"),
        ("VP 销售", "vice_president", "sales"),
        ("Marketing总监", "director", "marketing"),
        ("销售总监 / Sales Director", "director", "sales"),
        ("总裁助理", "staff", "administrative"),
        ("秘书长", "director", None),
        ("高级软件工程师", "staff", "information_technology"),
        ("客户成功经理", "manager", "customer_support"),
        ("代表取締役社長", "c_level", None),
        ("副社長", "vice_president", None),
        ("営業部長", "director", None),
        ("已离职", None, None),
    ],
)
def test_other_chinese_spellings(title: str, seniority: str | None, department: str | None) -> None:
    read = read_titles([title])[0]
    assert (read.seniority, read.department) == (seniority, department)


@pytest.mark.parametrize(
    ("title", "department"),
    [
        ("CFO", "finance"),
        ("Head of Finance & Controlling", "finance"),
        ("General Counsel", "legal"),
        ("R&D Engineer", "research_and_development"),
        ("Plant Manager", "production"),
        ("Supply Chain Manager", "logistics"),
        ("DRH", "human_resources"),
        ("Chef de projet", "project_management"),
        ("Customer Success Manager", "customer_support"),
        ("Office Manager", "administrative"),
        ("Assistant to the CFO", "finance"),
        ("Assistant to the CEO", "administrative"),
        ("Managing Director", None),
    ],
)
def test_departments_that_the_labelled_titles_lack(title: str, department: str | None) -> None:
    assert stated_department(fold(title)) == department


@pytest.mark.parametrize(
    ("title", "seniority", "department"),
    [
        ("Head of Sales", "manager", "sales"),
        ("Teamleiterin Einkauf", "manager", "purchasing"),
        ("Marketing Manager", "manager", "marketing"),
        ("Software Engineer", "staff", "information_technology"),
        ("Directeur Marketing", "director", "marketing"),
        ("Direktorin Marketing", "director", "marketing"),
        ("Jefe de Ventas", "manager", "sales"),
        ("Responsabile Acquisti", "manager", "purchasing"),
        ("Praktikantin Vertrieb", "staff", "sales"),
        ("Product Owner", None, None),
        ("Student", "staff", None),
        ("Marketing", None, "marketing"),
        ("Pensionär", None, None),
    ],
)
def test_titles_of_many_languages(title: str, seniority: str | None, department: str | None) -> None:
    read = read_titles([title])[0]
    assert (read.seniority, read.department) == (seniority, department)


@pytest.mark.parametrize("module", [chinese, departments, levels, reading, roles])
def test_the_examples_of_the_documentation_hold(module: ModuleType) -> None:
    result = doctest.testmod(module)
    assert (result.failed, result.attempted > 0) == (0, True)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(max_size=40), max_size=5))
def test_any_text_is_read_as_the_contract_allows(titles: list[str]) -> None:
    for read in read_titles(titles):
        assert read.seniority in (*SENIORITIES, None)
        assert read.department in (*DEPARTMENTS, None)
