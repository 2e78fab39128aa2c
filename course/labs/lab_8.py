# %% draw
def draw(random):
    import pandas as pd

    from taobao_villages.subjects import provinces
    from taobao_villages.verdicts import ledger
    from taobao_villages.verdicts import multiverse

    declared = {claim.id: claim for claim in ledger.declared()}
    claim = declared[random.choice(["C20", "C25", "C34"])]
    choices = multiverse.combinations(claim)
    kept = sorted(random.choice(range(1, len(choices)), len(choices) * 3 // 4, replace=False))
    rows = []
    for number in [0, *kept]:
        verdict = claim.judge(**choices[number])
        rows.append({"variant": number, "verdict": verdict.verdict})
    counts = pd.DataFrame({year: provinces.villages(year) for year in provinces.YEARS})
    chosen = counts[counts[2014] > 0].sample(6, random_state=random.integers(10**6)).sum()
    lists = pd.DataFrame({"list": provinces.YEARS, "villages": chosen.to_numpy()})
    return {"variants": pd.DataFrame(rows), "lists": lists}
# %% [markdown]
# # Lab 8: the verdict
#
# `variants` holds verdicts of one claim under some of its variants, drawn for your class; the first row is the chapter's own choice. `lists` holds the villages of six provinces in three lists.
# %%
import pandas as pd

variants = pd.read_csv("variants.csv")
lists = pd.read_csv("lists.csv")
variants.head()
# %% [markdown]
# **Question 1.** What percentage of the other variants agree with the chapter's verdict, the one of the first row? The first row itself does not count.
# %% question agree 2
own, others = variants["verdict"].iloc[0], variants["verdict"].iloc[1:]
agree = 100 * float((others == own).mean())
# %% wrong agree
100 * float((variants["verdict"] == own).mean())  # You counted the first row too. It agrees with itself.
float((others == own).mean())  # This is a fraction. A percentage was asked for.
100 * float((others != own).mean())  # This is the share that differs.
# %% [markdown]
# **Question 2.** How many different verdicts are there in the table?
# %% question verdicts 1
verdicts = int(variants["verdict"].nunique())
# %% wrong verdicts
len(variants)  # You counted the rows. Count different values.
# %% [markdown]
# **Question 3.** Forecast the last list: the second list grows by the same factor as from the first to the second. By which factor is the forecast too high (forecast over count)?
# %% question off 3
first, second, last = lists["villages"]
forecast = second * second / first
off = float(forecast / last)
# %% wrong off
float(last / forecast)  # You divided the count by the forecast. Turn it round.
float((second + (second - first)) / last)  # You added the same number again. The same factor was asked for.
float(forecast - last)  # This is a difference in villages, not a factor.
# %% [markdown]
# **Question 4.** A naive forecast says: as many as in the second list. Which of the two is nearer to the count, by the absolute difference? Write `"factor"` or `"naive"`.
# %% question better 1
better = "factor" if abs(forecast - last) < abs(second - last) else "naive"
# %% wrong better
"naive" if abs(forecast - last) < abs(second - last) else "factor"  # Compare the sizes of both misses: the smaller one is better.
# %% written verdict_written
# **Question 5, in words.** Write the report of the claim in five lines: claim, evidence, rule, verdict with the share of variants that agree, limits. Say which choice you would look at first.
