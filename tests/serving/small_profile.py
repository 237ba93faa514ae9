"""An ideal customer profile by hand, as it stands in the card of the small company's fit model."""

from __future__ import annotations

from models.profile import Condition, Figures, Profile, StatedTrait, Trait

_PEOPLE = Condition("employees", "between", None, 51, 201, "51 to 200 people", "员工51至200人")
_CRM = Condition("technologies_crm", "has", "crm", None, None, "uses crm", "使用crm")
_RETAIL = Condition("industry", "is", "retail", None, None, "industry retail", "行业为retail")

PROFILE = Profile(
    basis="won_or_lost",
    earlier=Figures(600, 48, 0.08, 0.06, 0.105),
    later=Figures(400, 28, 0.07, 0.049, 0.099),
    split_at="2025-08-01T00:00:00Z",
    candidates=14,
    traits=(
        Trait(
            "for",
            (_PEOPLE, _CRM),
            Figures(180, 40, 40 / 180, 0.16, 0.30),
            Figures(200, 50, 0.25, 0.2, 0.3),
            0.001,
        ),
        Trait(
            "against",
            (_RETAIL,),
            Figures(90, 1, 1 / 90, 0.001, 0.06),
            Figures(99, 1, 1 / 99, 0.0, 0.05),
            0.03,
        ),
    ),
    stated=(
        StatedTrait(
            "industry retail",
            "行业为retail",
            "conflicts",
            Figures(189, 2, 2 / 189, 0.003, 0.04),
            "won 1.1 % of 189, all 7 %; less than the others, beyond chance",
            "189个已成交或丢单客户中赢得1.1 %，全部客户为7 %；低于其他客户，且超出偶然范围",
        ),
        StatedTrait(
            "city is Paris",
            "city is Paris",
            "no_evidence",
            None,
            "the model has no such feature",
            "模型没有该特征",
        ),
    ),
    everyone=Figures(1000, 76, 0.076, 0.06, 0.09),
    unmentioned=(0,),
)
