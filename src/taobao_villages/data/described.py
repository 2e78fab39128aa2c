"""What the package says of itself against what its tables hold: roles, counts, sources."""

from __future__ import annotations

from collections.abc import Iterator

from taobao_villages.data.files import described_roles, schema, tables
from taobao_villages.data.loading import bearing, fault_at, load, sources, used_by


def role_faults() -> Iterator[str]:
    """Roles are for claims there are, and their rows fill the columns that the roles need."""
    claims = set(load("claims")["claim_id"])
    for table in tables():
        about = schema(table)
        for role in described_roles(about):
            if role.partition(":")[0] not in claims:
                where = f"data/datapackage.json, {table}, column bears_on, key roles"
                yield f"{where}: no claim for {role}. Remedy: begin it with the claim's id"
        for field in about["schema"]["fields"]:
            for role in field.get("needed_for", []):
                rows = bearing(table, role)
                for index in rows.index[rows[field["name"]].isna()]:
                    problem, remedy = f"empty in a row for {role}", "fill it, or take the role away"
                    yield fault_at(table, index, field["name"], problem, remedy)


def package_faults() -> Iterator[str]:
    """Every source is used, and what the package says of a table is about things there are."""
    used = used_by()
    for index, source in enumerate(sources().index):
        if source not in used:
            problem = f"no table uses {source}"
            yield fault_at("sources", index, "source_id", problem, "take it out, or cite it")
    claims = set(load("claims")["claim_id"])
    for table in tables():
        about = schema(table)
        known = {"used_for": claims, "figure": {f["name"] for f in about["schema"]["fields"]}}
        for key, names in known.items():
            for name in sorted(set(about.get(key, [])) - names):
                remedy = "correct the name"
                yield f"data/datapackage.json, {table}, key {key}: no {name}. Remedy: {remedy}"
