# %% draw
def draw(random):
    import pandas as pd

    from taobao_villages.subjects import provinces
    from taobao_villages.subjects import villages

    counts = pd.DataFrame({year: provinces.villages(year) for year in provinces.YEARS})
    counts = counts[counts[2014] > 0]
    chosen = counts.sample(6, random_state=random.integers(10**6))
    months = villages.list_months()
    table = pd.DataFrame({"list": provinces.YEARS, "villages": chosen.sum().to_numpy()})
    return {"lists": table.assign(month=[str(months[year]) for year in provinces.YEARS])}
# %% [markdown]
# # Lab 3: exponential or not
#
# The table holds the villages of six provinces that were drawn for your class, in the complete lists of three years, with the month in which each list was closed.
# %%
import numpy as np
import pandas as pd

from taobao_villages.methods import growth

lists = pd.read_csv("lists.csv")
lists
# %% [markdown]
# **Question 1.** By which factor did the number of villages grow from the first list to the last?
# %% question factor 2
counts = lists.set_index("list")["villages"]
factor = float(counts.iloc[-1] / counts.iloc[0])
# %% wrong factor
float(counts.iloc[-1] / counts.iloc[0]) - 1  # This is the increase as a part of the start. The factor is the last number over the first.
float(counts.iloc[-1] - counts.iloc[0])  # This is how many were added. A factor is a quotient.
float(counts.iloc[0] / counts.iloc[-1])  # You divided the first by the last.
# %% [markdown]
# **Question 2.** What is the yearly rate of growth between the last two lists? Take the natural logarithm of the factor and divide it by the years between the closing months (they are not one year).
# %% question rate 3
months = pd.Series([pd.Period(month, "M") for month in lists["month"]], index=lists["list"])
intervals = growth.growth_intervals(counts, months)
rate = float(intervals["rate"].iloc[-1])
# %% wrong rate
float(np.log(counts.iloc[-1] / counts.iloc[-2]))  # You took one year between the lists. Count the months from one closing month to the next.
float(counts.iloc[-1] / counts.iloc[-2] - 1)  # This is the increase from list to list. Take the logarithm of the factor, and divide by years.
float(np.log10(counts.iloc[-1] / counts.iloc[-2]) / (intervals["months"].iloc[-1] / 12))  # You took the logarithm to base ten. Use `np.log`.
# %% [markdown]
# **Question 3.** After how many months would the number double at that rate?
# %% question doubling 2
doubling = float(intervals["doubling_months"].iloc[-1])
# %% wrong doubling
float(np.log(2) / intervals["rate"].iloc[-1])  # This is in years. Months were asked for.
float(12 * 2 / intervals["rate"].iloc[-1])  # Doubling needs the logarithm of two, not two.
float(12 / intervals["rate"].iloc[-1])  # This is the time to grow by the factor e. Doubling needs the logarithm of two.
# %% [markdown]
# **Question 4.** Compare the yearly rates of the two intervals. Write `"slower"` if the later one is below nine tenths of the earlier, `"faster"` if it is above eleven tenths, else `"same"`.
# %% question pattern 2
change = intervals["rate"].iloc[-1] / intervals["rate"].iloc[0]
pattern = "slower" if change < 0.9 else "faster" if change > 1.1 else "same"
# %% wrong pattern
"faster" if intervals["additions"].iloc[-1] > intervals["additions"].iloc[0] else "slower"  # You compared how many were added. Exponential growth is about the rate.
# %% written growth_written
# **Question 5, in words.** Is the growth in your six provinces exponential? Give the verdict by a rule that you state, the two rates, and what two intervals cannot show.
