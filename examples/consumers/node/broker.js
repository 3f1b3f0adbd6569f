// The broker: a consumer for each lane, and the stream that keeps what was given up.

import { readFile } from "node:fs/promises";
import { AckPolicy, DeliverPolicy, JetStreamApiError, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { Objm } from "@nats-io/obj";
import { connect, credsAuthenticator, nanos } from "@nats-io/transport-node";
import { LANES, Wrong } from "./options.js";

// What the subjects of a webhook begin with, in a subject of a stream that is all of them and nobody else's.
const BASE = /^([^.*]+\.[^.*]+\.[^.*]+)\.>$/;
// How many messages are read at once, and how long the broker may take for them, in milliseconds.
const BATCH = 500;
const LIMIT = 5000;
// Deliveries for each of TRIES. The broker counts one for every worker that stops or dies over an event, and at the last one drops it: far
// more than restarts take, so that this ends only what kills its worker each time.
const DELIVERIES = 20;
// How long a consumer that reads may pause before the broker deletes it, in milliseconds.
export const IDLE = 60_000;
// How long what was given up is kept, in milliseconds.
const KEPT = 30 * 24 * 3600 * 1000;
// What comes before the stream and the consumer in the broker's advisories.
const ADVISORIES = ["$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED", "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES"];
// The broker's codes (NATS, JetStream API errors).
const STREAM_NOT_FOUND = 10059;
export const STREAM_EXISTS = 10058;
const CONSUMER_EXISTS = [10148, 10013];

// The stream of the webhook. `base` is what its subjects begin with: `whatsapp.<namespace>.<webhook>`.
export class Broker {
  // Connects, and finds the stream.
  static async connect({ natsUrl, stream, bot, ...source }) {
    const options = {
      servers: natsUrl,
      name: bot,
      maxReconnectAttempts: -1,
      authenticator: source.natsCreds && credsAuthenticator(await readFile(source.natsCreds)),
      user: source.natsUser,
      pass: source.natsPassword,
      tls: source.natsCa && { caFile: source.natsCa },
      inboxPrefix: source.natsInboxPrefix,
    };
    const client = await connect(options).catch((error) => {
      throw new Wrong(`connect to ${natsUrl}: ${error.message}`);
    });
    const broker = new Broker();
    const manager = await jetstreamManager(client);
    const info = await manager.streams.info(stream).catch((error) => {
      throw new Wrong(`find the stream ${stream}: ${error.message}`);
    });
    const subjects = info.config.subjects ?? [];
    const [base, ...others] = subjects.flatMap((subject) => subject.match(BASE)?.[1] ?? []);
    if (base === undefined || others.length > 0) {
      throw new Wrong(
        `use the stream ${stream}: its subjects are ${subjects.join(", ")}: a bot needs the stream of one webhook, ` +
          "with exactly one subject of the form whatsapp.<namespace>.<webhook>.>",
      );
    }
    // What belongs to the stream gets as many copies as it has.
    const replicas = info.config.num_replicas;
    return Object.assign(broker, { client, manager, js: jetstream(client), stream, bot, replicas, base });
  }

  async close() {
    await this.client.drain();
  }

  // The consumer of a lane: messages and statuses, one at a time. Whoever asks gets the next one, and nobody gets another before that
  // is done: however many workers there are, a customer's events stay in order.
  async lane(lane, { ackWait, tries }) {
    const name = `${this.bot}-${lane}`;
    const config = {
      name,
      durable_name: name,
      description: "A lane of a bot's",
      filter_subjects: ["messages", "statuses"].map((family) => `${this.base}.*.${family}.*.${lane}`),
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(ackWait),
      max_ack_pending: 1,
      max_deliver: tries * DELIVERIES,
    };
    const { consumers } = this.manager;
    const info = await consumers.add(this.stream, config).catch((error) => {
      // With other settings, which are these from now on.
      if (isApiError(error, ...CONSUMER_EXISTS)) {
        return consumers.update(this.stream, name, config);
      }
      throw error;
    });
    return this.js.consumers.getConsumerFromInfo(info);
  }

  // A consumer of nobody's: its reading acknowledges nothing and is in nobody's way. And how many messages it has now.
  async reader({ subject, since, headersOnly = false, stream = this.stream, idle = IDLE }) {
    const info = await this.manager.consumers.add(stream, {
      filter_subject: subject,
      deliver_policy: since ? DeliverPolicy.StartTime : DeliverPolicy.All,
      opt_start_time: since?.toISOString(),
      ack_policy: AckPolicy.None,
      headers_only: headersOnly,
      inactive_threshold: nanos(idle),
      mem_storage: true,
      num_replicas: 1,
    });
    return { reader: this.js.consumers.getConsumerFromInfo(info), pending: info.num_pending };
  }

  // The stream that keeps the broker's word of every event this bot gave up: the dead letters of the bot. Not its data, which stays in
  // the stream of the webhook. Its name.
  async poison() {
    const name = `${this.bot}_poison`;
    const { streams } = this.manager;
    const subjects = ADVISORIES.flatMap((advisory) => [...LANES].map((lane) => `${advisory}.${this.stream}.${this.bot}-${lane}`));
    const description = `What the bot ${this.bot} gave up`;
    const config = { name, description, subjects, max_age: nanos(KEPT), num_replicas: this.replicas };
    const made = await streams
      .info(name)
      .catch(otherwise(STREAM_NOT_FOUND, () => streams.add(config)))
      // Another worker may have been first.
      .catch(otherwise(STREAM_EXISTS, () => streams.info(name)));
    if (!subjects.every((subject) => made.config.subjects?.includes(subject))) {
      throw new Wrong(
        `use the stream ${name}: it keeps nothing of ${this.stream}, but is another bot's: ` +
          "set BOT to a name that no bot of another stream has",
      );
    }
    return name;
  }

  // The data of an event: its payload, or what the object store holds for it. null when that is gone.
  async data(headers, payload) {
    const place = headers.get("ce-dataref");
    if (place === null) {
      return payload;
    }
    const [, bucket, name] = place.match(/^nats-object:([^/]+)\/(.+)$/) ?? [];
    if (bucket === undefined) {
      return null;
    }
    const store = await new Objm(this.js).open(bucket);
    return await store.getBlob(name);
  }

  // The message at a place in the stream. null when it is gone.
  async message(seq) {
    return await this.manager.streams.getMessage(this.stream, { seq });
  }
}

// The next of so many messages that are left: as many as are read at once. None when nothing comes within the limit.
export async function fetch(reader, left, milliseconds = LIMIT) {
  const messages = [];
  if (left === 0) {
    return messages;
  }
  for await (const message of await reader.fetch({ max_messages: Math.min(left, BATCH), expires: milliseconds })) {
    messages.push(message);
  }
  return messages;
}

// The same, where silence is an error: what is left would be left out.
export async function fetchSome(reader, left, doing) {
  const messages = await fetch(reader, left);
  if (messages.length === 0) {
    throw new Wrong(`${doing}: nothing came for ${LIMIT / 1000} s, and ${left} events are left`);
  }
  return messages;
}

// Whether the broker said no, with one of these codes if some are given.
export function isApiError(error, ...codes) {
  return error instanceof JetStreamApiError && (codes.length === 0 || codes.includes(error.code));
}

// What to do about this error of the broker's, and no other.
function otherwise(code, perform) {
  return (error) => {
    if (isApiError(error, code)) {
      return perform();
    }
    throw error;
  };
}
