"""The broker: a consumer for each lane, and the stream that keeps what was given up."""

import asyncio
import contextlib
import io
import re
import ssl
import sys

import nats
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, StreamConfig
from nats.js.errors import BadRequestError, NotFoundError

from options import LANES, Wrong

# What the subjects of a webhook begin with, in a subject of a stream that is all of them and nobody else's.
BASE = re.compile(r"([^.*]+\.[^.*]+\.[^.*]+)\.>")
# How many messages are read at once, and how long the broker may take for them, in seconds.
BATCH = 500
LIMIT = 5
# Deliveries for each of TRIES. The broker counts one for every worker that stops or dies over an event, and at the last one drops it: far
# more than restarts take, so that this ends only what kills its worker each time.
DELIVERIES = 20
# How long a consumer that reads may pause before the broker deletes it, in seconds.
IDLE = 60
# How long what was given up is kept, in seconds.
KEPT = 30 * 24 * 3600
# What comes before the stream and the consumer in the broker's advisories.
ADVISORIES = ("$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED", "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES")
# How long reading an object may take, in seconds.
OBJECT = 60


class Broker:
    """The stream of the webhook. `base` is what its subjects begin with: `whatsapp.<namespace>.<webhook>`."""

    def __init__(self, client, source, config):
        self.client = client
        self.js = client.jetstream()
        self.stream = source.stream
        self.bot = source.bot
        # What belongs to the stream gets as many copies as it has.
        self.replicas = config.num_replicas
        subjects = config.subjects or []
        bases = [match[1] for match in map(BASE.fullmatch, subjects) if match]
        if len(bases) != 1:
            raise Wrong(
                f"use the stream {source.stream}: its subjects are {', '.join(subjects)}: a bot needs the stream of one webhook, "
                "with exactly one subject of the form whatsapp.<namespace>.<webhook>.>"
            )
        self.base = bases[0]

    @classmethod
    async def connect(cls, source):
        """Connects, and finds the stream."""
        try:
            client = await nats.connect(
                source.nats_url,
                name=source.bot,
                user_credentials=source.nats_creds,
                user=source.nats_user,
                password=source.nats_password,
                tls=ssl.create_default_context(cafile=source.nats_ca) if source.nats_ca else None,
                inbox_prefix=source.nats_inbox_prefix.encode(),
                # The first connection is there or is not; one that breaks later comes back however long it takes.
                allow_reconnect=True,
                max_reconnect_attempts=-1,
                reconnect_time_wait=1,
                error_cb=complain,
            )
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise Wrong(f"connect to {source.nats_url}: {error or type(error).__name__}") from None
        try:
            return cls(client, source, (await client.jetstream().stream_info(source.stream)).config)
        except NotFoundError:
            await client.close()
            raise Wrong(f"find the stream {source.stream}: there is none of this name") from None

    async def close(self):
        """Ends the connection when all that was said has arrived. Not by draining it, which waits for half a minute for whoever takes a
        message that came in the last moment: nobody does, and the broker gives it to another worker."""
        try:
            await self.client.flush(LIMIT)
        finally:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.client.close(), LIMIT)

    async def lane(self, lane, settings):
        """The consumer of a lane: messages and statuses, one at a time. Whoever asks gets the next one, and nobody gets another before
        that is done: however many workers there are, a customer's events stay in order."""
        name = f"{self.bot}-{lane}"
        await self.js.add_consumer(
            self.stream,
            ConsumerConfig(
                name=name,
                durable_name=name,
                description="A lane of a bot's",
                filter_subjects=[f"{self.base}.*.{family}.*.{lane}" for family in ("messages", "statuses")],
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=settings.ack_wait,
                max_ack_pending=1,
                max_deliver=settings.tries * DELIVERIES,
            ),
        )
        return await self.js.pull_subscribe_bind(name, self.stream)

    async def reader(self, subject, since=None, headers_only=None, stream=None, idle=IDLE):
        """A consumer of nobody's: its reading acknowledges nothing and is in nobody's way. And how many messages it has now."""
        stream = stream or self.stream
        info = await self.js.add_consumer(
            stream,
            ConsumerConfig(
                filter_subject=subject,
                deliver_policy=DeliverPolicy.BY_START_TIME if since else DeliverPolicy.ALL,
                opt_start_time=since,
                ack_policy=AckPolicy.NONE,
                headers_only=headers_only,
                inactive_threshold=idle,
                mem_storage=True,
                num_replicas=1,
            ),
        )
        return await self.js.pull_subscribe_bind(info.name, stream), info.num_pending

    async def poison(self):
        """The stream that keeps the broker's word of every event this bot gave up: the dead letters of the bot. Not its data, which
        stays in the stream of the webhook. Its name."""
        name = f"{self.bot}_poison"
        config = StreamConfig(
            name=name,
            description=f"What the bot {self.bot} gave up",
            subjects=[f"{advisory}.{self.stream}.{self.bot}-{lane}" for advisory in ADVISORIES for lane in LANES],
            max_age=KEPT,
            num_replicas=self.replicas,
        )
        try:
            made = await self.js.stream_info(name)
        except NotFoundError:
            try:
                made = await self.js.add_stream(config)
            except BadRequestError:
                # Another worker was first.
                made = await self.js.stream_info(name)
        if not set(config.subjects) <= set(made.config.subjects or []):
            raise Wrong(
                f"use the stream {name}: it keeps nothing of {self.stream}, but is another bot's: "
                "set BOT to a name that no bot of another stream has"
            )
        return name

    async def data(self, headers, payload):
        """The data of an event: its payload, or what the object store holds for it. None when that is gone."""
        place = headers.get("ce-dataref")
        if place is None:
            return payload
        bucket, _, name = place.removeprefix("nats-object:").partition("/")
        if not place.startswith("nats-object:") or not name:
            return None
        try:
            store = await self.js.object_store(bucket)
            into = io.BytesIO()
            async with asyncio.timeout(OBJECT):
                await store.get(name, writeinto=into)
            return into.getvalue()
        except NotFoundError:
            return None

    async def message(self, seq):
        """The message at a place in the stream. None when it is gone."""
        try:
            return await self.js.get_msg(self.stream, seq)
        except NotFoundError:
            return None


async def fetch(reader, left, seconds=LIMIT):
    """The next of so many messages that are left: as many as are read at once. None when nothing comes within the limit."""
    if left == 0:
        return []
    try:
        return await reader.fetch(min(left, BATCH), timeout=seconds)
    except TimeoutError:
        return []


async def fetch_some(reader, left, doing):
    """The same, where silence is an error: what is left would be left out."""
    messages = await fetch(reader, left)
    if not messages:
        raise Wrong(f"{doing}: nothing came for {LIMIT} s, and {left} events are left")
    return messages


async def complain(error):
    print(f"broker: {error or type(error).__name__}", file=sys.stderr)
