"""The article's forecasts: how each is declared and judged by what came after."""

from __future__ import annotations

import html
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from taobao_villages.verdicts import card
from taobao_villages.verdicts.claims import Evidence, Rule

VERDICTS = ("right", "wrong", "open")


class ForecastError(Exception):
    """A forecast is not well formed."""


@dataclass(frozen=True)
class Forecast:
    """What follows for the time after 2016 if the article (or somebody else) is right.

    Parameters
    ----------
    key : str
        Short name; the prose names it ``F_<key>``.
    claim_ids : sequence of str
        Claims of the article that it bears on; empty for forecasts by others.
    statement : str
        The forecast in our words.
    evidence : callable
        Computes the evidence; its keyword arguments are the choices.
    rule : Rule
        Its ``decide`` gives a verdict of `VERDICTS` and the reason.
    variants : mapping of str to sequence
        The reasonable values of each choice, the default first.
    """

    key: str
    claim_ids: Sequence[str]
    statement: str
    evidence: Callable[..., Evidence]
    rule: Rule
    variants: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def judge(self, **choices: Any) -> Judged:
        """Compute the evidence under `choices` and apply the rule.

        Raises
        ------
        ForecastError
            If the rule returns a verdict that is not one of `VERDICTS`.
        """
        evidence = self.evidence(**choices)
        if evidence.value is None:
            return Judged(self, evidence, "open", evidence.limits)
        verdict, reason = self.rule.decide(evidence)
        if verdict not in VERDICTS:
            raise ForecastError(f"{self.key}: {verdict!r} is not one of {VERDICTS}")
        return Judged(self, evidence, verdict, reason)

    def all_variants(self) -> pd.DataFrame:
        """Every combination of the variants with its ``verdict`` and ``value``, a row each."""
        names = list(self.variants)
        rows = []
        for values in itertools.product(*self.variants.values()):
            chosen = dict(zip(names, values, strict=True))
            judged = self.judge(**chosen)
            rows.append(chosen | {"value": judged.evidence.value, "verdict": judged.verdict})
        return pd.DataFrame(rows)


@dataclass(frozen=True)
class Judged:
    """The outcome of one forecast under one set of choices."""

    forecast: Forecast
    evidence: Evidence
    verdict: str
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """An entry of the same shape as the ledger's, with plain numbers, strings and lists."""
        found = self.evidence
        return {
            "id": f"F_{self.forecast.key}",
            "claim_ids": list(self.forecast.claim_ids),
            "statement": self.forecast.statement,
            "stated_value": "",
            "value": _plain(found.value),
            "unit": found.unit,
            "interval": None if found.interval is None else [_plain(v) for v in found.interval],
            "interval_kind": found.interval_kind,
            "n": _plain(found.n),
            "n_unit": found.n_unit,
            "sources": list(found.sources),
            "rule": self.forecast.rule.text,
            "verdict": self.verdict,
            "reason": self.reason,
            "limits": found.limits,
            "details": {key: _plain(value) for key, value in found.details.items()},
        }

    def _repr_mimebundle_(self, include=None, exclude=None):
        row = self.as_dict()
        lines = "".join(
            f"<dt>{html.escape(term)}</dt><dd>{html.escape(text)}</dd>"
            for term, text in panel_lines(row)
        )
        return {
            "application/vnd.taobao-villages.forecast+json": row,
            "text/html": f'<div class="forecast-panel"><p><strong>Forecast: {self.verdict}'
            f"</strong></p><dl>{lines}</dl></div>",
            "text/plain": f"Forecast {self.forecast.key}: {self.verdict}. {self.reason}",
        }


def panel_lines(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Term and text of each line of a forecast's panel, from an entry of `forecasts`."""
    rest = card.panel_lines(row)[1:]
    names = {"The data show": "What is known"}
    return [
        ("The forecast, in our words", row["statement"]),
        *((names.get(t, t), text) for t, text in rest),
    ]


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
