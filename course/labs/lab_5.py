# %% draw
def draw(random):
    import numpy as np
    import pandas as pd

    from taobao_villages import data
    from taobao_villages.subjects import provinces

    table = data.load("provinces/provinces")[["province_code", "name_en"]]
    table = table.rename(columns={"name_en": "province"}).set_index("province_code")
    people = provinces.base("rural_population", 2016) / 100
    rate = np.log1p(provinces.rates(2016))
    if random.random() < 0.5:
        rate = pd.Series(random.permutation(rate.to_numpy()), index=rate.index)
    else:
        moved = random.choice(rate.index.to_numpy(), 4, replace=False)
        rate.loc[moved] = rate.loc[random.permutation(moved)].to_numpy()
    focus = random.choice(["Henan", "Hubei", "Hunan", "Jiangxi", "Anhui", "Shaanxi"])
    table = table.assign(rate=rate.round(3), count=(rate * people).round(1))
    return {"map": table.reset_index(), "focus": pd.DataFrame({"province": [focus]})}
# %% [markdown]
# # Lab 5: neighbours and chance
#
# The map of your class: each province has a rate of villages (as a logarithm) and a count. Some provinces, or all, have exchanged their rates with others, so that you do not know beforehand whether the map has a pattern. It is an exercise, not evidence.
# %%
import pandas as pd

from taobao_villages.methods import space
from taobao_villages.subjects import provinces

table = pd.read_csv("map.csv", dtype={"province_code": str}).set_index("province_code")
weights = provinces.neighbours("contiguity")
focus = pd.read_csv("focus.csv")["province"].iloc[0]
table = table.loc[weights.id_order]
focus
# %% [markdown]
# **Question 1.** What is the mean rate of the neighbours of the province `focus`? `weights.neighbors[code]` is the list of a province's neighbours.
# %% question neighbours_mean 2
code = table.index[table["province"] == focus][0]
neighbours_mean = float(table.loc[weights.neighbors[code], "rate"].mean())
# %% wrong neighbours_mean
float(table.loc[[*weights.neighbors[code], code], "rate"].mean())  # You counted the province itself. A unit is not its own neighbour.
float(table.loc[weights.neighbors[code], "rate"].sum())  # This is the sum. Divide by the number of neighbours.
float(table["rate"].mean())  # This is the mean of all provinces.
# %% [markdown]
# **Question 2.** What is Moran's I of the rates?
# %% question moran 2
moran = float(space.moran(table["rate"], weights, permutations=999, seed=1).I)
# %% wrong moran
float(space.moran(table["count"], weights, permutations=999, seed=1).I)  # You took the counts. Counts show where people live: take the rates.
float(space.moran(table["rate"], weights, permutations=999, seed=1).z)  # This is the standard score. I itself was asked for.
float(space.moran(table["rate"], weights, permutations=999, seed=1).p)  # This is the p-value.
# %% [markdown]
# **Question 3.** Which value of I does one expect if the places of the rates are shuffled?
# %% question expected 1
expected = float(space.moran(table["rate"], weights, permutations=99, seed=1).expected)
# %% wrong expected
0  # Nearly, but a unit is never its own neighbour: the expected value is slightly below zero.
-1 / len(table)  # Divide by the number of units less one.
# %% [markdown]
# **Question 4.** Does the map show more likeness of neighbours than chance? Write `"clustered"` if the share of 9,999 shuffled maps that reach your I (`alternative="greater"`) is below 0.05, else `"chance"`.
# %% question clustered 2
test = space.moran(table["rate"], weights, permutations=9999, seed=1, alternative="greater")
clustered = "clustered" if test.p < 0.05 else "chance"
# %% wrong clustered
"chance" if test.p < 0.05 else "clustered"  # A small p-value speaks against chance. You turned it round.
# %% written chance_written
# **Question 5, in words.** Explain your answer to question 4 to somebody who knows no statistics: what was shuffled, what was kept, what share of the shuffled maps came as far, and which choice could change the answer.
