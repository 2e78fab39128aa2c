# %% draw
def draw(random):
    from taobao_villages import data
    from taobao_villages.subjects import provinces

    frame = provinces.model_frame(2016).drop(columns=["density"])
    frame["exposure"] /= 100
    names = data.load("provinces/provinces").set_index("province_code")["name_en"]
    frame.insert(0, "province", names)
    while True:
        chosen = frame.sample(25, random_state=random.integers(10**6)).sort_values("province")
        if (chosen["n_villages"] > 0).sum() >= 16:
            return {"provinces": chosen.round(4)}
# %% [markdown]
# # Lab 6: explanation and its limits
#
# Twenty-five provinces were drawn for your class: villages in 2016, rural residents in millions (`exposure`), and income and enterprise in standard deviations of their logarithms.
# %%
import numpy as np
import pandas as pd

from taobao_villages.methods import counts

provinces = pd.read_csv("provinces.csv")
provinces.head()
# %% [markdown]
# **Question 1.** Fit a quasi-Poisson model of the villages with income alone, with rural residents as exposure. What is the rate ratio of income?
# %% question ratio 2
alone = counts.count_model(
    provinces, "n_villages", ["income"], exposure="exposure", family="quasi-poisson"
)
ratio = float(alone.effects.set_index("covariate").loc["income", "rate_ratio"])
# %% wrong ratio
float(counts.count_model(provinces, "n_villages", ["income"], exposure=None, family="quasi-poisson").effects.set_index("covariate").loc["income", "rate_ratio"])  # You left out the exposure: large provinces lead for their size.
float(np.log(alone.effects.set_index("covariate").loc["income", "rate_ratio"]))  # This is the coefficient on the scale of logarithms. The rate ratio is its exponential.
# %% [markdown]
# **Question 2.** What is the lower end of its interval?
# %% question lower 2
lower = float(alone.effects.set_index("covariate").loc["income", "low"])
# %% wrong lower
float(counts.count_model(provinces, "n_villages", ["income"], exposure="exposure", family="poisson").effects.set_index("covariate").loc["income", "low"])  # You took the plain Poisson model. The counts vary far more than it allows, so its interval is too narrow.
float(alone.effects.set_index("covariate").loc["income", "high"])  # This is the upper end.
# %% [markdown]
# **Question 3.** Add enterprise to the model. What is the rate ratio of income now?
# %% question adjusted 2
both = counts.count_model(
    provinces, "n_villages", ["income", "enterprise"], exposure="exposure", family="quasi-poisson"
)
adjusted = float(both.effects.set_index("covariate").loc["income", "rate_ratio"])
# %% wrong adjusted
float(alone.effects.set_index("covariate").loc["income", "rate_ratio"])  # This is the ratio without enterprise. Fit the model with both.
float(both.effects.set_index("covariate").loc["enterprise", "rate_ratio"])  # This is the ratio of enterprise. The one of income was asked for.
# %% [markdown]
# **Question 4.** Which sentence fits your model with both variables? `"A"`: with enterprise held, the interval of income lies above one. `"B"`: the interval contains one. `"C"`: the interval lies below one.
# %% question reading 2
low, high = both.effects.set_index("covariate").loc["income", ["low", "high"]]
reading = "A" if low > 1 else "C" if high < 1 else "B"
# %% wrong reading
"B" if low > 1 else "A"  # See whether one lies between the ends of the interval.
# %% written cause_written
# **Question 5, in words.** Write one sentence about income and villages that your table bears out, one that commits the ecological fallacy, and one about a third variable that goes with both. Give the numbers of your table for the first.
