"""A bot on Wahook's events, to copy from: answers each message once, in order, and loses none. See ../README.md."""

import argparse
import asyncio
import contextlib
import json
import signal
import sys

import nats.errors

import apart
import lanes
import options
import record
import replay
from broker import Broker
from graph import Graph
from ledger import Ledger
from work import Work


def arguments():
    parser = argparse.ArgumentParser(
        prog="main.py",
        description="Answers WhatsApp messages, each once, each customer's in order.",
        epilog=options.HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("run", help="take messages and statuses until it is told to stop")
    replay.add_arguments(commands.add_parser("replay", help="read old events again; sends nothing unless asked"))
    apart.add_arguments(commands.add_parser("apart", help="look at what was set apart, and publish it again"))
    commands.add_parser("record", help="read events as JSON, one in a line, and write what they say")
    return parser.parse_args()


async def perform(args):
    broker = await Broker.connect(options.Source.read())
    try:
        if args.command == "apart":
            return await apart.run(broker, args)
        settings = options.Settings.read()
        ledger = await Ledger.open(broker.js, broker.bot, broker.replicas)
        async with Graph(settings.graph_url, settings.graph_token) as graph:
            work = Work(broker, ledger, graph, settings)
            if args.command == "replay":
                return await replay.run(work, args)
            return await run_until_told(lanes.run(work))
    finally:
        # What was acknowledged has to arrive.
        await broker.close()


async def run_until_told(working):
    """Until the first Ctrl-C or SIGTERM."""
    task = asyncio.create_task(working)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def record_all():
    for line in sys.stdin:
        event = json.loads(line)
        data = json.dumps(event["data"]).encode()
        print(json.dumps(record.as_json(record.read(record.Headers(event["headers"]), data))))


def main():
    args = arguments()
    try:
        if args.command == "record":
            record_all()
        else:
            asyncio.run(perform(args))
    except (options.Wrong, record.Unreadable, nats.errors.Error, OSError) as error:
        sys.exit(f"error: {error or type(error).__name__}")


if __name__ == "__main__":
    main()
