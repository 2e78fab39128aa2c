"""Command line: ``python -m taobao_villages ledger | check | seal``."""

from __future__ import annotations

import argparse
import sys

from taobao_villages import claims, data


def main(argv: list[str] | None = None) -> int:
    """Run one command; results go to standard output, faults to standard error."""
    parser = argparse.ArgumentParser(prog="taobao_villages", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    ledger = commands.add_parser("ledger", help="print every claim with its computed verdict")
    form = ledger.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="a list of objects (the default)")
    form.add_argument("--markdown", action="store_true", help="a table")
    commands.add_parser("check", help="validate every table of the data package")
    commands.add_parser("seal", help="check, then renew sizes and hashes in datapackage.json")
    arguments = parser.parse_args(argv)

    try:
        if arguments.command == "ledger":
            print(claims.ledger_markdown() if arguments.markdown else claims.ledger_json())
            return 0
        if arguments.command == "seal":
            print("\n".join(data.seal()) or "nothing had changed")
            return 0
        faults = data.check()
    except data.DataError as error:
        print(error, file=sys.stderr)
        return 1
    for fault in faults:
        print(fault)
    if not faults:
        print(f"{len(data.tables())} tables checked: no fault")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
