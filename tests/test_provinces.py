"""Villages, bases and models of the provinces: sums, units and two cases worked by hand."""

import numpy as np
import pandas as pd
import pytest

from taobao_villages import data
from taobao_villages.subjects import provinces


@pytest.mark.parametrize(("year", "total"), [(2014, 212), (2015, 780), (2016, 1311)])
def test_villages_sum_to_the_nation_with_zeros_for_provinces_without(year, total):
    count = provinces.villages(year)
    assert count.sum() == total
    assert len(count) == 31
    assert (count == 0).any()


def test_a_year_without_a_complete_list_is_refused():
    with pytest.raises(ValueError, match="no complete list for 2018"):
        provinces.villages(2018)


@pytest.mark.parametrize("name", provinces.BASES)
def test_every_base_is_known_for_every_province(name):
    assert (provinces.base(name, 2015) > 0).all()


def test_rural_population_by_hand():
    people = data.indicator("population", 2015, "nbs_pop_2023")["33"]
    urban = data.indicator("urbanisation_rate", 2015, "renjiyi_compiled")["33"]
    assert provinces.base("rural_population", 2015)["33"] == pytest.approx(
        people * (1 - urban / 100)
    )


def test_an_unknown_base_is_refused():
    with pytest.raises(ValueError, match="use one of rural_population"):
        provinces.base("rice", 2015)


def test_covariates_are_standardised_logarithms():
    frame = provinces.model_frame(2016)
    assert np.allclose(frame[["income", "enterprise", "density"]].mean(), 0)
    assert np.allclose(frame[["income", "enterprise", "density"]].std(ddof=0), 1)
    richest = provinces.income(2016).idxmax()
    assert frame["income"].idxmax() == richest


def test_association_is_the_same_as_a_plain_glm():
    import statsmodels.api as sm

    frame = provinces.model_frame(2016)
    fit = sm.GLM(
        frame["n_villages"],
        sm.add_constant(frame[["income"]]),
        family=sm.families.Poisson(),
        exposure=frame["exposure"],
    ).fit()
    ours = provinces.association(2016, family="poisson").effects.iloc[0]["rate_ratio"]
    assert ours == pytest.approx(np.exp(fit.params["income"]))


def test_the_agricultural_census_tells_the_nation_first_and_leaves_gaps_open():
    found = provinces.agricultural_census(2016)
    assert found.index[0] == "China"
    assert found.loc["China", ["Broadband", "E-commerce station"]].tolist() == [89.9, 25.1]
    assert pd.isna(found.loc["Guizhou", "Broadband"])
    assert "Beihai" not in found.index  # a prefecture under the code of its province
    assert len(provinces.agricultural_census(2006).columns) == 1
    with pytest.raises(ValueError, match="2006 and 2016"):
        provinces.agricultural_census(2012)
