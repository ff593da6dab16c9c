"""Finding a service item: in either script, in pinyin, in a citizen's words, and with typing mistakes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import InvalidInput
from services.cases.catalogue import files, importing, listing
from services.cases.catalogue.model import Catalogue, Filter, ServiceItem
from services.cases.catalogue.search import words
from services.cases.paging import MAX_LIMIT
from tests.official_lists import as_csv, rows

NAMES = (
    "失业保险金申领",
    "企业职工基本养老保险正常退休申请",
    "残疾人证新办",
    "残疾人证换领",
    "普通护照签发",
    "居民身份证省内异地办理",
    "道路货物运输经营许可",
    "户口登记",
    "开店营业执照遗失公告",
)


def row_of(name, number):
    return rows(1)[0] | {"item_code": f"511A{number:06d}-511602000000-000-1", "name": name, "main_item": ""}


def signposts(*names):
    read = importing.read_list(as_csv([row_of(name, number) for number, name in enumerate(names)]), ())
    return [ServiceItem(item | {"version": 1}) for item in read.items]


HERE = len(files.shipped().all())
CATALOGUE = Catalogue([*files.shipped().all(), *signposts(*NAMES)])
ALL = Filter()


def search(q, wanted=ALL, **page):
    return listing.list_items(CATALOGUE, q, wanted, page.get("cursor"), page.get("limit"))


def found(q):
    return [item["name"]["zh-Hans"] if not item["online"] else item["code"] for item in search(q)["items"]]


@pytest.mark.parametrize(
    ("q", "first"),
    [
        ("居住证", "residence-permit"),
        ("居住證申領", "residence-permit"),
        ("  Residence   PERMIT ", "residence-permit"),
        ("permit", "residence-permit"),
        ("暂住证", "residence-permit"),
        ("外地人口", "residence-permit"),
        ("暫住證", "residence-permit"),
        ("怎么办理居住证？", "residence-permit"),
        ("我想开饭馆", "sole-trader"),
        ("给孩子上户口", "birth-registration"),
        ("報銷醫藥費", "medical-reimbursement"),
        ("how do I get a senior card", "elderly-card"),
        ("juzhuzheng", "residence-permit"),
        ("ju zhu zheng", "residence-permit"),
        ("jūzhùzhèng", "residence-permit"),
        ("juzhuzh", "residence-permit"),
        ("zhuzheng", "residence-permit"),
        ("jzzsl", "residence-permit"),
        ("jzz", "residence-permit"),
        ("yingyezhizhao", "sole-trader"),
        ("cjrz", "残疾人证新办"),
        ("失业金", "失业保险金申领"),
        ("512B0011200070-511602000000-000-11511300008778693M-1-00", "residence-permit"),
        ("511A000004", "普通护照签发"),
        ("elderly-card", "elderly-card"),
        ("居住證申领", "residence-permit"),
        ("请问护照怎么办", "普通护照签发"),
        ("营业执照怎么办理需要什么材料", "sole-trader"),
        ("孩子生了怎么给他办户口", "birth-registration"),
        ("我妈妈七十岁了可以坐公交车免费吗", "elderly-card"),
        ("失业了怎么领钱", "失业保险金申领"),
        ("how can I get my money back from the hospital", "medical-reimbursement"),
    ],
)
def test_the_words_of_a_citizen_find_it(q, first):
    assert found(q)[0] == first


@pytest.mark.parametrize(
    ("q", "first", "meant"),
    [
        ("居住正", "residence-permit", "居住证"),
        ("居注证", "residence-permit", "居住证"),
        ("居证住", "residence-permit", "居住证申领"),
        ("营业职照", "sole-trader", "营业执照"),
        ("老年优待证申请书", "elderly-card", "老年人优待证申领"),
        ("普通沪照", "普通护照签发", "普通护照"),
        ("residense permit", "residence-permit", "residence permit"),
        ("eldery card", "elderly-card", "elderly card"),
        ("jvzhuzheng", "residence-permit", "居住证申领"),
        ("regstraton of a birth", "birth-registration", "registration birth"),
        ("reimbrsment", "medical-reimbursement", "reimbursement"),
    ],
)
def test_typing_mistakes_are_forgiven(q, first, meant):
    answer = search(q)
    assert found(q)[0] == first
    assert (answer["did_you_mean"] or {}).get("zh-Hans") == meant


def test_what_was_meant_is_said_in_the_readers_script():
    assert search("居住政")["did_you_mean"] == {"zh-Hans": "居住证", "zh-Hant": "居住證", "en": "居住证"}
    assert search("營業職照")["did_you_mean"]["en"] == "營業執照"


def test_what_matches_as_written_needs_no_guess():
    assert search("居住证")["did_you_mean"] is None


def test_a_name_comes_before_a_keyword_before_a_summary():
    """`营业执照` is a keyword of one item and begins nobody's name but stands in another's; a summary says it, too."""
    assert found("营业执照")[:2] == ["sole-trader", "开店营业执照遗失公告"]
    assert found("护照") == ["普通护照签发"]
    assert found("登记")[:3] == ["birth-registration", "sole-trader", "户口登记"]


def test_what_can_be_done_here_comes_first_among_equals():
    twins = Catalogue([*files.shipped().all(), *signposts("居住证申领")])
    codes = [item["code"] for item in listing.list_items(twins, "居住证申领", ALL, None, None)["items"]]
    assert codes[0] == "residence-permit"
    assert len(codes) == 2


def test_of_equals_the_nearer_office_comes_first_then_the_shorter_name():
    places = ("510000000000", "511602000000", "511602101000", "511602101000")
    names = ("道路运输", "道路运输", "道路运输许可", "道路运输")
    listed = [
        row_of(name, number) | {"region": at} for number, (name, at) in enumerate(zip(names, places, strict=True))
    ]
    read = importing.read_list(as_csv(listed), ()).items
    catalogue = Catalogue(ServiceItem(item | {"version": 1}) for item in read)
    codes = [item["code"][:10] for item in listing.list_items(catalogue, "道路", ALL, None, None)["items"]]
    assert codes == ["511A000003", "511A000002", "511A000001", "511A000000"]


def test_either_script_is_one():
    assert words.fold("居住證 Permit") == words.fold("居住证　ＰＥＲＭＩＴ") == "居住证 permit"


def test_what_shares_no_word_finds_nothing():
    assert found("今天天气怎么样") == found("zzzzz qqqqq") == found("什么") == []


def test_with_nothing_asked_for_what_can_be_done_here_comes_first():
    listed = search(None)
    assert [item["online"] for item in listed["items"]] == [True] * HERE + [False] * len(NAMES)
    assert listed["total"] == HERE + len(NAMES)
    assert search("   ") == listed


ODD = ("😀", "%", "\\", "'; DROP TABLE items;--", "(", "[", "*", "\u0301", "1", "the", "ß", "ﬃ", "zzzzz")


@pytest.mark.parametrize("q", [*ODD, "证" * 200, "a" * 200, "ab " * 66])
def test_odd_queries_answer(q):
    assert search(q)["next"] is None


def test_an_emoji_beside_words_does_no_harm():
    assert found("😀居住证！")[0] == "residence-permit"


def test_a_query_has_a_limit():
    with pytest.raises(InvalidInput):
        search("证" * 201)


@given(st.text(max_size=200))
@settings(max_examples=150, deadline=None)
def test_any_text_can_be_asked(q):
    answer = search(q, limit=MAX_LIMIT)
    assert len(answer["items"]) == answer["total"] <= HERE + len(NAMES)


def test_pages_follow_one_another_in_order_of_rank():
    whole = [item["code"] for item in search("申领", limit=MAX_LIMIT)["items"]]
    assert len(whole) > 2
    paged, cursor = [], None
    while True:
        answer = search("申领", limit=1, cursor=cursor)
        paged += [item["code"] for item in answer["items"]]
        cursor = answer["next"]
        if cursor is None:
            break
    assert paged == whole


def test_a_cursor_of_another_search():
    cursor = search("申领", limit=1)["next"]
    with pytest.raises(InvalidInput):
        search("护照", cursor=cursor)


def test_filters_narrow_and_facets_say_what_each_would_leave():
    answer = listing.list_items(CATALOGUE, None, Filter(online=True, department="civil-affairs"), None, None, True)
    assert {item["department"] for item in answer["items"]} == {"civil-affairs"}
    assert answer["total"] == 4
    facets = answer["facets"]
    assert {each["code"]: each["count"] for each in facets["department"]} == {
        "civil-affairs": 4,
        "market-regulation": 2,
        "medical-insurance": 1,
        "human-resources": 1,
    }
    assert facets["department"][0]["name"]["zh-Hans"] == "民政局"
    assert facets["online"] == 4
    assert {each["code"]: each["count"] for each in facets["audience"]} == {"individual": 4, "organisation": 0}
    assert search(None, Filter(audience="organisation"))["total"] == len(NAMES)
    assert search(None, Filter(online=False))["total"] == len(NAMES)
