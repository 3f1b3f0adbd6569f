// What this bot has done, in a bucket of the broker's: so that a redelivered event is not answered twice, and a late status does not
// undo a later one.

import { createHash } from "node:crypto";
import { Kvm } from "@nats-io/kv";
import { isApiError, STREAM_EXISTS } from "./broker.js";

// Somebody is about to reply, or died over it.
const SENDING = "sending";
// Replied.
const SENT = "sent";
// How long it is remembered, in milliseconds: Meta repeats a delivery for seven days.
const KEPT = 8 * 24 * 3600 * 1000;
// The broker's codes: somebody else was first (NATS, JetStream API errors).
const NOT_THE_LAST = [10071, 10164];

// What is said of a claim when somebody has replied.
export const DONE = "done";

// How far a message is with a status. Meta promises no order: a status never takes a message back.
const RANKS = new Map(Object.entries({ sent: 1, failed: 2, delivered: 3, read: 4, played: 5, deleted: 6 }));

// The bucket.
export class Ledger {
  #bucket;

  // Opens the bucket, or makes it.
  static async open(js, name, replicas) {
    const ledger = new Ledger();
    const options = { description: "Which events were replied to, and how far each message got", ttl: KEPT, replicas };
    ledger.#bucket = await new Kvm(js).create(name, options).catch((error) => {
      // Another worker was first.
      if (isApiError(error, STREAM_EXISTS)) {
        return new Kvm(js).create(name, options);
      }
      throw error;
    });
    return ledger;
  }

  // Claims the reply to an event: { held } when it is ours, written down before the first word is sent; DONE; or { since, revision }
  // where somebody was about to reply at that time by the broker's clock, and has not said how it went.
  async claim(eventId) {
    const key = replyKey(eventId);
    for (;;) {
      const held = await ifFirst(this.#bucket.create(key, SENDING));
      if (held !== null) {
        return { held };
      }
      const entry = await this.#entry(key);
      if (entry?.string() === SENT) {
        return DONE;
      }
      // Otherwise it was given up between the two questions.
      if (entry !== null) {
        return { since: entry.created, revision: entry.revision };
      }
    }
  }

  // Makes an open claim ours, and says by what it is held; null if somebody else was first.
  async takeOver(eventId, { revision }) {
    return await ifFirst(this.#bucket.update(replyKey(eventId), SENDING, revision));
  }

  // The reply is out.
  async replied(eventId) {
    await this.#bucket.put(replyKey(eventId), SENT);
  }

  // No reply was sent, for certain: whoever comes next may try. Nothing happens to a claim that somebody else has by now.
  async giveUp(eventId, held) {
    await ifFirst(this.#bucket.delete(replyKey(eventId), { previousSeq: held }));
  }

  // Whether an event was replied to; claims nothing.
  async hasReply(eventId) {
    return (await this.#entry(replyKey(eventId)))?.string() === SENT;
  }

  // Moves a message on to a status; false if it had got that far or farther.
  async advance(messageId, status, writes) {
    const key = statusKey(messageId);
    for (;;) {
      const entry = await this.#entry(key);
      if (rank(status) <= rank(entry?.string())) {
        return false;
      }
      const write = () => (entry ? this.#bucket.update(key, status, entry.revision) : this.#bucket.create(key, status));
      if (!writes || (await ifFirst(write())) !== null) {
        return true;
      }
    }
  }

  async #entry(key) {
    const entry = await this.#bucket.get(key);
    return entry?.operation === "PUT" ? entry : null;
  }
}

// The revision that was written; null if somebody else was first.
async function ifFirst(writing) {
  try {
    return await writing;
  } catch (error) {
    if (isApiError(error, ...NOT_THE_LAST)) {
      return null;
    }
    throw error;
  }
}

function rank(status) {
  return RANKS.get(status) ?? 0;
}

function replyKey(eventId) {
  return `reply.${eventId}`;
}

// A wamid may hold a phone number, and characters that no key may have.
function statusKey(messageId) {
  return `status.${createHash("sha256").update(messageId).digest("hex").slice(0, 32)}`;
}
