"""Official lists of service items: one of the shape of a real district's, made here."""

from __future__ import annotations

import csv
import io

HEADER = ("item_code", "name", "department", "department_code", "region", "main_item", "kind")
DEPARTMENTS = ("区民政局", "区人社局", "区行政审批局", "广安区税务局", "区公管办", "区档案馆")
SUBJECTS = (
    "水上运动场所",
    "职业技能鉴定",
    "道路货物运输",
    "饮用水供水单位",
    "建设工程规划",
    "林木采伐",
    "养老机构",
    "学校",
)
ACTIONS = ("设立许可", "变更登记", "注销备案", "补贴申领", "信息查询", "年度检验", "补换证", "延续")
KINDS = ("licence", "public-service", "other", "confirmation", "benefit", "ruling", "award", "行政许可")


def rows(count: int) -> list[dict[str, str]]:
    """As many rows, each with another code and name."""
    return [
        {
            "item_code": f"512B{number:09d}-511602000000-000-11511300008778693M-1-00",
            "name": f"{SUBJECTS[number % 8]}{ACTIONS[number // 8 % 8]}（{number}号）",
            "department": DEPARTMENTS[number % 6],
            "department_code": str(number % 6),
            "region": "511602000000",
            "main_item": "" if number % 2 else f"{SUBJECTS[number % 8]}的管理",
            "kind": KINDS[number % 8],
        }
        for number in range(count)
    ]


def as_csv(records: list[dict[str, str]], header: tuple[str, ...] = HEADER) -> bytes:
    file = io.StringIO()
    writer = csv.DictWriter(file, header, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(records)
    return file.getvalue().encode()
