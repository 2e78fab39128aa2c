"""Claims of the article, the evidence for them, and the rules that turn one into the other.

A chapter's module declares each of its claims once::

    C19 = Claim("C19", evidence=coastal_share, rule=Rule("...", decide))

``evidence`` is a pure function whose keyword arguments are the choices that a reader may
change; ``rule`` says in words and in code when the evidence bears the claim out. Nothing here
knows any chapter: the ledger finds the chapters' claims by the names of the sections.
"""

from __future__ import annotations

import html
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from taobao_villages import data
from taobao_villages.verdicts import card

MIME = "application/vnd.taobao-villages.claim+json"  # of a verdict in a notebook
VERDICTS = (
    "reproduced",
    "reproduced in part",
    "not reproduced",
    "contradicted",
    "not testable here",
)


class ClaimError(Exception):
    """A claim, its evidence or its rule is not well formed."""


@data.cached
def _known_sources() -> frozenset[str]:
    return frozenset(data.load("sources")["source_id"])


@data.cached
def _wording(claim_id: str) -> dict[str, Any] | None:
    """The row of ``data/claims.csv`` on a claim."""
    table = data.load("claims").set_index("claim_id")
    return table.loc[claim_id].to_dict() if claim_id in table.index else None


@dataclass(frozen=True)
class Evidence:
    """What the data say about one claim.

    Parameters
    ----------
    value : float, int, str or None
        The central result; None where the data are missing.
    unit : str
        Unit of `value`.
    sources : sequence of str
        Ids in ``data/sources.csv``; at least one unless `value` is None.
    interval : (float, float), optional
        Lowest and highest value; `interval_kind` says what the two ends are.
    interval_kind : str
        For example "range over definitions and sources" or "95% confidence interval". If it
        speaks of percent, the two ends are in percent, whatever the unit of `value`.
    interval_unit : str
        Unit of `interval` where it is neither percent by its kind nor `unit`.
    n : int, optional
        Number of observations, of the kind named in `n_unit`.
    details : mapping of str to float, int or str
        Further numbers that the text, the rule or a lesson needs.
    limits : str
        What weakens this evidence, in one plain sentence.
    """

    value: float | int | str | None
    unit: str
    sources: Sequence[str]
    interval: tuple[float, float] | None = None
    interval_kind: str = ""
    interval_unit: str = ""
    n: int | None = None
    n_unit: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    limits: str = ""

    def __post_init__(self):
        if self.value is not None and not self.sources:
            raise ClaimError("evidence with a value needs at least one source_id")
        if self.interval is not None and not self.interval_kind:
            raise ClaimError("an interval needs interval_kind: say what its two ends are")
        if self.interval is not None and not self.interval_unit:
            percent = "percent" in self.interval_kind
            object.__setattr__(self, "interval_unit", "%" if percent else self.unit)
        unknown = sorted(set(self.sources) - _known_sources())
        if unknown:
            raise ClaimError(f"unknown source_id {', '.join(unknown)}: add to data/sources.csv")


@dataclass(frozen=True)
class Rule:
    """How evidence becomes a verdict.

    Parameters
    ----------
    text : str
        The rule in words, as the reader sees it.
    decide : callable
        ``decide(evidence) -> (verdict, reason)`` with a verdict of `VERDICTS`.
    changes : sequence of str
        Each later change of the rule, dated, with its reason.
    threshold : (float, str), optional
        Where the rule holds the result against one number: that number, in the unit of the result,
        and what it is, in a few words.
    """

    text: str
    decide: Callable[[Evidence], tuple[str, str]]
    changes: Sequence[str] = ()
    threshold: tuple[float, str] | None = None


@dataclass(frozen=True)
class Verdict:
    """The outcome of one claim under one set of choices."""

    claim: Claim
    evidence: Evidence
    verdict: str
    reason: str
    choices: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The ledger's entry: plain numbers, strings and lists only."""
        claim, evidence = self.claim, self.evidence
        return {
            "id": claim.id,
            "section": claim.section,
            "argument": claim.argument,
            "statement": claim.statement,
            "stated_value": claim.stated_value,
            "value": _plain(evidence.value),
            "unit": evidence.unit,
            "interval": None
            if evidence.interval is None
            else [_plain(v) for v in evidence.interval],
            "interval_kind": evidence.interval_kind,
            "interval_unit": evidence.interval_unit,
            "n": evidence.n,
            "n_unit": evidence.n_unit,
            "sources": list(evidence.sources),
            "rule": claim.rule.text,
            "rule_changes": list(claim.rule.changes),
            "verdict": self.verdict,
            "reason": self.reason,
            "limits": evidence.limits,
            "details": {key: _plain(value) for key, value in evidence.details.items()},
        }

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {
            MIME: self.as_dict(),
            "text/html": self._repr_html_(),
            "text/plain": f"{self.claim.id}: {self.verdict}. {self.reason}",
        }

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<dt>{html.escape(term)}</dt><dd>{html.escape(text)}</dd>"
            for term, text in card.panel_lines(self.as_dict())
        )
        return (
            f'<div class="claim-panel"><p><strong>Claim {self.claim.id}: '
            f"{html.escape(self.verdict)}</strong></p><dl>{rows}</dl></div>"
        )


@dataclass(frozen=True)
class Claim:
    """One claim of the article with the function that computes its evidence.

    The wording, kind and stated value are read from ``data/claims.csv`` by `id`, so that they
    stand in one place.

    Parameters
    ----------
    id : str
        As in ``data/claims.csv``.
    evidence : callable
        Computes the evidence; its keyword arguments are the choices.
    rule : Rule
    variants : mapping of str to sequence
        The reasonable values of each choice, the default first. All combinations are run.
    no_variants : str
        Why there is no reasonable choice; needed if `variants` is empty.
    skip : callable, optional
        ``skip(**choices)`` is True for a combination that makes no sense.

    Raises
    ------
    ClaimError
        If a variant is not an argument of `evidence` or does not begin with its default.
    """

    id: str
    evidence: Callable[..., Evidence]
    rule: Rule
    variants: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    no_variants: str = ""
    skip: Callable[..., bool] | None = None

    def __post_init__(self):
        parameters = inspect.signature(self.evidence).parameters
        for name, values in self.variants.items():
            if name not in parameters:
                raise ClaimError(f"{self.id}: {name} is no argument of {self.evidence.__name__}")
            if not values or values[0] != parameters[name].default:
                raise ClaimError(f"{self.id}: the first value of {name} must be its default")
            if any(values.count(value) > 1 for value in values):
                raise ClaimError(f"{self.id}: {name} has a value twice")

    @property
    def _row(self) -> Mapping[str, Any]:
        row = _wording(self.id)
        if row is None:
            raise ClaimError(f"claim {self.id} is not in data/claims.csv")
        return row

    @property
    def section(self) -> str:
        return self._row["section"]

    @property
    def argument(self) -> str:
        return self._row["argument"]

    @property
    def statement(self) -> str:
        return self._row["paraphrase"]

    @property
    def stated_value(self) -> str:
        value = self._row["stated_value"]
        return value if isinstance(value, str) else ""

    def judge(self, **choices: Any) -> Verdict:
        """Compute the evidence under `choices` and apply the rule.

        Parameters
        ----------
        **choices
            Keyword arguments of the claim's evidence function.

        Raises
        ------
        ClaimError
            If the rule returns a verdict that is not one of `VERDICTS`.
        """
        with data.steady():
            evidence = self.evidence(**choices)
        if evidence.value is None:
            return Verdict(self, evidence, "not testable here", evidence.limits, choices)
        verdict, reason = self.rule.decide(evidence)
        if verdict not in VERDICTS:
            raise ClaimError(f"{self.id}: {verdict!r} is not one of {VERDICTS}")
        return Verdict(self, evidence, verdict, reason, choices)


def _plain(value: Any) -> Any:
    """numpy scalars and NaN as plain JSON values."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value
