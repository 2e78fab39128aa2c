# %% draw
def draw(random):
    from taobao_villages import data

    table = data.load("claims").sample(24, random_state=random.integers(10**6))
    columns = ["claim_id", "section", "argument", "paraphrase", "kind", "stated_value"]
    return {"claims": table[columns].sort_values("claim_id")}
# %% [markdown]
# # Lab 1: an argument as claims
#
# The table holds claims of the article that were drawn for your class. Answer in code, so that your answer follows the table: your notebook will be run again on other claims. Put each answer into the variable that the cell names.
# %%
import pandas as pd

claims = pd.read_csv("claims.csv")
claims.head()
# %% [markdown]
# **Question 1.** How many of these claims state a value? The column `stated_value` is empty where the article gives none.
# %% question with_number 2
with_number = int(claims["stated_value"].notna().sum())
# %% wrong with_number
len(claims["stated_value"])  # You counted all rows. A row without a stated value is empty: count those that are not missing.
int(claims["stated_value"].isna().sum())  # You counted the claims that state no value. Turn the condition round.
60 - int(claims["stated_value"].isna().sum())  # You took all claims of the book. Count in the table of your class.
# %% [markdown]
# **Question 2.** What percentage of the claims that state a value are of the kind `quantity`? Give a percentage, from nought to a hundred.
# %% question share_quantity 2
stated = claims[claims["stated_value"].notna()]
share_quantity = 100 * float((stated["kind"] == "quantity").mean())
# %% wrong share_quantity
float((claims[claims["stated_value"].notna()]["kind"] == "quantity").mean())  # This is a fraction. A percentage is a hundred times as much.
100 * float((claims["kind"] == "quantity").mean())  # You divided by all claims. The question asks among those that state a value.
# %% [markdown]
# **Question 3.** Which kind of claim is the most frequent? Give its name as text. If two are equally frequent, take the one that comes first in the alphabet.
# %% question kind_most 2
kind_most = claims["kind"].value_counts().sort_index().idxmax()
# %% wrong kind_most
claims["kind"].value_counts().sort_index().idxmin()  # This is the rarest kind. Look for the largest count.
claims["kind"].max()  # The largest text is the last in the alphabet. Count the rows of each kind first.
# %% written rule_written
# **Question 4, in words.** Choose one claim of the table that has no stated value. Write a rule for it: which result would bear it out, which would contradict it, which would leave it open? Name the table and column that you would need. (Rubric: claim, evidence, uncertainty, limits.)
