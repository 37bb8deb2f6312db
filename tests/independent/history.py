#!/usr/bin/python3
"""An independent view of a history: what its operations became, computed a second time.

    justhungry-server --check DIR --json | tests/independent/history.py

It shares no code with the servers: what it relies on stands in docs/formats.md and rpc/shop.x. From the bodies alone it
computes each outcome, the digest of the history and the digest of the computed state, and compares them with what --check says
after every operation. It also looks for a request that was executed twice.

Exit status 0: they agree; 1: they do not, and one line names the first op that differs; 2: this is no output of --check --json.
Needs the Debian package python3-xxhash, hence Debian's own interpreter.
"""

import datetime
import json
import struct
import sys
import uuid

import xxhash

FORMAT = 3  # whose rules these are

ORDER, VOID = 1, 2
KIND_NAMES = {ORDER: "order", VOID: "void"}
CHECK_NAMES = {0: None, 1: "exists", 2: "format-only"}
DONE, REFUSED, NOTHING, PASSED = 0, 1, 2, 3
RESULT_NAMES = {DONE: "done", REFUSED: "refused", NOTHING: "void", PASSED: "passed"}

CUSTOMER_MAX, POSTCODE_MAX, ITEM_MAX, ITEMS_MAX = 64, 32, 128, 32
ACTOR_MAX, NOTE_MAX, VALUES_MAX = 64, 256, 4
REASON_MAX = 0xFFFF

NO_DIGEST = bytes(16)


class Malformed(Exception):
    """Bytes that are not the one encoding of an operation."""


class Differs(Exception):
    """What --check says is not what its bodies give."""


# --- XDR (RFC 4506): of each value there is one encoding ----------------------------------------------------------------


class Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, size):
        if len(self.data) - self.at < size:
            raise Malformed("it is cut short")
        self.at += size
        return self.data[self.at - size : self.at]

    def word(self):
        return struct.unpack(">I", self.take(4))[0]

    def hyper(self):
        return struct.unpack(">q", self.take(8))[0]

    def unsigned_hyper(self):
        return struct.unpack(">Q", self.take(8))[0]

    def boolean(self):
        value = self.word()
        if value > 1:
            raise Malformed(f"{value} is no bool")
        return value == 1

    def opaque(self, limit):
        size = self.word()
        if size > limit:
            raise Malformed(f"a text of {size} bytes, where {limit} are allowed")
        data = self.take(size)
        if any(self.take(-size % 4)):
            raise Malformed("padding that is not zero")
        return data

    def end(self):
        if self.at != len(self.data):
            raise Malformed(f"{len(self.data) - self.at} bytes after its end")


class Outcome:
    def __init__(self, result, reason=0, values=()):
        self.result, self.reason, self.values = result, reason, list(values)

    def encode(self):
        return struct.pack(f">III{len(self.values)}q", self.result, self.reason, len(self.values), *self.values)

    def shown(self):
        return {"result": RESULT_NAMES[self.result], "reason": self.reason, "values": self.values}


def read_outcome(reader):
    result, reason, count = reader.word(), reader.word(), reader.word()
    if result not in RESULT_NAMES or reason > REASON_MAX or count > VALUES_MAX:
        raise Malformed(f"no outcome: result {result}, reason {reason}, {count} values")
    return Outcome(result, reason, [reader.hyper() for _ in range(count)])


class Body:
    """struct jh_body."""

    def __init__(self, data):
        reader = Reader(data)
        self.format = reader.word()
        self.client = reader.take(16)
        self.request = reader.unsigned_hyper()
        self.time_us = reader.hyper()
        self.check = reader.word()
        if self.check not in CHECK_NAMES:
            raise Malformed(f"check {self.check}")
        self.actor = self.note = b""
        self.forgotten = None
        if reader.boolean():
            self.read_extra(reader)
        self.kind = reader.word()
        if self.format != FORMAT or self.kind not in KIND_NAMES:
            raise Malformed(f"kind {self.kind} of format {self.format}")
        if self.kind == ORDER:
            self.read_order(reader)
        reader.end()

    def read_extra(self, reader):
        self.actor = reader.opaque(ACTOR_MAX)
        self.note = reader.opaque(NOTE_MAX)
        if reader.boolean():
            self.forgotten = read_outcome(reader)
            reader.take(16)  # the digest of the content, for repeats
        if not self.actor and not self.note and self.forgotten is None:
            raise Malformed("an empty extra")

    def read_order(self, reader):
        self.customer = reader.opaque(CUSTOMER_MAX)
        self.postcode = reader.opaque(POSTCODE_MAX)
        count = reader.word()
        if not 1 <= count <= ITEMS_MAX:
            raise Malformed(f"{count} items")
        self.items = [reader.opaque(ITEM_MAX) for _ in range(count)]
        if not all(self.items):
            raise Malformed("an empty item")


# --- digests --------------------------------------------------------------------------------------------------------------


def chain(before, data):
    """Of everything up to data; a digest is 16 bytes as it is hashed: its low half, then its high one, both little-endian."""
    return hash_of(before + hash_of(data))


def hash_of(data):
    return xxhash.xxh3_128_digest(data)[::-1]  # theirs begins with the highest byte


def shown(digest):
    return digest[::-1].hex()


# --- the computed state ---------------------------------------------------------------------------------------------------


class State:
    def __init__(self):
        self.op = 0
        self.highest = {}  # client -> its highest number that was decided
        self.orders = {}  # postcode -> how many orders there are to it
        self.digest = NO_DIGEST
        self.fold = NO_DIGEST

    def decide(self, body):
        if body.forgotten is not None:
            return body.forgotten
        if body.kind == VOID:
            return Outcome(NOTHING)
        number = self.orders.get(body.postcode, 0) + 1
        self.orders[body.postcode] = number
        return Outcome(DONE, 0, [number])

    def is_decided(self, body):
        return body.client in self.highest and self.highest[body.client] >= body.request

    def add(self, op, data, body):
        self.digest = chain(self.digest, data)
        if op == 0:
            outcome = self.decide(body)
        elif self.is_decided(body):
            outcome = Outcome(PASSED)
        else:
            self.highest[body.client] = body.request
            outcome = self.decide(body)
        self.op = op
        self.fold = chain(self.fold, outcome.encode())
        return outcome


# --- what --check says ----------------------------------------------------------------------------------------------------


def same(what, said, computed):
    if said != computed or isinstance(said, bool) != isinstance(computed, bool):
        raise Differs(f"{what} is {json.dumps(computed)}, and --check says {json.dumps(said)}")


def same_text(what, said, data):
    try:
        same(what, said, data.decode("utf-8"))
    except UnicodeDecodeError:
        pass  # shown with escapes, for people


def same_time(said, time_us):
    computed = None
    try:
        if time_us != 0:
            moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=time_us // 1000000)
            computed = f"{moment.year:04}-{moment:%m-%dT%H:%M:%SZ}"
    except OverflowError:
        return  # beyond the years that Python knows
    same("time", said, computed)


def compare_content(said, body):
    expected = {"customer", "postcode", "items"} if body.kind == ORDER else set()
    same("the names in content", sorted(said), sorted(expected))
    if body.kind != ORDER:
        return
    same_text("customer", said["customer"], body.customer)
    same_text("postcode", said["postcode"], body.postcode)
    same("the number of items", len(said["items"]), len(body.items))
    for item, data in zip(said["items"], body.items):
        same_text("item", item, data)


def compare_readable(line, body):
    same("format", line["format"], body.format)
    same("kind", line["kind"], KIND_NAMES[body.kind])
    same("kind_number", line["kind_number"], body.kind)
    same("client", line["client"], str(uuid.UUID(bytes=body.client)))
    same("request", line["request"], body.request)
    same("time_us", line["time_us"], body.time_us)
    same_time(line["time"], body.time_us)
    same("check", line["check"], CHECK_NAMES[body.check])
    same_text("actor", line["actor"], body.actor)
    same_text("note", line["note"], body.note)
    same("forgotten", line["forgotten"], body.forgotten is not None)
    compare_content(line["content"], body)


class Comparison:
    def __init__(self):
        self.state = State()
        self.effects = {}  # (client, request) -> the op that decided it, by what --check says
        self.loaded = 0
        self.committed = 0

    def check_order(self, op):
        if op == 0 and self.state.op == 0:
            self.loaded += 1
        elif op != self.state.op + 1:
            raise Differs(f"it follows op {self.state.op}: what is between them is missing, or stands twice")

    def check_effects(self, line):
        if line["op"] == 0 or line["outcome"]["result"] == RESULT_NAMES[PASSED]:
            return
        key = (line["client"], line["request"])
        if key in self.effects:
            raise Differs(f"request {key[1]} of client {key[0]} was decided by op {self.effects[key]} already")
        self.effects[key] = line["op"]

    def check_committed(self, line):
        if line["committed"] and line["op"] > 0:
            if self.committed != line["op"] - 1:
                raise Differs("it is committed, and one before it is not")
            self.committed = line["op"]

    def add(self, line):
        self.check_order(line["op"])
        try:
            data = bytes.fromhex(line["body"])
            body = Body(data)
        except (Malformed, ValueError) as problem:
            raise Differs(f"its body is no operation: {problem}") from problem
        self.check_effects(line)
        outcome = self.state.add(line["op"], data, body)
        compare_readable(line, body)
        same("outcome", line["outcome"], outcome.shown())
        same("digest", line["digest"], shown(self.state.digest))
        same("fold", line["fold"], shown(self.state.fold))
        self.check_committed(line)

    def end(self, summary):
        if summary["damaged"]:
            raise Differs(f"the directory is damaged: {summary.get('error')}")
        same("the last op", summary["op"], self.state.op)
        same("commit", summary["commit"], self.committed)
        same("digest", summary["digest"], shown(self.state.digest))
        same("fold", summary["fold"], shown(self.state.fold))


def place(line, comparison):
    if "body" not in line:
        return "summary"
    return f"op {line['op']}" if line["op"] > 0 else f"loaded record {comparison.loaded}"


def compare(lines):
    comparison = Comparison()
    ended = False
    for text in lines:
        line = json.loads(text)
        try:
            if ended:
                raise Differs("there is more after the summary")
            if "body" in line:
                comparison.add(line)
            else:
                comparison.end(line)
                ended = True
        except Differs as problem:
            return f"{place(line, comparison)}: {problem}"
    if not ended:
        return f"summary: it is missing after op {comparison.state.op}"
    print(f"{comparison.state.op} operations and {comparison.loaded} loaded records: all outcomes and digests are as computed")
    return None


def main():
    if len(sys.argv) > 1:
        print("usage: justhungry-server --check DIR --json | history.py", file=sys.stderr)
        return 2
    try:
        problem = compare(sys.stdin)
    except (ValueError, KeyError, TypeError) as error:
        print(f"history.py: no output of --check --json: {error!r}", file=sys.stderr)
        return 2
    if problem is None:
        return 0
    print(f"history.py: {problem}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
