"""The part of a page that holds the article's assertions against the claims."""

from __future__ import annotations

import pandas as pd
from docutils import nodes

from taobao_villages import data
from taobao_villages.book import cards
from taobao_villages.subjects import literature

GROUNDS = {
    "no_claim": "no claim says it",
    "hedge_dropped": "the nearest claim drops what limits it (many, some, likely, a reported view)",
    "other_thing": "the nearest claim is about another place, time or thing",
    "definition": "explains a word",
    "article": "is about the article itself",
    "judgement": "values, and asserts nothing",
    "background": "told in passing; nothing rests on it",
    "repetition": "was said before",
}


def coverage() -> list[nodes.Node]:
    """Counts by section and by ground, the agreement of the readings, and what is missing."""
    sections = literature.coverage()
    whole = sections.sum()
    told = literature.readings()
    counts = f"{whole['all']} assertions: {whole['covered']} covered, {whole['missing']} missing, "
    counts += f"{whole['excused']} excused."
    agreement = f"Both readings list {told['both']} of the {told['all']}; on {told['same']} of "
    agreement += f"these ({told['same_pct']:.0f}%) they give the same status (Cohen's kappa "
    agreement += f"{told['kappa']:.2f}). {told['first_only']} stand in the first alone, "
    agreement += f"{told['second_only']} in the second alone. Settling was stricter than both: "
    agreement += f"{told['stricter']} that both call covered count as missing, since the claim "
    agreement += "does not quite say them."
    by_section = [
        [str(name).replace("_", "-"), *map(str, row)]
        for name, row in zip(sections.index, sections.to_numpy(), strict=True)
    ]
    grounds = [
        [status, GROUNDS[str(ground)], str(row[status])]
        for status in ("missing", "excused")
        for ground, row in literature.coverage("ground").iterrows()
        if row[status]
    ]
    rows = data.load("literature/coverage")
    missing = rows[rows["status"] == "missing"]
    return [
        nodes.paragraph("", counts),
        cards.plain_table(["Section", *sections.columns], by_section),
        cards.plain_table(["Status", "Why", "Assertions"], grounds),
        nodes.paragraph("", agreement),
        cards.fold(f"The {len(missing)} that are missing", _listed(missing)),
    ]


def _listed(rows: pd.DataFrame) -> nodes.table:
    """Place, assertion, what is missing and the nearest claims, a row each."""
    lines: list[list[str | nodes.Node]] = []
    for row in rows.itertuples():
        near = nodes.paragraph()
        for position, claim in enumerate(
            row.claim_ids.split(";") if pd.notna(row.claim_ids) else ()
        ):
            near += nodes.Text(", " if position else "")
            near += cards.reference(f"claim-{claim}", claim)
        place = f"{row.section.replace('_', '-')} {row.paragraph}.{row.sentence} {row.part}"
        lines.append([place, row.about, row.reason, near])
    return cards.plain_table(["Place", "What is asserted", "What is missing", "Nearest"], lines)
