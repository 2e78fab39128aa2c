"""The reconfiguration of rural governance (claims C46 to C52, C59 and C60).

Three kinds of evidence meet here. Coded cases tell who founded an association of sellers, who
pays, who heads it and what it does: what a source does not mention is not reported, never
absent, so shares have a lowest and a highest value. Coded statements tell what works of the
literature say for or against a claim, and which could not be read. An argument map, kept as a
table, holds what speaks for and against the forecast of party-state corporatism.

The article cannot be a witness for itself: codes that rest on the article alone are left out
unless a reader asks for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from taobao_villages import data
from taobao_villages.methods import shares
from taobao_villages.subjects import associations, coding, literature
from taobao_villages.verdicts.claims import Claim, Evidence, Rule

HALF = 50  # percent of the associations, for "half governmental, half public"
LEAST_JUDGED = 2  # associations, before their autonomy can be called contested
KIN = ("kin", "kin_neighbours")
SOCIAL = (
    *KIN,
    "friends_neighbours",
    "neighbours",
    "fellow_townsmen",
    "migrant_networks",
    "migrant_classmates",
)
PARTS: Mapping[str, str] = {
    "officials_wealth": "officials' own wealth",
    "lineages_temples": "lineages and temples",
    "gangs": "gangs",
}
NOT_A_SAMPLE = "The cases are places that people wrote about, not a sample."


# ---- semi-governmental, semi-public (C47) --------------------------------------------------------


def nature_evidence(
    *,
    article_as_witness: str = "not counted",
    dongfeng_and_shaji: str = "one association",
    accounts: str = "any",
    seller_side: str = "founder or work for members",
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C47: associations with a tie to the state and one to the sellers."""
    table = associations.ties(
        article_as_witness=article_as_witness,
        dongfeng_and_shaji=dongfeng_and_shaji,
        accounts=accounts,
        seller_side=seller_side,
        coder=coder,
        doubtful=doubtful,
    )
    if table.empty:
        return _nothing("associations", "No source tells of an association.")
    both = int((table["state"] & table["sellers"]).sum())
    low, high = shares.share_bounds(both, 0, len(table))
    codes = associations.association_codes(
        article_as_witness=article_as_witness,
        dongfeng_and_shaji=dongfeng_and_shaji,
        coder=coder,
        doubtful=doubtful,
    )
    used = codes[codes["association"].isin(table.index) & codes["by"].eq("association")]
    checked = associations.cells(coder=coder, doubtful=doubtful)
    return Evidence(
        value=both,
        unit=f"of {len(table)} associations with ties to both state and sellers",
        interval=(round(100 * low, 1), round(100 * high, 1)),
        interval_kind="share in percent if none, or all, of the rest had both too",
        n=len(table),
        n_unit="associations",
        sources=sorted(used["source_id"].unique()),
        details={
            "state": int(table["state"].sum()),
            "sellers": int(table["sellers"].sum()),
            "state_founders": int(table["state_founder"].sum()),
            "founders_reported": int((table["founder"] != "not reported").sum()),
            "disputed": int(table["founder"].str.contains("/").sum()),
            "cells": len(checked),
            "single": int((checked["n_sources"] == 1).sum()),
            "article_cells": int(checked["only_article"].sum()),
            "article_only": len(
                set(
                    associations.ties(
                        article_as_witness="counted",
                        dongfeng_and_shaji=dongfeng_and_shaji,
                        coder=coder,
                        doubtful=doubtful,
                    ).index
                )
                - set(
                    associations.ties(
                        dongfeng_and_shaji=dongfeng_and_shaji, coder=coder, doubtful=doubtful
                    ).index
                )
            ),
        },
        limits=f"{NOT_A_SAMPLE} One reported tie is enough to count; its weight is not known.",
    )


def decide_nature(evidence: Evidence) -> tuple[str, str]:
    """Rule of C47."""
    most = (evidence.interval or (0.0, 0.0))[0] >= HALF
    founded = evidence.details["state_founders"]
    if most and founded >= 2:
        return "reproduced", "Most have ties to both sides, and the state founded several."
    if most:
        return (
            "reproduced in part",
            "Most have ties to both sides, but "
            f"{'only one' if founded else 'none'} is said to be founded by the state.",
        )
    if founded:
        return (
            "reproduced in part",
            "The state is said to have founded one or more, but that most have ties to both sides "
            "is not sure.",
        )
    return "not reproduced", "Neither ties to both sides nor a founder in the state are reported."


C47 = Claim(
    "C47",
    evidence=nature_evidence,
    rule=Rule(
        '"Half governmental, half public" is read as a reported tie to the state and one to the '
        'sellers, and "some" as two. Reproduced if the lowest possible share of associations with '
        "both is at least 50% and at least two were founded by the state by the account of a "
        "source other than the article; in part if one of these holds, or one founder is found.",
        decide_nature,
        threshold=(HALF, "half of the associations"),
    ),
    variants={
        "article_as_witness": associations.ARTICLE_CHOICES,
        "dongfeng_and_shaji": associations.SHAJI,
        "accounts": ("any", "undisputed"),
        "seller_side": ("founder or work for members", "founder or autonomy"),
        "coder": coding.CODERS,
        "doubtful": (True, False),
    },
)


# ---- autonomy (C48) ------------------------------------------------------------------------------


def autonomy_evidence(
    *,
    article_as_witness: str = "not counted",
    party_secretary_as_head: str = "says nothing of autonomy",
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C48: associations by how free they are said to be.

    Parameters
    ----------
    party_secretary_as_head : {"says nothing of autonomy", "means low autonomy"}
        Whether a party branch inside, or a party secretary at the head, is read as low autonomy
        where no source judges it.
    article_as_witness, coder, doubtful : str, str, bool
        See `association_codes`.
    """
    coding.one_of(
        "party_secretary_as_head",
        party_secretary_as_head,
        ("says nothing of autonomy", "means low autonomy"),
    )
    table = associations.ties(article_as_witness=article_as_witness, coder=coder, doubtful=doubtful)
    level = table["autonomy"].copy()
    if party_secretary_as_head == "means low autonomy":
        held = table["office"].str.contains("party") & level.eq("not reported")
        level[held] = "low"
    judged = level[level != "not reported"]
    both = table.loc[judged.index, "founder"].ne("not reported").sum()
    codes = associations.association_codes(
        article_as_witness=article_as_witness, coder=coder, doubtful=doubtful
    )
    wanted = (
        ("autonomy", "party_link")
        if party_secretary_as_head == "means low autonomy"
        else ("autonomy",)
    )
    used = codes[codes["concept"].isin(wanted)]
    counted = associations.ties(article_as_witness="counted", coder=coder, doubtful=doubtful)
    details = {
        "high": int(judged.str.contains("high").sum()),
        "low": int(judged.str.contains("low").sum()),
        "judged_with_article": int((counted["autonomy"] != "not reported").sum()),
        "associations": len(table),
        "with_founder": int(both),
        "with_founder_and_article": int(
            (counted["autonomy"].ne("not reported") & counted["founder"].ne("not reported")).sum()
        ),
    }
    if len(judged) < LEAST_JUDGED:
        return _nothing(
            "associations",
            f"Outside the article, sources judge the autonomy of {len(judged)} of {len(table)} "
            "associations; to say that it is contested takes two. The two studies that the article "
            "cites could not be read."
            if article_as_witness == "not counted"
            else f"Sources judge the autonomy of {len(judged)} of {len(table)} associations; to "
            "say that it is contested takes two.",
            details,
            {associations.ARTICLE, *used["source_id"]},
        )
    return Evidence(
        value=len(judged),
        unit=f"of {len(table)} associations whose autonomy a source judges",
        interval=(float(details["high"]), float(len(table) - details["low"])),
        interval_kind="associations with high autonomy if none, or all, of the rest had it",
        n=len(table),
        n_unit="associations",
        sources=sorted(used["source_id"].unique()),
        details=details | {"article_needed": int(associations.ARTICLE in set(used["source_id"]))},
        limits=f"{NOT_A_SAMPLE} High and low are the words of each source or, where doubtful, the "
        "coder's inference; not one measure.",
    )


def decide_autonomy(evidence: Evidence) -> tuple[str, str]:
    """Rule of C48."""
    high, low = evidence.details["high"], evidence.details["low"]
    if high and low and not evidence.details["article_needed"]:
        return "reproduced", "Sources other than the article report both high and low autonomy."
    if high and low:
        return (
            "reproduced in part",
            "Both levels are reported, but one of them by the article alone.",
        )
    return "not reproduced", "All associations that are judged are at the same level."


C48 = Claim(
    "C48",
    evidence=autonomy_evidence,
    rule=Rule(
        '"Contested" means that sources report both high and low autonomy. Reproduced if they do, '
        "without the article as a witness; in part if they do only with it; not reproduced if all "
        "that are judged are alike; not testable if fewer than two are judged.",
        decide_autonomy,
        threshold=(LEAST_JUDGED, f"judged, for a test: {LEAST_JUDGED}"),
    ),
    variants={
        "article_as_witness": associations.ARTICLE_CHOICES,
        "party_secretary_as_head": ("says nothing of autonomy", "means low autonomy"),
        "coder": coding.CODERS,
        "doubtful": (True, False),
    },
)


# ---- functions (C49) -----------------------------------------------------------------------------


def functions_evidence(
    *,
    article_as_witness: str = "not counted",
    dongfeng_and_shaji: str = "one association",
    proposed_functions: str = "not counted",
    work_of_individuals: str = "not counted",
    promotion: str = "another function",
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C49: how many of the five functions any association is reported to have."""
    table = associations.functions(
        article_as_witness=article_as_witness,
        dongfeng_and_shaji=dongfeng_and_shaji,
        proposed_functions=proposed_functions,
        work_of_individuals=work_of_individuals,
        promotion=promotion,
        coder=coder,
        doubtful=doubtful,
    )
    codes = associations.association_codes(
        article_as_witness=article_as_witness,
        dongfeng_and_shaji=dongfeng_and_shaji,
        coder=coder,
        doubtful=doubtful,
    )
    rows = associations.function_codes(
        codes,
        proposed_functions=proposed_functions,
        work_of_individuals=work_of_individuals,
        promotion=promotion,
    )
    rows = rows[rows["counts"]]
    if rows.empty:
        return _nothing("functions", "No source reports a function of an association.")
    five = table.loc[list(associations.FIVE)]
    return Evidence(
        value=int((five["reported"] > 0).sum()),
        unit="of 5 functions reported for an association",
        interval=(round(float(five["lowest"].min()), 1), round(float(five["highest"].max()), 1)),
        interval_kind="range of the possible shares of associations with a function, in percent",
        n=int(table["total"].iloc[0]),
        n_unit="associations",
        sources=sorted(rows["source_id"].unique()),
        details={
            "five": len(associations.FIVE),
            "most": int(five["reported"].max()),
            "others": int((table.loc[list(associations.OTHERS), "reported"] > 0).sum()),
            "two_sources": int((five["sources"] >= 2).sum()),
            "most_any": int(table["reported"].max()),
        },
        limits=f"{NOT_A_SAMPLE} That a function is not reported does not say that it is absent.",
    )


def decide_functions(evidence: Evidence) -> tuple[str, str]:
    """Rule of C49."""
    found = int(evidence.value or 0)
    if found == len(associations.FIVE):
        return "reproduced", "Each of the five is reported for at least one association."
    if found >= 2:
        return "reproduced in part", f"{found} of the five are reported; the others may exist."
    return "not reproduced", "At most one of the five is reported for an association."


C49 = Claim(
    "C49",
    evidence=functions_evidence,
    rule=Rule(
        "Reproduced if each of the five functions is reported for at least one association that "
        "exists, by a source other than the article; in part if at least two are; otherwise not "
        "reproduced. Silence never contradicts.",
        decide_functions,
        threshold=(len(associations.FIVE), "all five functions"),
    ),
    variants={
        "article_as_witness": associations.ARTICLE_CHOICES,
        "dongfeng_and_shaji": associations.SHAJI,
        "proposed_functions": associations.ARTICLE_CHOICES,
        "work_of_individuals": associations.ARTICLE_CHOICES,
        "promotion": ("another function", "attracting investment"),
        "coder": coding.CODERS,
        "doubtful": (True, False),
    },
)


# ---- persons in two roles, kin (C51) -------------------------------------------------------------


def kin_evidence(
    *,
    position: str = "head of an association",
    channel: str = "kin",
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C51: places where kin spread the trade and a seller leads.

    Parameters
    ----------
    position : {"head of an association", "any leading position"}
        Which position of a seller counts.
    channel : {"kin", "any social tie"}
        Through whom the trade spread.
    coder, doubtful : str, bool
        See `coding.codes`.
    """
    coding.one_of("position", position, ("head of an association", "any leading position"))
    coding.one_of("channel", channel, ("kin", "any social tie"))
    codes = coding.codes(coder=coder, doubtful=doubtful)
    codes = codes[codes["dimension"] == "diffusion"]
    used = codes[codes["code"].isin(KIN if channel == "kin" else SOCIAL)]
    spread = set(used["case_id"])
    persons = associations.roles()
    leading = ["association_head"] if position.startswith("head") else list(associations.LEADING)
    leads = persons[persons["seller"] & persons[leading].any(axis=1)]
    places = spread & set(leads["case_id"])
    if not spread:
        return _nothing("places", "No source tells through whom the trade spread.")
    low, high = shares.share_bounds(len(places), 0, len(spread))
    sources = set(used["source_id"])
    table = data.load("cases/roles")
    sources |= set(table.loc[table["case_id"].isin(places), "source_id"])
    return Evidence(
        value=len(places),
        unit=f"of {len(spread)} places where both the channel and a leading seller are reported",
        interval=(round(100 * low, 1), round(100 * high, 1)),
        interval_kind="share in percent if none, or all, of the rest had a leading seller",
        n=len(spread),
        n_unit="places with that channel",
        sources=sorted(sources),
        details={"places": len(places), "kin_places": len(spread), "leaders": len(leads)},
        limits=(
            "No source measures what a kin group owns, or says that the leading seller belongs to "
            "the kin group through which the trade spread."
        ),
    )


def decide_kin(evidence: Evidence) -> tuple[str, str]:
    """Rule of C51."""
    if int(evidence.value or 0) >= 2:
        return (
            "reproduced in part",
            "In at least two places kin spread the trade and a seller leads; that both are of one "
            "family, or grew rich by it, no source says.",
        )
    return (
        "not testable here",
        "Fewer than two places report both, and no source measures the power of kin groups.",
    )


C51 = Claim(
    "C51",
    evidence=kin_evidence,
    rule=Rule(
        "Economic power of kin groups is not measured in any source that was read, so the claim "
        "can be reproduced in part at best: if at least two places report both kin as a channel "
        "and a seller who heads the association. Otherwise not testable here.",
        decide_kin,
    ),
    variants={
        "position": ("head of an association", "any leading position"),
        "channel": ("kin", "any social tie"),
        "coder": coding.CODERS,
        "doubtful": (True, False),
    },
)


# ---- statements of the literature (C46, C50, C59, C60) -------------------------------------------


def literature_evidence(
    claim: str,
    *,
    works: str = "all",
    statements_counted: str = "direct or partial",
    texts_counted: str = "any text",
) -> Evidence:
    """Works that support one claim on the literature; parameters as in `statements`."""
    rows = literature.statements(
        claim, works=works, statements_counted=statements_counted, texts_counted=texts_counted
    )
    found = literature.tally(rows)
    if not found["read"]:
        return _nothing("works", "None of the works could be read.", found, rows["source_id"])
    return Evidence(
        value=found["supports"],
        unit=f"of {found['read']} works that were read support it",
        n=found["works"],
        n_unit="works, read or not",
        sources=sorted(rows.loc[rows["direction"] != "not_read", "source_id"].unique()),
        details=found,
        limits=(
            f"{found['not_read']} of {found['works']} works could not be read; of the others "
            "abstracts, openings, descriptions or reviews. The works were found by search, not "
            "drawn."
        ),
    )


def decide_literature(evidence: Evidence) -> tuple[str, str]:
    """Rule of C46 and C50."""
    found = evidence.details
    if found["contradicts"] > found["supports"]:
        return "contradicted", "More of the works that were read contradict it than support it."
    if found["direct"] >= 2 and found["cited_direct"] >= 1 and not found["contradicts"]:
        return "reproduced", "Several works say it directly, one of them cited by the article."
    if found["supports"]:
        gap = (
            "none of the works that the article cites could be read"
            if not found["cited_read"]
            else "the support is not direct, not several works, or not from the works cited"
        )
        return "reproduced in part", f"Works that were read support it, but {gap}."
    return "not reproduced", "None of the works that were read supports it."


LITERATURE_RULE = Rule(
    "Reproduced if at least two works that were read state it directly, one of them cited by the "
    "article, and none contradicts it; in part if fewer, or only other works, support it; "
    "contradicted if more contradict than support; not testable if no work could be read.",
    decide_literature,
)
LITERATURE_VARIANTS = {
    "works": ("all", "cited by the article"),
    "statements_counted": ("direct or partial", "direct"),
    "texts_counted": ("any text", "the authors' own text"),
}


def capacity_evidence(
    *,
    works: str = "all",
    statements_counted: str = "direct or partial",
    texts_counted: str = "any text",
) -> Evidence:
    """Evidence for C46: works on the means of local governments."""
    return literature_evidence(
        "C46", works=works, statements_counted=statements_counted, texts_counted=texts_counted
    )


C46 = Claim("C46", capacity_evidence, LITERATURE_RULE, LITERATURE_VARIANTS)


def participation_evidence(
    *,
    works: str = "all",
    statements_counted: str = "direct or partial",
    texts_counted: str = "any text",
) -> Evidence:
    """Evidence for C50: works on e-commerce and taking part in public affairs."""
    return literature_evidence(
        "C50", works=works, statements_counted=statements_counted, texts_counted=texts_counted
    )


C50 = Claim("C50", participation_evidence, LITERATURE_RULE, LITERATURE_VARIANTS)


def substitutes_evidence(
    *,
    works: str = "all",
    statements_counted: str = "direct or partial",
    texts_counted: str = "any text",
) -> Evidence:
    """Evidence for C59: works on each of the three powers beside the state."""
    rows = literature.statements(
        "C59", works=works, statements_counted=statements_counted, texts_counted=texts_counted
    )
    found = literature.tally(rows)
    if not found["read"]:
        return _nothing("works", "None of the works could be read.", found, rows["source_id"])
    by_part = {part: literature.tally(rows[rows["part"] == part]) for part in PARTS}
    details = found | {
        f"{part}_{key}": own[key]
        for part, own in by_part.items()
        for key in ("supports", "qualifies", "cited_direct")
    }
    details["parts_supported"] = sum(own["supports"] > 0 for own in by_part.values())
    details["parts_cited"] = sum(own["cited_direct"] > 0 for own in by_part.values())
    return Evidence(
        value=details["parts_supported"],
        unit="of 3 powers that a work which was read names",
        n=found["works"],
        n_unit="works, read or not",
        sources=sorted(rows.loc[rows["direction"] != "not_read", "source_id"].unique()),
        details=details,
        limits=(
            "Read in abstracts, descriptions and reviews. In what was read, only the works on "
            "lineages and temples speak of public goods."
        ),
    )


def decide_substitutes(evidence: Evidence) -> tuple[str, str]:
    """Rule of C59."""
    found = evidence.details
    if found["contradicts"] > found["supports"]:
        return "contradicted", "More of the works that were read contradict it than support it."
    if found["parts_cited"] == len(PARTS):
        return "reproduced", "For each of the three a work that the article cites says it directly."
    if found["parts_supported"]:
        return (
            "reproduced in part",
            f"Works that were read support {found['parts_supported']} of the three powers, but "
            f"only for {found['parts_cited']} does a work that the article cites say it directly.",
        )
    return "not reproduced", "None of the works that were read supports any of the three."


C59 = Claim(
    "C59",
    substitutes_evidence,
    Rule(
        "Reproduced if for each of the three powers (officials' wealth, lineages and temples, "
        "gangs) a work that the article cites says directly that it supplied public goods; in "
        "part if a work that was read supports at least one; contradicted if more works "
        "contradict than support.",
        decide_substitutes,
    ),
    LITERATURE_VARIANTS,
)


# ---- reform and protection (C60) -----------------------------------------------------------------


def voice_evidence(
    *,
    period: str = "after 2017",
    statements_counted: str = "direct or partial",
    dongfeng_and_shaji: str = "one association",
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C60: what associations with a party tie are reported to have spoken for.

    Parameters
    ----------
    period : {"after 2017", "any year"}
        A forecast is tested on later works; earlier ones are what it was made from.
    statements_counted : {"direct or partial", "direct"}
        See `statements`.
    dongfeng_and_shaji, coder, doubtful : str, str, bool
        See `association_codes`.
    """
    coding.one_of("period", period, ("after 2017", "any year"))
    table = associations.ties(dongfeng_and_shaji=dongfeng_and_shaji, coder=coder, doubtful=doubtful)
    linked = table.index[table["office"].str.contains("party")]
    codes = associations.association_codes(
        dongfeng_and_shaji=dongfeng_and_shaji, coder=coder, doubtful=doubtful
    )
    own = codes[codes["association"].isin(linked) & codes["by"].eq("association")]
    speaks = own[own["concept"].isin(("lobby", "rights_protection"))]
    rows = literature.statements("C60", statements_counted=statements_counted)
    if period == "after 2017":
        rows = rows[rows["year"] > literature.AFTER]
    parts = {
        part: literature.tally(rows[rows["part"] == part]) for part in ("reform", "protection")
    }
    details = {f"{part}_{key}": n for part, found in parts.items() for key, n in found.items()}
    details |= {
        "linked": len(linked),
        "speaks": speaks["association"].nunique(),
        "works": rows["work_key"].nunique(),
    }
    sources = sorted({*own["source_id"], *rows["source_id"]})
    if not sources:
        return _nothing("associations", "No source tells of an association tied to the party.")
    return Evidence(
        value=details["speaks"],
        unit=f"of {len(linked)} associations tied to the party said to protect or lobby",
        n=len(linked),
        n_unit="associations tied to the party",
        sources=sources,
        details=details,
        limits=(
            "No source was found that says whether an association spoke for or against its members "
            "in a dispute with the state or the platform, or that it asked for political reform."
        ),
    )


def decide_voice(evidence: Evidence) -> tuple[str, str]:
    """Rule of C60."""
    found = evidence.details
    if found["reform_contradicts"]:
        return "contradicted", "A work tells of associations that asked for political reform."
    held = [
        part
        for part in ("reform", "protection")
        if found[f"{part}_supports"] >= 2
        and found[f"{part}_supports"] > found[f"{part}_contradicts"]
    ]
    direct = all(found[f"{part}_direct"] >= 2 for part in ("reform", "protection"))
    if len(held) == 2 and direct:
        return "reproduced", "Later works say both directly of associations of sellers."
    if held:
        return (
            "reproduced in part",
            f"At least two works support the part on {' and '.join(held)}, of other associations.",
        )
    return (
        "not testable here",
        "The sources are silent on reform and on disputes, and silence is not evidence.",
    )


C60 = Claim(
    "C60",
    voice_evidence,
    Rule(
        "A forecast needs later evidence. Contradicted if a later work tells of such associations "
        "that asked for political reform; reproduced if at least two later works say of "
        "associations of sellers both that they do not and that interests lack protection; in part "
        "if two works support one of these of any associations. Otherwise not testable: that "
        "nothing is reported does not count as no.",
        decide_voice,
    ),
    {
        "period": ("after 2017", "any year"),
        "statements_counted": ("direct or partial", "direct"),
    },
)


# ---- party-state corporatism (C52) ---------------------------------------------------------------


def corporatism_evidence(
    *,
    period: str = "after 2017",
    article_as_witness: str = "not counted",
    meaning_of_corporatism: str = "as in the article",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C52: premises with evidence for and against; parameters as in `premises`."""
    table = literature.premises(
        period=period,
        article_as_witness=article_as_witness,
        meaning_of_corporatism=meaning_of_corporatism,
        doubtful=doubtful,
    )
    stands = table["stands"].value_counts()
    supported = int(stands.get("supported", 0))
    contested = int(stands.get("contested", 0))
    nodes = literature.argument(doubtful=doubtful)
    used = nodes[nodes["parent_id"].isin(table.index) & nodes["kind"].isin(("for", "against"))]
    if article_as_witness == "not counted":
        used = used[used["source_id"] != associations.ARTICLE]
    if period == "after 2017":
        used = used[used["year"].gt(literature.AFTER).fillna(False)]
    return Evidence(
        value=supported + contested,
        unit=f"of {len(table)} premises with evidence for them",
        interval=(float(supported), float(supported + contested)),
        interval_kind="premises with evidence for and none against, and with any evidence for",
        n=len(used),
        n_unit="pieces of evidence",
        sources=sorted(used["source_id"].unique()),
        details={
            "premises": len(table),
            "supported": supported,
            "contested": contested,
            "opposed": int(stands.get("opposed", 0)),
            "for": int(table["for"].sum()),
            "against": int(table["against"].sum()),
            "missing": int(table["missing"].sum()),
        },
        limits=(
            "One person chose the evidence. A premise counts as supported by one place; how many "
            "places are like it is not reported."
        ),
    )


def decide_corporatism(evidence: Evidence) -> tuple[str, str]:
    """Rule of C52."""
    found = evidence.details
    n, some = found["premises"], found["supported"] + found["contested"]
    if found["supported"] == n:
        return "reproduced", "Every premise has evidence for it and none against it."
    if 2 * found["opposed"] >= n:
        return "contradicted", "For at least half of the premises the evidence is only against."
    if 2 * some >= n:
        return (
            "reproduced in part",
            f"{some} of {n} premises have evidence for them, {found['contested']} of these also "
            "against.",
        )
    return "not reproduced", "Fewer than half of the premises have evidence for them."


C52 = Claim(
    "C52",
    corporatism_evidence,
    Rule(
        "Reproduced if every premise of the argument map has evidence later than the article and "
        "none against it; in part if at least half have such evidence, contested or not; "
        "contradicted if for at least half the later evidence is only against; else not "
        "reproduced.",
        decide_corporatism,
    ),
    {
        "period": ("after 2017", "any year"),
        "article_as_witness": associations.ARTICLE_CHOICES,
        "meaning_of_corporatism": ("as in the article", "with one licensed voice"),
        "doubtful": (True, False),
    },
)


def argument_outline(*, doubtful: bool = True) -> str:
    """The argument map as a nested list in Markdown, for reading aloud.

    A node that rests on a claim of this chapter names it with its verdict.
    """
    ledger = {claim.id: claim for claim in (C46, C47, C48, C49, C50, C51, C59, C60)}
    nodes = literature.argument(doubtful=doubtful)
    told = nodes["claim_id"].map(
        {name: f" Claim {name}: {claim.judge().verdict}." for name, claim in ledger.items()}
    )
    nodes["text"] += told.fillna("")
    publisher = data.sources()["publisher"]
    lines = []
    for row in nodes[nodes["kind"] == "thesis"].itertuples():
        lines.append(f"- **Thesis.** {row.text}")
    for premise in nodes[nodes["kind"] == "premise"].itertuples():
        lines.append(f"    - **Premise.** {premise.text}")
        below = nodes[nodes["parent_id"] == premise.node_id]
        for kind in ("for", "against", "missing"):
            for row in below[below["kind"] == kind].itertuples():
                end = "" if kind == "missing" else f" ({publisher[row.source_id]}, {row.year})"
                doubt = " Doubtful: inferred by the coder." if row.doubtful else ""
                lines.append(f"        - *{kind.title()}.* {row.text}{doubt}{end}")
    return "\n".join(lines)


def _nothing(
    unit: str,
    why: str,
    details: Mapping[str, int] | None = None,
    sources: Iterable[str] = (associations.ARTICLE,),
) -> Evidence:
    """Evidence that there is none to test with, and where it was looked for."""
    looked = sorted(set(sources))
    return Evidence(value=None, unit=unit, sources=looked, limits=why, details=dict(details or {}))
