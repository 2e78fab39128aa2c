"""The data package: validated, typed tables, and the sources behind them.

Every table is described in ``datapackage.json`` (Frictionless). `load` reads a table only after it
has passed its schema, its keys and its references; `check` does so for all and compares tables
with each other. Errors name the file, the row (line of the file, the header is 1), the column and
what to do. `load` finds damage, not change: values may be edited and rows added. Whether the files
are as released, `check` tells: `seal` binds each version of the data to one state of the files
(``versions.json``), and ``frictionless validate`` compares single files with their hashes.

What others call stands here: ``data.load("villages/national")``. To let `load` give another table,
for a what-if or a test, use `replaced`. To keep what a function computes from tables, use
`cached`, and no other cache: it knows when the tables are others.
"""

from taobao_villages.data.comparisons import TIED
from taobao_villages.data.files import (
    DataError,
    folder,
    schema,
    steady,
    tables,
    version,
    write_whole,
)
from taobao_villages.data.loading import (
    bearing,
    cached,
    cited,
    conflicts,
    indicator,
    load,
    outlines,
    reads,
    replaced,
    roles,
    source_ids,
    sources,
    support,
    supposing,
    used_by,
)
from taobao_villages.data.package import check, checksum, faults, released, seal, state

__all__ = [
    "TIED",
    "DataError",
    "bearing",
    "cached",
    "check",
    "checksum",
    "cited",
    "conflicts",
    "faults",
    "folder",
    "indicator",
    "load",
    "outlines",
    "reads",
    "released",
    "replaced",
    "roles",
    "schema",
    "seal",
    "source_ids",
    "sources",
    "state",
    "steady",
    "support",
    "supposing",
    "tables",
    "used_by",
    "version",
    "write_whole",
]
