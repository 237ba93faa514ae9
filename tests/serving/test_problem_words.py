"""Problems that somebody may meet on the page are told in Chinese, and none of them half in English."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import serving
from serving.lists.life_cycle import after
from serving.problem_sentences import CLAUSES, TITLES
from serving.problem_words import clause_in, values_in
from serving.problems import (
    PROBLEMS,
    BodyTooLargeError,
    FieldError,
    InvalidRequestError,
    NotAllowedError,
    NotReadyError,
    UnauthorizedError,
    problem,
)
from serving.store.lists import ListChangedError, ListStateError

SERVING = Path(serving.__file__).parent
ROOT = SERVING.parent
MET = (
    *(SERVING / "lists").glob("*.py"),
    *(SERVING / "access" / f"{name}.py" for name in ("gate", "guesses", "roles", "sessions")),
    *(
        SERVING / "store" / f"{name}.py"
        for name in ("lists", "list_members", "list_overrides", "list_exports")
    ),
    *(
        SERVING / "web" / f"{name}.py"
        for name in ("bodies", "endpoint", "list_queries", "own_jobs", "repeats")
    ),
    *(SERVING / "web" / "routes").glob("list*.py"),
    *(SERVING / "web" / "routes" / f"{name}.py" for name in ("expansions", "seeds", "sessions", "plan")),
    SERVING / "jobs" / "expanding.py",
    SERVING / "jobs" / "uploads.py",
    *(ROOT / "models" / "lookalikes" / f"{name}.py" for name in ("asking", "expansion", "blending")),
)
"""Where what people do on the page with lists, searches and sessions can go wrong."""

OF_COMMANDS = {
    "the file cannot be read",
    "the file cannot be read as UTF-8",
    "name another one",
    "row {value}: {value}",
    "no such part of a blend",
    "the weight of {value} is no number",
    "write it as fit=0.6",
    "write it as fit=0.6,intent=0.4",
    "cannot be used",
    "send a new UUID with each new request",
    "the body is not announced as JSON",
    "send the header Content-Type: application/json",
}
"""Said by commands, and to programs, alone."""


def texts(node: ast.expr | None) -> Iterator[str]:
    """The texts that an expression may be, with a value in each place where there will be one."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=values):
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else "{value}" for one in values)
        case ast.IfExp(body=body, orelse=otherwise):
            yield from (*texts(body), *texts(otherwise))
        case ast.BoolOp(values=values):
            yield from (text for one in values for text in texts(one))


def clauses(file: Path) -> Iterator[str]:
    """What a file's errors say is wrong and how to mend it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func).rpartition(".")[2]
        if name in ("FieldError", "_wrong"):
            yield from (*texts(node.args[1]), *(texts(node.args[4]) if len(node.args) > 4 else ()))
        elif name in ("_unauthorized", "PydanticCustomError"):
            yield from texts(node.args[1])
        elif name == "refused" or (name.endswith("Error") and name not in ("ValueError", "TypeError")):
            yield from (text for one in node.args[:1] for text in texts(one))
        else:
            continue
        yield from (text for word in node.keywords if word.arg == "fix" for text in texts(word.value))


def test_every_clause_that_somebody_may_meet_is_known_in_chinese() -> None:
    said = {(file.name, text) for file in MET for text in clauses(file) if text.replace("{value}", "")}
    assert len(said) > 80
    unknown = [
        (file, text)
        for file, text in sorted(said)
        if text not in OF_COMMANDS and clause_in(text.replace("{value}", "7"), language="zh") is None
    ]
    assert unknown == []


def test_every_kind_of_problem_has_a_title_in_chinese() -> None:
    assert {kind.slug for kind in PROBLEMS.values()} == set(TITLES)


def test_both_languages_tell_the_same_values() -> None:
    def values(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    assert [english for english, chinese in CLAUSES.items() if values(chinese) - values(english)] == []
    # What is told in Chinese has no English sentence in it, but commands, names of fields and of formats.
    without = {
        english: re.sub(r"`[^`]*`|spearfish users [\w ]+|\{\w+\}|[A-Z][\w-]*: Bearer \w+", "", chinese)
        for english, chinese in CLAUSES.items()
    }
    assert [chinese for chinese in without.values() if re.search(r"[a-z]+ [a-z]+ [a-z]+", chinese)] == []


CHANGED = "Ann at 2026-05-01T12:00:00Z: edit (name, owner)"
PINNED = "Ben at 2026-05-01T13:00:00Z: pin acc-07 (asked for us)"


@pytest.mark.parametrize(
    ("error", "title", "detail"),
    [
        (
            ListChangedError(
                f"the list was changed meanwhile: {CHANGED}; {PINNED}, and 2 more changes",
                got="revision 3",
                allowed="revision 7",
                fix="read it again, and send what you want with its revision",
            ),
            "其间有人做了更改",
            "名单其间已被更改：Ann 于 2026-05-01T12:00:00Z：编辑（名称、负责人）；"
            "Ben 于 2026-05-01T13:00:00Z：保留 acc-07 (asked for us)，另有 2 处更改"
            "（实际为 修订 3；允许 修订 7）；请重新查看后再提交",
        ),
        (
            UnauthorizedError(
                "this session has expired", fix="sign in by a new link: spearfish users link NAME"
            ),
            "需要有效的 API 密钥或登录",
            "登录已过期；请用新链接登录：spearfish users link NAME",
        ),
        (
            NotAllowedError("viewers may not do this", fix="open the link itself"),
            "API 密钥缺少权限，或此人没有相应的角色",
            "查看者无权执行此操作；请直接打开该链接",
        ),
        (
            InvalidRequestError([FieldError("segments[0].name", "is missing", None, None, "add it")]),
            "请求有误",
            "segments[0].name：缺失；请补充",
        ),
        (
            NotReadyError("the tables are being read", fix="try again in a moment"),
            "尚未就绪",
            "正在读取数据表；请稍后重试",
        ),
        (ZeroDivisionError("/srv"), "处理失败", "未预料的错误；服务器日志中以此 request_id 记录"),
        (
            BodyTooLargeError("the file is too large", got="3,000 bytes or more", allowed="2,000 bytes"),
            "发送的内容过大",
            "文件过大（实际为 3,000 字节以上；允许 2,000 字节）",
        ),
        # Half a sentence in each language would be none.
        (ListStateError("who knows", got=7), "名单在当前状态下不允许此操作", "who knows (got 7)"),
    ],
)
def test_a_problem_is_told_in_chinese(error: Exception, title: str, detail: str) -> None:
    told = problem(error, request_id="r", language="zh")
    assert (told["title"], told["detail"]) == (title, detail)
    english = problem(error, request_id="r")
    assert {name: told[name] for name in ("type", "status")} == {
        name: english[name] for name in ("type", "status")
    }


def test_a_state_that_does_not_allow_something_says_what_it_allows() -> None:
    with pytest.raises(ListStateError) as caught:
        after("review", "submit")
    assert problem(caught.value, request_id="r", language="zh")["detail"] == (
        "状态为“审核中”的名单不能执行“提交审核”（实际为 审核中；允许 草稿）；"
        "目前可以：撤回、要求修改、批准、归档"
    )


def test_what_people_wrote_is_not_translated() -> None:
    for text in ("acc-07", "'draft'", "who did it at night: nobody", "华东, 华北", "from A to B"):
        assert values_in(text) == text


def test_the_service_answers_in_the_language_that_is_asked(client: httpx.Client) -> None:
    def told(language: str) -> tuple[str, str, str]:
        answer = client.get("/v1/lists/999999", headers={"Accept-Language": language})
        document = answer.json()
        assert (answer.status_code, document["type"]) == (404, "urn:spearfish:problem:unknown-list")
        return document["title"], document["detail"], document["errors"][0]["what"]

    assert told("zh-CN,zh;q=0.9,en;q=0.5") == (
        "没有该名单",
        "没有该名单（实际为 999999）；请查看现有名单",
        "没有该名单",
    )
    english = "there is no such list (got 999999); see which there are"
    assert told("fr") == ("No such list", english, "there is no such list")
    missing = client.post("/v1/lists", json={"name": "x", "owner": "Ann"}, headers={"Accept-Language": "zh"})
    assert missing.json()["detail"] == "purpose：缺失；请补充"
    assert missing.json()["errors"] == [{"field": "purpose", "what": "缺失", "fix": "请补充"}]
