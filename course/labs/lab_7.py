# %% draw
def draw(random):
    import numpy as np
    import pandas as pd

    n = 40
    truth = random.random(n) < 0.45
    silent = random.random(n) < 0.3
    second = np.where(random.random(n) < 0.15, ~truth, truth)
    first = pd.Series(np.where(silent, None, np.where(truth, "yes", "no")))
    return {
        "reports": pd.DataFrame(
            {
                "report": [f"report {i + 1}" for i in range(n)],
                "first_coder": first,
                "second_coder": np.where(silent, None, np.where(second, "yes", "no")),
                "near_market": random.random(n) < 0.5,
                "returned_migrant": random.random(n) < 0.4,
                "course_offered": random.random(n) < 0.4,
            }
        )
    }
# %% [markdown]
# # Lab 7: cases as data
#
# Two coders read forty reports and noted whether kin spread the trade: yes, no, or nothing where a report does not say. The reports are made up for your class; they are an illustration.
# %%
import pandas as pd

from taobao_villages.methods import shares

reports = pd.read_csv("reports.csv")
told = reports.dropna(subset=["first_coder", "second_coder"])
reports.head()
# %% [markdown]
# **Question 1.** In what percentage of the reports that say something do the coders agree?
# %% question agreement 2
agreement = 100 * float((told["first_coder"] == told["second_coder"]).mean())
# %% wrong agreement
100 * float((reports["first_coder"] == reports["second_coder"]).mean())  # You divided by all reports. Where a report is silent nobody could agree or differ.
float((told["first_coder"] == told["second_coder"]).mean())  # This is a fraction. A percentage was asked for.
# %% [markdown]
# **Question 2.** What is Cohen's kappa? Agreement by luck is the sum, over yes and no, of the product of both coders' shares; kappa is (agreement - luck) / (1 - luck), with fractions.
# %% question kappa 3
from statsmodels.stats.inter_rater import cohens_kappa

cross = pd.crosstab(told["first_coder"], told["second_coder"])
kappa = float(cohens_kappa(cross.to_numpy(), return_results=False))
# %% wrong kappa
agreement / 100  # This is the agreement. Take out what luck would give.
agreement / 100 - 0.5  # Luck is not one half: compute it from both coders' shares.
# %% [markdown]
# **Question 3.** By the first coder: what is the lowest possible percentage of "yes" among all forty reports?
# %% question low 2
yes = int((reports["first_coder"] == "yes").sum())
no = int((reports["first_coder"] == "no").sum())
low = 100 * shares.share_bounds(yes, no, len(reports))[0]
# %% wrong low
100 * yes / (yes + no)  # You left the silent reports out. At the lowest, all of them are "no".
yes / len(reports)  # This is a fraction. A percentage was asked for.
# %% [markdown]
# **Question 4.** And the highest possible?
# %% question high 2
high = 100 * shares.share_bounds(yes, no, len(reports))[1]
# %% wrong high
100 * yes / len(reports)  # You counted silence as no. At the highest, all silent reports are "yes".
100 * yes / (yes + no)  # You left the silent reports out. At the highest, all of them are "yes".
100 * no / len(reports)  # This is the share of "no".
# %% [markdown]
# **Question 5.** Build the truth table of `near_market`, `returned_migrant` and `course_offered` with the first coder's answer as outcome, without the silent reports. How many of its rows hold reports of both outcomes?
# %% question mixed 2
answered = reports.dropna(subset=["first_coder"])
rows = answered.groupby(["near_market", "returned_migrant", "course_offered"])["first_coder"].nunique()
mixed = int((rows == 2).sum())
# %% wrong mixed
len(answered)  # You counted reports. Count rows of the truth table, one for each combination of the three conditions.
int((rows == 1).sum())  # Look for rows with both outcomes, not with one.
# %% written case_written
# **Question 6, in words.** A student writes: "kin spread the trade in the majority of villages". Correct the sentence with your bounds and with the agreement of the coders, and say why these reports are no sample.
