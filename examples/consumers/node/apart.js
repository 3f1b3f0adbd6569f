// What was set apart: by the receiver (dead letters, quarantine) and by this bot (poison). Looked at, and published again.

import { headers as newHeaders } from "@nats-io/transport-node";
import { fetchSome } from "./broker.js";
import { Wrong } from "./options.js";
import { Headers, PREFIX } from "./record.js";

const POISON = "poison";
const QUARANTINE = "quarantine";
const DEAD_LETTER = "dead_letter";
// This bot gave it up; its phone number is not listed in the resource; it is no event: bytes that somebody signed.
const KINDS = [POISON, QUARANTINE, DEAD_LETTER];

// What was asked for.
export function check({ seq, all, "dry-run": isDry, kind }, [command, place, ...rest]) {
  const isShow = command === "show";
  if (!["list", "show", "republish"].includes(command) || rest.length > 0 || isShow !== (place !== undefined)) {
    throw new Wrong("apart list, apart show SEQ or apart republish; `node main.js --help` says more");
  }
  if (kind !== undefined && !KINDS.includes(kind)) {
    throw new Wrong(`--kind: \`${kind}\` is none of ${KINDS.join(", ")}`);
  }
  if (command === "republish" && all === (seq !== undefined)) {
    throw new Wrong("republish what? Give either --seq or --all");
  }
  return { command, kind, all, isDry, seq: number(isShow ? place : seq) };
}

function number(text) {
  if (text !== undefined && !/^[1-9][0-9]{0,15}$/.test(text)) {
    throw new Wrong(`\`${text}\` is no place in the stream`);
  }
  return text && Number(text);
}

// Does it, and prints a line for each and their count.
export async function run(broker, { command, kind, all, isDry, seq }) {
  if (command === "show") {
    return await show(broker, seq);
  }
  const count = {};
  for (const apart of await allApart(broker, kind)) {
    if (command === "list") {
      console.log(JSON.stringify(apart));
      count[apart.kind] = (count[apart.kind] ?? 0) + 1;
    } else if (all || apart.seq === seq) {
      const did = await publishAgain(broker, apart, isDry);
      console.log(JSON.stringify({ ...apart, did }));
      count[did] = (count[did] ?? 0) + 1;
    }
  }
  const total = { apart: Object.values(count).reduce((sum, one) => sum + one, 0), of_them: count };
  console.log(JSON.stringify(command === "list" ? total : { ...total, dry_run: isDry }));
}

async function show(broker, seq) {
  const message = await broker.message(seq);
  if (message === null) {
    throw new Wrong(`read event ${seq}: the stream does not hold it`);
  }
  const data = await broker.data(Headers.of(message.header ?? []), message.data);
  process.stdout.write(data ?? "");
}

async function allApart(broker, kind) {
  const found = [];
  for (const one of KINDS.filter((known) => kind === undefined || kind === known)) {
    found.push(...(one === POISON ? await poison(broker) : await family(broker, one)));
  }
  return found;
}

async function family(broker, kind) {
  const found = [];
  const subject = `${broker.base}.*.${kind}.*.*`;
  for await (const message of each(await broker.reader({ subject, headersOnly: true }))) {
    const headers = Headers.of(message.headers ?? []);
    found.push({ kind, seq: message.info.streamSequence, event_id: headers.eventId, why: headers.kind ?? "" });
  }
  return found;
}

async function poison(broker) {
  const givenUp = new Map();
  for await (const message of each(await broker.reader({ stream: await broker.poison() }))) {
    // The broker's word of an event that was given up (NATS, JetStream advisories).
    const { stream, stream_seq: seq, reason } = message.json();
    // Of another stream the place would be that of another event.
    if (stream === broker.stream) {
      givenUp.set(seq, reason ?? "too_many_tries");
    }
  }
  const found = [];
  for (const [seq, why] of [...givenUp].sort(([one], [other]) => one - other)) {
    const message = await broker.message(seq);
    // Older than the stream keeps events: there is nothing left to look at.
    if (message !== null) {
      found.push({ kind: POISON, seq, event_id: Headers.of(message.header ?? []).eventId, why });
    }
  }
  return found;
}

// Everything a consumer has now.
async function* each({ reader, pending }) {
  for (let left = pending; left > 0; ) {
    const messages = await fetchSome(reader, left, "read what was set apart");
    left -= messages.length;
    yield* messages;
  }
}

// Publishes one again, as what it would have been. Its id for the stream is another, so that the stream does not take it for a repeat;
// `ce-id` stays, so that nobody is answered twice.
async function publishAgain(broker, { kind, seq, event_id: eventId }, isDry) {
  if (kind === DEAD_LETTER) {
    // Would be dead again: it has to be understood, and posted to the receiver as what it should have been.
    return "left";
  }
  if (isDry) {
    return "would_publish";
  }
  const message = await broker.message(seq);
  if (message === null) {
    throw new Wrong(`publish event ${seq} again: the stream no longer holds it`);
  }
  const before = Headers.of(message.header);
  const again = newHeaders();
  for (const [name, values] of message.header) {
    values.forEach((value) => again.append(name, value));
  }
  const subject = message.subject.split(".");
  const family = before.get("wahook-family");
  if (family !== null && before.kind !== null) {
    again.set("ce-type", `${PREFIX}${family}.${before.kind}`);
    subject[subject.length - 3] = family;
  }
  again.set("Nats-Msg-Id", `r${seq}-${eventId ?? ""}`);
  const { duplicate } = await broker.js.publish(subject.join("."), message.data, { headers: again });
  return duplicate ? "already_published" : "published";
}
