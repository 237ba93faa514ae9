"""How company names get spoiled on their way into a CRM: noise for measuring the matcher.

Turns a name into another spelling of the same name: legal form, accents, abbreviations, typing errors,
swapped words, and the Chinese name of a company whose English name spells it. Written before the matcher
and apart from it: nothing here is imported by `features`, and nothing of `features` is imported here. Time
rule: none. Null rule: a kind of noise that a name offers no hold for leaves the name as it is.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Final

from pypinyin import Style, lazy_pinyin

__all__ = ["NOISES", "chinese_name", "core", "spoil"]

_FORMS: Final[dict[str, tuple[str, ...]]] = {
    r"co\.?\s*,?\s*\.?\s*ltd\.?": ("Co Ltd", "Company Limited", "Co., Ltd.", "Ltd", "CO.,LTD", ""),
    r"company limited": ("Co., Ltd.", "Co Ltd", "Ltd.", ""),
    r"limited": ("Ltd", "Ltd.", "LTD", ""),
    r"ltd\.?": ("Limited", "Ltd", ""),
    r"incorporated": ("Inc", "Inc.", ""),
    r"inc\.?": ("Incorporated", "Inc", "INC.", "", ""),
    r"corporation": ("Corp", "Corp.", ""),
    r"corp\.?": ("Corporation", "Corp", ""),
    r"company": ("Co.", "Co", ""),
    r"public limited company|plc": ("PLC", "plc.", "P.L.C.", ""),
    r"ab \(publ\)": ("AB", "Aktiebolag", ""),
    r"ab": ("AB (publ)", "Aktiebolag", ""),
    r"aktiengesellschaft": ("AG", ""),
    r"ag": ("Aktiengesellschaft", "AG & Co. KGaA", ""),
    r"s\.?p\.?a\.?": ("SpA", "S.p.A.", "Societa per Azioni", ""),
    r"s\.?a\.?b\.? de c\.?v\.?": ("SAB de CV", "S.A. de C.V.", ""),
    r"s\.?a\.?|soci[eé]t[eé] anonyme": ("SA", "S.A.", ""),
    r"n\.?v\.?": ("NV", "N.V.", ""),
    r"a\.?s\.?|anonim sirketi": ("AS", "A.S.", ""),
    r"oyj": ("Oyj", "Abp", ""),
    r"asa": ("ASA", ""),
    r"a/s": ("AS", "A/S", ""),
    r"berhad|bhd\.?": ("Bhd", "Berhad", ""),
    r"k\.?k\.?": ("Co., Ltd.", "KK", ""),
}
"""Legal forms at the end of a name, and what people write instead; empty: they leave it out."""

_ABBREVIATIONS: Final = {
    "international": "Intl",
    "technology": "Tech",
    "technologies": "Tech",
    "industries": "Ind",
    "industrial": "Indl",
    "group": "Grp",
    "holdings": "Hldgs",
    "holding": "Hldg",
    "manufacturing": "Mfg",
    "pharmaceuticals": "Pharma",
    "pharmaceutical": "Pharm",
    "development": "Dev",
    "engineering": "Eng",
    "services": "Svcs",
    "systems": "Sys",
    "financial": "Fin",
    "investment": "Inv",
    "national": "Natl",
    "communications": "Comm",
    "american": "Amer",
    "associates": "Assoc",
    "electronics": "Elec",
    "resources": "Res",
    "university": "Univ",
    "laboratories": "Labs",
    "department": "Dept",
    "and": "&",
    "&": "and",
    "brothers": "Bros",
    "center": "Ctr",
    "first": "1st",
    "saint": "St",
}

_PAIRS: Final = """
    beijing=北京 shanghai=上海 tianjin=天津 chongqing=重庆 guangdong=广东 zhejiang=浙江 jiangsu=江苏
    shandong=山东 sichuan=四川 hubei=湖北 hunan=湖南 henan=河南 hebei=河北 fujian=福建 anhui=安徽
    jiangxi=江西 shanxi=山西 shaanxi=陕西 liaoning=辽宁 jilin=吉林 heilongjiang=黑龙江 yunnan=云南
    guizhou=贵州 hainan=海南 gansu=甘肃 qinghai=青海 guangxi=广西 ningxia=宁夏 xinjiang=新疆
    tibet=西藏 shenzhen=深圳 guangzhou=广州 hangzhou=杭州 ningbo=宁波 suzhou=苏州 nanjing=南京
    wuhan=武汉 chengdu=成都 qingdao=青岛 dalian=大连 xiamen=厦门 wuxi=无锡 china=中国 taiwan=台湾
    huaxia=华夏 group=集团 holding=控股 holdings=控股 technology=科技 technologies=科技 tech=科技
    science=科学 industry=实业 industries=工业 industrial=工业 pharmaceutical=制药
    pharmaceuticals=药业 pharma=医药 medical=医疗 biological=生物 biotech=生物 biotechnology=生物科技
    electric=电气 electronics=电子 electronic=电子 electrical=电器 power=电力 energy=能源
    chemical=化工 chemicals=化学 materials=材料 material=材料 steel=钢铁 machinery=机械 equipment=设备
    automobile=汽车 automotive=汽车 bank=银行 securities=证券 insurance=保险 investment=投资
    development=发展 construction=建设 engineering=工程 environmental=环保 environment=环境 water=水务
    gas=燃气 oil=石油 petroleum=石油 mining=矿业 gold=黄金 media=传媒 film=影业 culture=文化
    education=教育 information=信息 software=软件 network=网络 communication=通信 communications=通讯
    digital=数字 intelligent=智能 intelligence=智能 optical=光学 semiconductor=半导体
    microelectronics=微电子 precision=精密 automation=自动化 textile=纺织 food=食品 foods=食品
    dairy=乳业 liquor=酒业 agriculture=农业 agricultural=农业 port=港口 airport=机场 airlines=航空
    logistics=物流 railway=铁路 expressway=高速公路 shipping=航运 real=房 estate=地产 property=地产
    hotel=酒店 tourism=旅游 travel=旅游 paper=纸业 packaging=包装 glass=玻璃 cement=水泥
    furniture=家具 home=家居 trading=贸易 commercial=商业 department=百货 stores=商店 new=新
"""

_CHINESE: Final = dict(pair.split("=") for pair in _PAIRS.split())
"""What the words of Chinese companies' English names are in Chinese."""

_LEGAL: Final = ("有限公司", "股份有限公司", "股份公司", "有限责任公司", "公司")
_NEIGHBOURS: Final = {
    key: row[max(0, at - 1) : at] + row[at + 1 : at + 2]
    for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    for at, key in enumerate(row)
}

Noise = Callable[[str, random.Random], str]


def core(name: str) -> str:
    """The name without its legal form, accents, case, blanks and punctuation: a crude key for the truth."""
    stem = _split_form(name)[0]
    return re.sub(r"[^a-z0-9]+", "", _plain(stem).lower()) or name


def spoil(name: str, *, kinds: tuple[str, ...], rng: random.Random) -> str:
    """The name after these kinds of noise, one after the other."""
    for kind in kinds:
        name = NOISES[kind](name, rng)
    return re.sub(r"\s+", " ", name).strip() or name


def chinese_name(name: str, rng: random.Random) -> str | None:
    """The name in Chinese, where every word of it is a known word or spells Chinese syllables.

    The characters of a brand are drawn among the common ones with that sound, as a reader of the English
    name alone could not tell them apart either.
    """
    stem, form = _split_form(name)
    words = re.findall(r"[a-z]+", _plain(stem).lower())
    parts = [_CHINESE.get(word) or _characters(word, rng) for word in words]
    if not words or None in parts or not any(word not in _CHINESE for word in words):
        return None
    return "".join(part for part in parts if part) + (rng.choice(_LEGAL) if form else "")


def _split_form(name: str) -> tuple[str, str]:
    """The name before its legal form, and the form."""
    for pattern in _FORMS:
        match = re.search(rf"[\s,.]+({pattern})[\s.]*$", name, flags=re.IGNORECASE)
        if match and match.start() > 0:
            return name[: match.start()], match[1]
    return name, ""


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _legal_form(name: str, rng: random.Random) -> str:
    stem, form = _split_form(name)
    if not form:
        return f"{name} {rng.choice(('Inc.', 'Ltd', 'LLC', 'GmbH', 'Corp.'))}"
    pattern = next(pattern for pattern in _FORMS if re.fullmatch(pattern, form, flags=re.IGNORECASE))
    return f"{stem}{rng.choice((' ', ', '))}{rng.choice(_FORMS[pattern])}".rstrip(" ,")


def _accents(name: str, rng: random.Random) -> str:
    """Lost where there are some, spelled out in German; else one that does not belong there."""
    if not name.isascii():
        german = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
        return _plain(name.translate(german) if rng.random() < 0.5 else name)
    vowels = [at for at, letter in enumerate(name) if letter in "aeiou"]
    if not vowels:
        return name
    at = rng.choice(vowels)
    accented = unicodedata.normalize("NFC", name[at] + rng.choice("\u0301\u0300\u0308"))
    return name[:at] + accented + name[at + 1 :]


def _abbreviations(name: str, rng: random.Random) -> str:
    """One or two words in short; now and then the initials of the whole name."""
    stem, form = _split_form(name)
    words = stem.split()
    if len(words) >= 3 and rng.random() < 0.03:
        return f"{''.join(word[0] for word in words if word[0].isalnum()).upper()} {form}".strip()
    known = [at for at, word in enumerate(words) if word.lower() in _ABBREVIATIONS]
    for at in rng.sample(known, k=min(len(known), 2)):
        words[at] = _ABBREVIATIONS[words[at].lower()] + rng.choice(("", "."))
    return f"{' '.join(words)} {form}".strip()


def _typos(name: str, rng: random.Random) -> str:
    """One slip of the fingers in the name proper, two in a long name now and then."""
    stem, form = _split_form(name)
    for _ in range(2 if len(stem) > 18 and rng.random() < 0.25 else 1):
        stem = _slip(stem, rng)
    return f"{stem} {form}".strip()


def _slip(text: str, rng: random.Random) -> str:
    places = [at for at, letter in enumerate(text) if letter.isalpha() and letter.isascii()]
    if len(places) < 4:
        return text
    at = rng.choice(places[1:])
    match rng.randrange(4):
        case 0:
            return text[: at - 1] + text[at] + text[at - 1] + text[at + 1 :]
        case 1:
            return text[:at] + text[at + 1 :]
        case 2:
            return text[:at] + text[at] + text[at:]
        case _:
            return text[:at] + rng.choice(_NEIGHBOURS.get(text[at].lower(), "e")) + text[at + 1 :]


def _swapped_words(name: str, rng: random.Random) -> str:
    stem, form = _split_form(name)
    words = stem.split()
    if len(words) < 2:
        return name
    if rng.random() < 0.3:
        return f"{' '.join(words[1:])}, {words[0]} {form}".strip()
    at = rng.randrange(len(words) - 1)
    words[at], words[at + 1] = words[at + 1], words[at]
    return f"{' '.join(words)} {form}".strip()


def _case(name: str, rng: random.Random) -> str:
    return rng.choice((name.upper(), name.lower(), name.replace(" ", "  "), name.replace(".", "")))


def _chinese(name: str, rng: random.Random) -> str:
    """The Chinese name alone, or beside the English one."""
    chinese = chinese_name(name, rng)
    if chinese is None:
        return name
    return rng.choices((chinese, f"{name} {chinese}", f"{chinese}（{name}）"), weights=(6, 2, 2))[0]


NOISES: Final[dict[str, Noise]] = {
    "legal_form": _legal_form,
    "accents": _accents,
    "abbreviations": _abbreviations,
    "typos": _typos,
    "swapped_words": _swapped_words,
    "case": _case,
    "chinese": _chinese,
}
"""Kinds of noise by name."""


@cache
def _sounds() -> dict[str, str]:
    """The common characters (GB 2312, first level) by their sound without the tone."""
    by_sound: dict[str, str] = {}
    for first in range(0xB0, 0xD8):
        for second in range(0xA1, 0xFF):
            character = bytes((first, second)).decode("gb2312", errors="ignore")
            if character:
                sound = lazy_pinyin(character, style=Style.NORMAL)[0]
                by_sound[sound] = by_sound.get(sound, "") + character
    return by_sound


def _characters(word: str, rng: random.Random) -> str | None:
    """Characters that a word spells, or None where it is not made of two to four Chinese syllables."""
    syllables = _syllables(word)
    if syllables is None or not 2 <= len(syllables) <= 4:
        return None
    return "".join(rng.choice(_sounds()[syllable]) for syllable in syllables)


def _syllables(word: str) -> list[str] | None:
    """The word cut into syllables, long ones first; None where that fails."""
    if not word:
        return []
    for length in range(min(6, len(word)), 0, -1):
        rest = _syllables(word[length:]) if word[:length] in _sounds() else None
        if rest is not None:
            return [word[:length], *rest]
    return None
