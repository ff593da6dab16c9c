"""Reading an official list: what becomes of a row, and how a broken one is named."""

import pytest

from contracts.filters import is_part
from services.cases.catalogue import schema
from services.cases.catalogue.departments import department_of
from services.cases.catalogue.importing import BrokenList, read_list
from services.cases.catalogue.script import to_simplified, to_traditional
from tests.official_lists import as_csv, rows


def faults_of(content):
    with pytest.raises(BrokenList) as refusal:
        read_list(content, ())
    return refusal.value.faults


def test_a_row_becomes_a_signpost():
    row = rows(1)[0] | {"name": "养老机构\n 设立许可", "kind": "行政许可", "department": "区人社局"}
    item = read_list(as_csv([row]), ()).items[0]
    assert item == {
        "code": "512B000000000-511602000000-000-11511300008778693M-1-00",
        "online": False,
        "name": {"zh-Hans": "养老机构 设立许可", "zh-Hant": "養老機構 設立許可"},
        "main_item": {"zh-Hans": "水上运动场所的管理", "zh-Hant": "水上運動場所的管理"},
        "kind": "licence",
        "department": "human-resources",
        "department_name": {
            "zh-Hans": "人力资源和社会保障局",
            "zh-Hant": "人力資源和社會保障局",
            "en": "Human Resources and Social Security Bureau",
        },
        "region": "511602",
        "level": "county",
        "audience": "any",
    }


def test_every_row_passes_the_schema_and_its_codes_go_into_a_routing_key():
    for item in read_list(as_csv(rows(50)), ()).items:
        assert schema.faults_of(item | {"version": 1}) == []
        assert all(is_part(item[part]) for part in ("code", "department", "region", "kind"))


@pytest.mark.parametrize(
    ("region", "kept", "level"),
    [
        ("510000000000", "510000", "provincial"),
        ("511600000000", "511600", "municipal"),
        ("511602", "511602", "county"),
        ("511602101000", "511602101000", "township"),
        ("511602101001", "511602101001", "village"),
    ],
)
def test_the_level_is_the_regions(region, kept, level):
    item = read_list(as_csv([rows(1)[0] | {"region": region}]), ()).items[0]
    assert (item["region"], item["level"]) == (kept, level)


def test_an_item_that_is_worked_out_here_is_left_alone():
    records = rows(3)
    read = read_list(as_csv(records), {records[1]["item_code"]})
    assert [item["code"] for item in read.items] == [records[0]["item_code"], records[2]["item_code"]]
    assert read.known == 1


def test_further_columns_and_another_order_do_no_harm():
    header = ("kind", "note", "region", "main_item", "item_code", "department", "name")
    records = [row | {"note": "x"} for row in rows(3)]
    assert read_list(as_csv(records, header), ()).items == read_list(as_csv(records), ()).items


def test_with_and_without_a_byte_order_mark():
    content = as_csv(rows(3))
    assert read_list(b"\xef\xbb\xbf" + content, ()).items == read_list(content, ()).items


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"item_code": ""}, "item_code"),
        ({"item_code": "a.b"}, "item_code"),
        ({"item_code": "x" * 65}, "item_code"),
        ({"item_code": "../../etc"}, "item_code"),
        ({"name": "  "}, "name is empty"),
        ({"name": "长" * 301}, "name is longer"),
        ({"name": "a\x00b"}, "control character"),
        ({"department": ""}, "department is empty"),
        ({"region": "5116"}, "region"),
        ({"region": "５１１６０２"}, "region"),
        ({"kind": "许可"}, "kind"),
        ({"main_item": "a\x1bb"}, "control character"),
    ],
)
def test_a_broken_row_is_named_with_its_line(change, reason):
    records = rows(5)
    records[2] |= change
    faults = faults_of(as_csv(records))
    assert [line for line, _ in faults] == [4]
    assert reason in faults[0][1]


def test_every_broken_row_is_named():
    records = rows(9)
    records[1] |= {"kind": "x", "region": "y"}
    records[7] |= {"name": ""}
    assert [line for line, _ in faults_of(as_csv(records))] == [3, 3, 9]


def test_lines_are_the_files_though_cells_hold_line_breaks():
    records = rows(4)
    records[0] |= {"name": "一\n二\n三"}
    records[2] |= {"kind": "x"}
    assert [line for line, _ in faults_of(as_csv(records))] == [6]


def test_a_code_that_stands_twice():
    records = rows(3)
    records[2] |= {"item_code": records[0]["item_code"]}
    assert faults_of(as_csv(records)) == [(4, f"item_code {records[0]['item_code']} stands in line 2 already")]


@pytest.mark.parametrize("tail", [b"one,two\r\n", b"a,b,c,d,e,f,g,h\r\n"])
def test_a_row_of_another_length(tail):
    faults = faults_of(as_csv(rows(2)) + tail)
    assert faults[0][0] == 4
    assert "the header has 7" in faults[0][1]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", 1),
        (b"name,kind\r\n", 1),
        (as_csv(rows(1)).replace(b"kind", b"name"), 1),
        (as_csv(rows(2)) + "居住证".encode("gb18030"), 4),
        (as_csv(rows(2)) + b'"open', 4),
    ],
)
def test_a_file_that_is_no_list(content, line):
    assert [found for found, _ in faults_of(content)] == [line]


def test_departments_have_codes_that_stay():
    assert (
        department_of("区民政局")[0]
        == department_of("广安区民政局")[0]
        == department_of("民政局")[0]
        == "civil-affairs"
    )
    code, name = department_of("区档案馆")
    assert (code, name) == (department_of("区档案馆")[0], {"zh-Hans": "区档案馆", "zh-Hant": "區檔案館"})
    assert code.startswith("qu-dang-an-guan-")
    assert department_of("区档案管")[0] != code
    for odd in ("长" * 300, "！？", "A. B."):
        assert is_part(department_of(odd)[0])


def test_scripts():
    assert to_traditional("皇后的头发在后面") == "皇后的頭髮在後面"
    assert to_simplified("皇后的頭髮在後面") == "皇后的头发在后面"
