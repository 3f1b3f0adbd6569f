"""What this bot has done, in a bucket of the broker's: so that a redelivered event is not answered twice, and a late status does not
undo a later one."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from nats.js.api import KeyValueConfig
from nats.js.errors import APIError, BadRequestError, BucketNotFoundError, KeyWrongLastSequenceError, NotFoundError

# Somebody is about to reply, or died over it.
SENDING = b"sending"
# Replied.
SENT = b"sent"
# How long it is remembered, in seconds: Meta repeats a delivery for seven days.
KEPT = 8 * 24 * 3600

# What is said of a claim when somebody has replied.
DONE = "done"
# The broker's codes: somebody else was first (NATS, JetStream API errors).
NOT_THE_LAST = (10071, 10164)

# How far a message is with a status. Meta promises no order: a status never takes a message back.
RANKS = {"sent": 1, "failed": 2, "delivered": 3, "read": 4, "played": 5, "deleted": 6}


@dataclass
class Held:
    """Ours, written down before the first word is sent, as long as nobody has taken it over."""

    revision: int


@dataclass
class Opened:
    """Somebody was about to reply at this time by the broker's clock, and has not said how it went."""

    since: datetime
    revision: int


class Ledger:
    """The bucket."""

    def __init__(self, js, bucket, store):
        self._js = js
        self._bucket = bucket
        self._store = store

    @classmethod
    async def open(cls, js, bucket, replicas):
        """Opens the bucket, or makes it."""
        try:
            return cls(js, bucket, await js.key_value(bucket))
        except BucketNotFoundError:
            pass
        config = KeyValueConfig(
            bucket=bucket,
            description="Which events were replied to, and how far each message got",
            ttl=KEPT,
            replicas=replicas,
            direct=True,
        )
        try:
            return cls(js, bucket, await js.create_key_value(config))
        except BadRequestError:
            # Another worker was first.
            return cls(js, bucket, await js.key_value(bucket))

    async def claim(self, event_id):
        """Claims the reply to an event: Held, DONE or Opened."""
        key = reply_key(event_id)
        while True:
            try:
                return Held(await self._store.create(key, SENDING))
            except KeyWrongLastSequenceError:
                pass
            entry = await self._entry(key)
            # Otherwise it was given up between the two questions.
            if entry and entry.data == SENT:
                return DONE
            if entry:
                return Opened(entry.time, entry.seq)

    async def take_over(self, event_id, opened):
        """Makes an open claim ours; None if somebody else was first."""
        try:
            return Held(await self._store.update(reply_key(event_id), SENDING, last=opened.revision))
        except KeyWrongLastSequenceError:
            return None

    async def replied(self, event_id):
        """The reply is out."""
        await self._store.put(reply_key(event_id), SENT)

    async def give_up(self, event_id, held):
        """No reply was sent, for certain: whoever comes next may try. Nothing happens to a claim that somebody else has by now."""
        try:
            await self._store.delete(reply_key(event_id), last=held.revision)
        except APIError as error:
            if error.err_code not in NOT_THE_LAST:
                raise

    async def has_reply(self, event_id):
        """Whether an event was replied to; claims nothing."""
        entry = await self._entry(reply_key(event_id))
        return entry is not None and entry.data == SENT

    async def advance(self, message_id, status, writes):
        """Moves a message on to a status; false if it had got that far or farther."""
        key = status_key(message_id)
        while True:
            entry = await self._entry(key)
            before = entry.data.decode() if entry else ""
            if RANKS.get(status, 0) <= RANKS.get(before, 0):
                return False
            if not writes:
                return True
            try:
                await self._store.update(key, status.encode(), last=entry.seq if entry else 0)
                return True
            except KeyWrongLastSequenceError:
                pass

    async def _entry(self, key):
        """The value with its time, which the library's own entry does not have. None where there is none or it was deleted."""
        try:
            entry = await self._js.get_last_msg(f"KV_{self._bucket}", f"$KV.{self._bucket}.{key}")
        except NotFoundError:
            return None
        return entry if entry.data else None


def reply_key(event_id):
    return f"reply.{event_id}"


def status_key(message_id):
    """A wamid may hold a phone number, and characters that no key may have."""
    return f"status.{hashlib.sha256(message_id.encode()).digest()[:16].hex()}"
