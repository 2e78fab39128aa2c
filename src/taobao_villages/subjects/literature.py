"""What scholars wrote: the article's works, later studies, and statements on governance."""

from __future__ import annotations

import pandas as pd
from statsmodels.stats.inter_rater import cohens_kappa

from taobao_villages import data
from taobao_villages.subjects import associations, coding

PUBLISHED = "2017-09"  # month of the article


# ---- what later research found -------------------------------------------------------------------


def later_findings() -> pd.DataFrame:
    """What later studies found, as carried in ``cases/sustainability``.

    Returns
    -------
    DataFrame
        Columns ``question``, ``study``, ``method``, ``period``, ``finding``, ``source_id``.
    """
    table = data.load("cases/sustainability").dropna(subset="outcome")
    works = data.load("literature/works").dropna(subset="read_source_id")
    works = works.assign(source_id=works["read_source_id"].str.split(";")).explode("source_id")
    works = works[works["year"] >= int(PUBLISHED[:4])].set_index("source_id")
    table = table[table["source_id"].isin(works.index)]
    whole = table["unit"] == "qualitative"
    read = works.loc[table["source_id"]].set_index(table.index)
    return pd.DataFrame(
        {
            "question": table["outcome"].str.capitalize(),
            "study": read.apply(_who, axis=1),
            "method": read["method"],
            "period": table["year"],
            "finding": table["value"].where(whole, table["value"] + " " + table["unit"]),
            "source_id": table["source_id"],
        }
    ).reset_index(drop=True)


def _who(work: pd.Series) -> str:
    """A work in short: first author, or the journal where no author was seen, and year."""
    if isinstance(work["authors"], str):
        names = [name.split(",")[0].strip() for name in work["authors"].split(";")]
        name = " and ".join(names) if len(names) < 3 else f"{names[0]} et al."
    else:
        name = str(work["venue"]).split(" 1")[0]
    return f"{name} {work['year']}"


AFTER = 2017  # evidence on a forecast is later than this year


# ---- statements of the literature ----------------------------------------------------------------


def statements(
    claim: str | None = None,
    *,
    works: str = "all",
    statements_counted: str = "direct or partial",
    texts_counted: str = "any text",
) -> pd.DataFrame:
    """What works say of a claim.

    Parameters
    ----------
    claim : str, optional
        Id of the claim; all if it is not given.
    works : {"all", "cited by the article"}
    statements_counted : {"direct or partial", "direct"}
        Whether statements on something near the claim count.
    texts_counted : {"any text", "the authors' own text"}
        Whether reviews and publishers' descriptions count as reading a work.

    Returns
    -------
    DataFrame
        Rows of ``literature/statements`` with the ``year`` of the work. What does not count is
        turned into "not_read" (window) or "silent" (strength), not dropped.
    """
    coding.one_of("works", works, ("all", "cited by the article"))
    coding.one_of("statements_counted", statements_counted, ("direct or partial", "direct"))
    coding.one_of("texts_counted", texts_counted, ("any text", "the authors' own text"))
    rows = data.load("literature/statements")
    years = data.load("literature/works").set_index("work_key")["year"]
    rows = rows.assign(year=rows["work_key"].map(years))
    if claim:
        rows = rows[rows["claim_id"] == claim]
    if works != "all":
        rows = rows[rows["cited"]]
    rows = rows.copy()
    if texts_counted != "any text":
        rows.loc[rows["read"].isin(("description", "review")), "direction"] = "not_read"
    if statements_counted == "direct":
        rows.loc[rows["strength"] == "partial", "direction"] = "silent"
    return rows.reset_index(drop=True)


def short_name(work_key: str) -> str:
    """Family name of the first author, and year, of a work in ``literature/works``."""
    work = data.load("literature/works").set_index("work_key").loc[work_key]
    first = work["authors"].split(";")[0]
    family = first.split(",")[0] if "," in first else first.split()[0]
    return f"{family} {work['year']}"


def tally(rows: pd.DataFrame) -> dict[str, int]:
    """Number of works by what they say; a work that says two things counts in both."""
    count = rows.groupby("direction")["work_key"].nunique()
    kinds = ("supports", "qualifies", "contradicts", "silent")
    found = {kind: int(count.get(kind, 0)) for kind in kinds}
    read = set(rows.loc[rows["direction"] != "not_read", "work_key"])
    found["works"] = rows["work_key"].nunique()
    found["read"] = len(read)
    found["not_read"] = found["works"] - len(read)
    told = rows[rows["direction"] == "supports"]
    found["direct"] = told.loc[told["strength"] == "direct", "work_key"].nunique()
    found["cited"] = rows.loc[rows["cited"], "work_key"].nunique()
    found["cited_read"] = len(read & set(rows.loc[rows["cited"], "work_key"]))
    found["cited_direct"] = told.loc[
        told["cited"] & told["strength"].eq("direct"), "work_key"
    ].nunique()
    return found


# ---- party-state corporatism ---------------------------------------------------------------------


def argument(*, doubtful: bool = True) -> pd.DataFrame:
    """The argument map: ``literature/argument``, with or without doubtful evidence."""
    nodes = data.load("literature/argument")
    return nodes if doubtful else nodes[~nodes["doubtful"]].reset_index(drop=True)


def premises(
    *,
    period: str = "after 2017",
    article_as_witness: str = "not counted",
    meaning_of_corporatism: str = "as in the article",
    doubtful: bool = True,
) -> pd.DataFrame:
    """How each premise of the argument stands.

    Parameters
    ----------
    period : {"after 2017", "any year"}
        The forecast looks ahead, so later evidence counts.
    article_as_witness : {"not counted", "counted"}
        Evidence whose source is the article.
    meaning_of_corporatism : {"as in the article", "with one licensed voice"}
        The second adds what the term means in political science: one association that the state
        licenses as the only voice of its trade.
    doubtful : bool
        Keep evidence that the coder inferred.

    Returns
    -------
    DataFrame
        One row a premise: ``label``, ``for``, ``against``, ``missing`` (entries) and ``stands``:
        "supported", "contested", "opposed" or "no later evidence".
    """
    coding.one_of("period", period, ("after 2017", "any year"))
    coding.one_of("article_as_witness", article_as_witness, associations.ARTICLE_CHOICES)
    coding.one_of(
        "meaning_of_corporatism",
        meaning_of_corporatism,
        ("as in the article", "with one licensed voice"),
    )
    nodes = argument(doubtful=doubtful)
    told = nodes["kind"].isin(("for", "against"))
    late = nodes["year"].gt(AFTER).fillna(False).astype(bool) | (period == "any year")
    ours = nodes["source_id"].ne(associations.ARTICLE) | (article_as_witness == "counted")
    nodes = nodes[~told | (late & ours)]
    rows = []
    for row in nodes[nodes["kind"] == "premise"].itertuples():
        if meaning_of_corporatism == "as in the article" and row.source_id != associations.ARTICLE:
            continue
        kinds = nodes.loc[nodes["parent_id"] == row.node_id, "kind"].value_counts()
        n = {kind: int(kinds.get(kind, 0)) for kind in ("for", "against", "missing")}
        stands = {
            (True, False): "supported",
            (True, True): "contested",
            (False, True): "opposed",
            (False, False): "no later evidence" if period != "any year" else "no evidence",
        }[n["for"] > 0, n["against"] > 0]
        rows.append({"node_id": row.node_id, "label": row.label, **n, "stands": stands})
    return pd.DataFrame(rows).set_index("node_id")


def argument_layout(*, doubtful: bool = True, gap: float = 1.2) -> pd.DataFrame:
    """Where the nodes of the argument map stand: evidence in rows, premises beside their middle.

    Parameters
    ----------
    doubtful : bool
        Keep evidence that the coder inferred.
    gap : float
        Rows left between two premises, besides one.

    Returns
    -------
    DataFrame
        The nodes below the thesis, premise by premise, with ``y`` (rows from the top),
        ``premise_y``, the height of the premise that a node belongs to, ``counts``: whether C52
        counts it by default, as later than the article and not from it, and ``sign``: plus,
        minus or question mark, in brackets if it does not count.
    """
    nodes = argument(doubtful=doubtful)
    parts, top = [], 0.0
    for _, premise in nodes[nodes["kind"] == "premise"].iterrows():
        below = nodes[nodes["parent_id"] == premise["node_id"]]
        rows = [top + i for i in range(len(below))]
        middle = sum(rows) / len(rows) if rows else top
        block = pd.concat([premise.to_frame().T, below])
        parts.append(block.assign(y=[middle, *rows], premise_y=middle))
        top += max(len(rows), 1) + gap
    laid = pd.concat(parts, ignore_index=True)
    late = laid["year"].fillna(AFTER).gt(AFTER) & laid["source_id"].ne(associations.ARTICLE)
    sign = laid["kind"].map({"for": "+", "against": "–", "missing": "?"}).fillna("")
    counts = late | laid["kind"].isin(("premise", "missing"))
    return laid.assign(counts=counts, sign=sign.where(counts, "(" + sign + ")"))


# ---- upgrading in the literature -----------------------------------------------------------------
# Results in cases/sustainability that diagnose a need to upgrade.
DIAGNOSES = ("reasons_for_losing_status",)


def works(*, which: str = "the article's") -> pd.DataFrame:
    """Research on Taobao Villages in the literature table, and whether a diagnosis is coded.

    Parameters
    ----------
    which : {"the article's", "later", "all"}
        Published to 2017, after, or all; a work whose year was not seen is in the last alone.

    Returns
    -------
    DataFrame
        Indexed by ``work_key``; ``year``, ``read`` and ``diagnoses`` (bool: a code of a pressure
        or a result that names the need to upgrade, talent included, rests on the work). False
        means not coded.
    """
    table = data.load("literature/works").set_index("work_key")
    chosen = table["on_villages"]
    if which != "all":
        early = table["year"] <= 2017
        chosen = chosen & (early if which == "the article's" else ~early)
    codes = coding.codes()
    coded = set(codes.loc[codes["dimension"] == "sustainability_pressure", "source_id"])
    results = data.load("cases/sustainability")
    coded |= set(results.loc[results["indicator"].isin(DIAGNOSES), "source_id"])
    table = table[chosen]
    return pd.DataFrame(
        {
            "year": table["year"],
            "read": table["read"],
            "diagnoses": [
                bool(coded & set(str(ids).split(";"))) for ids in table["read_source_id"].fillna("")
            ],
        }
    )


# ---- what later studies found --------------------------------------------------------------------
SIGNS = {"better": "▲ better", "no_difference": "○ none found", "worse": "▼ worse"}


def later_studies() -> pd.DataFrame:
    """Studies of incomes and profits: design, number of units as the source gives it, direction.

    Returns
    -------
    DataFrame
        ``study``, ``design``, ``n``, ``outcome``, ``direction`` (for the people studied).
    """
    table = data.load("cases/sustainability").dropna(subset="direction")
    table = table.sort_values("design", kind="stable", ignore_index=True)
    return pd.DataFrame(
        {
            "study": table["short_name"],
            "design": table["design"],
            "n": table["n"],
            "outcome": table["outcome"],
            "direction": table["direction"].map(SIGNS),
            "source_id": table["source_id"],
        }
    )


# ---- what the article asserts --------------------------------------------------------------------
STATUSES = ("covered", "missing", "excused")


def coverage(by: str = "section") -> pd.DataFrame:
    """How many of the article's assertions a claim covers.

    Parameters
    ----------
    by : {"section", "kind", "ground"}
        Column of ``literature/coverage`` that sorts them; covered ones have no ground.

    Returns
    -------
    DataFrame
        Counts ``covered``, ``missing``, ``excused`` and ``all``, indexed by `by` in the order in
        which the data package lists its values.
    """
    coding.one_of("by", by, ("section", "kind", "ground"))
    fields = data.schema("literature/coverage")["schema"]["fields"]
    order = next(field["constraints"]["enum"] for field in fields if field["name"] == by)
    rows = data.load("literature/coverage").dropna(subset=by)
    counts = pd.crosstab(rows[by], rows["status"]).reindex(
        index=order, columns=list(STATUSES), fill_value=0
    )
    counts.columns.name = None
    return counts.assign(all=counts.sum(axis=1))


def readings() -> dict[str, float]:
    """How far the two independent readings of the article agree on what is covered.

    Returns
    -------
    dict
        Numbers of assertions: ``all``, ``first_only`` and ``second_only`` (listed by one reading),
        ``both`` (listed by both), ``same`` (of these, with one status); ``same_pct`` (share of
        ``same`` in ``both``, percent), ``kappa`` (Cohen 1960, on ``both``); ``stricter`` (covered
        in both readings, missing as settled).
    """
    rows = data.load("literature/coverage")
    first, second = rows["first_reading"], rows["second_reading"]
    listed = first.isin(STATUSES), second.isin(STATUSES)
    both = listed[0] & listed[1]
    table = pd.crosstab(first[both], second[both]).reindex(
        index=list(STATUSES), columns=list(STATUSES), fill_value=0
    )
    same = int((both & (first == second)).sum())
    agreed = (first == "covered") & (second == "covered")
    return {
        "all": len(rows),
        "first_only": int((listed[0] & ~listed[1]).sum()),
        "second_only": int((listed[1] & ~listed[0]).sum()),
        "both": int(both.sum()),
        "same": same,
        "same_pct": 100 * same / int(both.sum()),
        "kappa": float(cohens_kappa(table.to_numpy(), return_results=False)),
        "stricter": int((agreed & (rows["status"] == "missing")).sum()),
    }
