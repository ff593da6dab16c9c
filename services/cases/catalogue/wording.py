"""The sentences of faults, in the catalogue's three languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from services.cases.catalogue.faults import Fault
from services.cases.catalogue.model import LANGUAGES

ARROW: Final = " → "

_SENTENCES: Final[dict[str, tuple[str, str, str]]] = {
    "untranslated": ("没有{languages}的文字", "沒有{languages}的文字", "not translated into {languages}"),
    "twice": ("{code} 出现多次", "{code} 出現多次", "{code} stands in it more than once"),
    "over-promised": ("承诺时限超过法定时限", "承諾時限超過法定時限", "more is promised than the law allows"),
    "reused": (
        "第 {version} 版已经以另外的内容发布，请提高版本号",
        "第 {version} 版已經以另外的內容發佈，請提高版本號",
        "version {version} is published with another content; raise it",
    ),
    "taken": (
        "本平台已有以此编码详细编写的事项",
        "本平台已有以此編碼詳細編寫的事項",
        "an item that is worked out here has this code",
    ),
    "example": (
        "{pointer} 不符合 {rule} {value}",
        "{pointer} 不符合 {rule} {value}",
        "{pointer} breaks {rule} {value}",
    ),
    "layout": (
        "表单的每个字段都要在版面中出现一次",
        "表單的每個欄位都要在版面中出現一次",
        "every field of the form stands in it, once",
    ),
    "result-field": (
        "表单没有字段 {field}",
        "表單沒有欄位 {field}",
        "the form has no field {field}",
    ),
    "evidence-field": (
        "这种证明没有 {field} 这一项",
        "這種證明沒有 {field} 這一項",
        "evidence of this kind has no {field}",
    ),
    "labels": ("每个选项都要有名称", "每個選項都要有名稱", "every choice has a label"),
    "condition": (
        "{field} 不是另一个字段，或者没有这个选项",
        "{field} 不是另一個欄位，或者沒有這個選項",
        "{field} is no other field, or has no such value",
    ),
    "condition-circle": (
        "字段的显示条件成环：{path}",
        "欄位的顯示條件成環：{path}",
        "fields that are shown only if each other are: {path}",
    ),
    "always-required": (
        "按条件显示的字段不能总是必填，请写入 then",
        "按條件顯示的欄位不能總是必填，請寫入 then",
        "a field that is shown on a condition cannot always be required; require it in `then`",
    ),
    "follow-closed": (
        "材料可以后补，但事项不开放容缺受理",
        "材料可以後補，但事項不開放容缺受理",
        "may follow, but the item is not open to provisional acceptance",
    ),
    "declared-closed": (
        "材料可以承诺代替，但事项不开放告知承诺",
        "材料可以承諾代替，但事項不開放告知承諾",
        "may be declared, but the item is not open to commitments",
    ),
    "step-unknown": (
        "步骤 {step} 之后是 {next}，没有这个步骤",
        "步驟 {step} 之後是 {next}，沒有這個步驟",
        "{step} leads to {next}, which is no step",
    ),
    "step-unreachable": (
        "从开始走不到这个步骤：{path}",
        "從開始走不到這個步驟：{path}",
        "no way leads from the start to this step: {path}",
    ),
    "step-endless": (
        "从这个步骤走不到结束：{path}",
        "從這個步驟走不到結束：{path}",
        "no way leads from this step to an end: {path}",
    ),
    "circular": ("循环证明：{path}", "循環證明：{path}", "circular proof: {path}"),
    "strange": ("奇葩证明：{path}", "奇葩證明：{path}", "strange proof: {path}"),
    "source": ("来源不对：{path}", "來源不對：{path}", "wrong source: {path}"),
    "paper-differs": (
        "材料 {paper} 在别处另有说明",
        "材料 {paper} 在別處另有說明",
        "the paper {paper} is described otherwise elsewhere",
    ),
    "nowhere": ("（没有任何步骤通往）", "（沒有任何步驟通往）", "(no step leads here)"),
    "nobody-gives": ("没有任何单位出具", "沒有任何單位出具", "nobody gives it"),
    "held": (
        "平台已经掌握，不得要求申请人提交",
        "平台已經掌握，不得要求申請人提交",
        "the platform holds it, so it is not to be asked from the applicant",
    ),
    "issued-here": (
        "平台已由「{item}」（{code}）签发电子结果，不得要求申请人提交",
        "平台已由「{item}」（{code}）簽發電子結果，不得要求申請人提交",
        "the platform issued it electronically by {item} ({code}), so it is not to be asked from the applicant",
    ),
    "not-held": ("平台并不掌握", "平台並不掌握", "the platform does not hold it"),
    "no-department": ("没有部门出具", "沒有部門出具", "no department gives it"),
    "part-unknown": (
        "{part} 不是本目录中可以申报的事项",
        "{part} 不是本目錄中可以申報的事項",
        "{part} is no item of this catalogue that can be filed here",
    ),
    "part-need-unknown": (
        "{part} 等待 {need}，但 {need} 不在其中",
        "{part} 等待 {need}，但 {need} 不在其中",
        "{part} waits for {need}, which is no part of it",
    ),
    "part-need-open": (
        "{part} 等待 {need}，但 {need} 不一定办理，条件应当一致",
        "{part} 等待 {need}，但 {need} 不一定辦理，條件應當一致",
        "{part} waits for {need}, which is not always filed with it: give both the same condition",
    ),
    "part-circle": ("各部分互相等待：{path}", "各部分互相等待：{path}", "parts that wait for each other: {path}"),
    "part-field-unknown": (
        "{part} 的表单没有字段 {field}，或者填写了两次",
        "{part} 的表單沒有欄位 {field}，或者填寫了兩次",
        "the form of {part} has no field {field}, or it is answered twice",
    ),
    "part-field-unanswered": (
        "{part} 的必填字段 {field} 没有对应的回答",
        "{part} 的必填欄位 {field} 沒有對應的回答",
        "{part} requires {field}, and nothing answers it",
    ),
    "part-field-looser": (
        "{field} 的 {rule} 比 {part} 的 {other} 宽松",
        "{field} 的 {rule} 比 {part} 的 {other} 寬鬆",
        "{field} lets through what {part} refuses in {other}: {rule}",
    ),
    "part-field-unused": (
        "询问了 {field}，却没有用处",
        "詢問了 {field}，卻沒有用處",
        "{field} is asked for nothing",
    ),
    "part-document": (
        "{part} 与 {other} 的材料 {document} 代码相同，但不是同一份材料，或者没有共同的文件类型",
        "{part} 與 {other} 的材料 {document} 代碼相同，但不是同一份材料，或者沒有共同的檔案類型",
        "{document} of {part} and of {other} have one code, and are not the same paper or take no type in common",
    ),
    "part-example": (
        "{part}：{pointer} 不符合 {rule} {value}",
        "{part}：{pointer} 不符合 {rule} {value}",
        "{part}: {pointer} breaks {rule} {value}",
    ),
    "item": ("「{name}」（{code}）", "「{name}」（{code}）", "{name} ({code})"),
    "document": ("需要「{name}」", "需要「{name}」", "needs {name}"),
    "paper": ("即 {paper}", "即 {paper}", "that is {paper}"),
}


def say(key: str, **values: Any) -> dict[str, str]:
    """The sentence in every language. A value that is a text in several languages is said in the sentence's own."""
    return {
        language: sentence.format(**{name: pick(value, language) for name, value in values.items()})
        for language, sentence in zip(LANGUAGES, _SENTENCES[key], strict=True)
    }


def say_path(parts: list[dict[str, str]]) -> dict[str, str]:
    return {language: ARROW.join(pick(part, language) for part in parts) for language in LANGUAGES}


def pick(value: Any, language: str) -> str:
    """In this language; else in the one that an imported item has at least."""
    if not isinstance(value, Mapping):
        return str(value)
    return str(value.get(language) or value.get(LANGUAGES[0]) or next(iter(value.values()), ""))


def fault(item: str, place: str, key: str, **values: Any) -> Fault:
    said = say(key, **values)
    return Fault(item, place, said["en"], said)
