"""What this bot does with one event."""

import asyncio
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import graph
import ledger
import media
import record
from broker import IDLE, Broker, fetch
from options import Settings

# How long a customer may be answered with words of one's own (Meta, Cloud API: customer service window).
WINDOW = timedelta(hours=24)
# The longest pause between two tries at something that does not work now, in seconds.
LONGEST_PAUSE = 30
# How often the stream is looked through for the status of a message, in seconds.
LOOK_EVERY = 0.2
# How many characters of a message are said back. Meta takes 4,096 (Meta, Cloud API: text messages).
QUOTED = 1000


@dataclass(frozen=True)
class Effects:
    """What may be done besides reading: send replies; write statuses and files."""

    replies: bool
    writes: bool


class Poison(Exception):
    """It will not be better next time: why, in a word that names nobody."""


@dataclass
class Work:
    """All that it takes."""

    broker: Broker
    ledger: ledger.Ledger
    graph: graph.Graph
    settings: Settings

    async def on(self, headers, payload, effects):
        """Does what there is to do, and says what became of the event: one of the words of ../README.md. Waits where something does
        not work now: the lane waits with it."""
        if headers.family not in ("messages", "statuses"):
            return "ignored"
        data = await self.broker.data(headers, payload)
        if data is None:
            raise Poison("data_gone")
        try:
            event = record.read(headers, data)
        except record.Unreadable as why:
            raise Poison(str(why)) from None
        if event.status:
            if event.status.of is not None:
                return "ignored"
            status = event.status
            advanced = await self.ledger.advance(status.id, status.status, effects.writes)
            return "status_advanced" if advanced else "status_late"
        return await self._on_message(event, effects)

    async def _on_message(self, event, effects):
        message, customer = event.message, event.customer
        if event.event_id is None or message is None:
            return "ignored"
        size = None
        if message.media and effects.writes:
            size = await self._fetch(message.media)
        text = answer(event, size)
        if text is None:
            return "ignored"
        to = ("to", customer.phone) if customer.phone else ("recipient", customer.user_id)
        if not to[1] or not event.account:
            return "nobody_to_reply_to"
        if not in_window(event.at, datetime.now(UTC)):
            return "too_late"
        if not effects.replies:
            return "already_replied" if await self.ledger.has_reply(event.event_id) else "would_reply"
        return await self._reply_once(event.event_id, event.account, to, text, message.id)

    async def _fetch(self, file):
        """Fetches a file, however long it takes until that works or never will."""
        for pause in pauses(self.settings):
            try:
                return await media.fetch(self.graph, self.settings.media_hosts, self.settings.media_dir, file)
            except media.Never as why:
                raise Poison(str(why)) from None
            except media.NotNow as why:
                print(f"the file cannot be fetched now: {why}; trying again", file=sys.stderr)
                await asyncio.sleep(pause)

    async def _reply_once(self, event_id, account, to, text, message_id):
        """Replies, unless somebody has. The claim is written before anything is sent: whoever finds it without an outcome looks for
        Meta's status of the reply, which carries the event's id, before sending it again."""
        waits = pauses(self.settings)
        while True:
            claim = await self.ledger.claim(event_id)
            if claim == ledger.DONE:
                return "already_replied"
            held = claim
            if isinstance(claim, ledger.Opened):
                if await self._was_sent(event_id, claim.since):
                    await self.ledger.replied(event_id)
                    return "already_replied"
                held = await self.ledger.take_over(event_id, claim)
                if held is None:
                    continue
            try:
                await self.graph.reply(account, to, text, message_id, event_id)
            except graph.Refused as code:
                await self.ledger.give_up(event_id, held)
                raise Poison(f"refused_{code}") from None
            except graph.Later as why:
                # Given up meanwhile: whoever comes after us need not wait for a status.
                await self.ledger.give_up(event_id, held)
                print(f"the Graph API does not take messages now: {why}; trying again", file=sys.stderr)
                await asyncio.sleep(next(waits))
            except graph.Unknown:
                # Our own claim is open now, like that of somebody who died.
                pass
            else:
                await self.ledger.replied(event_id)
                return "replied"

    async def _was_sent(self, event_id, since):
        """Whether a reply to this event went out at or after a time: waits for its status until `settle` has passed since."""
        subject = f"{self.broker.base}.*.statuses.*.*"
        # The clocks of the broker's nodes may differ a little. While no status comes, nothing is fetched.
        start, idle = since - timedelta(seconds=5), self.settings.settle + IDLE
        reader, _ = await self.broker.reader(subject, since=start, idle=idle)
        settled = since + timedelta(seconds=self.settings.settle)
        read = 0
        try:
            while True:
                is_over = datetime.now(UTC) > settled
                info = await reader.consumer_info()
                left = info.num_pending + info.delivered.consumer_seq - read
                messages = await fetch(reader, left)
                if any(record.attached(message.data) == event_id for message in messages):
                    return True
                read += len(messages)
                if left and not messages:
                    # Lost on the way, with a connection: all of it anew.
                    return await self._was_sent(event_id, since)
                if len(messages) == left:
                    if is_over:
                        return False
                    await asyncio.sleep(LOOK_EVERY)
        finally:
            await reader.unsubscribe()


def pauses(settings):
    """How long to wait before each further try."""
    pause = settings.retry
    while True:
        yield pause
        pause = min(pause * 2, LONGEST_PAUSE)


def answer(event, size):
    """What to say. Nothing to what has no words and no file."""
    name = event.customer.name
    hello = "Hello!" if name is None else f"Hello, {name}!"
    if event.message.media:
        return f"{hello} Your file arrived." if size is None else f"{hello} Your file has {size} bytes."
    if event.message.text is None:
        return None
    return f"{hello} You said: {event.message.text[:QUOTED]}"


def in_window(at, now):
    """Whether a customer who wrote at this time may be answered now. Of an unknown time nobody can say so."""
    try:
        return now - datetime.fromisoformat(at) < WINDOW
    except (TypeError, ValueError):
        return False
