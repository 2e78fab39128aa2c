"""House style: what a figure must have before it can be shown."""

import io
import re
from itertools import combinations, pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from docutils import nodes
from matplotlib.axes import Axes
from PIL import Image, ImageCms
from sphinx import addnodes

from taobao_villages import data, figures
from taobao_villages.book import cards
from taobao_villages.course import pages
from taobao_villages.verdicts.forecasts import VERDICTS

GOOD = {
    "name": "a-figure",
    "caption": "A caption that says what is drawn.",
    "alt": "Line chart of one over two, by year 2014 to 2016; it rises throughout the period.",
    "sources": ["li2017"],
    "frame": pd.DataFrame({"x": [1, 2]}),
}


@pytest.fixture
def drawn():
    figures.use_house_style()
    figure, axes = figures.canvas("A finding", "A measure, unit, place, years")
    axes.plot([1, 2], [1, 2])
    yield figure
    plt.close("all")


def test_a_good_figure_is_shown_with_all_it_needs(drawn):
    content, about = figures.show(drawn, **GOOD)._repr_mimebundle_()
    assert content["image/svg+xml"].lstrip().startswith("<?xml")
    assert "A finding" in content["image/svg+xml"], "text is kept as text"
    assert about["taobao_villages"]["alt"] == GOOD["alt"]
    assert about["taobao_villages"]["csv"] == "x\n1\n2\n"
    assert about["taobao_villages"]["width"] == 540


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alt": ""}, "alt text"),
        ({"alt": "A chart."}, "alt text"),
        ({"alt": "x" * 251}, "251"),
        ({"caption": "  "}, "caption"),
        ({"name": "Figure 1"}, "lower case"),
        ({"sources": []}, "source_id"),
        ({"sources": ["nobody2020"]}, "nobody2020"),
        ({"frame": pd.DataFrame()}, "empty"),
    ],
)
def test_a_figure_that_lacks_something_raises(drawn, change, message):
    with pytest.raises(figures.FigureError, match=message):
        figures.show(drawn, **(GOOD | change))


def test_text_too_small_for_a_phone_raises(drawn):
    drawn.axes[0].text(1, 1, "tiny", fontsize=8)
    with pytest.raises(figures.FigureError, match=r"tiny.*px"):
        figures.show(drawn, **GOOD)


def test_text_that_runs_out_of_the_figure_raises(drawn):
    drawn.text(0.8, 0.5, "a label that is much too long for its place", fontsize=12)
    with pytest.raises(figures.FigureError, match="runs out"):
        figures.show(drawn, **GOOD)


def test_texts_that_overlap_raise(drawn):
    for word in ("one", "two"):
        drawn.axes[0].text(1.5, 1.5, word, fontsize=12)
    with pytest.raises(figures.FigureError, match="'one' and 'two' overlap"):
        figures.show(drawn, **GOOD)


STRIKES = {
    "a line": lambda axes: axes.plot([1, 2], [1, 2]),
    "a line across": lambda axes: axes.axhline(1.5),
    "lines": lambda axes: axes.vlines([1.5], 1, 2),
    "a mark": lambda axes: axes.plot([1.5], [1.5], "o"),
    "marks": lambda axes: axes.scatter([1, 1.5], [1, 1.5]),
    "a bar": lambda axes: axes.bar([1.5], [1.52], 0.05),
}


@pytest.mark.parametrize("draw", STRIKES.values(), ids=STRIKES)
def test_a_label_that_is_struck_raises(draw):
    figures.use_house_style()
    figure, axes = figures.canvas("A finding", "A measure, unit, place, years")
    draw(axes)
    axes.set(xlim=(1, 2), ylim=(1, 2))
    label = axes.text(1.5, 1.5, "label", ha="center", va="center")
    with pytest.raises(figures.FigureError, match="strikes 'label'"):
        figures.show(figure, **GOOD)
    label.set_bbox({"facecolor": figures.PAPER, "edgecolor": "none"})
    assert figures.show(figure, **GOOD).name == "a-figure", "a label with a ground may lie on it"


def test_a_label_between_marks_or_on_an_area_is_not_struck():
    figures.use_house_style()
    figure, axes = figures.canvas("A finding", "A measure, unit, place, years")
    axes.plot([1, 2], [1, 2], "o")
    axes.fill_between([1, 2], 1.2, 1.8)
    axes.text(1.5, 1.5, "label", ha="center", va="center")
    assert figures.show(figure, **GOOD).name == "a-figure"


def test_the_grid_stops_at_a_label_and_at_a_legend_and_nothing_else_does():
    figures.use_house_style()
    figure, axes = figures.canvas("A finding", "A measure, unit, place, years")
    (line,) = axes.plot([1, 2], [1, 1], label="named")
    label = axes.text(1.5, 1.5, "label")
    legend = axes.legend(loc="upper left", frameon=False)
    axes.set(xlim=(1, 2), ylim=(0, 2))
    figures.show(figure, **GOOD)
    figure.draw_without_rendering()  # saving as SVG leaves sizes of text in other units
    papers = axes.patches
    assert len(papers) == 2
    for paper, drawn in zip(papers, (label, legend), strict=True):
        box = drawn.get_window_extent()
        assert np.all(np.abs(paper.get_window_extent().extents - box.extents) < 3)
        assert paper.get_facecolor() == (1, 1, 1, 1)
        assert axes.xaxis.get_zorder() < paper.get_zorder() < line.get_zorder()


def test_months_stand_in_their_own_year_at_equal_distances():
    months = pd.period_range("2014-12", "2016-01", freq="M")
    places = np.array([figures.moment(month) for month in months])
    assert np.diff(places) == pytest.approx(1 / 12)
    assert np.floor(places).tolist() == [month.year for month in months]


def test_a_year_has_its_name_between_its_ends():
    figures.use_house_style()
    _, axes = figures.canvas("A finding", "A measure, unit, place, years")
    figures.year_axis(axes, 2014, 2017, every=2)
    assert axes.get_xticks().tolist() == [2014, 2015, 2016, 2017, 2018]
    assert axes.get_xticks(minor=True).tolist() == [2014.5, 2016.5]
    names = [text.get_text() for text in axes.get_xticklabels(minor=True)]
    assert names == ["2014", "2016"]


def test_ticks_that_are_not_drawn_do_not_count(drawn):
    drawn.axes[0].set_xticks([1.5, 50, 50.1])
    drawn.axes[0].set_xlim(1.2, 1.8)
    assert figures.show(drawn, **GOOD).name == "a-figure"


def test_the_same_figure_gives_the_same_bytes():
    def once():
        figures.use_house_style()
        figure, axes = figures.canvas("A finding", "A measure")
        axes.scatter([1, 2], [1, 2])
        return figures.show(figure, **GOOD).content

    assert once() == once()


def test_a_large_figure_becomes_a_png_at_twice_the_size():
    figures.use_house_style()
    figure, axes = figures.canvas("A finding", "A measure")
    axes.scatter(*np.random.default_rng(1).random((2, 4000)))
    shown = figures.show(figure, **GOOD)
    assert shown.mime == "image/png"
    assert plt.imread(io.BytesIO(shown.content)).shape[1] == 2 * shown.width


def _contrast(one: str, two: str) -> float:
    def luminance(colour: str) -> float:
        parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    high, low = sorted((luminance(one), luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colour", [figures.INK, figures.MUTED, figures.ACCENT, figures.SECOND])
def test_text_colours_are_readable_on_paper(colour):
    assert _contrast(colour, figures.PAPER) >= 4.5


SIGHTS = ("none", "deuteranopia", "protanopia", "tritanopia", "achromatopsia")


@pytest.fixture(scope="module")
def seen(browser) -> dict[str, dict[str, np.ndarray]]:
    """Each colour of the house as CIELAB, by the kind of sight that Chromium simulates."""
    verdicts = [colour for colour, _ in figures.VERDICTS.values()]
    own = [figures.INK, figures.ACCENT, figures.SECOND, figures.LIGHT, figures.PAPER]
    colours = list(dict.fromkeys([*own, *verdicts, *figures.SEQUENCE]))
    swatch = '<i style="float:left;width:10px;height:10px;background:{}"></i>'
    page = browser.new_page(viewport={"width": 10 * len(colours), "height": 10})
    page.set_content("<style>body{margin:0}</style>" + "".join(map(swatch.format, colours)))
    session = page.context.new_cdp_session(page)
    spaces = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    told = {}
    for sight in SIGHTS:
        session.send("Emulation.setEmulatedVisionDeficiency", {"type": sight})
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        lab = np.asarray(ImageCms.profileToProfile(picture, *spaces, outputMode="LAB"))[5, 5::10]
        lab = np.column_stack([lab[:, 0] / 2.55, lab[:, 1:].astype(np.int8)])
        told[sight] = dict(zip(colours, lab, strict=True))
    page.close()
    return told


@pytest.mark.parametrize("sight", SIGHTS)
def test_colours_are_told_apart_by_every_sight(seen, sight):
    """At least 12 units of CIELAB; two that are alike in grey differ in hatching and shape."""

    def near(colours) -> list[tuple[str, str]]:
        pairs = combinations(colours, 2)
        lab = seen[sight]
        return [(a, b) for a, b in pairs if np.linalg.norm(lab[a] - lab[b]) < 12]

    grey = sight == "achromatopsia"
    own = [figures.INK, figures.ACCENT, figures.SECOND, figures.LIGHT, figures.PAPER]
    assert near(own) in ([], [(figures.ACCENT, figures.SECOND)] if grey else [])
    assert [pair for pair in pairwise(figures.SEQUENCE) if near(pair)] == []
    names = {colour: name for name, (colour, _) in figures.VERDICTS.items()}
    for pair in near(names):
        looks = [figures.HATCHES.get(names[colour]) for colour in pair]
        shapes = [figures.VERDICTS[names[colour]][1] for colour in pair]
        assert grey, pair
        assert looks[0] != looks[1], pair
        assert shapes[0] != shapes[1], pair


SHEETS = ("book/_assets/static/book.css", "deploy/pdf/print.css")
# Pages and panels of the theme, light and dark, and paper.
GROUNDS = {"light": ("#ffffff", "#f3f4f5"), "dark": ("#121212", "#29313d")}


def painted(sheet: str) -> dict[str, dict[str, str]]:
    """Declarations of each class of a style sheet whose name begins with score- or verdict-."""
    told: dict[str, dict[str, str]] = {}
    text = re.sub(r"/\*.*?\*/", "", (pages.ROOT / sheet).read_text("utf-8"), flags=re.S)
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", text):
        pairs = (part.split(":", 1) for part in body.split(";") if ":" in part)
        said = {name.strip(): value.strip() for name, value in pairs}
        for name in re.findall(r"\.((?:score|verdict)-[a-z-]+)", selectors):
            told.setdefault(name, {}).update(said)
    return told


@pytest.mark.parametrize("sheet", SHEETS)
def test_a_verdict_has_one_colour_in_figures_panels_and_scorecard(sheet):
    colours = {name.replace(" ", "-"): colour for name, (colour, _) in figures.VERDICTS.items()}
    assert set(figures.FORECASTS) == set(VERDICTS)
    for name, like in figures.FORECASTS.items():
        colours[name] = figures.VERDICTS[like][0]
    kinds = ("score", "verdict") if sheet == SHEETS[0] else ("verdict",)
    expected = {f"verdict-{name}": colour for name, colour in colours.items()}
    if "score" in kinds:
        expected |= {f"score-{v.replace(' ', '-')}": c for v, (c, _) in figures.VERDICTS.items()}
    whole = {"#fff": "#ffffff", "#222": "#222222"}
    found = {name: said["background"] for name, said in painted(sheet).items()}
    assert {name: whole.get(colour, colour) for name, colour in found.items()} == expected
    for name, said in painted(sheet).items():
        if "color" in said:
            text = whole.get(said["color"], said["color"])
            assert _contrast(text, expected[name]) >= 4.5, name


def test_the_edge_of_a_verdicts_colour_stands_out_from_every_page():
    text = (pages.ROOT / SHEETS[0]).read_text("utf-8")
    edges = re.findall(r"--verdict-edge: (#[0-9a-f]{6});", text)
    assert len(edges) == 3  # light, dark, and paper as light
    for edge, grounds in zip(edges, (GROUNDS["light"], GROUNDS["dark"], ("#ffffff",)), strict=True):
        assert min(_contrast(edge, ground) for ground in grounds) >= 3


# ---- specification curves -------------------------------------------------------------------


def curve(values, verdicts, **options):
    figures.use_house_style()
    rows = pd.DataFrame({"value": values, "low": np.nan, "high": np.nan, "verdict": verdicts})
    labels = {"choice": {"a value of a choice that is longer than a line": [0], "b": [1]}}
    figure = figures.specification_curve("A finding", "Result", rows, labels, **options)
    figure.draw_without_rendering()
    return figure, figure.findobj(Axes)


def test_a_variant_without_a_result_has_a_mark_and_a_name():
    verdicts = ["reproduced", "not testable here", "not testable here"]
    figure, (top, _) = curve([1.0, np.nan, np.nan], verdicts)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["reproduced", "not testable here (no result)"]
    marks = {line.get_label(): line.get_offsets()[:, 0].tolist() for line in top.collections[1:]}
    assert marks == {"reproduced": [0], "not testable here (no result)": [1, 2]}
    assert [patch.get_hatch() for patch in top.patches] == ["////", "////"]


@pytest.mark.parametrize(
    ("values", "threshold", "ticks"),
    [
        ([1.0, 2.0], None, [1, 2]),
        ([1.0, 1.0], (2, "both"), [1, 2]),
        ([3.0, 3.0], None, [3]),
        ([0.0, 3.0], (2, "two"), [0, 1, 2, 3]),
    ],
)
def test_a_count_has_whole_ticks(values, threshold, ticks):
    _, (top, _) = curve(values, ["reproduced", "contradicted"], threshold=threshold)
    low, high = top.get_ylim()
    assert [tick for tick in top.get_yticks() if low <= tick <= high] == ticks


def test_a_threshold_is_drawn_and_named():
    figure, (top, _) = curve([60.0, 80.5], 2 * ["reproduced"], threshold=(70, "the article's 70%"))
    assert [list(line.get_ydata()) for line in top.lines] == [[70, 70]]
    assert figure.legends[0].get_texts()[0].get_text() == "the article's 70%"
    _, (top, _) = curve([60.0, 80.5], 2 * ["reproduced"])
    assert list(top.lines) == []


def test_a_long_value_of_a_choice_stands_whole():
    _, (_, low) = curve([1.0, 2.0], 2 * ["reproduced"])
    labels = [text.get_text() for text in low.get_yticklabels()]
    assert " ".join(labels[1].split()) == "a value of a choice that is longer than a line"
    assert "\n" in labels[1]


def test_shades_get_darker():
    contrasts = [_contrast(shade, figures.PAPER) for shade in figures.SEQUENCE]
    assert contrasts == sorted(contrasts)


def test_tile_map_draws_every_tile_and_hatches_what_is_missing():
    figures.use_house_style()
    _, axes = plt.subplots()
    codes = data.load("provinces/provinces")["province_code"]
    figures.tile_map(axes, pd.Series(0.0, index=codes[:-1]), breaks=[1])
    hatched = [patch for patch in axes.patches if patch.get_hatch()]
    assert len(axes.patches) == len(data.load("geo/tilegrid"))
    assert len(hatched) == len(data.load("geo/tilegrid")) - 30
    plt.close("all")


def test_tile_map_keeps_few_apart_from_none():
    figures.use_house_style()
    _, axes = plt.subplots()
    codes = data.load("provinces/provinces")["province_code"]
    values = pd.Series(0.0, index=codes)
    values.iloc[0] = 0.01
    figures.tile_map(axes, values, breaks=[1], form="{:.1f}")
    labels = [text.get_text() for text in axes.texts]
    assert sum("<0.1" in label for label in labels) == 1
    assert sum(label.endswith("\n0") for label in labels) == 30
    plt.close("all")


def test_tables_mark_headers_and_missing_values():
    frame = pd.DataFrame({"Share, %": [12.34, None]}, index=pd.Index(["a", "b"], name="Place"))
    text = figures.table(frame, caption="A table", sources=["li2017"])._repr_html_()
    assert '<th scope="row">a</th><td>12.3</td>' in text
    assert "<td>no data</td>" in text
    assert text.count('scope="col"') == 2


@pytest.mark.parametrize("shape", [(13, 2), (2, 7)])
def test_tables_too_large_to_read_raise(shape):
    with pytest.raises(figures.FigureError, match="12 rows by 6"):
        figures.table(pd.DataFrame(np.zeros(shape)), caption="Too large", sources=["li2017"])


# ---- long tables ----------------------------------------------------------------------------


ENTRIES = pd.DataFrame(
    {"Date": ["2015", None], "What": ["a <b>", "b"], "source_id": ["li2017;m045", "li2017"]}
)


def test_a_listing_keeps_every_row_its_sources_and_its_gaps():
    content, about = figures.listing(ENTRIES, caption="Events")._repr_mimebundle_()
    told = about["taobao_villages"]["listing"]
    assert told["rows"] == [["2015", "a <b>", "li2017;m045"], ["no data", "b", "li2017"]]
    assert told["head"][told["source_column"]] == "source_id"
    page = content["text/html"]
    assert page.count("<tr>") == 3
    assert "a &lt;b&gt;" in page
    assert 'tabindex="0"' in page
    assert "<caption>Events</caption>" in page


@pytest.mark.parametrize(
    ("frame", "options", "message"),
    [
        (ENTRIES.iloc[:0], {"caption": "Events"}, "rows"),
        (ENTRIES, {"caption": " "}, "caption"),
        (ENTRIES, {"caption": "Events", "source_column": "source"}, "no column"),
        (ENTRIES.assign(source_id="nobody2020"), {"caption": "Events"}, "nobody2020"),
        (ENTRIES.assign(source_id=""), {"caption": "Events"}, "missing"),
    ],
)
def test_a_listing_that_lacks_something_raises(frame, options, message):
    with pytest.raises(figures.FigureError, match=message):
        figures.listing(frame, **options)


def test_a_listing_on_the_page_links_each_source_and_can_be_sorted():
    about = figures.listing(ENTRIES, caption="Events")._repr_mimebundle_()[1]["taobao_villages"]
    node = cards.listing_nodes(**about["listing"])
    (table,) = node.findall(nodes.table)
    assert "sortable" in table["classes"]
    links = [link["reftarget"] for link in node.findall(addnodes.pending_xref)]
    assert links == ["source-li2017", "source-m045", "source-li2017"]
    assert 'tabindex="0"' in node.children[0].astext()


# ---- a figure with a slider -----------------------------------------------------------------


@pytest.fixture
def sliding():
    figures.use_house_style()
    figure, axes = figures.canvas("A finding", "A measure, unit, place, years")
    return figure, {
        name: ([*axes.plot([1, 2], [1, height]), axes.text(1.2, 2.6, name)], f"It is {name}.")
        for name, height in (("low", 2), ("high", 3))
    }


def test_a_slider_shows_one_step_and_hides_the_others(sliding):
    figure, steps = sliding
    shown = figures.slider(figure, steps, label="Height", start=1, **GOOD)
    page = BeautifulSoup(shown._repr_html_(), "html.parser")
    marks = page.select("svg [data-step]")
    assert sorted((m["data-step"], "display:none" in m.get("style", "")) for m in marks) == [
        ("0", True),
        ("0", True),
        ("1", False),
        ("1", False),
    ]
    assert page.output.text == "It is high."
    assert page.svg["aria-label"] == GOOD["alt"]
    assert "width" not in page.svg.attrs, "the width is a style, so that a phone can shrink it"


def test_a_slider_can_be_used_without_sight_or_mouse_and_needs_no_network(sliding):
    figure, steps = sliding
    text = figures.slider(figure, steps, label="Height", **GOOD)._repr_html_()
    page = BeautifulSoup(text, "html.parser")
    control = page.select_one("input[type=range]")
    assert page.label["for"] == control["id"] == page.output["for"][0]
    assert page.label.text == "Height"
    assert (control["min"], control["max"], control["step"]) == ("0", "1", "1")
    assert page.output["aria-live"] == "polite"
    assert page.select_one(".slider-control").has_attr("hidden"), "no dead control without scripts"
    assert not page.script.get("src")
    assert "http" not in page.script.text


def test_words_of_a_step_cannot_end_the_script(sliding):
    figure, steps = sliding
    marks, _ = steps["low"]
    steps["low"] = (marks, "It is </script><b>low</b>.")
    page = BeautifulSoup(
        figures.slider(figure, steps, label="Height", **GOOD)._repr_html_(), "html.parser"
    )
    assert len(page("script")) == 1
    assert not page("b")


def test_steps_share_a_place_but_not_with_what_always_stays(sliding):
    figure, steps = sliding  # "low" and "high" stand in one place, never together
    assert figures.slider(figure, steps, label="Height", **GOOD).name == "a-figure"
    figure.axes[0].text(1.2, 2.6, "stays")
    with pytest.raises(figures.FigureError, match="'stays' overlap"):
        figures.slider(figure, steps, label="Height", **GOOD)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": 2}, "start is 2"),
        ({"label": " "}, "label"),
        ({"alt": "A chart."}, "alt text"),
        ({"sources": ["nobody2020"]}, "nobody2020"),
    ],
)
def test_a_slider_that_lacks_something_raises(sliding, change, message):
    figure, steps = sliding
    with pytest.raises(figures.FigureError, match=message):
        figures.slider(figure, steps, **({"label": "Height"} | GOOD | change))


def test_a_slider_needs_two_steps_with_marks_and_words(sliding):
    figure, steps = sliding
    for few in (
        {"low": steps["low"]},
        steps | {"none": ([], "None.")},
        steps | {"mute": (steps["low"][0], " ")},
    ):
        with pytest.raises(figures.FigureError, match="two steps"):
            figures.slider(figure, few, label="Height", **GOOD)
