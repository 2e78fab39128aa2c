"""Distances on the sphere, redrawn counts, clustering: by hand, second implementations, errors."""

import doctest
import itertools
import math

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from scipy.spatial import KDTree

from audits import calibration
from taobao_villages.methods import clustering, distance, inequality, permutation, space

pytestmark = pytest.mark.filterwarnings("error")  # no function lets a warning through

NAN = float("nan")
R = space.EARTH_RADIUS_KM


@pytest.mark.parametrize("module", [clustering, distance, inequality, permutation])
def test_examples_of_docstrings_hold(module):
    told = doctest.testmod(module)
    assert told.attempted > 0
    assert told.failed == 0


def scattered(n, seed=4, east=(100, 122), north=(22, 42)):
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.uniform(*east, n), rng.uniform(*north, n)])


def apart(points, others):
    """All distances by haversine, shape (n, m)."""
    return space.haversine_km(points[:, :1], points[:, 1:], others[:, 0], others[:, 1])


# ---- distances ----------------------------------------------------------------------------------


def test_chords_and_arcs_turn_into_each_other():
    # A quarter of the earth: the chord is the root of 2; half of it: 2, and no arc is longer.
    assert_allclose(distance.chord([R * math.pi / 2, R * math.pi, 30_000]), [math.sqrt(2), 2, 2])
    km = np.array([0, 0.001, 25, 150, 9_000, 20_000])
    assert_allclose(distance.arc_km(distance.chord(km)), km, rtol=1e-9)


def test_nearest_places_against_all_distances():
    points, places = scattered(300, east=(-180, 180), north=(-90, 90)), scattered(40, seed=5)
    km, place = distance.nearest_km(points, places)
    every = apart(points, places)
    assert_allclose(km, every.min(axis=1), rtol=1e-9)
    assert_array_equal(place, every.argmin(axis=1))
    # Across the date line: two degrees of the equator, not 358.
    assert_allclose(distance.nearest_km([(179, 0)], [(-179, 0), (170, 0)])[0], 2 * 111.195, 1e-4)
    assert distance.nearest_km(places, places)[0].max() == 0


def bearing(lon1, lat1, lon2, lat2):
    """Course from the first to the second point, radians."""
    lon1, lat1, lon2, lat2 = np.radians([lon1, lat1, lon2, lat2])
    east = np.sin(lon2 - lon1) * np.cos(lat2)
    north = np.cos(lat1) * np.sin(lat2) - np.sin(lat1) * np.cos(lat2) * np.cos(lon2 - lon1)
    return np.arctan2(east, north)


def by_bearings(point, line):
    """The distance of a point from a line, arc by arc, from courses and the sine rule."""
    found = []
    for a, b in itertools.pairwise(line):
        long = space.haversine_km(*a, *b) / R
        far = space.haversine_km(*a, *point) / R
        turn = bearing(*a, *point) - bearing(*a, *b)
        across = np.arcsin(np.sin(far) * np.sin(turn))
        foot = np.arctan2(np.sin(far) * np.cos(turn), np.cos(far))
        ends = min(space.haversine_km(*a, *point), space.haversine_km(*b, *point))
        found.append(R * abs(across) if 0 <= foot <= long else ends)
    return min(found)


def test_lines_against_bearings():
    lines = [scattered(6, seed=s) for s in range(4)] + [scattered(9, 8, (110, 111), (30, 31))]
    points = scattered(60, seed=9, east=(90, 135), north=(15, 55))
    expected = [min(by_bearings(p, line) for line in lines) for p in points]
    assert_allclose(distance.line_km(points, lines), expected, rtol=1e-7, atol=1e-6)


def test_lines_against_a_row_of_points():
    line = np.column_stack([np.linspace(105, 120, 40_001), 30 + np.sin(np.linspace(0, 9, 40_001))])
    points = scattered(50, seed=2)
    km, _ = distance.nearest_km(points, line)
    assert_allclose(distance.line_km(points, [line]), km, atol=0.03)


@pytest.mark.parametrize("piece_km", [3.0, 30_000.0])
def test_how_lines_are_cut_changes_nothing(monkeypatch, piece_km):
    lines, points = [scattered(6, seed=s) for s in range(3)], scattered(60, seed=9)
    expected = distance.line_km(points, lines)
    monkeypatch.setattr(distance, "PIECE_KM", piece_km)
    assert_allclose(distance.line_km(points, lines), expected, rtol=1e-9, atol=1e-6)


def test_lines_by_hand():
    # A corner told twice, and a line across the date line, which the point lies on.
    degree = math.pi * R / 180
    assert_allclose(distance.line_km([(1, 2)], [[(0, 0), (0, 0), (3, 0)]]), 2 * degree)
    assert_allclose(distance.line_km([(180, 0)], [[(170, 0), (-170, 0)]]), 0, atol=1e-6)
    # Beside the start, behind it, beyond the end, and beside a line of no length.
    line = [(0, 0), (10, 0)]
    found = distance.line_km([(0, -1), (-3, 0), (12, 0)], [line])
    assert_allclose(found, np.array([1, 3, 2]) * degree)
    assert_allclose(distance.line_km([(0, 1)], [[(0, 0), (0, 0)]]), degree)
    # The far side of the earth: no foot there.
    assert_allclose(distance.line_km([(-175, 0)], [line]), 175 * degree)


def test_shares_within_by_hand():
    table = distance.shares_within([0, 50, 51, 400], [2, 1, 0, 1], [1, 1, 2, 4], limits_km=(50, 99))
    assert table["units"].tolist() == [2, 3]
    assert table["count"].tolist() == [3, 3]
    assert table["count_share"].tolist() == [0.75, 0.75]
    assert table["base_share"].tolist() == [0.25, 0.5]
    assert table["location_quotient"].tolist() == [3, 1.5]
    none = distance.shares_within([200, 300], [1, 0], [1, 1], limits_km=(50, 500))
    assert none["count_share"].tolist() == [0, 1]
    assert none["location_quotient"].isna().tolist() == [True, False]


def test_shares_within_against_a_histogram():
    rng = np.random.default_rng(3)
    km, count, base = rng.uniform(0, 300, 500), rng.poisson(0.4, 500), rng.uniform(1, 9, 500)
    table = distance.shares_within(km, count, base)
    bins = [0, 50, 100, 150, 1000]
    parts = [np.histogram(km, bins, weights=weight)[0][:3].cumsum() for weight in (count, base)]
    assert_allclose(table["count"], parts[0])
    assert_allclose(table["base_share"], parts[1] / base.sum())
    inside = np.array([km <= limit for limit in (50, 100, 150)])
    quotients = [
        inequality.location_quotient([count[i].sum(), count[~i].sum()],
                                     [base[i].sum(), base[~i].sum()])[0] for i in inside
    ]  # fmt: skip
    assert_allclose(table["location_quotient"], quotients)


# ---- redrawn counts -----------------------------------------------------------------------------

COUNT = np.array([4, 0, 1, 0, 0, 2, 1, 0])
BASE = np.array([1.0, 2, 3, 4, 1, 1, 5, 3])
GROUPS = np.array(list("aaabbccc"))


def drawn(*args, **kwargs):
    return np.array(list(permutation.redrawn(*args, **{"draws": 300, "seed": 1} | kwargs)))


@pytest.mark.parametrize("whole", [False, True])
def test_redrawn_counts_stay_in_their_group(whole):
    maps = drawn(COUNT, BASE, GROUPS, whole=whole)
    assert maps.shape == (300, 8)
    for group, total in zip("abc", (5, 0, 3), strict=True):
        assert (maps[:, group == GROUPS].sum(axis=1) == total).all()
    assert maps.std(axis=0)[GROUPS != "b"].min() > 0
    assert_array_equal(maps[:40], drawn(COUNT, BASE, GROUPS, whole=whole, draws=40))
    assert (maps != drawn(COUNT, BASE, GROUPS, whole=whole, seed=2)).any()
    assert (drawn(COUNT, BASE, whole=whole)[:, GROUPS == "b"] > 0).any()  # one country


def test_redrawn_villages_follow_the_multinomial_law():
    maps = drawn(COUNT, BASE, GROUPS, draws=8000)
    for group in "ac":
        inside = group == GROUPS
        law = stats.multinomial(COUNT[inside].sum(), BASE[inside] / BASE[inside].sum())
        assert_allclose(maps[:, inside].mean(axis=0), law.mean(), atol=0.06)
        assert_allclose(np.cov(maps[:, inside].T), law.cov(), atol=0.06)


def test_counts_moved_whole_stay_whole_and_follow_the_urn():
    maps = drawn(COUNT, BASE, GROUPS, whole=True, draws=8000)
    for group in "abc":
        inside = group == GROUPS
        assert (np.sort(maps[:, inside]) == np.sort(COUNT[inside])).all()
    # By hand, group a: two of three units with weights 1, 2, 3, one after the other.
    weights, chance = BASE[:3], np.zeros(3)
    for first, second in itertools.permutations(range(3), 2):
        p = weights[first] / 6 * weights[second] / (6 - weights[first])
        chance[[first, second]] += p
    assert_allclose((maps[:, :3] > 0).mean(axis=0), chance, atol=0.02)
    # Which of the two counts, 4 or 1, a drawn unit has is a matter of chance alone.
    assert_allclose(maps[:, :3].mean(axis=0), chance * 2.5, atol=0.06)
    # With equal bases it is a permutation: each unit as often.
    equal = drawn([3, 1, 0, 0], whole=True, draws=8000)
    assert_allclose(equal.mean(axis=0), 1, atol=0.06)


def test_counts_moved_whole_against_numpy():
    rng = np.random.default_rng(6)
    weights = np.array([1.0, 2, 3, 10, 4])
    other = [rng.choice(5, size=3, replace=False, p=weights / 20) for _ in range(8000)]
    often = np.bincount(np.concatenate(other), minlength=5) / 8000
    maps = drawn([1, 1, 1, 0, 0], weights, whole=True, draws=8000)
    assert_allclose(maps.mean(axis=0), often, atol=0.025)


# ---- envelopes ----------------------------------------------------------------------------------


def test_envelope_by_hand():
    # Draws 0 to 99 in both; of the second column the data are the largest, p = (0 + 1) / 101.
    draws = np.column_stack([np.arange(100.0), np.arange(100.0)[::-1]])
    found = permutation.envelope([49.5, 200], draws, alternative="greater", level=0.9)
    assert_allclose(found.table["expected"], 49.5)
    assert_allclose(found.table["ratio"], [1, 200 / 49.5])
    assert_allclose(found.table["p"], [51 / 101, 1 / 101])
    assert_allclose(found.table[["low", "high"]], [[4.95, 94.05]] * 2)
    assert found.p == pytest.approx(1 / 101)
    assert (found.table["all_low"] == -np.inf).all()
    other = permutation.envelope([49.5, 200], draws, alternative="less", level=0.9)
    assert_allclose(other.table["p"], [51 / 101, 1])
    assert (other.table["all_high"] == np.inf).all()


def test_what_does_not_vary_says_nothing():
    found = permutation.envelope([7, 3], [[7, 1], [7, 2], [7, 4]], alternative="greater")
    assert found.table["p"].tolist() == [1, 0.5]
    assert found.p == 0.5
    assert found.table[["all_low", "all_high"]].iloc[0].tolist() == [-np.inf, 7]


@pytest.mark.parametrize("alternative", ["less", "greater", "two-sided"])
def test_envelope_against_loops(alternative):
    sides = set()
    for seed in range(30):
        rng = np.random.default_rng(seed)
        every = rng.normal(size=(200, 4)).cumsum(axis=1) + np.array([0, 5, -50, 1e6])
        every[0] += rng.choice([-1.5, 0, 1.5])
        found = permutation.envelope(every[0], every[1:], alternative=alternative, level=0.9)
        scores = [
            [(x - c.mean()) / c.std() for x, c in zip(row, every.T, strict=True)] for row in every
        ]
        sign = {"less": [-1], "greater": [1], "two-sided": [1, -1]}[alternative]
        worst = [max(s * x for s in sign for x in row) for row in scores]
        p = sum(w >= worst[0] - 1e-9 for w in worst) / 200
        assert found.p == pytest.approx(p)
        # The data leave the envelope just when p is at most 1 - level.
        table = found.table
        inside = table["observed"].between(table["all_low"], table["all_high"]).all()
        assert inside == (p > 0.1)
        sides.add(bool(inside))
        for place, p_one in enumerate(table["p"]):
            other = permutation.pseudo_p(every[0, place], every[1:, place], alternative)
            assert p_one == pytest.approx(float(other))
    assert sides == {True, False}


# ---- pairs and nearest neighbours ---------------------------------------------------------------


def country(seed=1, n=90, provinces=5):
    """Counties with committees and a province each; provinces are stripes from west to east."""
    rng = np.random.default_rng(seed)
    points = scattered(n, seed, east=(112, 118), north=(30, 34))
    province = np.floor((points[:, 0] - 112) / 6 * provinces).astype(int)
    return points, rng.integers(20, 600, n).astype(float), province


def test_pairs_by_hand():
    # One degree apart, 111 km, in a row: 2 villages, 3, 0, 1. Inside: 1 + 3. Neighbours: 2 * 3;
    # two degrees: 3 * 1; three: 2 * 1.
    row = [(0, 0), (1, 0), (2, 0), (3, 0)]
    found = clustering.pairs_within(
        [2, 3, 0, 1], np.ones(4), row, radii_km=(50, 112, 230, 400), draws=19, seed=1
    )
    assert found.inside["observed"] == 4
    assert found.between["observed"].tolist() == [0, 6, 9, 11]
    assert found.between["within_km"].tolist() == [50, 112, 230, 400]


@pytest.mark.parametrize("block", [7, 1000])
def test_pairs_against_matrix_and_library(monkeypatch, block):
    monkeypatch.setattr(clustering, "BLOCK", block)
    points, base, _ = country()
    points[4] = points[3]  # two seats in one place are two units
    count = np.random.default_rng(3).poisson(1.5, len(points))
    count[3:5] = 2, 3
    radii = (25, 50, 100, 150)
    found = clustering.pairs_within(count, base, points, radii_km=radii, draws=1, seed=1)
    products, km = np.outer(count, count), apart(points, points)
    upper = np.triu(np.ones_like(km, dtype=bool), 1)
    expected = [products[upper & (km <= r)].sum() for r in radii]
    assert found.between["observed"].tolist() == expected
    # The library counts ordered pairs, those of a village with itself among them.
    tree = KDTree(distance.on_sphere(points))
    every = tree.count_neighbors(tree, distance.chord(radii), weights=(count, count))
    own = (count**2).sum()
    assert_allclose(found.between["observed"], (every - own) / 2)
    assert found.inside["observed"] == sum(math.comb(int(c), 2) for c in count)


@pytest.mark.parametrize("grouped", [False, True])
def test_expected_pairs_are_those_of_the_multinomial_law(grouped):
    points, base, province = country()
    count = np.random.default_rng(5).poisson(1.0, len(points))
    groups = province if grouped else np.zeros(len(points), dtype=int)
    found = clustering.pairs_within(
        count, base, points, province if grouped else None, draws=1500, seed=2
    )
    # By the law: N (N - 1) p q for two units of a group, N M p q for units of two groups.
    total = np.bincount(groups, weights=count)[groups]
    chance = base / np.bincount(groups, weights=base)[groups]
    mean = np.outer(total * chance, total * chance)
    mean -= np.where(groups[:, None] == groups, np.outer(total * chance, chance), 0)
    upper, km = np.triu(np.ones_like(mean, dtype=bool), 1), apart(points, points)
    expected = [mean[upper & (km <= r)].sum() for r in (25, 50, 100, 150)]
    assert_allclose(found.between["expected"], expected, rtol=0.03)
    assert found.inside["expected"] == pytest.approx(np.diag(mean).sum() / 2, rel=0.03)


def test_provinces_are_told_apart_from_neighbours():
    points, base, province = country(n=200)
    rng = np.random.default_rng(8)
    # All villages in one province, anywhere in it: clustered in the country, not in the province.
    count = np.zeros(200, dtype=int)
    count[province == 2] = rng.multinomial(60, base[province == 2] / base[province == 2].sum())
    p = {
        name: (
            clustering.pairs_within(count, base, points, groups, draws=199, seed=1).p,
            clustering.nearest_other(count, base, points, groups, draws=199, seed=1)["p"],
        )
        for name, groups in (("country", None), ("province", province))
    }
    assert max(p["country"]) <= 0.01
    assert min(p["province"]) > 0.1
    # In each province round one county: clustered in both.
    count = np.zeros(200, dtype=int)
    for place in range(5):
        inside = np.flatnonzero(province == place)
        count[inside[apart(points[inside], points[inside[:1]])[:, 0].argsort()[:6]]] = 2
    for whole in (False, True):
        found = clustering.pairs_within(
            count, base, points, province, whole=whole, draws=199, seed=1
        )
        assert found.p <= 0.01
        assert (found.between["ratio"] > 1.5).any()
        assert (found.inside["low"] == found.inside["high"]) == whole  # they stay together
    assert clustering.nearest_other(count, base, points, province, draws=199, seed=1)["p"] <= 0.01


def test_villages_that_gather_in_single_counties_need_counts_moved_whole():
    points, _, province = country(seed=2, n=120)
    rng, base = np.random.default_rng(4), np.ones(120)
    p = {False: [], True: []}
    for seed in range(60):
        count = np.zeros(120, dtype=int)
        count[rng.choice(120, size=15, replace=False)] = rng.integers(1, 15, 15)
        for whole, found in p.items():
            test = clustering.pairs_within(
                count, base, points, province, whole=whole, draws=99, seed=seed
            )
            found.append(test.p)
    assert np.mean(np.array(p[False]) <= 0.05) > 0.2  # what the docstring warns of
    assert np.mean(np.array(p[True]) <= 0.05) < 0.1


def test_nearest_other_by_hand():
    # In a row, one degree apart; units 0, 1 and 3: 1, 1 and 2 degrees, on average 4/3.
    row = [(0, 0), (1, 0), (2, 0), (3, 0)]
    found = clustering.nearest_other([5, 1, 0, 2], None, row, draws=4000, seed=1)
    degree = math.pi * R / 180
    assert found["observed"] == pytest.approx(4 / 3 * degree)
    assert found["units"] == 3
    # All four sets of three: 012 and 123 have 1, the other two 4/3: the mean is 7/6.
    assert found["expected"] == pytest.approx(7 / 6 * degree, rel=0.01)
    assert found["p"] == 1
    # Only whether there is a village counts.
    other = clustering.nearest_other([True, True, False, True], None, row, draws=4000, seed=1)
    assert other.to_dict() == found.to_dict()


def test_nearest_other_against_all_distances():
    points, base, province = country(n=40)
    member = np.random.default_rng(2).random(40) < 0.4
    found = clustering.nearest_other(member, base, points, province, draws=50, seed=3)

    def mean(chosen):
        km = apart(points[chosen], points[chosen])
        return (km + np.diag(np.full(len(km), np.inf))).min(axis=1).mean()

    draws = [mean(one > 0) for one in drawn(member, base, province, whole=True, draws=50, seed=3)]
    assert found["observed"] == pytest.approx(mean(member))
    assert found["expected"] == pytest.approx(np.mean(draws))
    p = (1 + sum(one <= mean(member) + 1e-9 for one in draws)) / 51
    assert found["p"] == pytest.approx(p)


@pytest.mark.parametrize("name", calibration.CLUSTERING)
def test_clustering_is_found_without_cause_about_as_often_as_said(name):
    # 400 draws leave some two points of chance; the audit takes more and tells the interval.
    (_, p_value), rng = calibration.CLUSTERING[name], np.random.default_rng(2)
    p = np.array([p_value(rng, draws=59) for _ in range(400)])
    assert 0.03 <= (p <= 0.05).mean() <= 0.07  # 3 of the 60 places that the data can have
    assert stats.kstest(p, "uniform").pvalue > 0.01


# ---- what is refused ----------------------------------------------------------------------------

FOUR = [(0, 0), (1, 0), (2, 0), (3, 0)]


def pairs(**changes):
    options = {"count": [1, 1, 0, 0], "base": [1, 1, 1, 1], "coordinates": FOUR} | changes
    return clustering.pairs_within(**{"draws": 9, "seed": 1} | options)


REFUSED = {
    "points: shape": (lambda: distance.on_sphere([1, 2]), "longitude and latitude"),
    "points: none": (lambda: distance.on_sphere(np.empty((0, 2))), "longitude and latitude"),
    "points: swapped": (lambda: distance.nearest_km([(30, 110)], FOUR), "longitude first"),
    "points: missing": (lambda: distance.nearest_km(FOUR, [(NAN, 0)]), "missing"),
    "lines: none": (lambda: distance.line_km(FOUR, []), "at least one"),
    "lines: one corner": (lambda: distance.line_km(FOUR, [[(0, 0)]]), "two corners"),
    "lines: antipodes": (lambda: distance.line_km(FOUR, [[(0, 0), (180, 0)]]), "half the earth"),
    "within: missing": (lambda: distance.shares_within([1, NAN], [1, 1], [1, 1]), "km: missing"),
    "within: negative": (lambda: distance.shares_within([1, -1], [1, 1], [1, 1]), "not negative"),
    "within: lengths": (lambda: distance.shares_within([1], [1, 1], [1, 1]), "lengths differ"),
    "within: no limit": (
        lambda: distance.shares_within([1], [1], [1], limits_km=()),
        "at least one limit",
    ),
    "redrawn: fractions": (lambda: permutation.redrawn([0.5, 1], draws=1, seed=1), "whole"),
    "redrawn: negative": (lambda: permutation.redrawn([-1, 1], draws=1, seed=1), "negative"),
    "redrawn: base": (lambda: permutation.redrawn([1, 1], [0, 1], draws=1, seed=1), "base: zero"),
    "redrawn: groups": (
        lambda: permutation.redrawn([1, 1], [1, 1], ["a"], draws=1, seed=1),
        "groups: one for each of 2",
    ),
    "redrawn: group missing": (
        lambda: permutation.redrawn([1, 1], [1, 1], ["a", None], draws=1, seed=1),
        "none missing",
    ),
    "redrawn: order": (
        lambda: permutation.redrawn(
            pd.Series([1, 1]), None, pd.Series(["a", "b"], index=[1, 0]), draws=1, seed=1
        ),
        "indexes differ",
    ),
    "redrawn: none": (lambda: permutation.redrawn([1, 1], draws=0, seed=1), "at least 1"),
    "envelope: shape": (lambda: permutation.envelope([1, 2], [[1], [2]]), "2 numbers each"),
    "envelope: missing": (lambda: permutation.envelope([1], [[1], [NAN]]), "none missing"),
    "envelope: side": (
        lambda: permutation.envelope([1], [[1]], alternative="directed"),
        "'directed'",
    ),
    "envelope: level": (lambda: permutation.envelope([1], [[1]], level=95), "level"),
    "pairs: radii": (lambda: pairs(radii_km=(50, 50)), "rising"),
    "pairs: radius zero": (lambda: pairs(radii_km=(0, 50)), "positive"),
    "pairs: no radius": (lambda: pairs(radii_km=()), "radii"),
    "pairs: coordinates": (lambda: pairs(coordinates=FOUR[:3]), "count 4, coordinates 3"),
    "pairs: fractions": (lambda: pairs(count=[0.5, 1, 0, 0]), "whole"),
    "pairs: side": (lambda: pairs(alternative="more"), "'more'"),
    "nearest: one": (
        lambda: clustering.nearest_other([3, 0, 0, 0], None, FOUR, draws=9, seed=1),
        "at least two units",
    ),
    "nearest: coordinates": (
        lambda: clustering.nearest_other([1, 1], None, FOUR, draws=9, seed=1),
        "count 2, coordinates 4",
    ),
    "theil: not nested": (
        lambda: inequality.theil_levels(
            [1, 1, 1], [1, 1, 1], {"province": list("aab"), "prefecture": list("xyy")}
        ),
        "prefecture: a group lies in several",
    ),
    "theil: level missing": (
        lambda: inequality.theil_levels([1, 1], [1, 1], {"province": ["a", None]}),
        "province: one group",
    ),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
