#!/usr/bin/env python3
"""Reads a CSV or NDJSON result with Python's own readers and compares it, row by row, with the rows as JSON.

read_back.py ndjson FILE ROWS_JSON      every line must be the row at its place
read_back.py csv FILE ROWS_JSON         every field must be the text of the value at its place, null an empty field
"""
import csv
import json
import sys

kind, path, rows_path = sys.argv[1:4]
with open(rows_path, encoding="utf-8") as file:
    rows = json.load(file)


def fail(message):
    print(message)
    sys.exit(1)


if kind == "ndjson":
    with open(path, encoding="utf-8", newline="\n") as file:
        read = [json.loads(line) for line in file]
    for number, (one, other) in enumerate(zip(read, rows)):
        if one != other:
            fail(f"row {number} differs: {one} and {other}")
else:
    with open(path, encoding="utf-8-sig", newline="") as file:
        lines = list(csv.reader(file))
    if lines[0] != list(rows[0]):
        fail(f"the head differs: {lines[0]}")
    read = lines[1:]
    for number, (fields, row) in enumerate(zip(read, rows)):
        for name, field, value in zip(lines[0], fields, row.values()):
            text = "" if value is None else {True: "true", False: "false"}.get(value) if isinstance(value, bool) else str(value)
            if field != text:
                fail(f"row {number}, {name}: {field!r} and {text!r}")
if len(read) != len(rows):
    fail(f"{len(read)} rows, {len(rows)} were expected")
print(f"{len(read)} rows are the same")
