"""What was set apart: by the receiver (dead letters, quarantine) and by this bot (poison). Looked at, and published again."""

import json
import sys
from collections import Counter
from dataclasses import asdict, dataclass

from broker import fetch_some
from options import Wrong
from record import PREFIX, Headers

POISON, QUARANTINE, DEAD_LETTER = "poison", "quarantine", "dead_letter"
# This bot gave it up; its phone number is not listed in the resource; it is no event: bytes that somebody signed.
KINDS = (POISON, QUARANTINE, DEAD_LETTER)


@dataclass
class Apart:
    """One that was set apart: who set it apart; its place in the stream; its id; a reason of the bot's, or the type of the event."""

    kind: str
    seq: int
    event_id: str | None
    why: str


def add_arguments(parser):
    commands = parser.add_subparsers(dest="apart", required=True, metavar="COMMAND")
    listing = commands.add_parser("list", help="a line for each, and how many there are")
    commands.add_parser("show", help="the data of one, as it is").add_argument("seq", type=int)
    republish = commands.add_parser("republish", help="publishes them again under ids of their own")
    which = republish.add_mutually_exclusive_group(required=True)
    which.add_argument("--seq", type=int, help="only the one at this place in the stream")
    which.add_argument("--all", action="store_true", help="all of them")
    republish.add_argument("--dry-run", action="store_true", help="only say what would be published")
    for command in (listing, republish):
        command.add_argument("--kind", choices=KINDS, help="only these")


async def run(broker, args):
    """Does it, and prints a line for each and their count."""
    if args.apart == "show":
        message = await broker.message(args.seq)
        if message is None:
            raise Wrong(f"read event {args.seq}: the stream does not hold it")
        data = await broker.data(Headers(message.headers), message.data or b"")
        sys.stdout.buffer.write(data or b"")
        return
    count = Counter()
    for apart in await all_apart(broker, args.kind):
        if args.apart == "list":
            print(json.dumps(asdict(apart)))
            count[apart.kind] += 1
        elif args.all or args.seq == apart.seq:
            did = await publish_again(broker, apart, args.dry_run)
            print(json.dumps(asdict(apart) | {"did": did}))
            count[did] += 1
    total = {"apart": count.total(), "of_them": count}
    print(json.dumps(total if args.apart == "list" else total | {"dry_run": args.dry_run}))


async def all_apart(broker, kind):
    found = []
    for one in KINDS:
        if kind in (None, one):
            found += await poison(broker) if one == POISON else await family(broker, one)
    return found


async def family(broker, kind):
    found = []
    async for message in each(*await broker.reader(f"{broker.base}.*.{kind}.*.*", headers_only=True)):
        headers = Headers(message.headers)
        found.append(Apart(kind, message.metadata.sequence.stream, headers.event_id, headers.kind or ""))
    return found


async def poison(broker):
    given_up = {}
    async for message in each(*await broker.reader(None, stream=await broker.poison())):
        # The broker's word of an event that was given up (NATS, JetStream advisories).
        advisory = json.loads(message.data)
        # Of another stream the place would be that of another event.
        if advisory["stream"] == broker.stream:
            given_up[advisory["stream_seq"]] = advisory.get("reason") or "too_many_tries"
    found = []
    for seq, why in sorted(given_up.items()):
        # Older than the stream keeps events: there is nothing left to look at.
        if message := await broker.message(seq):
            found.append(Apart(POISON, seq, Headers(message.headers).event_id, why))
    return found


async def each(reader, left):
    """Everything a consumer has now."""
    while left > 0:
        messages = await fetch_some(reader, left, "read what was set apart")
        left -= len(messages)
        for message in messages:
            yield message


async def publish_again(broker, apart, is_dry):
    """Publishes one again, as what it would have been. Its id for the stream is another, so that the stream does not take it for a
    repeat; `ce-id` stays, so that nobody is answered twice."""
    if apart.kind == DEAD_LETTER:
        # Would be dead again: it has to be understood, and posted to the receiver as what it should have been.
        return "left"
    if is_dry:
        return "would_publish"
    message = await broker.message(apart.seq)
    if message is None:
        raise Wrong(f"publish event {apart.seq} again: the stream no longer holds it")
    headers = Headers(message.headers)
    again = {
        name: value for name, value in message.headers.items() if name.lower() not in ("nats-msg-id", "ce-type")
    }
    again["ce-type"] = headers.get("ce-type")
    again["Nats-Msg-Id"] = f"r{apart.seq}-{apart.event_id or ''}"
    subject = message.subject.split(".")
    if (original := headers.get("wahook-family")) and headers.kind:
        again["ce-type"] = f"{PREFIX}{original}.{headers.kind}"
        subject[-3] = original
    published = await broker.js.publish(".".join(subject), message.data or b"", headers=again)
    return "already_published" if published.duplicate else "published"
