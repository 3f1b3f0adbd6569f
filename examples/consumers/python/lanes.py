"""Takes events from the lanes, works on them, and says so: a line of JSON for each."""

import asyncio
import json
import sys
import traceback

import nats.errors

from broker import fetch
from record import Headers
from work import Effects, Poison, pauses

# How long one request for the next event is open, in seconds.
ASK = 30
# The pause after the broker could not be asked, in seconds.
PAUSE = 1
# What is the broker's or the connection's, and not the event's.
TROUBLE = (nats.errors.Error, OSError)


async def run(work):
    """Works on all lanes until it is cancelled. What is being worked on then goes back."""
    await work.broker.poison()
    # Before any work begins: what is wrong with the permissions is said at once.
    readers = {lane: await work.broker.lane(lane, work.settings) for lane in work.settings.lanes}
    print(f"taking messages and statuses of {work.broker.base} from {len(readers)} lanes", file=sys.stderr)
    lanes = [asyncio.create_task(follow(work, lane, reader)) for lane, reader in readers.items()]
    try:
        await asyncio.wait(lanes, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        await end(lanes)
    for lane in lanes:
        if not lane.cancelled():
            lane.result()


async def end(tasks):
    """Cancels them until they end: before Python 3.12 a wait whose end comes in the same moment swallows that."""
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=1)


async def follow(work, lane, reader):
    while True:
        try:
            for message in await fetch(reader, 1, ASK):
                await settle(work, lane, message)
        except nats.errors.Error as error:
            print(f"lane {lane}: {error or type(error).__name__}; asking again", file=sys.stderr)
            await asyncio.sleep(PAUSE)
            reader = await again(work, lane, reader)


async def again(work, lane, reader):
    """The consumer of a lane: somebody may have deleted it."""
    try:
        made = await work.broker.lane(lane, work.settings)
        await reader.unsubscribe()
        return made
    except (nats.errors.Error, TimeoutError):
        return reader


async def settle(work, lane, message):
    """Works on one event, tells the broker meanwhile that it is alive, and in the end what became of it."""
    headers, tries = Headers(message.headers), message.metadata.num_delivered
    line = {"lane": lane, "seq": message.metadata.sequence.stream, "event_id": headers.event_id}
    alive = asyncio.create_task(say_alive(message, work.settings.ack_wait / 3))
    try:
        did = await until_done(work, lane, headers, message.data)
    except asyncio.CancelledError:
        say(line, stopped=True)
        await message.nak()
        raise
    except Exception as error:  # Whatever it is, the lane goes on.
        why = str(error) if isinstance(error, Poison) else unexpected(error)
        if tries < work.settings.tries:
            say(line, again=why, tries=tries)
            await message.nak(delay=work.settings.retry * 2 ** min(tries - 1, 6))
        else:
            say(line, gave_up=why, tries=tries)
            # With a reason, which the broker passes on to whoever looks after the poison.
            await work.broker.client.publish(message.reply, f"+TERM {why}".encode())
    else:
        say(line, did=did)
        await message.ack()
    finally:
        alive.cancel()


async def until_done(work, lane, headers, payload):
    """Works on an event until it is done or poison. Trouble with the broker is not the event's, and costs it no try."""
    for pause in pauses(work.settings):
        try:
            return await work.on(headers, payload, Effects(replies=True, writes=True))
        except TROUBLE as error:
            print(f"lane {lane}: {error or type(error).__name__}; trying again", file=sys.stderr)
            await asyncio.sleep(pause)


async def say_alive(message, pause):
    while True:
        await asyncio.sleep(pause)
        await message.in_progress()


def unexpected(error):
    """Its name, and on standard error where it comes from. Not what it says: nobody knows whom that names."""
    traceback.print_tb(error.__traceback__)
    return type(error).__name__


def say(line, **outcome):
    print(json.dumps(line | outcome), flush=True)
