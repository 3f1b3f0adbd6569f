"""Takes events from the lanes, works on them, and says so: a line of JSON for each."""

import asyncio
import json
import sys
import traceback

import nats.errors

from broker import fetch
from record import Headers
from work import Effects, Poison

# How long one request for the next event is open, in seconds.
ASK = 30
# The pause after the broker could not be asked, in seconds.
PAUSE = 1


async def run(work):
    """Works on all lanes until it is cancelled. What is being worked on then goes back."""
    await work.broker.poison()
    # Before any work begins: what is wrong with the permissions is said at once.
    readers = {lane: await work.broker.lane(lane, work.settings) for lane in work.settings.lanes}
    print(f"taking messages and statuses of {work.broker.base} from {len(readers)} lanes", file=sys.stderr)
    async with asyncio.TaskGroup() as lanes:
        for lane, reader in readers.items():
            lanes.create_task(follow(work, lane, reader))


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
        did = await work.on(headers, message.data, Effects(replies=True, writes=True))
    except asyncio.CancelledError:
        say(line, stopped=True)
        await message.nak()
        raise
    except Poison as why:
        if tries < work.settings.tries:
            await once_more(work, message, line, str(why))
        else:
            say(line, gave_up=str(why), tries=tries)
            # With a reason, which the broker passes on to whoever looks after the poison.
            await work.broker.client.publish(message.reply, f"+TERM {why}".encode())
    except Exception as error:  # Whatever it is, the lane goes on.
        is_broker = isinstance(error, nats.errors.Error)
        await once_more(work, message, line, str(error) if is_broker else unexpected(error))
    else:
        say(line, did=did)
        await message.ack()
    finally:
        alive.cancel()


async def once_more(work, message, line, why):
    tries = message.metadata.num_delivered
    say(line, again=why, tries=tries)
    await message.nak(delay=work.settings.retry * 2 ** min(tries - 1, 6))


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
