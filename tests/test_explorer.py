"""The explorer: its numbers are the chapters' own, and a new user finds them in a browser."""

import base64
import gzip
import hashlib
import json
import re
import time
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
import pytest
from bs4 import BeautifulSoup

from taobao_villages.book import directives
from taobao_villages.chapters import blooming, expansion
from taobao_villages.explorer import states
from taobao_villages.explorer.page import CLAIMS, markup, payload_json
from taobao_villages.subjects import policy, provinces, villages
from taobao_villages.verdicts import kept

ASSETS = Path(__file__).parents[1] / "book" / "_assets" / "explorer"


@pytest.fixture(scope="session")
def content() -> dict:
    """What the page carries, computed once."""
    return json.loads(payload_json())


# ---- one state, by hand ---------------------------------------------------------------------


def test_jiangsu_decides_about_the_south():
    with_it, without = (states.state(n)["share"] for n in ("south", "south_jiangsu_north"))
    assert with_it == pytest.approx(100 * (519 + 127) / 780)
    assert without == pytest.approx(100 * 519 / 780)
    told = [
        states.verdicts(name, year=2015, base="population")["C20"]
        for name in ("south", "south_jiangsu_north")
    ]
    assert told == ["reproduced", "contradicted"]


def test_the_quotient_is_share_over_share_of_the_base():
    for base in provinces.BASES:
        told = states.state("delta", year=2016, base=base)
        assert told["quotient"] == pytest.approx(told["share"] / told["of_base"])
    assert villages.location_quotient(2016, provinces.villages(2016) > -1) == pytest.approx(1)


def test_a_border_through_provinces_has_no_base():
    told = states.state("seat_below_33n", year=2015)
    assert told["share"] == pytest.approx(villages.share(2015, "seat_below_33n"))
    assert told["of_base"] is None
    assert told["quotient"] is None


def test_after_the_last_complete_list_a_share_has_limits_and_no_verdict():
    told = states.state("south", year=2018)
    assert told["share"] is None
    assert 0 < told["low"] < told["high"] < 100
    assert states.verdicts("south", year=2018, base="population") == {}
    assert states.state("seat_below_33n", year=2018)["low"] is None


def test_missing_is_never_zero():
    for year in states.YEARS:
        known = states.villages(year)
        assert known.isna().any() == (year not in provinces.YEARS)
        assert (known == 0).any() == (year in provinces.YEARS)
    assert states.quotient(2018, "population").isna().all()


@pytest.mark.parametrize(
    "choice", [{"name": "north"}, {"year": 2013}, {"year": 2022}, {"base": "gdp"}]
)
def test_an_unknown_choice_is_named(choice):
    with pytest.raises(states.ExplorerError, match=str(next(iter(choice.values())))):
        states.state(**choice)


# ---- what the page carries ------------------------------------------------------------------


def test_every_border_year_and_base_is_that_of_the_chapter(content):
    assert [one["name"] for one in content["regions"]] == [
        *blooming.SOUTH,
        *blooming.EAST,
        *blooming.DELTA_PROVINCES,
    ]
    for one in content["regions"]:
        inside = states.region(one["name"]).inside
        for year in provinces.YEARS:
            told = one["results"][str(year)]
            assert told["share"] == pytest.approx(villages.share(year, one["name"]), abs=1e-4)
            for base in provinces.BASES:
                if inside is None:
                    assert told["quotient"][base] is None
                    continue
                expected = villages.location_quotient(year, inside, over=base)
                assert told["quotient"][base] == pytest.approx(expected, abs=1e-4)
            claim = {"C19": blooming.C19, "C20": blooming.C20}.get(one["claim"])
            if claim:
                verdict = claim.judge(definitions=[one["name"]], years=[year]).verdict
                assert set(told["verdicts"][claim.id].values()) == {verdict}


def test_verdicts_kept_by_the_multiverse_are_those_of_the_claims(content):
    told = {one["name"]: one["results"]["2016"]["verdicts"] for one in content["regions"]}
    verdict = blooming.C18.judge(base="land_area", south="south_jiangsu_north").verdict
    assert told["south_jiangsu_north"]["C18"]["land_area"] == verdict
    verdict = blooming.C21.judge(delta_provinces=["delta"]).verdict
    assert told["delta"]["C21"]["population"] == verdict
    rows = kept.kept()
    book = rows[rows["variant"] == 0].set_index("claim_id")["verdict"]
    assert {k: v["verdict"] for k, v in content["claims"].items()} == {k: book[k] for k in CLAIMS}


def test_tiles_show_the_lists_and_31_provinces_with_three_places_without_data(content):
    codes = [tile["province_code"] for tile in content["tiles"]]
    for year in provinces.YEARS:
        shown = dict(zip(codes, content["values"][str(year)]["villages"], strict=True))
        counts = provinces.villages(year)
        assert {code: shown[code] for code in counts.index} == counts.to_dict()
        assert [code for code in codes if shown[code] is None] == ["71", "81", "82"]
        rates = content["values"][str(year)]["rate"]["rural_population"]
        assert np.nanmax(np.array(rates, float)) == pytest.approx(provinces.rates(year).max(), 1e-4)


def test_a_page_of_another_name_computes_its_numbers_itself(content, tmp_path):
    config = SimpleNamespace(nb_execution_cache_path=str(tmp_path / "jupyter"))
    env = SimpleNamespace(app=SimpleNamespace(), config=config, taobao_key="a key")
    env.docname, env.metadata = "book/elsewhere", {"book/elsewhere": {}}
    (page,) = directives.Explorer.run(SimpleNamespace(env=env))
    assert page.astext() == markup(content)
    assert env.metadata["book/elsewhere"]["explorer"]


def test_tables_to_look_up_hold_every_listed_village():
    for table in (states.prefectures_table(), states.counties_table()):
        for year in provinces.YEARS:
            assert table[str(year)].sum() == provinces.villages(year).sum()
    assert len(states.provinces_table()) == 31


def test_events_are_linked_by_a_shared_source_or_a_named_county():
    linked = states.events()["cases"]
    assert "dongfeng_shaji" in linked["ev074"]  # one source, and Suining county is named
    assert "suichang" not in linked["ev074"]
    assert not linked["ev019"]  # the company Suning is not the county of that name
    assert linked.map(len).max() < 10  # the article cites events and cases: no link


def test_all_events_of_the_chapter_are_here_and_none_has_a_cut_title(content):
    listed = expansion.C06.judge().evidence.details["listed"]
    assert len(states.events_table()) == len(content["events"]) == listed
    dated = [event for event in content["events"] if event["date"]]
    assert 0 < len(dated) < listed
    assert states.events_table()["Date"].eq("not dated").sum() == listed - len(dated)
    page = markup(content)
    assert f"{len(dated)} events with a date; the list of events below has all {listed}" in (
        " ".join(page.split())
    )
    titles = policy.events()["title_en"]
    assert titles.str.len().max() > 100
    options = BeautifulSoup(page, "html.parser").select("option")
    assert set(titles) <= {option.text.partition(": ")[2] for option in options}


def sha384(path: Path) -> str:
    return "sha384-" + base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()


def test_the_grammar_is_the_pinned_bundle(root):
    """`npm ci && npm run build` in book/_assets/grammar writes these files anew."""
    told = json.loads((ASSETS / "grammar.json").read_text("utf-8"))
    grammar = ASSETS.with_name("grammar")
    assert {path.name for path in ASSETS.glob("*.js")} == {"explorer.js", told["file"]}
    assert told["integrity"] == sha384(ASSETS / told["file"])
    assert told["source"] == sha384(grammar / "grammar.js")
    locked = json.loads((grammar / "package-lock.json").read_text("utf-8"))["packages"]
    assert not [name for name, about in locked.items() if "resolved" in about]
    asked = json.loads((grammar / "package.json").read_text("utf-8"))
    for number in (asked["dependencies"] | asked["devDependencies"]).values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", number)
    licences = (ASSETS / "grammar.LICENSES.txt").read_text("utf-8")
    listed = (root / "THIRD_PARTY_LICENSES.md").read_text("utf-8")
    for name, about in told["packages"].items():
        kept = locked[f"node_modules/{name}"]
        assert (about["version"], about["integrity"]) == (kept["version"], kept["integrity"])
        assert f"{name} {about['version']}\n" in licences
        assert f"`{name}` {about['version']} ({about['licence']})" in listed


def test_our_script_is_small_and_evaluates_nothing():
    text = (ASSETS / "explorer.js").read_text("utf-8")
    assert len(text) < 25_000
    assert not re.search(r"\beval\b|new Function|https?://|\bfetch\(", text)


def test_the_page_is_light(address):
    """What the page and its own files weigh, compressed, without what the theme adds."""
    built = Path(url2pathname(urlsplit(address).path))
    shown = re.findall(r"_images/\w+\.(?:svg|png)", built.read_text("utf-8"))
    files = [built, *(built.parents[1] / name for name in dict.fromkeys(shown))]
    files += [ASSETS / name for name in ("grammar.min.js", "explorer.js", "explorer.css")]
    assert len(files) >= 6
    assert sum(len(gzip.compress(path.read_bytes(), 6)) for path in files) < 200_000


def test_other_pages_do_not_load_the_grammar(address):
    for name in ("index.html", "blooming.html"):
        text = (Path(url2pathname(urlsplit(address).path)).with_name(name)).read_text("utf-8")
        assert "grammar.min.js" not in text


# ---- in a browser ---------------------------------------------------------------------------


@pytest.fixture(scope="session")
def address(html) -> str:
    """The built page, opened as a file."""
    return (html / "book" / "explorer.html").as_uri()


@pytest.fixture
def visit(browser, address):
    """Opens the page in a state; closes all afterwards."""
    contexts = []

    def go(state: str = "", **options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.faults = []
        page.asked = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(address + state)
        if options.get("java_script_enabled", True):
            page.wait_for_selector('[data-view="cases"] svg')
        return page

    yield go
    for context in contexts:
        context.close()


def answer(page) -> str:
    return " ".join(page.inner_text('[data-view="answer"]').split())


def test_task_what_jiangsu_does_to_the_south(visit):
    began = time.monotonic()
    page = visit()
    assert "82.8% of 780 villages" in answer(page)
    page.select_option('select[name="region"]', label="South, Jiangsu as north")
    said = answer(page)
    assert "66.5% of 780 villages" in said
    assert (
        "-16.3 percentage points; the verdict on C20 moves from reproduced to contradicted" in said
    )
    assert time.monotonic() - began < 60
    ours = [fault for fault in page.faults if "THEBE" not in fault]
    assert not ours
    assert all(url.startswith(("file:", "data:", "blob:")) for url in page.asked)


def test_task_share_a_state_by_its_address(visit):
    page = visit()
    page.check('input[name="year"][value="2016"]')
    page.select_option('select[name="region"]', "delta_with_anhui")
    page.select_option('select[name="base"]', "land_area")
    page.select_option('select[name="shade"]', "quotient")
    page.select_option('select[name="province"]', "32")
    page.select_option('select[name="event"]', "ev074")
    page.fill("#counties .table-filter input", "睢宁")
    page.click("#provinces th:nth-child(3) button")
    other = visit("#" + page.url.split("#")[1])
    assert other.url == page.url
    for view in ("answer", "linked", "tiles-table", "borders-table", "cases-table"):
        assert other.inner_html(f'[data-view="{view}"]') == page.inner_html(f'[data-view="{view}"]')
    assert "Dongfeng" in other.inner_text('[data-view="linked"]')
    assert other.locator("#counties tbody tr:visible").count() == 1
    assert other.get_attribute("#provinces th:nth-child(3)", "aria-sort") == "ascending"
    assert "that is not here" in visit("#year=1999").inner_text('[data-view="address"]')


def test_task_by_keyboard_alone(visit):
    page = visit(reduced_motion="reduce")
    page.focus('input[name="year"]:checked')
    assert page.get_attribute('[data-view="play"]', "aria-pressed") == "false"  # nothing moves
    page.keyboard.press("ArrowRight")
    assert "2016, “South by capital" in answer(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.view") == "play"
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    assert "Jiangsu as north”: 67.6%" in answer(page)
    for _ in range(4):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Read the map as a table"
    page.keyboard.press("Enter")
    assert page.locator('[data-view="tiles-table"] tbody tr').count() == 34
    assert "Zhejiang" in page.inner_text('[data-view="tiles-table"]')


def test_the_page_shows_the_numbers_of_the_chapter_for_every_border(visit):
    page = visit()
    for one in states.REGIONS:
        page.select_option('select[name="region"]', one.name)
        for year in provinces.YEARS:
            page.check(f'input[name="year"][value="{year}"]')
            assert f"{villages.share(year, one.name):.1f}% of" in answer(page)
            for base in provinces.BASES if one.inside is not None else ():
                page.select_option('select[name="base"]', base)
                told = villages.location_quotient(year, one.inside, over=base)
                assert f"its location quotient is {told:.2f}" in answer(page)
        verdict = states.verdicts(one.name, year=2016, base="land_area")[one.claim_id]
        assert f"With these choices: {verdict}" in answer(page)


def test_what_is_not_known_is_no_data(visit):
    page = visit("#year=2018&region=south")
    assert "7 of 31 provinces are known" in answer(page)
    rows = page.locator('[data-view="tiles-table"] tbody tr').all_text_contents()
    assert sum("no data" in row for row in rows) == 34
    assert sum("nono data" in row or "yesno data" in row for row in rows) == 34 - 7
    assert "no data" in visit("#region=seat_below_33n").inner_text('[data-view="answer"]')


def test_the_events_are_as_many_as_in_the_chapter(visit, content):
    page = visit()
    here = page.locator("#events tbody tr").count()
    strip = page.locator('[data-view="events"]').get_attribute("aria-label")
    page.goto(page.url.split("#")[0].replace("explorer.html", "expansion.html"))
    table = page.locator("table.sortable", has_text="What happened").first
    assert table.locator("tbody tr").count() == here == len(content["events"])
    assert f"All {here} stand in the list" in strip


def test_an_event_without_a_date_is_chosen_and_told_whole(visit, content):
    (event,) = [one for one in content["events"] if one["date"] is None]
    page = visit(f"#event={event['key']}")
    assert f"Not dated, {event['issuer']}: {event['title']}." in page.inner_text(
        '[data-view="linked"]'
    )
    assert not [fault for fault in page.faults if "THEBE" not in fault]


# Corners of each tile, of the box of the map, and of a tip with its words.
TILES = """() => {
  const edges = (part) => (({left, top, right, bottom}) => [left, top, right, bottom])(
    part.getBoundingClientRect());
  const box = document.querySelector('[data-view="tiles"]');
  const all = (what) => [...box.querySelectorAll(what)];
  return {
    box: edges(box),
    chart: edges(box.querySelector("svg")),
    tiles: all('g[aria-label="rect"]:first-of-type > rect').map(edges),
    tips: all('g[aria-label="tip"] > g').map((tip) => ({edges: edges(tip), text: tip.textContent})),
  };
}"""


def inside(part, box) -> bool:
    """Whether no edge of the part lies outside of the box, to half a pixel."""
    out = (box[0] - part[0], box[1] - part[1], part[2] - box[2], part[3] - box[3])
    return max(out) <= 0.5


@pytest.mark.parametrize("width", [1280, 700, 360])
def test_every_tile_is_in_sight_and_no_tip_hides_its_own(visit, content, width):
    page = visit(viewport={"width": width, "height": 900})
    page.locator('[data-view="tiles"]').scroll_into_view_if_needed()
    seen = page.evaluate(TILES)
    assert inside(seen["chart"], seen["box"])
    assert len(seen["tiles"]) == len(content["tiles"]) == 34
    for tile, (x1, y1, x2, y2) in zip(content["tiles"], seen["tiles"], strict=True):
        assert inside((x1, y1, x2, y2), seen["box"]), tile
        page.mouse.move((x1 + x2) / 2, (y1 + y2) / 2)
        (tip,) = page.evaluate(TILES)["tips"]
        assert tile["name_en"] in tip["text"]
        a1, b1, a2, b2 = tip["edges"]
        assert inside(tip["edges"], seen["box"]), tile
        hidden = max(0, min(a2, x2) - max(a1, x1)) * max(0, min(b2, y2) - max(b1, y1))
        assert hidden < 0.05 * (x2 - x1) * (y2 - y1), tile


def test_play_goes_through_the_years_and_stops(visit):
    page = visit("#year=2019")
    page.click('[data-view="play"]')
    page.wait_for_selector('input[name="year"][value="2020"]:checked', timeout=5000)
    page.wait_for_selector('[data-view="play"][aria-pressed="false"]', timeout=5000)


def test_without_scripts_there_are_a_picture_and_tables(visit):
    page = visit(java_script_enabled=False)
    assert page.locator("#explorer-app").is_hidden()
    assert page.locator("#fig-explorer-tiles img").is_visible()
    assert page.locator("#counties tbody tr").count() == len(states.counties_table())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scrolling(visit, scheme):
    page = visit(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    beyond = page.evaluate(
        "[...document.querySelectorAll('.explorer-chart svg text')].filter((text) =>"
        " text.getBoundingClientRect().right > text.closest('svg').getBoundingClientRect().right)"
        ".map((text) => text.textContent)"
    )
    assert beyond == []
    sizes = page.evaluate(
        "[...document.querySelectorAll('.explorer-chart svg text')]"
        ".map((text) => parseFloat(getComputedStyle(text).fontSize))"
    )
    assert min(sizes) >= 9


def test_the_landing_page_gives_the_ledgers_numbers(browser, address, root):
    ledger = json.loads((root / "_build" / "html" / "ledger.json").read_text("utf-8"))
    claim = {row["id"]: row for row in ledger}
    page = browser.new_page()
    page.goto(address.replace("explorer.html", "index.html"))
    figures = page.locator(".sd-card .figure").all_inner_texts()
    south, growth = claim["C20"]["details"], claim["C15"]["details"]
    assert figures == [
        f"{claim['C19']['interval'][0]}%",
        f"{south['south_2015']}% or {south['south_jiangsu_north_2015']}%",
        ", ".join(f"×{growth[f'factor_{year}']}" for year in (2014, 2015, 2016)),
    ]
    verdicts = [row["verdict"] for row in ledger]
    for text in page.locator(".scorekeys li").all_inner_texts():
        number, verdict = text.split(maxsplit=1)
        assert int(number) == verdicts.count(verdict)
    links = page.locator(".sd-card a").evaluate_all("links => links.map((a) => a.href)")
    for door in ("introduction", "explorer", "course/index"):
        assert any(f"/{door}.html" in link for link in links)
    page.close()


@pytest.mark.parametrize("width", [1280, 360])
def test_nothing_jumps_when_the_explorer_starts(browser, address, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.add_init_script(
        "window.shift = 0; new PerformanceObserver((list) => {"
        " for (const entry of list.getEntries()) window.shift += entry.value; })"
        ".observe({type: 'layout-shift', buffered: true});"
    )
    page.goto(address)
    page.wait_for_selector('[data-view="cases"] svg')
    page.wait_for_timeout(300)
    assert page.evaluate("window.shift") < 0.15
    page.close()
