"""The feature catalogue: a folder of pages that people read, one per feature and language, and an index.

Turns the features of every account at one moment into HTML with inline plots; nothing is loaded from
anywhere, so the folder can be opened from a disk or mailed. What a feature means, and its formula, come from
its declaration. Time rule: that of the feature table. Null rule: a feature that no account has a value of, or
that is the same everywhere, has a page that says so.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, get_args
from urllib.parse import quote

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from features.catalogue import GROUPS
from features.errors import ConfigError
from features.feature import FORMULA, OTHER, Feature, Language
from features.formulas import columns_read, names_read
from features.origin_report import share
from features.privacy.counts import assumed_sentences
from training.catalogue.distribution import QUANTILES, Distribution, distribution_of, short_number
from training.catalogue.words import (
    GROUP_WORDS,
    WORDS,
    column_words,
    kind_words,
    rows_words,
    title,
    unit_words,
)
from training.feature_table import FeatureTable

__all__ = ["check_folder", "write_catalogue"]

_LANGUAGES: tuple[Language, ...] = get_args(Language)
_MARK = '<meta name="generator" content="Spearfish feature catalogue">'
_QUANTILE_WORDS = ("minimum", "q05", "q25", "median", "q75", "q95", "maximum")
_MOST_LEVELS = 15


@dataclass(frozen=True)
class _Told:
    """A feature with what its values said. file: the name of its page without the ending."""

    feature: Feature
    values: pd.Series
    distribution: Distribution
    file: str


def write_catalogue(table: FeatureTable, *, folder: Path) -> int:
    """Write the pages into `folder`; returns how many features there are.

    A catalogue that is there already is replaced as a whole, when the new one is complete. Raises ConfigError
    for a folder that holds anything else, or that cannot be written.
    """
    check_folder(folder)
    told = list(_told(table))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(mkdtemp(prefix=".catalogue-", dir=folder.parent))
        try:
            for path, page in _pages(table, told):
                (made / path).parent.mkdir(exist_ok=True)
                (made / path).write_text(page, encoding="utf-8")
            made.chmod(0o755)
            shutil.rmtree(folder, ignore_errors=True)
            made.rename(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        raise ConfigError("cannot write the catalogue", got=error, fix="name another folder") from error
    return len(told)


def check_folder(folder: Path) -> None:
    """ConfigError for a folder that holds anything but an earlier catalogue, before the work is done."""
    if not folder.exists():
        return
    index = folder / "index.html"
    ours = index.is_file() and _MARK in index.read_text(encoding="utf-8", errors="replace")
    if not folder.is_dir() or (any(folder.iterdir()) and not ours):
        raise ConfigError(
            "the folder of the catalogue holds something else",
            got=folder,
            allowed="a new or empty folder, or an earlier catalogue",
            fix="name another one with --catalogue-folder",
        )


def _told(table: FeatureTable) -> Iterator[_Told]:
    taken: set[str] = set()
    for feature in table.catalogue.features:
        values = table.frame[feature.name]
        yield _Told(feature, values, distribution_of(values, kind=feature.kind), _file(feature.name, taken))


def _file(name: str, taken: set[str]) -> str:
    """A file name for any feature's name; names that differ in case only differ in a number as well."""
    plain = re.sub(r"[^\w-]+", "_", name)[:60] or "feature"
    file, number = plain, 1
    while file.lower() in taken:
        number += 1
        file = f"{plain}_{number}"
    taken.add(file.lower())
    return file


def _pages(table: FeatureTable, told: Sequence[_Told]) -> Iterator[tuple[str, str]]:
    """Path inside the folder, and page."""
    index, page = (_environment().get_template(f"{name}.html.j2") for name in ("index", "feature"))
    for language in _LANGUAGES:
        yield f"index{_ending(language)}", _index(index, table, told, language=language)
        for number, one in enumerate(told):
            yield (
                f"features/{one.file}{_ending(language)}",
                _page(page, table, told, number=number, language=language),
            )


def _ending(language: Language) -> str:
    return ".html" if language == "en" else f".{language}.html"


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shared(table: FeatureTable, *, language: Language) -> dict[str, Any]:
    """What every page is made with."""
    return {
        "mark": _MARK,
        "language": language,
        "ending": _ending(language),
        "words": {name: pair[_LANGUAGES.index(language)] for name, pair in WORDS.items()},
        "workspace": table.workspace,
        "as_of": None if table.as_of is None else f"{table.as_of:%Y-%m-%d %H:%M:%S} UTC",
        "accounts": f"{len(table.frame):,}",
    }


def _index(template: Template, table: FeatureTable, told: Sequence[_Told], *, language: Language) -> str:
    other = _LANGUAGES[1 - _LANGUAGES.index(language)]
    by_group = {group: [one for one in told if one.feature.group == group] for group in GROUPS}
    return template.render(
        _shared(table, language=language),
        elsewhere=f"index{_ending(other)}",
        features=f"{len(told):,}",
        assumed=assumed_sentences(table.assumed) if language == "en" else _assumed_in_chinese(table),
        groups=[
            {
                "id": group,
                "name": GROUP_WORDS[group][0][_LANGUAGES.index(language)],
                "what": GROUP_WORDS[group][1][_LANGUAGES.index(language)],
                "features": [_line(one, language=language) for one in found],
                "windowed": any(one.feature.window_days is not None for one in found),
            }
            for group, found in by_group.items()
            if found
        ],
    )


def _assumed_in_chinese(table: FeatureTable) -> list[str]:
    return [f"{source}：同意依据为假定，数据未说明：{text}" for source, text in table.assumed.items()]


def _line(one: _Told, *, language: Language) -> dict[str, Any]:
    """A feature in the index."""
    feature = one.feature
    return {
        "title": title(feature, language=language),
        "name": feature.name,
        "href": quote(f"features/{one.file}{_ending(language)}"),
        "window": _window(feature, language=language, short=True),
        "unit": unit_words(feature.unit, language=language),
        "coverage": share(one.distribution.coverage),
        "width": round(100 * one.distribution.coverage, 1),
        "middle": _middle(one, language=language),
        "current": feature.current_value_only,
        "not_comparable": bool(feature.not_comparable),
        "own": feature.aggregation == FORMULA,
    }


def _page(
    template: Template, table: FeatureTable, told: Sequence[_Told], *, number: int, language: Language
) -> str:
    one = told[number]
    feature, english = one.feature, language == "en"
    other = _LANGUAGES[1 - _LANGUAGES.index(language)]
    siblings = [
        _link(each, language=language)
        for each in told
        if each.feature.idea == feature.idea and each.feature.name != feature.name
    ]
    return template.render(
        _shared(table, language=language),
        elsewhere=quote(f"{one.file}{_ending(other)}"),
        feature=feature,
        title=title(feature, language=language),
        group=GROUP_WORDS[feature.group][0][_LANGUAGES.index(language)],
        meaning=feature.meaning_en if english else feature.meaning_zh,
        null_rule=(feature.null_rule_zh if not english else "") or feature.null_rule,
        kind=kind_words(feature.kind, language=language),
        rows=rows_words(feature, language=language),
        window=_window(feature, language=language, short=False),
        unit=unit_words(feature.unit, language=language),
        own=feature.aggregation == FORMULA,
        sources=columns_read(feature, attributes=table.catalogue.attributes),
        glossary=[
            (name, words) for name in names_read(feature) if (words := column_words(name, language=language))
        ],
        siblings=siblings,
        neighbours={
            name: _link(told[place], language=language) if 0 <= place < len(told) else None
            for name, place in (("previous", number - 1), ("next", number + 1))
        },
        sentences=list(_sentences(one, language=language)),
        by_origin=list(_by_origin(table, feature)),
        **_figures(one, language=language),
    )


def _by_origin(table: FeatureTable, feature: Feature) -> Iterator[dict[str, str]]:
    """Per column that the feature reads and origin: how much is filled, and how much of it others know."""
    read = names_read(feature) if feature.table == "accounts" else ()
    for column in table.comparison.columns:
        for origin, filled in table.comparison.coverage(column).items() if column.name in read else ():
            known = share(column.shared[origin]) if origin in column.shared else "–"
            yield {"column": column.name, "origin": origin, "filled": share(filled), "known": known}


def _link(one: _Told, *, language: Language) -> dict[str, str]:
    return {
        "href": quote(f"{one.file}{_ending(language)}"),
        "title": title(one.feature, language=language),
        "name": one.feature.name,
    }


def _window(feature: Feature, *, language: Language, short: bool) -> str:
    words = {name: pair[_LANGUAGES.index(language)] for name, pair in WORDS.items()}
    if feature.window_days is not None:
        return words["days" if short else "last_days"].format(days=feature.window_days)
    if short:
        return ""
    return words["latest" if feature.table == "accounts" else "everything"]


def _figures(one: _Told, *, language: Language) -> dict[str, Any]:
    """Coverage, distribution and quantiles as the page shows them."""
    found = one.distribution
    words = {name: pair[_LANGUAGES.index(language)] for name, pair in WORDS.items()}
    bars = [
        {
            "label": _level(bar.label, words),
            "share": share(bar.count / found.known),
            "count": f"{bar.count:,}",
            "height": round(100 * bar.count / found.largest, 2),
        }
        for bar in found.bars
    ]
    hidden = max(len(bars) - _MOST_LEVELS, 0) if one.feature.kind == "category" else 0
    quantiles = zip(_QUANTILE_WORDS, found.quantiles, strict=True) if found.quantiles else ()
    return {
        "known": words["known"].format(known=f"{found.known:,}", accounts=f"{found.accounts:,}"),
        "coverage": share(found.coverage),
        "coverage_width": round(100 * found.coverage, 1),
        "zeros": words["zeros"].format(share=share(found.zeros / found.known)) if found.zeros else "",
        "empty": found.empty,
        "constant": words["constant"].format(value=bars[0]["label"]) if found.constant else "",
        "widening": found.widening,
        "bars": bars[: len(bars) - hidden],
        "hidden": words["more_levels"].format(count=hidden) if hidden else "",
        "ticks": found.ticks,
        "top": share(found.largest / found.known) if found.known else "",
        "quantiles": [
            *((words[name], short_number(value)) for name, value in quantiles),
            *([(words["mean"], short_number(found.mean))] if found.mean is not None else []),
        ],
    }


def _level(label: str, words: Mapping[str, str]) -> str:
    return {OTHER: words["other_level"], "yes": words["yes"], "no": words["no"]}.get(label, label)


def _middle(one: _Told, *, language: Language) -> str:
    found = one.distribution
    if found.quantiles:
        return short_number(found.quantiles[QUANTILES.index(0.5)])
    words = {name: pair[_LANGUAGES.index(language)] for name, pair in WORDS.items()}
    return _level(found.bars[0].label, words) if found.bars else "–"


def _sentences(one: _Told, *, language: Language) -> Iterator[tuple[str, str, str]]:
    """For whom, the sentence in English, the sentence in Chinese; each sentence once."""
    words = {name: pair[_LANGUAGES.index(language)] for name, pair in WORDS.items()}
    feature = one.feature
    told = [(words[name], value) for name, value in _examples(one)]
    rows = [(name, feature.sentence(value), feature.sentence(value, language="zh")) for name, value in told]
    for _, group in groupby(rows, key=lambda row: row[1:]):
        name, english, chinese = next(group)
        if english:
            yield name, english, chinese


def _examples(one: _Told) -> Iterator[tuple[str, float]]:
    """Which accounts the sentences are told for, as cells of the matrix."""
    feature, found = one.feature, one.distribution
    if feature.kind == "category" and found.bars:
        codes = {level: float(code) for code, level in enumerate((*feature.levels, OTHER))}
        yield "common", codes[found.bars[0].label]
        yield "other", float(len(feature.levels))
    elif feature.kind == "flag":
        yield "yes", 1.0
    elif found.quantiles:
        for name, quantile in (("typical", 0.5), ("high", 0.95)):
            yield name, found.quantiles[QUANTILES.index(quantile)]
    if feature.absent_en and (feature.kind == "flag" or found.known < found.accounts):
        yield "nothing", float("nan")
