"""The article's conclusion (C53 to C56), and the scorecard of all claims.

C53 to C55 are tested as in other chapters. C56, that empowerment went only so far, is computed
from the verdicts of other claims by a declared rule.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from taobao_villages import data
from taobao_villages.methods import counts
from taobao_villages.methods.shares import rank_interval
from taobao_villages.subjects import internet, provinces
from taobao_villages.verdicts import ledger, scorecard
from taobao_villages.verdicts.claims import Claim, Evidence, Rule

DIMENSIONS = ("economic", "social", "political", "sustainable")
HOLDS = {
    "reproduced or in part": ("reproduced", "reproduced in part"),
    "reproduced in full": ("reproduced",),
}
STRENGTHS = ("strong", "medium", "thin")


# ---- developed and entrepreneurial (C53) ---------------------------------------------------------


def developed_evidence(
    *,
    years: Sequence[int] = provinces.YEARS,
    villages_per: str = "rural_population",
    count_model: counts.Family = "quasi-poisson",
) -> Evidence:
    """Evidence for C53: villages against output and private enterprise, by province."""
    details: dict[str, float] = {}
    lows: dict[str, list[float]] = {"income": [], "enterprise": []}
    ranks: dict[str, list[float]] = {"income": [], "enterprise": []}
    shares = []
    for year in years:
        frame = provinces.model_frame(year, exposure=villages_per)
        rate = frame["n_villages"] / frame["exposure"]
        for name in lows:
            effect = provinces.association(
                year, (name,), exposure=villages_per, family=count_model
            ).effects
            found = rank_interval(rate, frame[name])
            lows[name].append(float(effect["low"].iloc[0]))
            ranks[name].append(float(found["low"]))
            details[f"ratio_{name}_{year}"] = round(float(effect["rate_ratio"].iloc[0]), 1)
            details[f"rank_{name}_{year}"] = round(float(found["rank"]), 2)
        above = (frame["income"] > frame["income"].median()) & (
            frame["enterprise"] > frame["enterprise"].median()
        )
        shares.append(100 * frame.loc[above, "n_villages"].sum() / frame["n_villages"].sum())
        details[f"share_{year}"] = round(float(shares[-1]), 1)
    for name in lows:
        details[f"lowest_ratio_{name}"] = round(min(lows[name]), 2)
        details[f"lowest_rank_{name}"] = round(min(ranks[name]), 2)
    return Evidence(
        value=details[f"share_{years[-1]}"],
        unit="% of villages in provinces above the median in both output and private enterprise",
        interval=(round(float(min(shares)), 1), round(float(max(shares)), 1)),
        interval_kind="lowest and highest of the lists",
        n=31,
        n_unit="provinces",
        sources=sorted({*provinces.SOURCES, *provinces.INCOME_SOURCES, "nbs_private_self_emp"}),
        details=details,
        limits=(
            "Output and private enterprise go together, so 31 provinces cannot tell which of them "
            "matters. Private employment counts registered workers, not enterprise as such."
        ),
    )


def decide_developed(evidence: Evidence) -> tuple[str, str]:
    """Rule of C53."""
    found = evidence.details
    holds = [
        found[f"lowest_ratio_{name}"] > 1 and found[f"lowest_rank_{name}"] > 0
        for name in ("income", "enterprise")
    ]
    mostly = (evidence.interval or (0, 0))[0] > 50
    if mostly and all(holds):
        return (
            "reproduced",
            "In every list more than half of the villages are in such provinces, and both output "
            "and private enterprise go with more villages.",
        )
    if mostly or any(holds):
        names = {"income": "output", "enterprise": "private enterprise"}
        tests = {
            "fewer than half of the villages may be in such provinces": mostly,
            **{
                f"the {kind} of {word} may be {none}": found[f"lowest_{key}_{name}"] > limit
                for name, word in names.items()
                for key, kind, limit, none in (
                    ("rank", "rank correlation", 0, "none"),
                    ("ratio", "rate ratio", 1, "one"),
                )
            },
        }
        failing = [words for words, passed in tests.items() if not passed]
        return "reproduced in part", f"Only some of it holds: {'; '.join(failing)}."
    return "not reproduced", "Neither the shares nor the associations bear it out."


C53 = Claim(
    "C53",
    evidence=developed_evidence,
    rule=Rule(
        "Reproduced if in every list more than 50% of the villages are in provinces above the "
        "median in both output per resident and private employment per resident, and for each of "
        "the two the rank correlation with the rate of villages and the rate ratio for one "
        "standard deviation have their whole intervals above 0 and above 1. In part if only some "
        "of this holds.",
        decide_developed,
    ),
    variants={
        "years": (provinces.YEARS, (2014,), (2015,), (2016,)),
        "villages_per": provinces.BASES,
        "count_model": ("quasi-poisson", "negative binomial"),
    },
)


# ---- what holds the inland back (C54) ------------------------------------------------------------


def inland_evidence(
    *,
    year: int = 2016,
    roads: str = "per area",
    yangtze_delta: str = "16 cities",
    third_measure: str = "none",
    villages_per: str = "rural_population",
    count_model: counts.Family = "quasi-poisson",
) -> Evidence:
    """Evidence for C54: roads and distance to hubs, and the gap between coast and inland."""
    frame = provinces.barriers(
        year, roads=roads, yangtze_delta=yangtze_delta, villages_per=villages_per
    )
    covariates = ["roads", "distance"] + ([] if third_measure == "none" else [third_measure])
    model = counts.count_model(
        frame, "n_villages", covariates, exposure="exposure", family=count_model
    )
    effects = model.effects.set_index("covariate")
    coast = frame["coastal"]
    means = frame.groupby(coast)[["roads", "distance"]].mean()
    inland = frame.loc[~coast, "n_villages"].sum() / frame.loc[~coast, "exposure"].sum()
    ratio = frame.loc[coast, "n_villages"].sum() / frame.loc[coast, "exposure"].sum() / inland
    share = provinces.gap_explained(frame, model.effects) if model.converged else float("nan")
    details = {
        "ratio": round(float(ratio), 1),
        "explained": round(100 * share),
        "roads_gap": round(float(means.loc[True, "roads"] - means.loc[False, "roads"]), 2),
        "distance_gap": round(float(means.loc[True, "distance"] - means.loc[False, "distance"]), 2),
    }
    for name in ("roads", "distance"):
        for part in ("rate_ratio", "low", "high"):
            details[f"{name}_{part}"] = round(float(effects.loc[name, part]), 2)
    return Evidence(
        value=details["explained"],
        unit="% of the gap between coast and inland goes with roads and distance to the deltas",
        n=31,
        n_unit="provinces",
        sources=sorted(
            {
                *provinces.SOURCES,
                *provinces.INCOME_SOURCES,
                "nbs_transport_ttc",
                *data.load("geo/delta_prefectures")["source_id"],
                *data.load("geo/centroids")["source_id"],
                "project_definition",
            }
        ),
        details=details,
        limits=(
            "An association between 31 provinces. Talent is not measured: no source gives it by "
            "province for these years. Distance to a delta is also distance to ports and markets. "
            "Where both barriers were planted in simulated data, this rule found both in about a "
            "quarter of the sets: in part is what a true effect would mostly give."
        ),
    )


def decide_inland(evidence: Evidence) -> tuple[str, str]:
    """Rule of C54."""
    found = evidence.details
    roads = found["roads_gap"] > 0 and found["roads_low"] > 1
    distance = found["distance_gap"] < 0 and found["distance_high"] < 1
    if roads and distance:
        return (
            "reproduced",
            "Inland provinces have fewer roads and lie farther from the deltas, and each of the "
            "two goes with fewer villages.",
        )
    if roads or distance:
        which = "roads" if roads else "distance to the deltas"
        return "reproduced in part", f"Of roads and distance, only {which} can be told from chance."
    return "not reproduced", "Neither roads nor distance can be told from chance in this model."


C54 = Claim(
    "C54",
    evidence=inland_evidence,
    rule=Rule(
        "Two of the three barriers can be measured by province. Reproduced if inland provinces "
        "have fewer roads and lie farther from the deltas, and in one count model more roads and a "
        "shorter distance each go with more villages, with intervals that exclude 1. In part if "
        "only one of them does.",
        decide_inland,
    ),
    variants={
        "year": (2016, 2015, 2014),
        "roads": ("per area", "per rural resident"),
        "yangtze_delta": ("16 cities", "26 cities"),
        "third_measure": ("none", "income"),
        "villages_per": ("rural_population", "administrative_villages"),
        "count_model": ("quasi-poisson", "negative binomial"),
    },
)


# ---- the divide between town and country (C55) ---------------------------------------------------


def divide_evidence(*, first_year: int = 2013, measure: str = "points") -> Evidence:
    """Evidence for C55: did the gaps narrow after 2014?"""
    table = internet.divide(first_year=first_year, measure=measure)
    change = table["after"] - table["before"]
    cnnic = data.load("market/cnnic")
    used = cnnic["date"].isin([f"{year}-12" for year in {*table["from"], *table["to"]}])
    named = cnnic["indicator"].str.contains(
        "penetration_urban|penetration_rural$|netizens_total|shoppers_total|shopping_rate$"
    )
    known = change.dropna()
    details: dict[str, float | int | str] = {
        "known": len(known),
        "narrower": int((known < 0).sum()),
    }
    for label, row in table.iterrows():
        key = str(label).split()[0]
        details |= {
            f"{key}_before": round(float(row["before"]), 1),
            f"{key}_after": round(float(row["after"]), 1),
            f"{key}_from": int(row["from"]),
            f"{key}_to": int(row["to"]),
        }
    return Evidence(
        value=details["narrower"],
        unit=f"of {len(known)} gaps between town and country that can be measured got narrower",
        n=len(known),
        n_unit="gaps",
        sources=sorted(set(cnnic.loc[used & named, "source_id"])),
        details=details,
        limits=(
            "Rural shopping rates are derived from printed totals, and none is known for 2016. "
            "Nothing here tells the platforms' part from that of cheap phones and public networks."
        ),
    )


def decide_divide(evidence: Evidence) -> tuple[str, str]:
    """Rule of C55."""
    found = evidence.details
    if found["narrower"] == found["known"] and found["known"] == 2:
        return (
            "reproduced in part",
            "Both gaps got narrower, but nothing shows that the platforms did it.",
        )
    if found["narrower"]:
        return (
            "reproduced in part",
            "One gap got narrower and the other did not; and nothing shows what the platforms did.",
        )
    return "not reproduced", "No gap that can be measured got narrower."


C55 = Claim(
    "C55",
    evidence=divide_evidence,
    rule=Rule(
        "The claim is about a cause, which these figures cannot show; so it is in part at best. In "
        "part if at least one of two gaps (being online, shopping online) is narrower after 2014 "
        "than before; not reproduced if none is.",
        decide_divide,
    ),
    variants={"first_year": (2013, 2009), "measure": ("points", "odds ratio")},
)


# ---- the scorecard, and the article's last sentence (C56) ----------------------------------------


@data.cached
def _judged(claim_id: str) -> tuple[str, str]:
    """Verdict and strength of a claim."""
    row = {claim.id: claim for claim in ledger.declared()}[claim_id].judge().as_dict()
    return row["verdict"], scorecard.strength(row["sources"]) if row["sources"] else "thin"


def balance(
    *, claims_counted: str = "reproduced or in part", thin_sources: bool = True
) -> pd.DataFrame:
    """Claims for and against empowerment, and which of them hold.

    Parameters
    ----------
    claims_counted : {"reproduced or in part", "reproduced in full"}
        Which verdicts count as holding.
    thin_sources : bool
        Keep claims whose evidence is thin.

    Returns
    -------
    DataFrame
        Rows of the table ``empowerment`` with ``verdict``, ``strength``, ``holds``.

    Raises
    ------
    ValueError
        For another value of `count`.
    """
    if claims_counted not in HOLDS:
        raise ValueError(f"claims_counted is {claims_counted!r}; use one of {', '.join(HOLDS)}")
    table = data.load("empowerment")
    with data.steady():
        judged = [_judged(claim_id) for claim_id in table["claim_id"]]
    table["verdict"] = [verdict for verdict, _ in judged]
    table["strength"] = [grade for _, grade in judged]
    table["holds"] = table["verdict"].isin(HOLDS[claims_counted])
    return table if thin_sources else table[table["strength"] != "thin"].reset_index(drop=True)


def extent_evidence(
    *, claims_counted: str = "reproduced or in part", thin_sources: bool = True
) -> Evidence:
    """Evidence for C56: in how many dimensions do claims on both sides hold?"""
    table = balance(claims_counted=claims_counted, thin_sources=thin_sources)
    held = table[table["holds"]].groupby(["dimension", "direction"]).size()
    details: dict[str, int] = {}
    both = one_sided_for = one_sided_against = 0
    for dimension in DIMENSIONS:
        pro = int(held.get((dimension, "for"), 0))
        con = int(held.get((dimension, "against"), 0))
        details |= {f"{dimension}_for": pro, f"{dimension}_against": con}
        both += bool(pro and con)
        one_sided_for += bool(pro and not con)
        one_sided_against += bool(con and not pro)
    details |= {"only_for": one_sided_for, "only_against": one_sided_against}
    details |= {"claims": len(table), "holding": int(table["holds"].sum())}
    return Evidence(
        value=both,
        unit=f"of {len(DIMENSIONS)} dimensions have claims on both sides that hold",
        n=len(table),
        n_unit="claims sorted for or against",
        sources=["project_empowerment", "li2017"],
        details=details,
        limits=(
            "Which claim speaks for and which against is the authors' sorting, shown in the table "
            "empowerment. Claims are counted, not weighed."
        ),
    )


def decide_extent(evidence: Evidence) -> tuple[str, str]:
    """Rule of C56."""
    found = evidence.details
    if evidence.value == len(DIMENSIONS):
        return (
            "reproduced",
            "In each of the four dimensions some claims for empowerment hold and some against.",
        )
    if found["only_for"] == len(DIMENSIONS) or found["only_against"] == len(DIMENSIONS):
        side = "for" if found["only_for"] else "against"
        return "contradicted", f"In every dimension only claims {side} empowerment hold."
    if int(evidence.value or 0) >= 2:
        return "reproduced in part", "Claims on both sides hold in some dimensions, not in all."
    return "not reproduced", "In fewer than two dimensions do claims on both sides hold."


C56 = Claim(
    "C56",
    evidence=extent_evidence,
    rule=Rule(
        '"To a certain extent" is read as: partly yes and partly no. Reproduced if in each of four '
        "dimensions (economic, social, political, sustainable) at least one claim that speaks for "
        "empowerment holds and at least one that speaks against it; in part if in two or three; "
        "contradicted if in all four only one side holds; else not reproduced.",
        decide_extent,
    ),
    variants={"claims_counted": tuple(HOLDS), "thin_sources": (True, False)},
)
