# %% draw
def draw(random):
    import numpy as np
    import pandas as pd

    n = 60
    households = random.integers(150, 2500, n)
    shops = np.round(households * random.beta(2, 14, n)).astype(int)
    sales = np.round(shops * random.lognormal(-1.7, 0.8, n), 1)
    table = pd.DataFrame({"village": [f"village {i + 1}" for i in range(n)]})
    return {"villages": table.assign(households=households, shops=shops, sales_million=sales)}
# %% [markdown]
# # Lab 2: how a threshold makes a village
#
# The villages of this table are made up for your class: they are an illustration, not evidence. The rule is the article's: sales of at least ten million yuan a year, and at least a hundred online shops or shops for a tenth of the households.
# %%
import pandas as pd

villages = pd.read_csv("villages.csv")
villages.head()
# %% [markdown]
# **Question 1.** How many villages are listed under the article's rule? The function `shops_needed` of the package gives the smaller of the two thresholds for each village.
# %% question listed 2
from taobao_villages.subjects.villages import shops_needed

enough_sales = villages["sales_million"] >= 10
enough_shops = villages["shops"] >= shops_needed(villages["households"].to_numpy())
listed = int((enough_sales & enough_shops).sum())
# %% wrong listed
int(((villages["sales_million"] >= 10) & (villages["shops"] >= 100)).sum())  # You used a hundred shops only. A tenth of the households is enough too.
int(((villages["sales_million"] >= 10) & (villages["shops"] >= 100) & (villages["shops"] >= villages["households"] / 10)).sum())  # You asked for both thresholds of shops. The rule says "or".
int(((villages["shops"] >= 100) | (villages["shops"] >= villages["households"] / 10)).sum())  # You left out the threshold of sales. It must hold as well.
# %% [markdown]
# **Question 2.** How many of the listed villages are listed only because shops are compared with households: they have fewer than a hundred shops?
# %% question by_share 2
by_share = int((enough_sales & enough_shops & (villages["shops"] < 100)).sum())
# %% wrong by_share
int((villages["shops"] < 100).sum())  # You counted all villages with few shops. Only the listed ones are asked for.
int((enough_shops & (villages["shops"] < 100)).sum())  # You left out the threshold of sales.
# %% [markdown]
# **Question 3.** The threshold of sales is doubled to twenty million. What percentage of the villages that were listed are lost?
# %% question lost 3
still = (villages["sales_million"] >= 20) & enough_shops
lost = 100 * (listed - int(still.sum())) / listed
# %% wrong lost
100 * int(((villages["sales_million"] >= 20) & enough_shops).sum()) / listed  # This is the percentage that stays. Subtract it from a hundred.
100 * (listed - int(still.sum())) / len(villages)  # You divided by all villages. The question asks among the listed ones.
listed - int(still.sum())  # This is a number of villages, not a percentage.
# %% written definition_written
# **Question 4, in words.** A report says that the number of listed villages fell by the percentage of question 3 "because e-commerce is in crisis". Write a correction of four sentences: what was counted, what changed, what the table shows, what it cannot show.
