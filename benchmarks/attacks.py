"""Every attack of an audit on every model of it: the most harm at any rung, as a table of Markdown.

holdfast audit MODEL --base arcana --tier standard -o FOLDER
python benchmarks/attacks.py FOLDER
"""

import sys
from pathlib import Path

from holdfast.records import Record
from holdfast.report.league.attacks import each, labels
from holdfast.report.league.cells import most, table

ROLES = {"undefended": "undefended", "oracle": "oracle", "defended": "defended"}


def main():
    records = [Record.from_json(path.read_text()) for path in sorted(Path(sys.argv[1]).glob("records/**/*.json"))]
    known = labels([records])
    columns = {}
    for role, told in ROLES.items():
        own = [record for record in records if record.role == role]
        if own:
            columns[f"{told}: {own[0].model}"] = each([own], [own], known)
    rows = sorted(zip(known.values(), *columns.values(), strict=True), key=lambda row: row[0])
    print(table(["attack", *columns], [[label, *map(most, found)] for label, *found in rows]))


if __name__ == "__main__":
    main()
