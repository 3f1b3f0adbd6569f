"""Reads old events again, by a consumer of its own: the lanes do not notice."""

import json
import re
from argparse import ArgumentTypeError
from collections import Counter
from datetime import UTC, datetime, timedelta

from broker import fetch_some
from record import Headers
from work import Effects, Poison

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def add_arguments(parser):
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--since", type=past, metavar="TIME", help="those of the last 2h, 30m or 7d")
    which.add_argument("--event-id", metavar="ID", help="the one with this id (ce-id)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--dry-run", action="store_true", help="only say what would be done")
    what.add_argument(
        "--reply",
        action="store_true",
        help="reply as well, to what has no reply yet. Otherwise statuses and files are brought up to date, and nobody hears of it",
    )


def past(text):
    match = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    if not match:
        raise ArgumentTypeError(f"`{text}` is no time; write 2h, 30m or 7d")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


async def run(work, args):
    """Goes through the events, prints a line for each and their count."""
    effects = Effects(replies=args.reply, writes=not args.dry_run)
    since = datetime.now(UTC) - args.since if args.since else None
    # What arrives while this runs is the lanes' own.
    reader, left = await work.broker.reader(f"{work.broker.base}.>", since)
    count = Counter()
    while left > 0:
        messages = await fetch_some(reader, left, "read the stream again")
        left -= len(messages)
        for message in messages:
            headers = Headers(message.headers)
            if args.event_id in (None, headers.event_id):
                try:
                    did = await work.on(headers, message.data, effects)
                except Poison as why:
                    did = f"poison: {why}"
                seq = message.metadata.sequence.stream
                print(json.dumps({"seq": seq, "event_id": headers.event_id, "did": did}))
                count[did] += 1
    print(json.dumps({"events": count.total(), "of_them": count, "dry_run": args.dry_run}))
