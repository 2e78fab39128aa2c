"""The directive that makes the reference pages from the data package and the ledger."""

from __future__ import annotations

import importlib.metadata
import platform
from collections import Counter
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_id

from taobao_villages import __version__, data
from taobao_villages.book import cards, measured
from taobao_villages.book.asserted import coverage
from taobao_villages.verdicts import card, ledger, multiverse
from taobao_villages.verdicts.claims import VERDICTS
from taobao_villages.verdicts.words import verdict_line

MANY_CONFLICTS = 60  # a table with more stands by itself, folded
# What a simulated run says of a method: the least share that earns the words, in percent.
INTERVALS = {0: "holds too seldom", 93: "as promised", 97: "wider than needed"}
TESTS = {0: "cautious", 4: "as promised", 6: "rejects too often"}
RUN = {"run": "Run on, at commit"}
COLOPHON = ["jupyter-book", "pandas", "statsmodels", "seaborn", "esda", "geopandas", "scipy"]


def _older(version: str) -> str:
    """Says so if a run was made with other data than this book's."""
    return "" if version == data.state() else f" (this book has data {data.state()})"


class Reference(SphinxDirective):
    """``{reference} claims``, ``sources`` and the like: made from the data at build time."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        makers = {
            "claims": self.claims,
            "coverage": coverage,
            "sources": self.sources,
            "dictionary": self.dictionary,
            "gaps": self.gaps,
            "conflicts": self.conflicts,
            "corrections": self.corrections,
            "places": self.places,
            "colophon": self.colophon,
            "calibration": self.calibration,
            "faults": self.faults,
            "timings": self.timings,
            "scorecard": self.scorecard,
        }
        if self.arguments[0] not in makers:
            raise self.error(f"{self.arguments[0]!r} is not one of {', '.join(makers)}")
        return makers[self.arguments[0]]()

    def target(self, label: str, title: str, node: nodes.Element) -> nodes.Element:
        """Make `node` reachable as a label from every page."""
        label = label.lower()
        node["ids"].append(make_id(self.env, self.state.document, term=label))
        self.env.domains["std"].note_hyperlink_target(
            label, self.env.docname, node["ids"][-1], title
        )
        return node

    def section(self, label: str, title: str, *content: nodes.Node) -> nodes.section:
        section = nodes.section("", nodes.title("", title), *content)
        self.state.document.note_implicit_target(section)
        return self.target(label, title, section)

    def claims(self) -> list[nodes.Node]:
        env: Any = self.env
        judged = {row["id"]: row for row in env.taobao_ledger}
        table = data.load("claims")
        overview = cards.plain_table(
            ["Claim", "Section", card.STATEMENT, "Verdict"],
            [
                [
                    cards.reference(f"claim-{claim.claim_id}", claim.claim_id),
                    claim.section.replace("_", "-"),
                    claim.paraphrase,
                    verdict_line(row["verdict"], row["variants"])
                    if (row := judged.get(claim.claim_id))
                    else "not yet tested",
                ]
                for claim in table.itertuples()
            ],
        )
        overview["classes"].append("sortable")
        parts: list[nodes.Node] = [overview]
        for claim in table.itertuples():
            row = judged.get(claim.claim_id)
            if row:
                repository = env.config.html_theme_options["repository_url"]
                body = [cards.claim_panel(row, repository)]
                for change in row["rule_changes"]:
                    body.append(nodes.paragraph("", f"Change of the rule: {change}"))
                where = cards.reference(f"panel-{claim.claim_id}", "Where it is worked out")
                body.append(nodes.paragraph("", "", where))
            else:
                body = [
                    nodes.paragraph("", claim.paraphrase),
                    nodes.paragraph("", "Not yet tested in this version of the book."),
                ]
            part = self.section(f"claim-{claim.claim_id}", f"Claim {claim.claim_id}", *body)
            part["ids"].append(claim.claim_id.lower())  # the short address, claims.html#c19
            parts.append(part)
        return parts

    def sources(self) -> list[nodes.Node]:
        used = data.used_by()
        rows = []
        for source in data.sources().sort_index().itertuples():
            title = nodes.paragraph("", f"{source.publisher}. ")
            address = source.address_read or source.address
            if address.startswith("http"):
                title += nodes.reference("", source.title, refuri=address, internal=False)
            else:
                title += nodes.Text(f"{source.title} ({address})" if address else source.title)
            for text in (source.original_title, source.licence_note, source.note):
                if text:
                    title += nodes.Text(f". {text}")
            title += nodes.Text(". Used in " + ", ".join(used.get(source.Index, [])) + ".")
            rows.append([source.Index, title, source.date, source.kind, source.reliability])
        head = ["Source", "Publisher, title, notes, tables", "Date", "Kind", "Grade"]
        table = cards.plain_table(head, rows)
        table["classes"].append("sortable")
        body = next(iter(table.findall(nodes.tbody)))
        for row, cells in zip(body.children, rows, strict=True):
            self.target(f"source-{cells[0]}", cells[0], row)
        return [table]

    def dictionary(self) -> list[nodes.Node]:
        parts: list[nodes.Node] = []
        for name in data.tables():
            about = data.schema(name)
            rows = [
                (
                    nodes.literal("", column["name"]),
                    column["type"],
                    column.get("unit", ""),
                    column.get("description", ""),
                )
                for column in about["schema"]["fields"]
            ]
            size = card.counted(len(data.load(name)), "row")
            text = nodes.paragraph("", f"{about['description']} {size}.")
            body: list[nodes.Node] = [text]
            if about.get("used_for"):
                line = nodes.paragraph("", "Used for: ")
                for position, claim in enumerate(about["used_for"]):
                    line += nodes.Text(", " if position else "")
                    line += cards.reference(f"claim-{claim}", claim)
                body.append(line)
            if about.get("gaps"):
                body.append(nodes.paragraph("", "Known gaps: " + " ".join(about["gaps"])))
            roles = [
                [cards.reference(f"claim-{role[:3]}", role), meaning]
                for role, meaning in data.roles(name).items()
            ]
            columns = cards.plain_table(["Column", "Type", "Unit", "Meaning"], rows)
            if len(rows) > 8:  # fewer are read at a glance
                columns["classes"].append("sortable")
            body.append(columns)
            if roles:
                body.append(cards.plain_table(["Role in bears_on", "Meaning"], roles))
            parts.append(self.section(f"table-{name}", name, *body))
        return parts

    def gaps(self) -> list[nodes.Node]:
        rows = [
            [cards.reference(f"table-{name}", name), gap]
            for name in data.tables()
            for gap in data.schema(name).get("gaps") or []
        ]
        table = cards.plain_table(["Table", "What is missing"], rows)
        table["classes"].append("sortable")
        return [table]

    def conflicts(self) -> list[nodes.Node]:
        short: list[list[str | nodes.Node]] = []
        parts: list[nodes.Node] = []
        head = ["Table", "What", "Values and who gives them"]
        for name, found in data.conflicts().groupby("table", sort=False):
            rows: list[list[str | nodes.Node]] = [
                [cards.reference(f"table-{name}", name), row.what, row.told]
                for row in found.itertuples()
            ]
            if len(rows) <= MANY_CONFLICTS:
                short += rows
                continue
            table = cards.plain_table(head, rows)
            table["classes"].append("sortable")
            parts.append(cards.fold(f"{len(rows)} conflicts in {name}", table))
        table = cards.plain_table(head, short)
        table["classes"].append("sortable")
        return [table, *parts]

    def corrections(self) -> list[nodes.Node]:
        rows = []
        for row in data.load("literature/corrections").itertuples():
            ids = row.source_id.split(";")
            told = nodes.paragraph("", row.found)
            if isinstance(row.note, str):
                told += nodes.Text(f" ({row.note})")
            rows.append(
                [row.place, row.article_prints, told, row.certainty, cards.source_links(ids)]
            )
        head = ["Where", "The article prints", "Found", "Certainty", "Source"]
        table = cards.plain_table(head, rows)
        table["classes"].append("sortable")
        return [table]

    def places(self) -> list[nodes.Node]:
        rows = [
            [row.name_en, row.name_zh, nodes.emphasis("", row.pinyin), row.capital, row.capital_zh]
            for row in data.load("provinces/provinces").sort_values("name_en").itertuples()
        ]
        head = ["Province", "Characters", "Pinyin", "Capital", "Its characters"]
        return [cards.plain_table(head, rows)]

    def scorecard(self) -> list[nodes.Node]:
        """One bar of all verdicts, in words too, and a folded table by section."""
        judged = self.env.taobao_ledger  # type: ignore[attr-defined]
        told = Counter(row["verdict"] for row in judged)
        words = ", ".join(f"{told[verdict]} {verdict}" for verdict in VERDICTS)
        parts = "".join(
            f'<span class="score-{verdict.replace(" ", "-")}" style="flex-grow:{told[verdict]}">'
            f"{told[verdict]}</span>"
            for verdict in VERDICTS
            if told[verdict]
        )
        keys = "".join(
            f'<li><span class="score-{verdict.replace(" ", "-")}">{told[verdict]}</span> {verdict}'
            for verdict in VERDICTS
        )
        bar = f'<div class="scorebar" role="img" aria-label="{len(judged)} claims: {words}">{parts}'
        bar += f'</div><ul class="scorekeys">{keys}</ul>'
        rows = []
        for section in ledger.sections():
            here = Counter(row["verdict"] for row in judged if row["section"] == section)
            rows.append([section.replace("_", "-"), *(str(here[v]) for v in VERDICTS)])
        table = cards.plain_table(["Section", *VERDICTS], rows)
        outvoted = multiverse.outvoted({row["id"]: row["variants"] for row in judged})
        return [
            nodes.raw("", bar, format="html"),
            nodes.paragraph("", f"The verdict is that of our default choices. {outvoted}"),
            cards.fold("The scorecard by section", table),
        ]

    def colophon(self) -> list[nodes.Node]:
        judged = self.env.taobao_ledger  # type: ignore[attr-defined]
        variants = sum(row["variants"]["n"] for row in judged)
        figures = sum(len(data.load(name)) for name in data.tables())
        rows = [
            ["Book and package", f"version {__version__}"],
            ["Data", f"version {data.state()}, checksum {data.checksum()[:16]}"],
            ["Tables, rows", f"{len(data.tables())}, {figures:,}"],
            ["Sources", f"{len(data.sources()):,}"],
            ["Claims with a verdict, variants run", f"{len(judged)}, {variants:,}"],
            ["Python", platform.python_version()],
            *([name, importlib.metadata.version(name)] for name in COLOPHON),
        ]
        return [cards.plain_table(["What", "State"], rows)]

    def kept(self, name: str, heads: dict[str, str]) -> nodes.table:
        """The columns of a kept table that have a head; the page is made anew when it changes."""
        self.env.note_dependency(str(measured.stored_in(name)))
        table = measured.table(name)
        table["run"] = table["date"] + ", " + table["commit"]
        return cards.plain_table([*heads.values()], table[[*heads]].to_numpy().tolist())

    def calibration(self) -> list[nodes.Node]:
        runs = [measured.stored(name) for name in ("calibration", "clusters")]
        for name in ("calibration", "clusters"):
            self.env.note_dependency(str(measured.stored_in(f"audits/{name}.json")))
        parts: list[nodes.Node] = []
        for kind, head, words in (
            ("interval", "Holds the truth, %", INTERVALS),
            ("test", "Rejects without cause, %", TESTS),
        ):
            rows = [
                [
                    row["method"],
                    ", ".join(row["claims"]),
                    f"{row['n']:,}",
                    row["drawn"],
                    f"{row['percent']} ({row['low']} to {row['high']})",
                    [said for least, said in words.items() if row["percent"] >= least][-1],
                ]
                for told in runs
                for row in told["rows"]
                if row["kind"] == kind
            ]
            names = ["Method", "Used by", "Units", "What is drawn", head, "In short"]
            parts.append(cards.plain_table(names, rows))
        line = nodes.paragraph("", "", classes=["source-line"])
        for told, what in zip(runs, ("Up to hundreds of units", "Counties"), strict=True):
            run = f"{what}: {told['draws']:,} draws each; run on {told['date']} at commit "
            run += f"{told['commit']}, data {told['data_version']}{_older(told['data_version'])}. "
            line += nodes.Text(run)
        line += [
            nodes.Text("To repeat it: "),
            nodes.literal("", "make audit-deep"),
            nodes.Text("."),
        ]
        return [*parts, line]

    def faults(self) -> list[nodes.Node]:
        heads = {"what": "What was done", "tried": "Tried", "caught": "Caught or same"}
        table = self.kept("audits/broken.csv", heads | {"lost": "Lost"} | RUN)
        line = nodes.paragraph("", "To repeat it, in some hours: ", classes=["source-line"])
        line += [nodes.literal("", "make audit-deep"), nodes.Text(".")]
        return [table, line]

    def timings(self) -> list[nodes.Node]:
        heads = {"what": "What", "taken": "Taken", "compared": "Compared with", "ratio": "Ratio"}
        times = self.kept("timings/results.csv", heads | RUN)
        times["classes"].append("sortable")
        printed = measured.table("timings/growth.csv").columns.drop(["part", "date", "commit"])
        growth = self.kept("timings/growth.csv", {name: name for name in printed})
        printed = measured.table("timings/clusters.csv").columns.drop(["part", "date", "commit"])
        clusters = self.kept("timings/clusters.csv", {name: name for name in printed})
        line = nodes.paragraph("", "To repeat it, in an hour: ", classes=["source-line"])
        line += [nodes.literal("", "make bench"), nodes.Text(".")]
        return [times, growth, clusters, line]
