#!/usr/bin/env python3
"""Check a month of a Nightwindow ledger: python3 ledger_verify.py DUMP [--key KEY] [--before DUMP] [--witness KEY].

Needs Python 3.11 and PyNaCl, and nothing of the server that made the dump. It checks every signature, that the tree of each day
follows from the one before, that each published cell is exactly the ratings that the rules put there, and that their sealed
levels add up to its counts. Every fault is named; exit status 1 when there is one. docs/ledger.md tells the formats.
"""

import argparse
import base64
import calendar
import datetime
import hashlib
import itertools
import json
import multiprocessing
import os
import sys

from nacl import bindings as sodium
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

STEP, SMALLEST, CHUNK = 5, 10, 20_000
STANDINGS = ("counted", "apart", "unreadable")
LEVELS = ("5", "4", "3", "2", "1")
ORDER = 2**252 + 27742317777372353535851937790883648493


def level_point(level):
    digest = hashlib.sha512(b"nightwindow/1/level\0" + bytes([int(level)])).digest()
    return sodium.crypto_core_ed25519_from_uniform(digest[:32])


def leaf_hash(data):
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """The right edge of an RFC 9162 tree: enough to append and to give the root."""

    def __init__(self, size, edge):
        self.size = size
        heights = [height for height in range(size.bit_length() - 1, -1, -1) if size >> height & 1]
        self.edge = list(zip(heights, edge, strict=True))

    def append(self, found):
        height = 0
        while self.edge and self.edge[-1][0] == height:
            found, height = node_hash(self.edge.pop()[1], found), height + 1
        self.edge.append((height, found))
        self.size += 1

    def root(self):
        if not self.edge:
            return hashlib.sha256(b"").digest()
        found = self.edge[-1][1]
        for _, left in reversed(self.edge[:-1]):
            found = node_hash(left, found)
        return found


def included(found, index, size, proof, root):
    """Whether a leaf hash is number `index` of the tree (RFC 9162, 2.1.3.2)."""
    place, last = index, size - 1
    for step in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(step, found)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, step)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def read_key(text):
    """Name, kind and public key of `name+hash+base64`."""
    name, digest, encoded = text.strip().split("+", 2)
    raw = base64.b64decode(encoded, validate=True)
    if len(raw) != 33 or hashlib.sha256(name.encode() + b"\n" + raw).hexdigest()[:8] != digest:
        raise ValueError(f"the key of {name} has a mistake in it")
    return name, raw[0], raw[1:]


def signers(note):
    """A note's text, and its signature lines as (name, key id, rest)."""
    text, _, lines = note.rpartition("\n\n")
    found = []
    for line in lines.splitlines():
        name, _, encoded = line.removeprefix("— ").partition(" ")
        raw = base64.b64decode(encoded, validate=True)
        found.append((name, raw[:4], raw[4:]))
    return text + "\n", found


def is_signed(note, key):
    """Whether the note is signed, or cosigned, by that key."""
    name, kind, raw = read_key(key)
    wanted = hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + raw).digest()[:4]
    text, found = signers(note)
    for signer, identity, rest in found:
        if (signer, identity) != (name, wanted):
            continue
        message = text.encode()
        if kind == 4:
            message, rest = f"cosignature/v1\ntime {int.from_bytes(rest[:8], 'big')}\n{text}".encode(), rest[8:]
        try:
            VerifyKey(raw).verify(message, rest)
        except (BadSignatureError, ValueError):
            return False
        return True
    return False


def add_up(leaves):
    """The sum of leaves given as one string of 32-byte points; None when one of them is no point of the group."""
    total = None
    for at in range(0, len(leaves), 32):
        point = leaves[at : at + 32]
        if not sodium.crypto_core_ed25519_is_valid_point(point):
            return None
        total = point if total is None else sodium.crypto_core_ed25519_add(total, point)
    return total


def opening(cell):
    """The point that a cell's counts and scalar sum stand for."""
    scalar = bytes.fromhex(cell["sum"])
    total = sodium.crypto_scalarmult_ed25519_base_noclamp(scalar) if any(scalar) else None
    for level in LEVELS:
        if count := cell["levels"][level]:
            share = sodium.crypto_scalarmult_ed25519_noclamp(count.to_bytes(32, "little"), level_point(level))
            total = share if total is None else sodium.crypto_core_ed25519_add(total, share)
    return total


def partition(waiting):
    """Which cells have to open: (kind, [[hall, window, count]]) in their order."""
    whole = {place: count - count % STEP for place, count in sorted(waiting.items()) if count >= STEP}
    cells = [("window", [[*place, count]]) for place, count in whole.items() if count >= SMALLEST]
    rest = []
    for hall in sorted({hall for hall, _ in whole}):
        small = [[*place, count] for place, count in whole.items() if place[0] == hall and count < SMALLEST]
        if sum(each[2] for each in small) >= SMALLEST:
            cells.append(("hall", small))
        else:
            rest += small
    return [*cells, ("county", rest)] if sum(each[2] for each in rest) >= SMALLEST else cells


class Check:
    """One run over one dump. `faults` has a sentence for each thing that does not fit."""

    def __init__(self, dump, *, key=None, before=None, witnesses=()):
        self.dump, self.before, self.witnesses, self.faults = dump, before, witnesses, []
        with open(dump, encoding="utf-8", newline="\n") as file:
            self.head = json.loads(file.readline())
        if self.head.get("format") != "nightwindow/1/ledger-dump":
            raise ValueError(f"{dump} is no dump of a ledger")
        self.key = key or self.head["key"]
        self.month, self.start = self.head["month"], self.head["from"]
        self.statement = json.loads(self.head["statement"])
        self.counted, self.apart, self.unreadable, self.leaves = {}, {}, 0, set()
        self.days, self.through, self.told = [], None, None

    def fault(self, text):
        self.faults.append(text)

    def run(self):
        roots = self.check_heads()
        self.check_carried(roots.get(self.start))
        self.check_entries(roots)
        self.check_days()
        self.check_statement()
        self.check_cells()
        self.check_before(roots)
        return self.faults

    def check_heads(self):
        """Signatures; gives the root of each signed size."""
        roots, self.labels = {}, {}
        for head in self.head["heads"]:
            lines = head["note"].split("\n")
            size, root = int(lines[1]), base64.b64decode(lines[2])
            if not is_signed(head["note"], self.key):
                self.fault(f"the head after {head['label']} is not signed by {self.key}")
            if lines[0] != read_key(self.key)[0]:
                self.fault(f"the head after {head['label']} is of another log, {lines[0]}")
            if roots and size <= max(roots):
                self.fault(f"the head after {head['label']} is not larger than the one before")
            roots[size], self.labels[size] = root, head["label"]
        for key in self.witnesses:
            missing = [head["label"] for head in self.head["heads"] if not is_signed(head["note"], key)]
            if missing:
                self.fault(f"{read_key(key)[0]} has not cosigned the head after {', '.join(missing)}")
        return roots

    def take(self, position, entry):
        """Put a rating where the rules say it waits."""
        _, leaf, hall, window, standing = entry
        if leaf in self.leaves:
            self.fault(f"entry {position} repeats a leaf that is in the log already")
        self.leaves.add(leaf)
        if standing not in STANDINGS:
            self.fault(f"entry {position} has the unknown standing {standing!r}")
        elif standing == "counted":
            self.counted.setdefault((hall, window), []).append((position, bytes.fromhex(leaf)))
        elif standing == "apart":
            self.apart[position] = bytes.fromhex(leaf)
        else:
            self.unreadable += position >= self.start

    def check_carried(self, root):
        for each in self.head["carried"]:
            position, data = each["position"], each["entry"].encode()
            proof = [bytes.fromhex(step) for step in each["proof"]]
            if root is None or not position < self.start or not included(leaf_hash(data), position, self.start, proof, root):
                self.fault(f"carried entry {position} is not in the ledger of the month before")
            self.take(position, json.loads(data))

    def check_entries(self, roots):
        """Every batch: its order, what it says of itself, and that the tree after it is the one that was signed."""
        tree = Tree(self.start, [bytes.fromhex(each) for each in self.head["frontier"]])
        if self.start in roots and tree.root() != roots[self.start]:
            self.fault("the tree of the month before is not the one that was signed")
        with open(self.dump, encoding="utf-8", newline="\n") as file:
            file.readline()
            for before, end in itertools.pairwise([self.start, *(size for size in roots if size > self.start)]):
                lines = [line[:-1].encode() for line in itertools.islice(file, end - before)]
                self.check_batch(tree, self.labels[end], lines, before, roots)
                if tree.size != end or tree.root() != roots[end]:
                    self.fault(f"the entries of {self.labels[end]} do not lead to its signed head")
            if file.readline():
                self.fault("there are entries after the last signed head")

    def check_batch(self, tree, label, lines, before, roots):
        last, ratings, told = b"", 0, {}
        for position, data in enumerate(lines, before):
            found = leaf_hash(data)
            if found <= last:
                self.fault(f"entry {position} of {label} is not in its place by hash")
            last = found
            tree.append(found)
            try:
                entry = json.loads(data)
                if entry[0] == "rating":
                    self.take(position, entry)
                    ratings += 1
                elif entry[0] in ("day", "head", "cells"):
                    told[entry[0]] = entry[1:]
            except (ValueError, TypeError, LookupError):
                self.fault(f"entry {position} of {label} cannot be read")
        if before and told.get("head") != [before, roots.get(before, b"").hex()]:
            self.fault(f"{label} does not name the head before it")
        if label.startswith("cells "):
            self.told = told.get("cells")
            return
        if told.get("day") != [label, ratings]:
            self.fault(f"{label} says {told.get('day')} of itself and has {ratings} ratings")
        self.days.append(label)
        self.through = before + len(lines)

    def check_days(self):
        days = [datetime.date.fromisoformat(day) for day in self.days]
        year, month = (int(part) for part in self.month.split("-"))
        end = datetime.date(year, month, calendar.monthrange(year, month)[1])
        if not days or days[-1] != end or any(one.toordinal() + 1 != next_.toordinal() for one, next_ in itertools.pairwise(days)):
            self.fault(f"the days of {self.month} are not complete up to {end}")
        if self.start and days and days[0] != end.replace(day=1):
            self.fault(f"{self.month} does not begin with its first day")

    def check_statement(self):
        digest = hashlib.sha256(self.head["statement"].encode()).hexdigest()
        if self.told != [self.month, digest]:
            self.fault("the statement of cells is not the one that the log holds")
        wanted = {"origin": self.head["origin"], "month": self.month, "from": self.start, "through": self.through}
        for name, value in wanted.items():
            if self.statement.get(name) != value:
                self.fault(f"the statement says {name} {self.statement.get(name)!r} instead of {value!r}")
        if self.statement["unreadable"] != self.unreadable:
            self.fault(f"the statement says {self.statement['unreadable']} unreadable ratings, the log has {self.unreadable}")
        number = sum(each["good"] + each["negative"] for each in self.statement["exclusions"])
        if number != len(self.statement["exclusion_commitments"]):
            self.fault(f"the statement excludes {number} ratings and commits to {len(self.statement['exclusion_commitments'])}")
        for each in self.statement["exclusions"]:
            if each["month"] == self.month:
                levels = self.statement["cells"][each["cell"]]["levels"]
                good, negative = sum(levels[each] for each in "543"), sum(levels[each] for each in "21")
                if each["good"] > good or each["negative"] > negative:
                    self.fault(f"cell {each['cell']} has fewer ratings than the statement excludes")

    def check_cells(self):
        """That the cells are those of the rules, hold the leaves that the rules put there, and open to their counts."""
        cells, carried = self.statement["cells"], set(self.statement["carried"])
        wanted = partition({place: len(leaves) for place, leaves in self.counted.items()})
        if [(cell["kind"], cell["places"]) for cell in cells] != wanted:
            self.fault("the cells are not those that the rules make of this month's ratings")
        opened = {(hall, window): count for _, places in wanted for hall, window, count in places}
        sums, names = [], []
        for place, leaves in self.counted.items():
            left = [position for position, _ in leaves if position in carried]
            old = sum(position < self.start for position, _ in leaves)
            due = len(leaves) - opened.get(place, 0)
            if len(left) != due:
                self.fault(f"{len(left)} ratings of window {'/'.join(place)} are carried instead of {due}")
            if sum(position < self.start for position in left) > max(0, old - opened.get(place, 0)):
                self.fault(f"ratings of window {'/'.join(place)} that waited are passed over")
            carried -= set(left)
        if carried:
            self.fault(f"{len(carried)} carried ratings are none of this month")
        kept = set(self.statement["carried"])
        for number, cell in enumerate(cells):
            places = [(hall, window) for hall, window, _ in cell["places"]]
            sums.append([leaf for each in places for position, leaf in self.counted.get(each, []) if position not in kept])
            names.append((f"cell {number} ({', '.join('/'.join(each) for each in places[:3])})", cell))
        if self.statement["apart"] is not None:
            sums.append(list(self.apart.values()))
            names.append(("the cell of ratings kept apart", self.statement["apart"]))
        elif len(self.apart) >= SMALLEST or len(self.apart) != self.statement["apart_waiting"]:
            self.fault(f"{len(self.apart)} ratings kept apart wait, the statement says {self.statement['apart_waiting']}")
        self.check_sums(sums, names)

    def check_sums(self, sums, names):
        parts = [(no, b"".join(leaves[at : at + CHUNK])) for no, leaves in enumerate(sums) for at in range(0, len(leaves), CHUNK)]
        workers = min(len(parts), len(os.sched_getaffinity(0)))
        if workers > 1 and sum(map(len, sums)) > CHUNK:
            with multiprocessing.get_context("spawn").Pool(workers) as pool:
                found = pool.map(add_up, [part for _, part in parts], chunksize=1)
        else:
            found = [add_up(part) for _, part in parts]
        for number, (name, cell) in enumerate(names):
            points = [point for (no, _), point in zip(parts, found, strict=True) if no == number]
            counts = cell["levels"]
            if sorted(counts) != sorted(LEVELS) or any(type(count) is not int or count < 0 for count in counts.values()):
                self.fault(f"{name}: its counts cannot be")
            elif cell["n"] < SMALLEST or cell["n"] != sum(counts.values()) or cell["n"] != len(sums[number]):
                self.fault(f"{name} says {cell['n']} ratings, counts {sum(counts.values())} and holds {len(sums[number])}")
            elif None in points or add_up(b"".join(points)) != opening(cell):
                self.fault(f"{name}: its ratings do not add up to its counts")

    def check_before(self, roots):
        """That the month before left exactly what this one begins with."""
        if self.before is None:
            return
        with open(self.before, encoding="utf-8", newline="\n") as file:
            head = json.loads(file.readline())
        old = json.loads(head["statement"])
        here = {each["position"] for each in self.head["carried"] if json.loads(each["entry"])[4] == "counted"}
        if old["through"] != self.start or here != set(old["carried"]):
            self.fault(f"{self.month} does not begin with what {head['month']} carried")
        if len(self.head["carried"]) - len(here) != old["apart_waiting"]:
            self.fault(f"{head['month']} left {old['apart_waiting']} ratings kept apart")
        notes = {each["note"].split("\n\n")[0] for each in head["heads"]}
        if self.start and not any(each["note"].split("\n\n")[0] in notes for each in self.head["heads"]):
            self.fault(f"{self.month} and {head['month']} have no head in common")


def main():
    parser = argparse.ArgumentParser(description="Check a month of a Nightwindow ledger.")
    parser.add_argument("dump", help="the month, as /ledger/dump/2026-11 gives it")
    parser.add_argument("--key", help="the fleet's key, written name+hash+base64; without it, the key in the dump is believed")
    parser.add_argument("--before", help="the dump of the month before, to check what was carried")
    parser.add_argument("--witness", action="append", default=[], help="a witness's key; every head must have its cosignature")
    options = parser.parse_args()
    try:
        check = Check(options.dump, key=options.key, before=options.before, witnesses=options.witness)
        faults = check.run()
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        print(f"{options.dump} cannot be checked: {type(error).__name__}: {error}")
        return 1
    for fault in faults:
        print(fault)
    cells = check.statement["cells"]
    print(
        f"{check.month}: {len(check.leaves)} ratings, {len(cells)} cells with {sum(cell['n'] for cell in cells)} of them, "
        f"{len(check.days)} days: {'everything fits' if not faults else f'{len(faults)} faults'}; key {check.key}"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
