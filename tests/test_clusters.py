"""Many units in clusters: counts, spread, strata; each beside another algorithm or library."""

import functools
import itertools

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from numpy.testing import assert_allclose, assert_array_equal
from scipy import optimize, stats
from statsmodels.stats.contingency_tables import StratifiedTable

from taobao_villages.methods import association, clustered, counts, permutation, space, spread

pytestmark = pytest.mark.filterwarnings("error")  # no function lets a warning through

DATA = {"exposure": "base", "clusters": "town"}


def made_up(seed=3, towns=24, size=8):
    """Counts in towns of three provinces, alike within a town; the last province has none."""
    rng = np.random.default_rng(seed)
    town = np.repeat(np.arange(towns), size)
    frame = pd.DataFrame(
        {
            "unit": [f"u{i}" for i in range(towns * size)],
            "town": town,
            "province": np.array(["x", "y", "z"])[town // (towns // 3)],
            "base": rng.uniform(10, 300, towns * size),
            "share": rng.gamma(2, 1, towns * size),
            "lon": 110 + 3 * rng.uniform(size=towns * size) + (town // (towns // 3)),
            "lat": 30 + 3 * rng.uniform(size=towns * size),
        }
    )
    noise = rng.gamma(2, 1 / 2, towns)[town] * rng.gamma(1, 1, towns * size)
    mean = frame["base"] / 100 * np.exp(0.4 * frame["share"] - 0.8) * noise
    count = np.where(frame["province"] == "z", 0, rng.poisson(mean))
    return frame.assign(n=count, yes=(count > 0).astype(int))


FRAME, LEFT_OUT = counts.usable(made_up(), ["share"], count="n", exposure="base", within="province")
FORMULA = "n ~ share + C(province)"


def design(frame=FRAME):
    columns = [np.ones(len(frame)), frame["province"] == "y", frame["share"]]
    return np.column_stack(columns).astype(float)


# ---- what can be fitted ----------------------------------------------------------------------


def test_what_is_left_out_is_told_once_for_each_unit_and_in_order():
    frame = made_up().assign(n=lambda f: f["n"] + (f["province"] != "z"))
    frame.loc[0, "base"] = 0  # and no share: one reason only
    frame.loc[[0, 1], "share"] = np.nan
    frame.loc[2, "province"] = None
    kept, out = counts.usable(frame, ["share"], count="n", exposure="base", within="province")
    assert out["reason"].tolist() == ["no base", "no share", "no province", "province without n"]
    assert out["n_units"].tolist() == [1, 1, 1, 64]
    assert out["n_counts"].tolist() == [*frame.loc[[0, 1, 2], "n"], 0]
    assert len(kept) + out["n_units"].sum() == len(frame)
    assert kept["n"].sum() + out["n_counts"].sum() == frame["n"].sum()
    assert kept.index.tolist() == list(range(len(kept)))


def test_a_province_without_counts_changes_nothing_when_it_is_left_out():
    # Second way: the empty province stays, and its effect goes to minus infinity.
    whole = made_up()
    with np.errstate(all="ignore"):
        fit = smf.glm(FORMULA, whole, exposure=whole["base"], family=sm.families.Poisson()).fit()
    assert fit.params["C(province)[T.z]"] < -15
    found = counts.poisson(FORMULA, FRAME, **DATA)
    assert_allclose(found.params["share"], fit.params["share"], rtol=1e-6)


# ---- Poisson pseudo maximum likelihood -------------------------------------------------------


def likelihood(x, frame, alpha=0.0):
    """Minus the log-likelihood of Poisson counts, or of negative binomial ones, by scipy."""

    def value(params):
        mean = frame["base"] * np.exp(x @ params)
        if alpha == 0:
            return -stats.poisson.logpmf(frame["n"], mean).sum()
        return -stats.nbinom.logpmf(frame["n"], 1 / alpha, 1 / (1 + alpha * mean)).sum()

    return value


def test_the_estimates_maximise_the_likelihood_and_the_sandwich_is_made_by_hand():
    fit = counts.poisson(FORMULA, FRAME, **DATA)
    x = design()
    best = optimize.minimize(likelihood(x, FRAME), [-4, 0, 0], method="BFGS", tol=1e-9)
    assert_allclose(fit.params, best.x, atol=1e-5)
    mean = FRAME["base"].to_numpy() * np.exp(x @ fit.params.to_numpy())
    bread = np.linalg.inv(sum(m * np.outer(row, row) for m, row in zip(mean, x, strict=True)))
    meat = np.zeros((3, 3))
    for rows in FRAME.groupby("town").indices.values():
        score = ((FRAME["n"].to_numpy() - mean)[rows, None] * x[rows]).sum(axis=0)
        meat += np.outer(score, score)
    towns, n = FRAME["town"].nunique(), len(FRAME)
    by_hand = bread @ meat @ bread * towns / (towns - 1) * (n - 1) / (n - 3)
    assert_allclose(fit.cov_params(), by_hand, rtol=1e-6)
    half = stats.t.ppf(0.975, towns - 1) * np.sqrt(by_hand[2, 2])
    assert_allclose(fit.conf_int().loc["share"], fit.params["share"] + np.array([-half, half]))


def test_dispersed_counts_maximise_the_negative_binomial_likelihood_of_their_alpha():
    poisson, fit = counts.poisson(FORMULA, FRAME, **DATA), counts.dispersed(FORMULA, FRAME, **DATA)
    n, mean = FRAME["n"], poisson.mu
    alpha = fit.family.variance.alpha
    # Alpha is the slope of excess variance on squared means, through the origin, with weights.
    excess = sm.WLS((n - mean) ** 2 - n, mean**2, weights=1 / mean**2).fit()
    assert_allclose(alpha, excess.params.iloc[0])
    best = optimize.minimize(likelihood(design(), FRAME, alpha), [-4, 0, 0], tol=1e-9)
    assert_allclose(fit.params, best.x, atol=1e-4)
    assert fit.cov_type == "cluster"
    assert abs(fit.params["share"] - poisson.params["share"]) > 1e-3


def test_even_counts_have_no_dispersion():
    frame = FRAME.assign(n=np.round(10 * np.exp(0.1 * FRAME["share"])), base=1.0)
    one, two = (fit("n ~ share", frame, **DATA) for fit in (counts.poisson, counts.dispersed))
    assert two.family.variance.alpha == 1e-6
    assert_allclose(one.params, two.params, rtol=1e-4)


def test_ratios_are_for_the_step_that_is_asked_and_take_other_intervals():
    fit = counts.poisson(FORMULA, FRAME, **DATA)
    table = counts.ratios(fit, {"share": 10, "C(province)[T.y]": 1})
    tenth = counts.poisson(FORMULA, FRAME.assign(share=FRAME["share"] / 10), **DATA)
    assert_allclose(table["ratio"][0], np.exp(tenth.params["share"]))
    assert_allclose(
        table.loc[0, ["low", "high"]].astype(float), np.exp(tenth.conf_int().loc["share"])
    )
    assert table["covariate"].tolist() == ["share", "C(province)[T.y]"]
    ends = pd.DataFrame({"low": [0.1], "high": [0.2]}, index=["share"])
    row = counts.ratios(fit, {"share": 2}, intervals=ends).iloc[0]
    assert_allclose([row["low"], row["high"]], np.exp([0.2, 0.4]))


# ---- one call for a table of ratios ------------------------------------------------------------


def test_ratios_in_one_call_are_those_of_its_steps():
    frame = FRAME.assign(share=FRAME["share"].mask(FRAME.index < 3))
    fit = functools.partial(counts.poisson, **DATA)
    formula, groups = "n ~ share + C(province)", {"within": "province", **DATA}
    found = clustered.rate_ratios(fit, formula, frame, {"share": 2, "nothing": 1}, **groups)
    rows, _ = counts.usable(frame, ["share"], count="n", exposure="base", within="province")
    model = counts.poisson(formula, rows, **DATA)
    ends = clustered.jackknife(model, clusters=rows["town"])
    told = counts.ratios(model, {"share": 2}, intervals=ends)
    pd.testing.assert_frame_equal(found[told.columns], told)
    assert found[["n_units", "n_counts"]].values.tolist() == [[len(rows), rows["n"].sum()]]
    assert len(rows) <= len(frame) - 3
    alone = clustered.rate_ratios(fit, "n ~ share", frame, {"share": 2}, **groups)
    assert alone["n_units"][0] == len(frame) - 3  # provinces without counts stay, without effects


# ---- intervals for unequal clusters ----------------------------------------------------------


def stepped(fit, x, weights, working, towns):
    """Coefficients without each town: one weighted regression of the working response (IRLS)."""
    root = np.sqrt(weights)
    rows = [
        np.linalg.lstsq((x * root[:, None])[rest], (working * root)[rest])[0]
        for rest in (towns != town for town in np.unique(towns))
    ]
    return np.array(rows) - fit.params.to_numpy()


def spread_of(shifts):
    size = len(shifts)
    return np.sqrt((size - 1) / size * (shifts**2).sum(axis=0))


@pytest.mark.parametrize("kind", ["poisson", "dispersed", "binary"])
def test_the_jackknife_is_one_weighted_regression_without_each_cluster(kind):
    x, towns = design(), FRAME["town"].to_numpy()
    if kind == "binary":
        fit = spread.binary("yes ~ share + C(province)", FRAME, clusters="town")
        y, mean = FRAME["yes"], fit.mu
        weights = slope = mean * (1 - mean)
    else:
        fit = getattr(counts, kind)(FORMULA, FRAME, **DATA)
        y, mean = FRAME["n"], fit.mu
        alpha = fit.family.variance.alpha if kind == "dispersed" else 0
        weights, slope = mean / (1 + alpha * mean), mean
    working = x @ fit.params.to_numpy() + (y.to_numpy() - mean) / slope
    table = clustered.jackknife(fit, clusters=FRAME["town"])
    se = spread_of(stepped(fit, x, weights, working, towns))
    assert_allclose(table["se"], se, rtol=1e-4)  # how near the fit came to its end
    if kind != "dispersed":  # whose sandwich takes the observed information, not the expected
        assert (table["se"] > fit.bse).all()
    half = stats.t.ppf(0.975, table["effective"] - 1) * table["se"]
    assert_allclose(table["high"] - table["estimate"], half)
    assert_allclose(table["estimate"] - table["low"], half)
    # Parts of the information on the slope that towns tell, by regression on the others.
    rest = x[:, 2] - x[:, :2] @ sm.WLS(x[:, 2], x[:, :2], weights=weights).fit().params
    told = pd.Series(rest**2 * weights).groupby(towns).sum()
    cv2 = told.var(ddof=0) / told.mean() ** 2
    assert_allclose(table["effective"].iloc[2], len(told) / (1 + cv2))


def test_the_jackknife_is_not_far_from_full_fits_without_each_cluster():
    fit = counts.poisson(FORMULA, FRAME, **DATA)
    without = np.array(
        [
            counts.poisson(FORMULA, FRAME[FRAME["town"] != town], **DATA).params
            for town in FRAME["town"].unique()
        ]
    )
    se = clustered.jackknife(fit, clusters=FRAME["town"])["se"]
    assert_allclose(se, spread_of(without - fit.params.to_numpy()), rtol=0.25)


def test_a_cluster_that_is_all_of_a_province_does_not_break_the_jackknife():
    frame = FRAME[(FRAME["province"] == "x") | (FRAME["town"] == FRAME["town"].max())]
    fit = counts.poisson(FORMULA, frame, **DATA)
    x = design(frame)
    working = x @ fit.params.to_numpy() + frame["n"].to_numpy() / fit.mu - 1
    shifts = stepped(fit, x, fit.mu, working, frame["town"].to_numpy())
    found = clustered.jackknife(fit, clusters=frame["town"]).loc["share"]
    assert_allclose(found["se"], spread_of(shifts)[2])


def test_the_jackknife_of_a_linear_model_is_exact_and_equal_clusters_count_in_full():
    fit = smf.glm("n ~ share", FRAME).fit()
    without = pd.DataFrame(
        [
            smf.ols("n ~ share", FRAME[FRAME["town"] != t]).fit().params
            for t in FRAME["town"].unique()
        ]
    )
    size = len(without)
    se = np.sqrt((size - 1) / size * ((without - fit.params) ** 2).sum())
    assert_allclose(clustered.jackknife(fit, clusters=FRAME["town"])["se"], se)
    even = FRAME.assign(share=np.tile([0.0, 1.0], len(FRAME) // 2))
    table = clustered.jackknife(smf.glm("n ~ share", even).fit(), clusters=FRAME["town"])
    assert_allclose(table["effective"], size)


def score_by_hand(null, frame=FRAME):
    """Sums of scores of towns under a null value, by scipy and least squares; and leverages."""
    x, base = design(frame), frame["base"].to_numpy()
    others, one = x[:, :2], x[:, 2]
    shifted = frame.assign(base=base * np.exp(null * one))
    best = optimize.minimize(likelihood(others, shifted), [-4, 0], method="BFGS", tol=1e-10)
    mean = shifted["base"].to_numpy() * np.exp(others @ best.x)
    rest = one - others @ sm.WLS(one, others, weights=mean).fit().params
    parts = pd.DataFrame(
        {"score": rest * (frame["n"].to_numpy() - mean), "told": rest**2 * mean}
    ).groupby(frame["town"].to_numpy())
    sums = parts.sum()
    return sums["score"].to_numpy(), (sums["told"] / sums["told"].sum()).to_numpy()


def test_the_score_bootstrap_against_all_signs():
    few = FRAME[FRAME["town"].isin([0, 1, 2, 3, 8, 9, 10, 11])]
    fit = counts.poisson(FORMULA, few, **DATA)
    score, leverage = score_by_hand(0.1, few)
    signs = np.array(list(itertools.product([-1, 1], repeat=len(score))))
    every = np.abs(signs @ (score / (1 - leverage)))
    exact = np.mean(every >= abs(score.sum()))
    options = {"clusters": few["town"], "draws": 9999, "seed": 1}
    assert 0.02 < exact < 0.98
    assert clustered.score_test(fit, "share", null=0.1, **options) == pytest.approx(
        exact, abs=0.015
    )
    at_best = clustered.score_test(fit, "share", null=fit.params["share"], **options)
    assert at_best > 0.999


@pytest.mark.parametrize("kind", ["poisson", "dispersed", "binary"])
def test_the_score_interval_holds_what_the_test_does_not_reject(kind):
    if kind == "binary":
        fit = spread.binary("yes ~ share + C(province)", FRAME, clusters="town")
    else:
        fit = getattr(counts, kind)(FORMULA, FRAME, **DATA)
    options = {"clusters": FRAME["town"], "draws": 499, "seed": 2}
    low, high = clustered.score_interval(fit, "share", **options).loc["share"]
    se = fit.bse["share"]
    assert low < fit.params["share"] < high
    assert 2 < (high - low) / se < 8
    for end, side in ((low, -1), (high, 1)):
        inner, outer = end - 0.02 * side * se, end + 0.02 * side * se
        assert clustered.score_test(fit, "share", null=inner, **options) > 0.05
        assert clustered.score_test(fit, "share", null=outer, **options) <= 0.05
    ninety = clustered.score_interval(fit, "share", level=0.9, **options).loc["share"]
    assert low < ninety["low"] < ninety["high"] < high


def test_it_does_not_matter_where_a_covariate_is_counted_from():
    # Far from the estimate the other coefficients move much: years of schooling start at nine.
    options = {"clusters": FRAME["town"], "draws": 199, "seed": 2}
    far = FRAME.assign(share=FRAME["share"] + 30)
    one, two = (counts.poisson(FORMULA, frame, **DATA) for frame in (FRAME, far))
    for null in (-1.5, 0.0, 2.0):
        here, there = (
            clustered.score_test(fit, "share", null=null, **options) for fit in (one, two)
        )
        assert here == pytest.approx(there, abs=0.011)


def test_a_coefficient_that_one_cluster_carries_has_no_end():
    frame = FRAME.assign(share=(FRAME["town"] == 3).astype(float))
    fit = counts.poisson(FORMULA, frame, **DATA)
    ends = clustered.score_interval(fit, "share", clusters=frame["town"], draws=99, seed=1)
    assert np.isinf(ends.loc["share", ["low", "high"]].astype(float)).all()


# ---- influence -------------------------------------------------------------------------------


def test_influential_units_against_fits_without_each():
    fit = counts.poisson(FORMULA, FRAME, **DATA)
    table = clustered.most_influential(fit, "share", FRAME["unit"], number=5)
    step = fit.get_influence(observed=False).d_params[:, 2]  # statsmodels' own
    place = np.argsort(-np.abs(step))[:5]
    assert table["unit"].tolist() == FRAME["unit"].iloc[place].tolist()
    assert_allclose(np.log(table["ratio"]), fit.params["share"] - step[place])
    assert_allclose(table["dfbetas"], step[place] / fit.bse["share"])
    without = [counts.poisson(FORMULA, FRAME.drop(i), **DATA).params["share"] for i in place]
    assert_allclose(np.log(table["ratio"]), without, atol=0.3 * abs(step[place[0]]))


def test_leaving_out_groups_and_the_interval_of_it():
    mean = FRAME["n"].mean()
    found = counts.leave_groups_out(FRAME, lambda rest: rest["n"].mean(), label="town")
    assert found[4] == FRAME[FRAME["town"] != 4]["n"].mean()
    assert found.index.tolist() == sorted(FRAME["town"].unique())
    # Towns of one size: the interval is that of the mean of the towns' means.
    means = FRAME.groupby("town")["n"].mean()
    other = sm.stats.DescrStatsW(means).tconfint_mean()
    assert_allclose(clustered.group_interval(found, mean), other)


# ---- spread ----------------------------------------------------------------------------------


def test_sums_nearby_against_all_distances():
    frame = pd.concat([FRAME, FRAME.iloc[[2]].assign(n=4)], ignore_index=True)  # two at one place
    frame.loc[7, "lon"] = np.nan
    far = space.haversine_km(
        *(frame[[c]].fillna(0).to_numpy() for c in ("lon", "lat")),
        *(frame[c].fillna(0).to_numpy() for c in ("lon", "lat")),
    )
    np.fill_diagonal(far, np.inf)
    for km in (20, 80):
        near = far <= km
        near[:, 7] = False
        expected = near @ frame["n"].to_numpy()
        found = spread.near(frame, "n", longitude="lon", latitude="lat", km=km)
        assert np.isnan(found[7])
        assert_allclose(found.drop(7), np.delete(expected, 7))
        assert found[2] >= frame["n"].iloc[-1] > 0


def test_entries_by_hand():
    frame = pd.DataFrame({"code": [1, 2, 3, 4, 5], "group": [*"aabba"], "lon": 100.0})
    frame = frame.assign(lat=[0.0, 0.3, 0.6, 9, 20], first=[2, 0, 0, 0, 1])
    frame = frame.assign(second=[0, 3, 0, 0, 1], third=[1, 3, 1, 0, 1])
    lists = {2014: "first", 2015: "second", 2016: "third"}
    place = {"group": "group", "longitude": "lon", "latitude": "lat"}
    table = spread.entry_frame(frame, lists, km=[40, 80], **place)
    columns = ["step", "code", "entered", "in_group", "within_40", "within_80"]
    assert table[columns].to_numpy().tolist() == [
        ["2014-2015", 2, 1, 3, 2, 2],
        ["2014-2015", 3, 0, 0, 0, 2],
        ["2014-2015", 4, 0, 0, 0, 0],
        ["2015-2016", 1, 1, 4, 3, 3],  # fell off, and comes back
        ["2015-2016", 3, 1, 0, 3, 3],
        ["2015-2016", 4, 0, 0, 0, 0],
    ]


@pytest.mark.parametrize("link", ["Logit", "CLogLog"])
def test_yes_or_no_maximises_its_likelihood(link):
    fit = spread.binary("yes ~ share + C(province)", FRAME, clusters="town", link=link)
    x, yes = design(), FRAME["yes"].to_numpy()

    def value(params):
        line = x @ params
        p = 1 / (1 + np.exp(-line)) if link == "Logit" else 1 - np.exp(-np.exp(line))
        return -(yes * np.log(p) + (1 - yes) * np.log(1 - p)).sum()

    best = optimize.minimize(value, np.zeros(3), method="BFGS", tol=1e-8)
    assert_allclose(fit.params, best.x, atol=1e-4)
    assert fit.cov_type == "cluster"


def test_hazards_that_grow_with_size_have_slope_one_in_the_logarithm():
    # By hand: a unit of size s is missed with probability exp(-s/10) in a step.
    rng = np.random.default_rng(1)
    size = np.repeat([1.0, 2, 4, 8], 4000)
    frame = pd.DataFrame({"y": rng.random(16000) < 1 - np.exp(-size / 10), "log": np.log(size)})
    frame = frame.assign(y=frame["y"].astype(int), group=np.arange(16000) % 50)
    fit = spread.binary("y ~ log", frame, clusters="group", link="CLogLog")
    assert_allclose(fit.params, [np.log(0.1), 1], atol=0.1)


def test_deepening_against_the_binomial_law():
    frame = pd.DataFrame(
        {
            "province": [*"xxxyyy"],
            "one": [3, 0, 0, 2, 1, 0],
            "two": [9, 1, 0, 1, 1, 4],
            "base": [10, 20, 10, 30, 5, 15],
        }
    )
    table = spread.deepening(frame, "one", "two", weight="base", draws=4000, seed=1)
    # Gains 6, 1, 0, 0, 0, 4; the loss of the fourth is not set against them.
    assert table["observed"].tolist() == [11, 6, 600 / 11, 2]
    law = stats.binom(11, 45 / 90)
    assert table.loc["deepening", "expected"] == pytest.approx(law.mean(), abs=0.1)
    assert table.loc["deepening", ["low", "high"]].tolist() == list(law.ppf([0.025, 0.975]))
    missed = [(1 - w / 90) ** 11 for w in (20, 10, 15)]
    assert table.loc["entered", "expected"] == pytest.approx(3 - sum(missed), abs=0.05)
    # Within provinces: 7 villages with 1/4, and 4 with 7/10.
    table = spread.deepening(
        frame, "one", "two", weight="base", within="province", draws=4000, seed=1
    )
    assert table.loc["deepening", "expected"] == pytest.approx(7 / 4 + 4 * 0.7, abs=0.1)
    both = np.convolve(stats.binom.pmf(range(8), 7, 1 / 4), stats.binom.pmf(range(5), 4, 0.7))
    ends = np.searchsorted(np.cumsum(both), [0.025, 0.975])
    assert table.loc["deepening", ["low", "high"]].tolist() == list(ends)
    again = spread.deepening(
        frame, "one", "two", weight="base", within="province", draws=4000, seed=1
    )
    pd.testing.assert_frame_equal(table, again)


# ---- strata ----------------------------------------------------------------------------------


def test_mantel_haenszel_against_statsmodels_and_one_stratum():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"province": [*"aabbccd"], "poor": [1, 0, 1, 0, 1, 0, 1]})
    frame = frame.assign(n=rng.integers(1, 9, 7), base=rng.integers(20, 60, 7) * 10_000)
    options = {"base": "base", "marked": "poor", "within": "province"}
    ratio = association.mantel_haenszel(frame, "n", **options)
    # Where counts are rare among bases, the odds ratio of statsmodels is the ratio of rates.
    pairs = [part.sort_values("poor", ascending=False) for _, part in frame[:6].groupby("province")]
    tables = [np.column_stack([p["n"], p["base"] - p["n"]]) for p in pairs]
    assert_allclose(ratio, StratifiedTable(tables).oddsratio_pooled, rtol=1e-4)
    assert_allclose(ratio, association.mantel_haenszel(frame[:6], "n", **options))  # d: one kind
    one = frame[:2]
    rates = one["n"] / one["base"]
    assert_allclose(association.mantel_haenszel(one, "n", **options), rates[0] / rates[1])
    none = frame.assign(n=frame["n"] * frame["poor"])
    assert association.mantel_haenszel(none, "n", **options) == np.inf
    assert np.isnan(association.mantel_haenszel(frame[6:], "n", **options))
    # Units of one kind add up before they are compared.
    split = pd.concat([frame.assign(n=0, base=frame["base"] / 2)] * 2, ignore_index=True)
    split.loc[:6, "n"] = frame["n"]
    assert_allclose(association.mantel_haenszel(split, "n", **options), ratio)


def test_the_fit_with_province_effects_agrees_where_rates_are_constant():
    frame = pd.DataFrame({"province": [*"aabb"], "poor": [1, 0, 1, 0], "base": [10, 20, 40, 10]})
    frame = frame.assign(n=[4, 4, 32, 4], town=range(4))  # twice in both provinces
    options = {"base": "base", "marked": "poor", "within": "province"}
    assert association.mantel_haenszel(frame, "n", **options) == 2
    x = np.column_stack([np.ones(4), frame["province"] == "b", frame["poor"]]).astype(float)
    best = optimize.minimize(likelihood(x, frame), np.zeros(3), method="BFGS", tol=1e-9)
    assert np.exp(best.x[2]) == pytest.approx(2, rel=1e-4)


def test_shuffles_within_labels_follow_the_hypergeometric_law():
    # By hand: 2 of 5 units of one label and 1 of 4 of the other are poor; villages stand in some.
    label = np.array([*"aabbabaab"])
    poor = np.array([1, 0, 0, 1, 1, 0, 0, 0, 0])
    has = np.array([1, 1, 0, 1, 1, 0, 1, 0, 0], dtype=bool)
    result = permutation.permutation_test(
        lambda marks: marks[has].sum(), poor, within=label, permutations=6000, seed=1
    )
    a, b = (stats.hypergeom(n, k, m) for n, k, m in ((5, 2, 4), (4, 1, 1)))
    law = np.convolve(a.pmf(range(3)), b.pmf(range(2)))
    assert_allclose([(result.draws == k).mean() for k in range(4)], law, atol=0.02)
    assert result.observed == 3
    per_label = permutation.permutation_test(
        lambda marks: marks[label == "a"].sum(), poor, within=label, permutations=50, seed=1
    )
    assert_array_equal(per_label.draws, 2)  # nothing crosses a border
    free = permutation.permutation_test(
        lambda marks: marks[label == "a"].sum(), poor, permutations=50, seed=1
    )
    assert len(set(free.draws)) > 1


def test_completions_against_all_ways_to_fill_in():
    status = pd.Series(["yes", "unknown", "no", "unknown", "unknown", "no"], index=[*"abcdef"])
    villages = pd.Series([2, 7, 1, 0, 3, 9], index=status.index)
    table = association.completions(status, villages, total=3)
    sums = table.mul(villages, axis=0).sum()
    ways = [2 + sum(villages[list(pair)]) for pair in itertools.combinations(["b", "d", "e"], 2)]
    assert (sums["fewest"], sums["most"]) == (min(ways), max(ways))
    assert (sums["all no"], sums["all yes"]) == (2, 12)
    assert table.sum().to_dict() == {"all no": 1, "all yes": 4, "fewest": 3, "most": 3}
    assert association.completions(status, villages).columns.tolist() == ["all no", "all yes"]


# ---- what is refused -------------------------------------------------------------------------

FIT = counts.poisson(FORMULA, FRAME, **DATA)
STATUS = pd.Series(["yes", "unknown", "no"])
PLACE = {"group": "town", "longitude": "lon", "latitude": "lat"}
GROWN = FRAME.assign(later=FRAME["n"] + 1)

REFUSED = {
    "usable: count": (lambda: counts.usable(FRAME.assign(n=np.nan), [], count="n"), "missing in"),
    "usable: none": (
        lambda: counts.usable(FRAME.assign(base=0), [], count="n", exposure="base"), "no unit"
    ),
    "clusters: length": (lambda: clustered.jackknife(FIT, clusters=[1, 2, 3]), "labels"),
    "clusters: missing": (
        lambda: clustered.jackknife(FIT, clusters=FRAME["town"].where(FRAME["town"] > 0)),
        "none missing",
    ),
    "clusters: two": (
        lambda: clustered.jackknife(FIT, clusters=FRAME["province"]), "at least three"
    ),
    "jackknife: level": (
        lambda: clustered.jackknife(FIT, clusters=FRAME["town"], level=95), "level"
    ),
    "score: term": (
        lambda: clustered.score_test(FIT, "roads", clusters=FRAME["town"], seed=1), "'roads'"
    ),
    "score: alone": (
        lambda: clustered.score_test(
            counts.poisson("n ~ 1", FRAME, **DATA), "Intercept", clusters=FRAME["town"], seed=1
        ),
        "two or more",
    ),
    "score: level": (
        lambda: clustered.score_interval(FIT, "share", clusters=FRAME["town"], seed=1, level=0),
        "level",
    ),
    "groups: one": (
        lambda: counts.leave_groups_out(FRAME[FRAME["town"] == 1], len, label="town"), "two groups"
    ),
    "entry: one list": (lambda: spread.entry_frame(FRAME, {1: "n"}, **PLACE), "two or more"),
    "entry: missing": (
        lambda: spread.entry_frame(GROWN.assign(n=np.nan), {1: "n", 2: "later"}, **PLACE),
        "every count known",
    ),
    "deepening: missing": (
        lambda: spread.deepening(GROWN.assign(later=np.nan), "n", "later", weight="base", seed=1),
        "none missing",
    ),
    "deepening: weight": (
        lambda: spread.deepening(GROWN.assign(base=-1), "n", "later", weight="base", seed=1),
        "negative weight",
    ),
    "deepening: nothing": (
        lambda: spread.deepening(GROWN, "later", "n", weight="base", seed=1), "nothing is added"
    ),
    "deepening: nowhere": (
        lambda: spread.deepening(GROWN.assign(base=0), "n", "later", weight="base", seed=1),
        "is zero",
    ),
    "completions: total": (
        lambda: association.completions(STATUS, pd.Series([1, 2, 3]), total=3), "total: 3"
    ),
    "completions: index": (
        lambda: association.completions(STATUS, pd.Series([1, 2, 3], index=[*"abc"])), "indexes"
    ),
    "within: length": (
        lambda: permutation.permutation_test(np.sum, [1, 2], within=[1], seed=1), "2 labels"
    ),
    "within: missing": (
        lambda: permutation.permutation_test(np.sum, [1, 2], within=[1, None], seed=1), "missing"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_missing_value_stops_the_fit():
    holed = FRAME.assign(share=FRAME["share"].where(FRAME.index > 0))
    for call in (
        lambda: counts.poisson(FORMULA, holed, **DATA),
        lambda: counts.dispersed(FORMULA, holed, **DATA),
        lambda: spread.binary("yes ~ share", holed, clusters="town"),
    ):
        with pytest.raises(Exception, match="missing"):
            call()
