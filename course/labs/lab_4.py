# %% draw
def draw(random):
    import pandas as pd

    from taobao_villages import data
    from taobao_villages.subjects import provinces

    frame = pd.DataFrame(
        {
            "villages": provinces.villages(2016),
            "rural_million": provinces.base("rural_population", 2016) / 100,
        }
    )
    names = data.load("provinces/provinces").set_index("province_code")["name_en"]
    frame.insert(0, "province", names)
    while True:
        chosen = frame.sample(16, random_state=random.integers(10**6)).sort_values("province")
        quotient = chosen["villages"] / chosen["rural_million"]
        if quotient.idxmax() != chosen["villages"].idxmax() and (chosen["villages"] > 0).sum() > 7:
            return {"provinces": chosen}
# %% [markdown]
# # Lab 4: concentration
#
# Sixteen provinces were drawn for your class: their villages in the list of 2016 and their rural residents in millions. Answer for these sixteen together.
# %%
import pandas as pd

from taobao_villages.methods import inequality

provinces = pd.read_csv("provinces.csv")
provinces.head()
# %% [markdown]
# **Question 1.** What percentage of the villages do the three provinces with the most villages hold?
# %% question top_share 2
top_share = 100 * float(provinces["villages"].nlargest(3).sum() / provinces["villages"].sum())
# %% wrong top_share
float(provinces["villages"].nlargest(3).sum() / provinces["villages"].sum())  # This is a fraction. A percentage was asked for.
100 * float(provinces["villages"].head(3).sum() / provinces["villages"].sum())  # You took the first three rows. Sort by villages first.
100 * 3 / len(provinces)  # This is the share of the provinces, not of the villages.
# %% [markdown]
# **Question 2.** What is the Gini coefficient of the villages over rural residents?
# %% question gini 3
gini = float(inequality.gini(provinces["villages"], provinces["rural_million"]))
# %% wrong gini
float(inequality.gini(provinces["villages"]))  # You left out the base: this compares provinces as if each had as many rural residents.
float(inequality.gini(provinces["villages"] / provinces["rural_million"]))  # A Gini of rates weighs each province alike. Give count and base.
# %% [markdown]
# **Question 3.** What is the highest location quotient of a province?
# %% question quotient 2
quotients = inequality.location_quotient(provinces["villages"], provinces["rural_million"])
quotient = float(max(quotients))
# %% wrong quotient
float((provinces["villages"] / provinces["villages"].sum()).max())  # This is the highest share. Divide each share of villages by the share of rural residents.
float((provinces["villages"] / provinces["rural_million"]).max())  # This is a rate. A quotient divides it by the rate of all sixteen together.
float((provinces["rural_million"] / provinces["rural_million"].sum() / (provinces["villages"] / provinces["villages"].sum())).min())  # You turned the quotient upside down.
# %% [markdown]
# **Question 4.** Which province has the highest location quotient? Give its name as in the table.
# %% question highest 2
highest = provinces.loc[pd.Series(list(quotients)).idxmax(), "province"]
# %% wrong highest
provinces.loc[provinces["villages"].idxmax(), "province"]  # This province has the most villages. The quotient takes its rural residents into account.
provinces.loc[provinces["rural_million"].idxmax(), "province"]  # This province has the most rural residents.
# %% written map_written
# **Question 5, in words.** A newspaper prints a map of the counts. Write what a reader would wrongly conclude about two provinces of your table, with their numbers, and what map you would print instead.
