// What this bot does with one event.

import { setTimeout as sleep } from "node:timers/promises";
import { fetch, IDLE } from "./broker.js";
import * as graph from "./graph.js";
import { DONE } from "./ledger.js";
import * as media from "./media.js";
import * as record from "./record.js";

// All in milliseconds.
// How long a customer may be answered with words of one's own (Meta, Cloud API: customer service window).
const WINDOW = 24 * 3600 * 1000;
// The longest pause between two tries at something that does not work now.
const LONGEST_PAUSE = 30_000;
// How often the stream is looked through for the status of a message.
const LOOK_EVERY = 200;
// How many characters of a message are said back. Meta takes 4,096 (Meta, Cloud API: text messages).
const QUOTED = 1000;

// It will not be better next time: why, in a word that names nobody.
export class Poison extends Error {}

// All that it takes.
export class Work {
  constructor(broker, ledger, graph, settings) {
    Object.assign(this, { broker, ledger, graph, settings });
  }

  // Does what there is to do, and says what became of the event: one of the words of ../README.md. `effects` says what may be done
  // besides reading: `replies`, and `writes` of statuses and files. Waits where something does not work now: the lane waits with it.
  async on(headers, payload, effects) {
    if (!["messages", "statuses"].includes(headers.family)) {
      return "ignored";
    }
    const data = await this.broker.data(headers, payload);
    if (data === null) {
      throw new Poison("data_gone");
    }
    const event = read(headers, data);
    if (event.status !== null) {
      const { id, of, status } = event.status;
      if (of !== null) {
        return "ignored";
      }
      return (await this.ledger.advance(id, status, effects.writes)) ? "status_advanced" : "status_late";
    }
    return await this.#onMessage(event, effects);
  }

  async #onMessage({ event_id: eventId, at, account, message, customer }, effects) {
    if (eventId === null || message === null) {
      return "ignored";
    }
    const size = message.media !== null && effects.writes ? await this.#fetch(message.media) : null;
    const text = answer(message, customer, size);
    if (text === null) {
      return "ignored";
    }
    const { phone, user_id: recipient } = customer;
    if (account === null || (phone === null && recipient === null)) {
      return "nobody_to_reply_to";
    }
    if (!isInWindow(at, Date.now())) {
      return "too_late";
    }
    if (!effects.replies) {
      return (await this.ledger.hasReply(eventId)) ? "already_replied" : "would_reply";
    }
    const to = phone === null ? { recipient } : { to: phone };
    return await this.#replyOnce(eventId, [account, to, text, message.id, eventId]);
  }

  // Fetches a file, however long it takes until that works or never will.
  async #fetch(file) {
    const { mediaHosts, mediaDir } = this.settings;
    for (const pause of pauses(this.settings)) {
      try {
        return await media.fetch(this.graph, mediaHosts, mediaDir, file);
      } catch (error) {
        if (error instanceof media.Never) {
          throw new Poison(error.message);
        }
        console.error(`the file cannot be fetched now: ${error.message}; trying again`);
        await sleep(pause);
      }
    }
  }

  // Replies, unless somebody has. The claim is written before anything is sent: whoever finds it without an outcome looks for Meta's
  // status of the reply, which carries the event's id, before sending it again.
  async #replyOnce(eventId, reply) {
    const waits = pauses(this.settings);
    for (;;) {
      const claim = await this.ledger.claim(eventId);
      if (claim === DONE) {
        return "already_replied";
      }
      let { held } = claim;
      if (held === undefined) {
        if (await this.#wasSent(eventId, claim.since)) {
          await this.ledger.replied(eventId);
          return "already_replied";
        }
        held = await this.ledger.takeOver(eventId, claim);
        if (held === null) {
          continue;
        }
      }
      try {
        await this.graph.reply(...reply);
        await this.ledger.replied(eventId);
        return "replied";
      } catch (error) {
        if (error instanceof graph.Refused) {
          await this.ledger.giveUp(eventId, held);
          throw new Poison(`refused_${error.message}`);
        }
        if (error instanceof graph.Later) {
          // Given up meanwhile: whoever comes after us need not wait for a status.
          await this.ledger.giveUp(eventId, held);
          console.error(`the Graph API does not take messages now: ${error.message}; trying again`);
          await sleep(waits.next().value);
        } else if (!(error instanceof graph.Unknown)) {
          throw error;
        }
        // Otherwise our own claim is open now, like that of somebody who died.
      }
    }
  }

  // Whether a reply to this event went out at or after a time: waits for its status until `settle` has passed since.
  async #wasSent(eventId, since) {
    // The clocks of the broker's nodes may differ a little.
    const start = new Date(since.getTime() - 5000);
    // While no status comes, nothing is fetched.
    const idle = this.settings.settle + IDLE;
    const { reader } = await this.broker.reader({ subject: `${this.broker.base}.*.statuses.*.*`, since: start, idle });
    for (let read = 0; ; ) {
      const isOver = Date.now() > since.getTime() + this.settings.settle;
      const { num_pending: pending, delivered } = await reader.info();
      const left = pending + delivered.consumer_seq - read;
      const messages = await fetch(reader, left);
      if (messages.some((message) => record.attached(message.data) === eventId)) {
        return true;
      }
      read += messages.length;
      if (left > 0 && messages.length === 0) {
        // Lost on the way, with a connection: all of it anew.
        return await this.#wasSent(eventId, since);
      }
      if (messages.length === left) {
        if (isOver) {
          return false;
        }
        await sleep(LOOK_EVERY);
      }
    }
  }
}

// How long to wait before each further try.
export function* pauses({ retry }) {
  for (let pause = retry; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    yield pause;
  }
}

function read(headers, data) {
  try {
    return record.read(headers, data);
  } catch (error) {
    throw error instanceof record.Unreadable ? new Poison(error.message) : error;
  }
}

// What to say. Nothing to what has no words and no file.
function answer(message, customer, size) {
  const hello = customer.name === null ? "Hello!" : `Hello, ${customer.name}!`;
  if (message.media !== null) {
    return size === null ? `${hello} Your file arrived.` : `${hello} Your file has ${size} bytes.`;
  }
  if (message.text === null) {
    return null;
  }
  // Characters, and not the halves of which JavaScript makes some.
  return `${hello} You said: ${[...message.text.slice(0, 2 * QUOTED)].slice(0, QUOTED).join("")}`;
}

// Whether a customer who wrote at this time may be answered now. Of an unknown time nobody can say so.
function isInWindow(at, now) {
  return at !== null && now - Date.parse(at) < WINDOW;
}
