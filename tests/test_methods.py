"""Statistics: cases worked by hand, known properties, second implementations, errors."""

import itertools
import math
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from statsmodels.discrete.discrete_model import NegativeBinomial
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.rates import confint_poisson
from statsmodels.tools.sm_exceptions import ConvergenceWarning

from taobao_villages.methods import counts, growth, inequality, permutation, shares, space

pytestmark = pytest.mark.filterwarnings("error")  # no function lets a warning through

NAN = float("nan")

# The same examples at each run, and no time limit on an example: machines differ.
steady = settings(derandomize=True, deadline=None, max_examples=60)


# ---------------------------------------------------------------- shares and rates


def test_share_bounds_by_hand():
    # 10 cases, 6 yes, 1 no, 3 not reported: 6/10 if those 3 are no, 9/10 if they are yes.
    assert shares.share_bounds(6, 1, 10) == (0.6, 0.9)
    assert shares.share_bounds(0, 0, 4) == (0, 1)  # nothing reported, nothing known


@steady
@given(some.integers(0, 40), some.integers(0, 40), some.integers(0, 40))
def test_share_bounds_hold_every_completion(yes, no, unknown):
    total = yes + no + unknown
    if total == 0:
        return
    low, high = shares.share_bounds(yes, no, total)
    completions = [(yes + extra) / total for extra in range(unknown + 1)]
    assert (low, high) == (min(completions), max(completions))


def test_wilson_interval_by_hand():
    # 8 of 10, z = 1.96: centre (0.8 + z2/20) / (1 + z2/10) with z2 = 3.8415 is 0.7167; half width
    # z / (1 + z2/10) * sqrt(0.8 * 0.2 / 10 + z2/400) = 1.4159 * 0.16 = 0.2265.
    assert_allclose(shares.wilson_interval(8, 10), (0.4902, 0.9433), atol=5e-5)


def test_wilson_interval_against_scipy_and_level():
    for level in (0.8, 0.99):
        other = stats.binomtest(3, 17).proportion_ci(level, method="wilson")
        assert_allclose(shares.wilson_interval(3, 17, level), (other.low, other.high), rtol=1e-9)


def test_garwood_interval_against_published_table():
    # Garwood (1936), table 1, 95%: 0 gives 0 to 3.69, 1 gives 0.0253 to 5.57, 10 gives 4.80 to 18.4
    assert_allclose(shares.poisson_rate_interval(0, 1), (0, 3.689), atol=1e-3)
    assert_allclose(shares.poisson_rate_interval(1, 1), (0.0253, 5.572), atol=1e-3)
    assert_allclose(shares.poisson_rate_interval(10, 1), (4.795, 18.390), atol=1e-3)


def test_garwood_interval_zero_by_hand():
    # With no events the high end solves exp(-x) = 0.025, so x = ln 40; over 2 years half of it.
    assert shares.poisson_rate_interval(0, 2) == pytest.approx((0, math.log(40) / 2))
    assert shares.poisson_rate_interval(0, 1, level=0.9)[1] == pytest.approx(math.log(20))


def test_garwood_interval_against_statsmodels():
    other = confint_poisson(7, 3.5, method="exact-c", alpha=0.1)
    assert_allclose(shares.poisson_rate_interval(7, 3.5, level=0.9), other, rtol=1e-9)


def test_rate_ratio_against_r():
    # R's help of poisson.test: 11 in 800 and 21 in 3011; ratio 1.971488, 0.8584264 to 4.2772659.
    result = shares.rate_ratio_test(11, 800, 21, 3011)
    assert_allclose(result[:3], (1.971488, 0.8584264, 4.2772659), rtol=1e-6)


def test_rate_ratio_p_by_hand():
    # 6 against 0 with the same exposure: 6 heads of 6, one tail 1/64, both 2/64.
    result = shares.rate_ratio_test(6, 2.0, 0, 2.0)
    assert result.p == pytest.approx(2 / 64)
    assert result.ratio == result.high == math.inf
    assert shares.rate_ratio_test(3, 1, 3, 1).p == 1  # equal rates


@steady
@given(some.integers(0, 30), some.integers(0, 30), some.floats(0.1, 10))
def test_rate_ratio_is_symmetric_and_consistent(a, b, exposure):
    if a + b == 0:
        return
    there, back = (
        shares.rate_ratio_test(a, exposure, b, 1),
        shares.rate_ratio_test(b, 1, a, exposure),
    )
    assert there.p == pytest.approx(back.p)
    if min(a, b) > 0:
        assert there.ratio == pytest.approx(1 / back.ratio)
        assert there.low == pytest.approx(1 / back.high)
    if abs(there.p - 0.05) > 1e-6:
        assert (there.p < 0.05) == (not there.low <= 1 <= there.high)


def test_rank_interval_has_scipys_correlation_and_fiellers_width():
    rng = np.random.default_rng(7)
    one, two = pd.Series(rng.normal(size=31)), pd.Series(rng.normal(size=31))
    row = shares.rank_interval(one, two)
    assert row["rank"] == pytest.approx(stats.spearmanr(one, two).statistic)
    width = np.arctanh(row["high"]) - np.arctanh(row["low"])
    assert width == pytest.approx(2 * 1.959964 * np.sqrt(1.06 / 28), rel=1e-5)


def test_rank_interval_covers_about_as_often_as_it_says():
    rng = np.random.default_rng(20170901)
    inside = 0
    for _ in range(400):
        one = rng.normal(size=31)
        two = 0.5 * one + np.sqrt(0.75) * rng.normal(size=31)
        row = shares.rank_interval(pd.Series(one), pd.Series(two))
        true = 6 / np.pi * np.arcsin(0.25)  # Spearman's rank of a normal pair with r = 0.5
        inside += row["low"] <= true <= row["high"]
    assert 0.92 <= inside / 400 <= 0.98


# ---------------------------------------------------------------- inequality

# Units with a count (some zero, not all) and a positive base.
UNITS = some.lists(
    some.tuples(some.integers(0, 500), some.floats(0.01, 1000)), min_size=2, max_size=12
).filter(lambda units: sum(count for count, _ in units) > 0)


def test_lorenz_by_hand():
    # Rates 3/2, 0, 1: so the order is the second, third, first unit; base 4, count 4 in all.
    curve = inequality.lorenz([3, 0, 1], [2, 1, 1])
    assert curve["cum_base"].tolist() == [0, 0.25, 0.5, 1]
    assert curve["cum_count"].tolist() == [0, 0, 0.25, 1]


@steady
@given(UNITS)
def test_lorenz_ends_and_bends(units):
    count, base = np.array(units).T
    curve = inequality.lorenz(count, base)
    assert_allclose(curve.iloc[[0, -1]], [[0, 0], [1, 1]], atol=1e-12)
    assert (curve["cum_count"] <= curve["cum_base"] + 1e-12).all()


def test_gini_by_hand():
    # The curve above: area 0 + 0.25 * 0.125 + 0.5 * 0.625 = 0.34375; 1 - 2 * 0.34375 = 0.3125.
    assert inequality.gini([3, 0, 1], [2, 1, 1]) == pytest.approx(0.3125)
    # 1, 2, 3: mean difference over all 9 pairs 8/9, over twice the mean 4: 2/9.
    assert inequality.gini([1, 2, 3]) == pytest.approx(2 / 9)


@pytest.mark.parametrize("n", [2, 31])
def test_gini_extremes(n):
    assert inequality.gini(np.full(n, 7)) == pytest.approx(0)
    assert inequality.gini(np.eye(n)[0]) == pytest.approx((n - 1) / n)
    base = np.arange(1, n + 1)
    assert inequality.gini(5 * base, base) == pytest.approx(0)  # the same rate everywhere


def test_gini_against_inequality():
    from inequality.gini import Gini

    count = np.random.default_rng(1).poisson(2, 31)
    assert inequality.gini(count) == pytest.approx(Gini(count).g)


@steady
@given(UNITS)
def test_gini_of_pairs_scale_and_order(units):
    count, base = np.array(units).T
    expected = inequality.gini(count, base)
    # Second implementation: the mean difference between two base units, over twice the mean.
    rate, size = count / base, base / base.sum()
    pairs = np.abs(rate[:, None] - rate) * np.outer(size, size)
    assert expected == pytest.approx(pairs.sum() / (2 * rate @ size), abs=1e-9)
    assert inequality.gini(3 * count, base / 7) == pytest.approx(expected, abs=1e-9)
    assert inequality.gini(count[::-1], base[::-1]) == pytest.approx(expected, abs=1e-9)


def test_hhi_by_hand():
    # Shares 1/4, 1/4, 1/2: 1/16 + 1/16 + 1/4 = 0.375; zeros change nothing.
    assert inequality.hhi([1, 1, 2, 0]) == pytest.approx(0.375)
    assert inequality.hhi(np.full(31, 2)) == pytest.approx(1 / 31)
    assert inequality.hhi([0, 5, 0]) == 1


def test_theil_by_hand():
    # Shares 1/4, 1/4, 1/2, 0 on equal base: only 1/2 * ln(2) is not 0. Both groups have half.
    result = inequality.theil([1, 1, 2, 0], [1, 1, 1, 1], ["a", "a", "b", "b"])
    assert result.to_dict() == pytest.approx(
        {"total": math.log(2) / 2, "between": 0, "within": math.log(2) / 2}
    )
    # Each unit its own group; base shares 1/3 and 2/3, count shares 3/4 and 1/4: all is between.
    result = inequality.theil([3, 1], [1, 2], ["a", "b"])
    expected = 0.75 * math.log(0.75 * 3) + 0.25 * math.log(0.25 * 3 / 2)
    assert result.to_dict() == pytest.approx({"total": expected, "between": expected, "within": 0})


def test_theil_against_inequality():
    from inequality.theil import TheilD

    generator = np.random.default_rng(2)
    count, groups = generator.poisson(2, 31), generator.integers(0, 4, 31)
    other = TheilD(count, groups)
    result = inequality.theil(count, np.ones(31), groups)
    expected = [float(np.squeeze(part)) for part in (other.T, other.bg, other.wg)]
    assert_allclose(result[["total", "between", "within"]], expected, atol=1e-9)


@steady
@given(UNITS, some.integers(1, 4))
def test_theil_parts_sum_to_total(units, n_groups):
    count, base = np.array(units).T
    groups = np.arange(len(units)) % n_groups
    result = inequality.theil(count, base, groups)
    assert result["between"] + result["within"] == pytest.approx(result["total"], abs=1e-9)
    assert (result > -1e-9).all()
    other = inequality.theil(3 * count[::-1], base[::-1] / 7, groups[::-1])
    assert_allclose(result, other, atol=1e-9)


def nested(n=2_855, seed=3):
    """Units with mostly no villages, sizes, and provinces that hold prefectures."""
    generator = np.random.default_rng(seed)
    prefecture = np.sort(generator.integers(0, 340, n))
    count = generator.poisson(0.3, n) * generator.integers(0, 20, n)
    return count, generator.uniform(1, 600, n), {"province": prefecture // 11, "city": prefecture}


def test_theil_levels_by_hand():
    # Provinces a and b have 3/4 and 1/4 of the count, of equal bases; in a the two prefectures
    # have 1/3 and 2/3 of it, of equal bases; in the larger one county has all, the other none.
    result = inequality.theil_levels(
        [1, 1, 4, 0, 2],
        [1, 1, 1, 1, 4],
        {"province": list("aaaab"), "prefecture": list("xxyyz")},
    )
    between = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    prefectures = 0.25 * math.log(2 / 3) + 0.5 * math.log(4 / 3)
    assert_allclose(result["nats"], [between, prefectures, 0.5 * math.log(2)])
    assert result.index.tolist() == ["province", "prefecture", "within"]
    assert result["share"].sum() == pytest.approx(1)
    even = inequality.theil_levels([1, 2, 3], [0.1, 0.2, 0.3], {"province": list("aab")})
    assert_allclose(even["nats"], 0, atol=1e-12)
    assert even["share"].isna().all()  # shares of nothing, were it not for rounding


def test_theil_levels_against_loops():
    count, base, levels = nested()
    assert (count == 0).mean() > 0.7
    result = inequality.theil_levels(count, base, levels)

    def of(counts, bases):
        """Theil's index of some groups of the same whole."""
        shares = [(c / sum(counts), b / sum(bases)) for c, b in zip(counts, bases, strict=True)]
        return math.fsum(s * math.log(s / b) for s, b in shares if s > 0)

    def summed(values, labels, inside):
        table = {}
        for value, label in zip(values[inside], labels[inside], strict=True):
            table[label] = table.get(label, 0) + value
        return list(table.values())

    # From the definition: the index between the parts of each group, weighted by its count.
    units, total = np.arange(count.size), count.sum()
    outer = np.zeros_like(units)
    for name, labels in {**levels, "within": units}.items():
        expected = 0.0
        for group in set(outer.tolist()):
            inside = outer == group
            if count[inside].sum():
                parts = summed(count, labels, inside), summed(base, labels, inside)
                expected += count[inside].sum() / total * of(*parts)
        assert result.loc[name, "nats"] == pytest.approx(expected), name
        outer = labels
    assert result["nats"].sum() == pytest.approx(of(count, base))


def test_theil_levels_against_inequality():
    from inequality.theil import TheilD

    count, _, levels = nested()
    result = inequality.theil_levels(count, np.ones(count.size), levels)["nats"]
    province, city = (TheilD(count, levels[name]) for name in ("province", "city"))
    parts = [province.bg, city.bg - province.bg, city.wg]
    assert_allclose(result, [float(np.squeeze(part)) for part in parts], atol=1e-9)


def test_lorenz_and_gini_of_many_units_without_villages():
    count, base, _ = nested()
    curve = inequality.lorenz(count, base)
    assert len(curve) == 2_856
    # The curve leaves the floor where the bases of units without villages end.
    floor = curve.loc[curve["cum_count"] == 0, "cum_base"].max()
    assert floor == pytest.approx(base[count == 0].sum() / base.sum())
    rate, size = count / base, base / base.sum()
    pairs = size @ np.abs(rate[:, None] - rate) @ size
    assert inequality.gini(count, base) == pytest.approx(pairs / (2 * rate @ size))


def test_location_quotient_by_hand():
    # Count shares 1/4 and 3/4, base shares 1/2 and 1/2.
    assert_allclose(inequality.location_quotient([1, 3], [10, 10]), [0.5, 1.5])


@steady
@given(UNITS)
def test_location_quotient_of_the_whole_is_one(units):
    count, base = np.array(units).T
    assert inequality.location_quotient(count, base) @ (base / base.sum()) == pytest.approx(1)


def test_concentration_index_by_hand():
    # All in the top unit with half of the base: 1 - 1/2; all in the lowest, with 1/6: 1/6 - 1.
    assert inequality.concentration_index([0, 0, 6], [1, 2, 3], [10, 20, 30]) == pytest.approx(0.5)
    assert inequality.concentration_index([6, 0, 0], [1, 2, 3], [10, 20, 30]) == pytest.approx(
        -5 / 6
    )
    # The same rate everywhere: 0, however ranked.
    assert inequality.concentration_index([2, 4, 6], [1, 2, 3], [30, 10, 20]) == pytest.approx(0)
    # Base shares 1/2, 1/4, 1/4; the last two tie: rank 1/2 below plus half of 1/2; 2 * 3/4 - 1.
    assert inequality.concentration_index([0, 5, 0], [2, 1, 1], [1, 2, 2]) == pytest.approx(0.5)


def test_concentration_index_against_all_pairs_of_units():
    count, base, levels = nested(400)
    rank_by = levels["province"].astype(float)  # many ties
    below = base @ (rank_by[:, None] < rank_by)
    tied = base @ (rank_by[:, None] == rank_by)
    rank = (below + tied / 2) / base.sum()
    expected = 2 * (count / count.sum()) @ rank - 1
    assert inequality.concentration_index(count, base, rank_by) == pytest.approx(expected)


@steady
@given(UNITS)
def test_concentration_index_ranked_by_rate_is_gini(units):
    count, base = np.array(units).T
    rate = count / base
    assert inequality.concentration_index(count, base, rate) == pytest.approx(
        inequality.gini(count, base), abs=1e-9
    )
    assert inequality.concentration_index(count, base, -rate) == pytest.approx(
        -inequality.gini(count, base), abs=1e-9
    )


# ---------------------------------------------------------------- permutation


def first_two(values):
    return values[:2].sum()


def test_permutation_test_against_all_orders():
    values = np.array([5.0, 3, 1, 4, 0])
    orders = [first_two(np.array(order)) for order in itertools.permutations(values)]
    exact = {
        "greater": np.mean([order >= 8 for order in orders]),  # 5 + 3 = 8; 8 or 9: 2 of 10 pairs
        "less": np.mean([order <= 8 for order in orders]),
    }
    assert exact["greater"] == pytest.approx(0.2)
    exact["two-sided"], exact["directed"] = 2 * exact["greater"], exact["greater"]
    for alternative, p in exact.items():
        result = permutation.permutation_test(first_two, values, seed=3, alternative=alternative)
        assert result.p == pytest.approx(p, abs=0.015)
    assert result.observed == 8
    assert result.expected == pytest.approx(2 * values.mean(), abs=0.05)
    assert result.draws.shape == (9999,)


def test_permutation_p_is_never_zero_and_counts_itself():
    # 30 rising numbers: no shuffle of 99 has so large a sum of products; p = (0 + 1) / (99 + 1).
    rising = np.arange(30.0)
    result = permutation.permutation_test(
        lambda v: v @ rising, rising, permutations=99, seed=1, alternative="greater"
    )
    assert result.p == 0.01


def test_permutation_test_against_scipy():
    values = np.random.default_rng(5).exponential(size=12)
    for alternative in ("less", "greater", "two-sided"):
        ours = permutation.permutation_test(
            first_two, values, permutations=4999, seed=1, alternative=alternative
        )
        other = stats.permutation_test(
            (values,),
            first_two,
            permutation_type="pairings",
            vectorized=False,
            n_resamples=4999,
            alternative=alternative,
            rng=2,
        )
        assert ours.p == pytest.approx(other.pvalue, abs=0.03)


@pytest.mark.parametrize("alternative", ["less", "greater", "two-sided", "directed"])
def test_permutation_draws_equal_but_for_rounding_are_ties(alternative):
    values = np.random.default_rng(1).random(40)

    def one_by_one(v):
        return float(np.cumsum(v)[-1])  # sum() of Python 3.12 makes good what rounding loses

    sums = {one_by_one(np.random.default_rng(i).permutation(values)) for i in range(50)}
    assert len(sums) > 1  # the order does change the last digit
    result = permutation.permutation_test(
        one_by_one, values, permutations=99, seed=1, alternative=alternative
    )
    assert result.p == 1


def test_permutation_p_is_uniform_under_the_null():
    generator = np.random.default_rng(11)
    order = np.arange(12.0)
    p = {alternative: [] for alternative in ("greater", "two-sided", "directed")}
    for seed in range(200):
        values = generator.normal(size=12)
        for alternative, found in p.items():
            test = permutation.permutation_test(
                lambda v: v @ order, values, permutations=99, seed=seed, alternative=alternative
            )
            found.append(test.p)
    for alternative in ("greater", "two-sided"):
        assert stats.kstest(p[alternative], "uniform").pvalue > 0.01
    # The documented trap: the smaller tail lies below 0.05 about one time in ten, never above 0.51.
    assert 0.06 < np.mean(np.array(p["directed"]) <= 0.05) < 0.15
    assert max(p["directed"]) <= 0.51


def test_permutation_test_of_a_subset():
    # Members have 9 and 8 of 1, 2, 9, 8: of the six pairs only one has a mean of 8.5.
    rates = np.array([1.0, 2, 9, 8])
    result = permutation.permutation_test(
        lambda member: rates[member].mean(),
        [False, False, True, True],
        seed=1,
        alternative="greater",
    )
    assert result.observed == 8.5
    assert result.p == pytest.approx(1 / 6, abs=0.015)
    assert result.expected == pytest.approx(5, abs=0.1)


def test_permutation_test_seed():
    def draws(seed):
        return permutation.permutation_test(
            first_two, [1.0, 2, 3, 5], permutations=50, seed=seed
        ).draws

    assert_array_equal(draws(1), draws(1))
    assert (draws(1) != draws(2)).any()


# ---------------------------------------------------------------- space


def path(n):
    """Units 0 to n - 1 in a row: each borders the next."""
    pairs = pd.DataFrame({"province_code_a": range(n - 1), "province_code_b": range(1, n)})
    return space.spatial_weights("contiguity", range(n), neighbours=pairs)


def scattered(n, seed=4):
    generator = np.random.default_rng(seed)
    return np.column_stack([generator.uniform(75, 130, n), generator.uniform(20, 50, n)])


def test_haversine_by_hand():
    # A quarter of the circumference: 6371 * pi / 2 = 10007.54; antipodes twice that.
    assert space.haversine_km(0, 0, 90, 0) == pytest.approx(10007.543, abs=1e-3)
    assert space.haversine_km([0, 20], [90, 0], [0, -160], [-90, 0]) == pytest.approx(20015.087)
    # For some antipodes rounding takes the haversine a hair above 1.
    lon, lat = np.meshgrid(np.arange(180), np.arange(-89, 90))
    assert_allclose(space.haversine_km(lon, lat, lon - 180, -lat), 20015.087, rtol=1e-6)
    # Beijing to Shanghai, about 1,070 km in any atlas.
    assert space.haversine_km(116.41, 39.90, 121.47, 31.23) == pytest.approx(1067, abs=3)
    assert space.haversine_km(5, 5, 5, 5) == 0


def test_haversine_against_libpysal():
    from libpysal.cg.sphere import arcdist

    points = scattered(6)
    matrix = space.haversine_km(points[:, :1], points[:, 1:], points[:, 0], points[:, 1])
    other = [[arcdist(tuple(a), tuple(b), 6371.0) for b in points] for a in points]
    assert_allclose(matrix, other, atol=1e-3)


def test_contiguity():
    pairs = pd.DataFrame({"province_code_a": [11, 13, 13, 99], "province_code_b": [13, 12, 14, 11]})
    weights = space.spatial_weights("contiguity", [14, 13, 11, 12], neighbours=pairs)
    assert weights.id_order == [14, 13, 11, 12]
    assert weights.neighbors == {14: [13], 13: [14, 11, 12], 11: [13], 12: [13]}
    assert_allclose(weights.weights[13], [1 / 3] * 3)
    assert_allclose(
        weights.full()[0], [[0, 1, 0, 0], [1 / 3, 0, 1 / 3, 1 / 3]] + [[0, 1, 0, 0]] * 2
    )


def test_nearest_by_great_circle_not_by_degrees():
    # At 80 degrees north 5 degrees of longitude are 97 km, 2 of latitude 222 km.
    points = [(0, 80), (5, 80), (0, 82)]
    weights = space.spatial_weights("knn", ["a", "b", "c"], coordinates=points, k=1)
    assert weights.neighbors["a"] == ["b"]
    weights = space.spatial_weights(
        "distance", ["a", "b", "c"], coordinates=points, threshold_km=223
    )
    assert set(weights.neighbors["a"]) == {"b", "c"}
    with pytest.raises(ValueError, match=r"no neighbour for \['c'\]"):
        space.spatial_weights("distance", ["a", "b", "c"], coordinates=points, threshold_km=221)


def test_knn_and_band_against_distances():
    points = scattered(25)
    distance = space.haversine_km(points[:, :1], points[:, 1:], points[:, 0], points[:, 1])
    codes = [f"u{i}" for i in range(25)]
    knn = space.spatial_weights("knn", codes, coordinates=points, k=3).full()[0]
    nearest = np.argsort(distance, axis=1)[:, 1:4]
    assert all(
        set(np.flatnonzero(row)) == set(near) for row, near in zip(knn, nearest, strict=True)
    )
    assert_allclose(knn.sum(axis=1), 1)
    band = space.spatial_weights("distance", codes, coordinates=points, threshold_km=1500).full()[0]
    assert_array_equal(band > 0, (distance > 0) & (distance <= 1500))
    assert_allclose(band.sum(axis=1), 1)


def test_moran_by_hand():
    # 1, 2, 3, 4 in a row: deviations -1.5, -0.5, 0.5, 1.5; neighbours' means -0.5, -0.5, 0.5, 0.5;
    # products sum to 2, squares to 5: I = 0.4.
    weights = path(4)
    result = space.moran([1, 2, 3, 4], weights, seed=1)
    assert (result.I, result.expected, result.n) == pytest.approx((0.4, -1 / 3, 4))
    # All 24 orders give the exact mean, spread and tail.
    matrix = weights.full()[0]
    z = np.array([list(order) for order in itertools.permutations([-1.5, -0.5, 0.5, 1.5])])
    every = np.einsum("pi,ij,pj->p", z, matrix, z) / 5
    assert every.mean() == pytest.approx(-1 / 3)
    assert result.z == pytest.approx((0.4 - every.mean()) / every.std())
    assert result.p == pytest.approx(np.mean(every >= 0.4 - 1e-9), abs=0.015)


def test_moran_of_chessboard_and_gradient():
    from libpysal.weights import lat2W

    grid = lat2W(6, 6)
    board = np.indices((6, 6)).sum(axis=0) % 2
    chess = space.moran(board.ravel(), grid, permutations=999, seed=1)
    assert_allclose(chess.I, -1)
    assert chess.z < -3
    assert chess.p == 0.001
    assert space.moran(board.ravel(), grid, permutations=99, seed=1, alternative="greater").p == 1
    slope = space.moran(np.tile(np.arange(6), 6), grid, permutations=999, seed=1)
    # The grid is taken as row-standardised: each unit's deviation times its neighbours' mean.
    z = np.tile(np.arange(6), 6) - 2.5
    means = np.array([z[grid.neighbors[unit]].mean() for unit in range(36)])
    assert_allclose(slope.I, z @ means / (z @ z))
    assert slope.I > 0.5
    assert slope.p == 0.001
    # "two-sided" doubles, 2 / 1000.
    both = space.moran(board.ravel(), grid, permutations=999, seed=1, alternative="two-sided")
    assert both.p == 0.002


def test_moran_against_esda_permutations():
    from esda.moran import Moran

    weights = space.spatial_weights("knn", range(31), coordinates=scattered(31))
    values = np.random.default_rng(3).normal(size=31)
    state = np.random.get_state()  # noqa: NPY002 - what esda draws from
    np.random.seed(1)  # noqa: NPY002
    other = Moran(values, weights, permutations=9999)
    np.random.set_state(state)  # noqa: NPY002
    result = space.moran(values, weights, seed=1)
    assert_allclose(result.I, other.I)
    assert result.p == pytest.approx(other.p_sim, abs=0.02)
    assert result.z == pytest.approx(other.z_sim, abs=0.05)


def test_local_moran_by_hand():
    # (n - 1) * z * neighbours' mean / sum of squares: 3 * 0.75 / 5 and 3 * 0.25 / 5. Units 0 and 3
    # have one neighbour each: of the three others it could have, one gives as large a product.
    result = space.local_moran([1, 2, 3, 4], path(4), seed=1)
    assert_allclose(result["local_i"], [0.45, 0.15, 0.15, 0.45])
    assert result["quadrant"].tolist() == ["LL", "LL", "HH", "HH"]
    assert result["value"].tolist() == [1, 2, 3, 4]
    assert result.index.tolist() == [0, 1, 2, 3]
    assert_allclose(result["p"].iloc[[0, 3]], 1 / 3, atol=0.02)
    # The parts make up the whole.
    assert result["local_i"].sum() / 3 == pytest.approx(
        space.moran([1, 2, 3, 4], path(4), seed=1).I
    )
    assert_allclose(result["p_adjusted"], multipletests(result["p"], method="fdr_bh")[1])
    assert (result["p_adjusted"] >= result["p"]).all()


def test_local_moran_quadrants():
    # A low unit among high ones and a high one among low ones.
    result = space.local_moran([9, 0, 9, 9, 0, 0, 9, 0], path(8), permutations=99, seed=1)
    assert result["quadrant"].iloc[[1, 6]].tolist() == ["LH", "HL"]


def test_local_moran_counts_ties():
    # One of ten in a row has the only 1. Unit 1's neighbours are zeros, the largest product it can
    # have: so are those of 7 in 9 draws (neither of two draws from nine others is the 1). In the
    # other tail every draw is as small or smaller. esda, without ties on that side, differs.
    values = np.zeros(10)
    values[7] = 1
    weights = path(10)
    p = {
        alternative: space.local_moran(values, weights, seed=2, alternative=alternative)["p"].iloc[
            1
        ]
        for alternative in ("greater", "less", "directed", "two-sided")
    }
    assert p["greater"] == p["directed"] == pytest.approx(7 / 9, abs=0.02)
    assert p["less"] == p["two-sided"] == 1
    # Unit 0 and its one neighbour are low; so are two of the five others it could have.
    flat = space.local_moran([0, 0, 0, 0.3, 0.3, 0.3], path(6), seed=2, alternative="greater")
    assert_allclose(flat["p"].iloc[0], 2 / 5, atol=0.02)


def test_local_moran_against_esda_without_ties():
    from esda.moran import Moran_Local

    weights = space.spatial_weights("knn", range(31), coordinates=scattered(31))
    values = np.random.default_rng(3).normal(size=31)
    state = np.random.get_state()  # noqa: NPY002 - what esda draws from
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        other = Moran_Local(values, weights, permutations=999, seed=5)
    np.random.set_state(state)  # noqa: NPY002
    result = space.local_moran(values, weights, permutations=999, seed=5)
    assert_allclose(result["p"], other.p_sim, atol=0.0011)  # esda: one less in the low tail


def test_join_counts_by_hand():
    # Black, black, white, white in a row: one join of each kind. Of the six ways to place two
    # blacks, three have them side by side: p = 1/2.
    result = space.join_counts([True, True, False, False], path(4), seed=1)
    assert result[["BB", "WW", "BW"]].tolist() == [1, 1, 1]
    assert result["p_BB"] == pytest.approx(0.5, abs=0.02)
    # Alternate: all joins are across, and no map has fewer BB.
    result = space.join_counts([1, 0, 1, 0, 1], path(5), permutations=99, seed=1)
    assert result.tolist() == [0, 0, 4, 1]


def test_join_counts_against_esda():
    from esda.join_counts import Join_Counts

    weights = space.spatial_weights(
        "distance", range(31), coordinates=scattered(31), threshold_km=1400
    )
    member = np.random.default_rng(6).random(31) < 0.4
    result = space.join_counts(member, weights, permutations=99, seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        other = Join_Counts(member.astype(int), weights, permutations=0)
    assert result[["BB", "WW", "BW"]].tolist() == [other.bb, other.ww, other.bw]


@pytest.mark.parametrize("function", [space.moran, space.local_moran, space.join_counts])
def test_spatial_tests_are_reproducible_and_leave_nothing_behind(function):
    from libpysal.weights import lat2W

    weights = lat2W(4, 4)  # not row-standardised
    values = np.random.default_rng(8).random(16) < 0.5
    state, filters = np.random.get_state(), list(warnings.filters)  # noqa: NPY002
    results = [function(values, weights, permutations=199, seed=seed) for seed in (1, 1, 2)]
    assert_array_equal(state[1], np.random.get_state()[1])  # noqa: NPY002
    assert state[2] == np.random.get_state()[2]  # noqa: NPY002
    assert warnings.filters == filters
    assert weights.transform == "O"
    same, again, other = (
        result[["p"]].to_numpy() if isinstance(result, pd.DataFrame) else np.array(result)
        for result in results
    )
    assert_array_equal(same, again)
    assert (same != other).any()


# ---------------------------------------------------------------- count models


def made_up(n=31, seed=1, dispersed=True):
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "unit": [f"u{i}" for i in range(n)],
            "people": generator.uniform(500, 5000, n),
            "income": generator.normal(10_000, 3_000, n),
            "coastal": generator.random(n) < 0.4,
            "south": generator.random(n) < 0.5,
        }
    )
    mean = frame["people"] / 200 * np.exp(frame["income"] / 5_000 - 2 + frame["coastal"])
    noise = generator.gamma(1.5, 1 / 1.5, n) if dispersed else 1
    return frame.assign(villages=generator.poisson(mean * noise))


# Ten units without and ten with the property: means 2 and 5.
TWO_GROUPS = pd.DataFrame(
    {"villages": [1, 3] * 5 + [4, 6] * 5, "coastal": [False] * 10 + [True] * 10}
)


@pytest.mark.parametrize("family", ["poisson", "quasi-poisson"])
def test_count_model_is_statsmodels_glm(family):
    frame = made_up()
    covariates = ["income", "coastal", "south"]
    quasi = family == "quasi-poisson"
    design = np.column_stack([np.ones(31), frame[covariates].astype(float)])
    direct = GLM(
        frame["villages"], design, family=families.Poisson(), exposure=frame["people"].to_numpy()
    ).fit(scale="X2" if quasi else None, use_t=quasi)
    model = counts.count_model(
        frame, "villages", covariates, exposure="people", family=family, level=0.9
    )
    assert model.effects["covariate"].tolist() == covariates
    assert_allclose(model.effects["rate_ratio"], np.exp(direct.params[1:]), rtol=1e-6)
    interval = np.exp(direct.conf_int(alpha=0.1))[1:]
    assert_allclose(model.effects[["low", "high"]], interval, rtol=1e-6)
    assert_allclose(model.effects["p"], direct.pvalues[1:], rtol=1e-4)
    assert model.dispersion == pytest.approx(direct.pearson_chi2 / direct.df_resid)
    assert (model.n, model.family, model.converged) == (31, family, True)
    assert model.aic == pytest.approx(NAN if quasi else direct.aic, nan_ok=True)
    assert model.alpha == pytest.approx(NAN if quasi else 0, nan_ok=True)


def test_negative_binomial_is_statsmodels():
    frame = made_up()
    covariates = ["income", "coastal"]
    frame["income"] /= 3_000  # the direct fit needs it, ours does not
    design = np.column_stack([np.ones(31), frame[covariates].astype(float)])
    direct = NegativeBinomial(frame["villages"], design, exposure=frame["people"]).fit(
        maxiter=500, disp=0
    )
    model = counts.count_model(
        frame, "villages", covariates, exposure="people", family="negative binomial"
    )
    assert_allclose(model.effects["rate_ratio"], np.exp(direct.params[1:3]), rtol=1e-3)
    assert_allclose(model.effects[["low", "high"]], np.exp(direct.conf_int())[1:3], rtol=5e-3)
    assert model.alpha == pytest.approx(direct.params.iloc[-1], rel=1e-3)
    assert model.aic == pytest.approx(direct.aic, abs=1e-4)
    assert model.converged
    mean = frame["people"] * np.exp(design @ direct.params.iloc[:3])
    variance = mean + direct.params.iloc[-1] * mean**2
    pearson = ((frame["villages"] - mean) ** 2 / variance).sum()
    assert model.dispersion == pytest.approx(pearson / (31 - 3), rel=1e-3)
    poisson = counts.count_model(frame, "villages", covariates, exposure="people")
    assert poisson.dispersion > 3
    assert poisson.aic > model.aic
    raw = frame.assign(income=frame["income"] * 3_000)
    unscaled = counts.count_model(
        raw, "villages", covariates, exposure="people", family="negative binomial"
    )
    assert unscaled.effects["rate_ratio"][0] ** 3_000 == pytest.approx(
        model.effects["rate_ratio"][0], rel=1e-4
    )


@pytest.mark.parametrize("family", ["poisson", "quasi-poisson", "negative binomial"])
def test_rate_ratio_of_two_groups_is_ratio_of_means(family):
    model = counts.count_model(TWO_GROUPS, "villages", ["coastal"], exposure=None, family=family)
    assert model.effects["rate_ratio"][0] == pytest.approx(5 / 2, rel=1e-5)
    # (y - mean)**2 / mean: ten of 1/2 and ten of 1/5 are 7, over 20 - 2 degrees of freedom.
    assert model.dispersion == pytest.approx(7 / 18, rel=1e-5)


def test_rate_ratio_of_two_groups_is_ratio_of_means_when_dispersed():
    frame = pd.DataFrame(
        {"villages": [0, 4] * 5 + [0, 10, 0, 10, 5] * 2, "coastal": [0] * 10 + [1] * 10}
    )
    model = counts.count_model(
        frame, "villages", ["coastal"], exposure=None, family="negative binomial"
    )
    assert model.effects["rate_ratio"][0] == pytest.approx(5 / 2, rel=1e-4)
    assert model.alpha > 0.1


def test_negative_binomial_of_even_counts_is_poisson():
    poisson = counts.count_model(TWO_GROUPS, "villages", ["coastal"], exposure=None)
    model = counts.count_model(
        TWO_GROUPS, "villages", ["coastal"], exposure=None, family="negative binomial"
    )
    pd.testing.assert_frame_equal(model.effects, poisson.effects)
    assert model.alpha == 0
    assert model.converged
    assert model.aic == pytest.approx(poisson.aic + 2)  # one parameter more, no better fit


def test_count_model_units_and_exposure():
    frame = made_up()
    base = counts.count_model(frame, "villages", ["income"], exposure="people").effects
    other = counts.count_model(
        frame.assign(income=frame["income"] / 1_000, people=frame["people"] * 7),
        "villages",
        ["income"],
        exposure="people",
    ).effects
    columns = ["rate_ratio", "low", "high"]
    assert_allclose(base[columns] ** 1_000, other[columns], rtol=1e-6)
    assert_allclose(base["p"], other["p"], rtol=1e-4)
    without = counts.count_model(frame, "villages", ["income"], exposure=None).effects
    assert abs(without["rate_ratio"][0] - base["rate_ratio"][0]) > 1e-6


@pytest.mark.parametrize(
    ("family", "method"), [("poisson", "GLM"), ("negative binomial", "NegativeBinomial")]
)
def test_count_model_without_convergence_is_flagged(monkeypatch, family, method):
    def fit(self, *args, **kwargs):
        warnings.warn("failed to converge", ConvergenceWarning, stacklevel=1)

    monkeypatch.setattr(getattr(counts, method), "fit", fit)
    model = counts.count_model(made_up(), "villages", ["coastal"], exposure="people", family=family)
    assert not model.converged
    assert model.effects[["rate_ratio", "low", "high", "p"]].isna().all(axis=None)
    assert math.isnan(model.aic)
    assert math.isnan(model.dispersion)


def test_count_model_finds_separation():
    frame = made_up().assign(villages=lambda f: f["villages"].where(f["coastal"], 0) + f["coastal"])
    with pytest.raises(ValueError, match="separate zeros"):
        counts.count_model(frame, "villages", ["coastal"], exposure="people")
    # Neither column alone does, both together do: every unit with a village is in exactly one.
    frame = pd.DataFrame(
        {
            "a": [1, 1, 0, 0, 1] * 6,
            "b": [0, 0, 1, 1, 1] * 6,
            "villages": [2, 3, 4, 1, 0] * 6,
        }
    )
    with pytest.raises(ValueError, match="separate zeros"):
        counts.count_model(frame, "villages", ["a", "b"], exposure=None)
    assert counts.count_model(frame, "villages", ["a"], exposure=None).converged
    # Zeros on both sides of the one value that units with villages have: an estimate exists, and
    # it is 1, because the sides balance.
    frame = pd.DataFrame({"x": [-1, 0, 1] * 10, "villages": [0, 2, 0] * 10})
    effects = counts.count_model(frame, "villages", ["x"], exposure=None).effects
    assert effects["rate_ratio"][0] == pytest.approx(1)
    # Zeros wherever income is low are no separation: income varies where the count is positive.
    frame = made_up().assign(villages=lambda f: f["villages"].where(f["income"] > 10_000, 0))
    assert counts.count_model(frame, "villages", ["income"], exposure="people").converged


def test_leave_one_out_by_hand():
    frame = pd.DataFrame({"unit": ["a", "b", "c"], "x": [1.0, 2.0, 6.0]}, index=[5, 5, 7])
    result = counts.leave_one_out(
        frame, lambda rest: pd.Series({"mean": rest["x"].mean(), "n": len(rest)}), label="unit"
    )
    assert result["left_out"].tolist() == ["a", "b", "c"]
    assert result["mean"].tolist() == [4, 3.5, 1.5]
    assert result["n"].tolist() == [2, 2, 2]
    assert list(result.columns) == ["left_out", "mean", "n"]


def test_leave_one_out_of_a_count_model():
    frame = made_up()

    def ratio(rest):
        model = counts.count_model(rest, "villages", ["coastal"], exposure="people")
        return model.effects.set_index("covariate")["rate_ratio"]

    result = counts.leave_one_out(frame, ratio, label="unit")
    assert result.shape == (31, 2)
    assert result["coastal"][4] == pytest.approx(ratio(frame.drop(index=4))["coastal"])


# ---------------------------------------------------------------- what is refused

PATH = path(4)
FRAME = made_up()
SQUARE = [(100, 30), (101, 30), (100, 31), (101, 31)]
PAIRS = pd.DataFrame({"province_code_a": [1, 2], "province_code_b": [2, 3]})
LEFT, RIGHT = pd.Series([1.0, 2], index=["x", "y"]), pd.Series([1.0, 2], index=["y", "x"])


def mean_of(frame):
    return pd.Series({"n": len(frame)})


def fitted(covariates=("coastal",), **changes):
    options = {"exposure": "people", **changes}
    frame = options.pop("frame", FRAME)
    return counts.count_model(frame, options.pop("outcome", "villages"), covariates, **options)


REFUSED = {
    "bounds: more reported than cases": (lambda: shares.share_bounds(3, 2, 4), "cannot hold"),
    "bounds: no cases": (lambda: shares.share_bounds(0, 0, 0), "cannot hold"),
    "bounds: negative": (lambda: shares.share_bounds(-1, 2, 4), "yes: a whole number"),
    "bounds: missing": (lambda: shares.share_bounds(1, NAN, 4), "no: a whole number"),
    "wilson: more than n": (lambda: shares.wilson_interval(5, 4), "5 of 4"),
    "wilson: none": (lambda: shares.wilson_interval(0, 0), "0 of 0"),
    "wilson: fraction": (lambda: shares.wilson_interval(1.5, 4), "whole number"),
    "wilson: level": (lambda: shares.wilson_interval(1, 4, 95), "level"),
    "ranks: three units": (lambda: shares.rank_interval([1, 2, 3], [1, 2, 3]), "four units"),
    "garwood: negative": (lambda: shares.poisson_rate_interval(-1, 1), "count"),
    "garwood: exposure": (lambda: shares.poisson_rate_interval(1, 0), "exposure"),
    "garwood: exposure missing": (lambda: shares.poisson_rate_interval(1, NAN), "exposure"),
    "garwood: level": (lambda: shares.poisson_rate_interval(1, 1, 1.0), "level"),
    "ratio: no events": (lambda: shares.rate_ratio_test(0, 1, 0, 1), "both are zero"),
    "ratio: exposure": (lambda: shares.rate_ratio_test(1, 1, 1, -1), "exposure_b"),
    "ratio: fraction": (lambda: shares.rate_ratio_test(1, 1, 1.5, 1), "count_b"),
    "ratio: level": (lambda: shares.rate_ratio_test(1, 1, 1, 1, level=0), "level"),
    "lorenz: negative": (
        lambda: inequality.lorenz([1, -1], [1, 1]),
        r"negative at positions \[1\]",
    ),
    "lorenz: lengths": (lambda: inequality.lorenz([1, 1], [1, 1, 1]), "count 2, base 3"),
    "lorenz: missing": (lambda: inequality.lorenz([NAN, 1], [1, 1]), r"count: missing .* \[0\]"),
    "lorenz: zero base": (lambda: inequality.lorenz([1, 1], [1, 0]), r"base: zero .* \[1\]"),
    "lorenz: order": (lambda: inequality.lorenz(LEFT, RIGHT), "indexes differ"),
    "lorenz: table": (lambda: inequality.lorenz([[1, 2]], [[1, 2]]), "one dimension"),
    "gini: all zero": (lambda: inequality.gini([0, 0]), "all are zero"),
    "gini: empty": (lambda: inequality.gini([]), "at least one unit"),
    "gini: infinite base": (
        lambda: inequality.gini([1, 1], [1, math.inf]),
        "base: missing or infinite",
    ),
    "hhi: negative": (lambda: inequality.hhi([-1, 2]), "negative"),
    "hhi: all zero": (lambda: inequality.hhi([0]), "all are zero"),
    "theil: groups": (lambda: inequality.theil([1, 1], [1, 1], ["a"]), "groups"),
    "theil: group missing": (lambda: inequality.theil([1, 1], [1, 1], ["a", None]), "groups"),
    "theil: order": (lambda: inequality.theil(LEFT, LEFT, RIGHT), "indexes differ"),
    "theil: zero base": (lambda: inequality.theil([1, 1], [0, 1], ["a", "b"]), "base"),
    "quotient: zero base": (lambda: inequality.location_quotient([1, 1], [0, 1]), "base"),
    "quotient: lengths": (lambda: inequality.location_quotient([1], [1, 1]), "lengths differ"),
    "concentration: rank": (
        lambda: inequality.concentration_index([1, 1], [1, 1], [1]),
        "rank_by 1",
    ),
    "concentration: missing": (
        lambda: inequality.concentration_index([1, 1], [1, 1], [1, NAN]),
        "rank_by: missing",
    ),
    "concentration: order": (
        lambda: inequality.concentration_index(LEFT, LEFT, RIGHT),
        "indexes differ",
    ),
    "permutation: missing": (
        lambda: permutation.permutation_test(np.sum, [1, NAN], seed=1),
        "missing",
    ),
    "permutation: one unit": (
        lambda: permutation.permutation_test(np.sum, [1], seed=1),
        "two units",
    ),
    "permutation: none": (
        lambda: permutation.permutation_test(np.sum, [1, 2], permutations=0, seed=1),
        "at least 1",
    ),
    "permutation: side": (
        lambda: permutation.permutation_test(np.sum, [1, 2], seed=1, alternative="more"),
        "'more'",
    ),
    "permutation: statistic": (
        lambda: permutation.permutation_test(lambda v: NAN, [1, 2], seed=1),
        "not a number",
    ),
    "haversine: swapped": (lambda: space.haversine_km(40, 116, 31, 121), "longitude first"),
    "haversine: missing": (lambda: space.haversine_km(NAN, 0, 0, 0), "missing"),
    "weights: kind": (lambda: space.spatial_weights("queen", [1, 2]), "'queen'"),
    "weights: repeated": (
        lambda: space.spatial_weights("contiguity", [1, 1], neighbours=PAIRS),
        r"repeated \[1\]",
    ),
    "weights: no pairs": (lambda: space.spatial_weights("contiguity", [1, 2]), "frame of pairs"),
    "weights: island": (
        lambda: space.spatial_weights("contiguity", [1, 2, 46], neighbours=PAIRS),
        r"no neighbour for \[46\]",
    ),
    "weights: codes of another type": (
        lambda: space.spatial_weights("contiguity", ["1", "2"], neighbours=PAIRS),
        "no neighbour for",
    ),
    "weights: no coordinates": (lambda: space.spatial_weights("knn", range(4)), "coordinates"),
    "weights: shape": (
        lambda: space.spatial_weights("knn", range(3), coordinates=SQUARE),
        "of 3 units",
    ),
    "weights: swapped": (
        lambda: space.spatial_weights("knn", range(2), coordinates=[(30, 100), (31, 101)]),
        "longitude first",
    ),
    "weights: same place": (
        lambda: space.spatial_weights("knn", range(2), coordinates=[(1, 1), (1, 1)], k=1),
        "share a position",
    ),
    "weights: k": (lambda: space.spatial_weights("knn", range(4), coordinates=SQUARE), "not 4"),
    "weights: no threshold": (
        lambda: space.spatial_weights("distance", range(4), coordinates=SQUARE),
        "threshold_km",
    ),
    "moran: constant": (lambda: space.moran([1, 1, 1, 1], PATH, seed=1), "all are equal"),
    "moran: missing": (lambda: space.moran([1, 2, 3, NAN], PATH, seed=1), "missing"),
    "moran: lengths": (lambda: space.moran([1, 2, 3], PATH, seed=1), "values 3, weights 4"),
    "moran: few": (lambda: space.moran([1, 2, 3], path(3), seed=1), "at least 4"),
    "moran: side": (lambda: space.moran([1, 2, 3, 4], PATH, seed=1, alternative="x"), "'x'"),
    "moran: order": (
        lambda: space.moran(pd.Series([1, 2, 3, 4], index=[3, 2, 1, 0]), PATH, seed=1),
        "not in the order",
    ),
    "local: constant": (lambda: space.local_moran([1, 1, 1, 1], PATH, seed=1), "all are equal"),
    "local: few": (lambda: space.local_moran([1, 2, 3], path(3), seed=1), "at least 4"),
    "local: none": (
        lambda: space.local_moran([1, 2, 3, 4], PATH, permutations=0, seed=1),
        "at least 1",
    ),
    "joins: all members": (lambda: space.join_counts([1, 1, 1, 1], PATH, seed=1), "all are equal"),
    "joins: counts": (lambda: space.join_counts([0, 1, 2, 1], PATH, seed=1), "True or False"),
    "model: family": (lambda: fitted(family="gamma"), "'gamma'"),
    "model: no covariate": (lambda: fitted([]), "at least one"),
    "model: a string": (lambda: fitted("coastal"), "a list"),
    "model: column": (lambda: fitted(["coast"]), r"missing \['coast'\]"),
    "model: twice": (lambda: fitted(["people"]), "used twice"),
    "model: four covariates": (
        lambda: fitted(["a", "coastal", "south", "income"], frame=FRAME.assign(a=range(31))),
        "4 covariates for 31 units",
    ),
    "model: three for 29": (
        lambda: fitted(["coastal", "south", "income"], frame=FRAME.iloc[:29]),
        "3 covariates for 29 units",
    ),
    "model: missing": (lambda: fitted(frame=FRAME.assign(people=NAN)), "people: missing"),
    "model: negative": (lambda: fitted(frame=FRAME.assign(villages=-1)), "negative"),
    "model: fractions": (lambda: fitted(frame=FRAME.assign(villages=0.5)), "whole numbers"),
    "model: exposure": (lambda: fitted(frame=FRAME.assign(people=0)), "base: zero"),
    "model: constant": (lambda: fitted(frame=FRAME.assign(coastal=1)), "without variation"),
    "model: collinear": (
        lambda: fitted(["coastal", "inland"], frame=FRAME.assign(inland=~FRAME["coastal"])),
        "collinear",
    ),
    "model: level": (lambda: fitted(level=95), "level"),
    "leave out: label": (lambda: counts.leave_one_out(FRAME, mean_of, label="code"), "'code'"),
    "leave out: repeated": (lambda: counts.leave_one_out(FRAME, mean_of, label="south"), "'south'"),
    "leave out: one row": (
        lambda: counts.leave_one_out(FRAME.iloc[:1], mean_of, label="unit"),
        "two rows",
    ),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_spatial_tests_refuse_islands():
    from libpysal.weights import W

    weights = W({0: [1], 1: [0], 2: [3], 3: [2], 4: []}, silence_warnings=True)
    for function in (space.moran, space.local_moran, space.join_counts):
        with pytest.raises(ValueError, match=r"no neighbour for \[4\]"):
            function([1, 0, 1, 0, 1], weights, seed=1)


def test_quasi_poisson_takes_fractions():
    assert fitted(
        frame=FRAME.assign(villages=FRAME["villages"] / 2), family="quasi-poisson"
    ).converged


# ---- growth between dated counts --------------------------------------------------------------


def events(*rows):
    """Dated events of lists, as `list_months` takes them."""
    return pd.DataFrame(rows, columns=["year", "event", "month"])


def test_the_closing_month_comes_before_that_of_publication():
    table = events((2016, "closing", "2016-08"), (2016, "publication", "2016-10"),
                   (2017, "publication", "2017-12"))  # fmt: skip
    assert [str(m) for m in growth.list_months(table)] == ["2016-08", "2017-12"]
    published = growth.list_months(table, dates="publication")
    assert [str(m) for m in published] == ["2016-10", "2017-12"]
    assert str(growth.list_months(table, dates="calendar")[2016]) == "2016-12"


def test_a_year_without_a_month_is_left_out():
    table = events((2015, "closing", "2015-12"), (2016, "publication", "2016-10"))
    assert list(growth.list_months(table, dates="publication").index) == [2016]


def test_unknown_dates_are_refused():
    with pytest.raises(ValueError, match="calendar"):
        growth.list_months(events((2016, "closing", "2016-08")), dates="moon")


def test_growth_intervals_by_hand():
    # 100 to 400 in six months: factor 4, ln 4 / 0.5 = 2.773 a year, doubles in 3 months,
    # 300 in half a year are 600 a year.
    months = pd.Series({1: pd.Period("2014-01", "M"), 2: pd.Period("2014-07", "M")})
    (row,) = growth.growth_intervals(pd.Series({1: 100.0, 2: 400.0}), months).itertuples()
    assert row.months == 6
    assert_allclose([row.factor, row.rate, row.doubling_months, row.additions],
                    [4, 2 * math.log(4), 3, 600])  # fmt: skip


def test_growth_intervals_multiply_to_the_whole():
    months = pd.Series(pd.period_range("2014-01", periods=4, freq="7M"))
    table = growth.growth_intervals(pd.Series([3.0, 14.0, 20.0, 212.0]), months)
    assert_allclose(table["factor"].prod(), 212 / 3)
    assert_allclose((table["rate"] * table["months"] / 12).sum(), math.log(212 / 3))


# ---- second implementations -----------------------------------------------------------------


def test_location_quotients_are_counts_over_those_that_a_multinomial_expects():
    rng = np.random.default_rng(5)
    base = rng.uniform(1, 9, size=12)
    count = rng.multinomial(200, rng.dirichlet(np.ones(12)))
    expected = stats.multinomial(200, base / base.sum()).mean()
    found = inequality.location_quotient(count, base)
    np.testing.assert_allclose(found, count / expected)


def test_growth_rates_are_slopes_of_log_counts_over_time():
    count = pd.Series({2013: 20, 2014: 212, 2015: 780, 2016: 1311})
    months = pd.Series({2013: "2013-11", 2014: "2014-12", 2015: "2015-12", 2016: "2016-08"})
    months = months.map(lambda month: pd.Period(month, "M"))
    found = growth.growth_intervals(count, months)
    years = months.map(lambda month: month.year + month.month / 12)
    for place, row in enumerate(found.itertuples()):
        pair = slice(place, place + 2)
        slope, _ = np.polyfit(years.iloc[pair], np.log(count.iloc[pair]), 1)
        line, _ = np.polyfit(years.iloc[pair], count.iloc[pair], 1)
        assert row.rate == pytest.approx(slope)
        assert row.additions == pytest.approx(line)
        assert row.doubling_months == pytest.approx(12 * np.log(2) / slope)
        assert row.factor == pytest.approx(np.exp(slope * row.months / 12))


# ---------------------------------------------------------------- marked among drawn


def test_marked_units_among_drawn_ones_follow_the_hypergeometric_law():
    # by hand: 3 of 10 units are drawn, 2 of 10 are marked; none meets with 8/10 * 7/9 * 6/8
    urn = {"size": 10, "eligible": np.arange(10), "marked": 2, "drawn": 3}
    found = permutation.marked_among_drawn(**urn, draws=4000, seed=1)
    law = stats.hypergeom(10, 2, 3)
    assert_allclose(law.pmf(0), 8 / 10 * 7 / 9 * 6 / 8)
    assert_allclose([(found == k).mean() for k in range(3)], law.pmf(range(3)), atol=0.03)
    assert permutation.expected_among_drawn(**urn) == 0.6


def test_balls_that_fall_by_weight_hit_marked_units():
    # by hand: a unit of weight w is missed by all 3 balls with probability (1 - w)**3
    weights = np.array([0.5, 0.3, 0.2])
    urn = {"size": 3, "eligible": np.array([0, 2]), "marked": 1, "drawn": 3, "weights": weights}
    by_hand = (1 - 0.5**3 + 1 - 0.8**3) / 2
    assert_allclose(permutation.expected_among_drawn(**urn), by_hand)
    found = permutation.marked_among_drawn(**urn, draws=4000, seed=1)
    assert_allclose(found.mean(), by_hand, atol=0.03)
    assert (permutation.marked_among_drawn(**urn, draws=4000, seed=1) == found).all()
    assert (permutation.marked_among_drawn(**urn, draws=4000, seed=2) != found).any()
