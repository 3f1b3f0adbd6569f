// Reads old events again, by a consumer of its own: the lanes do not notice.

import { fetchSome } from "./broker.js";
import { Wrong } from "./options.js";
import { Headers } from "./record.js";
import { Poison } from "./work.js";

const SECONDS = { s: 1, m: 60, h: 3600, d: 24 * 3600 };

// What was asked for.
export function check({ since, "event-id": eventId, "dry-run": isDry, reply }) {
  if ((since === undefined) === (eventId === undefined)) {
    throw new Wrong("replay what? Give either --since, such as 2h, or --event-id");
  }
  if (isDry && reply) {
    throw new Wrong("either --dry-run or --reply");
  }
  return { since: since && new Date(Date.now() - past(since)), eventId, isDry, reply };
}

function past(text) {
  const [, number, unit] = text.match(/^([0-9]{1,9})([smhd])$/) ?? [];
  if (unit === undefined) {
    throw new Wrong(`\`${text}\` is no time; write 2h, 30m or 7d`);
  }
  return Number(number) * SECONDS[unit] * 1000;
}

// Goes through the events, prints a line for each and their count.
export async function run(work, { since, eventId, isDry, reply }) {
  const effects = { replies: reply, writes: !isDry };
  const { reader, pending } = await work.broker.reader({ subject: `${work.broker.base}.>`, since });
  const count = {};
  // What arrives while this runs is the lanes' own.
  for (let left = pending; left > 0; ) {
    const messages = await fetchSome(reader, left, "read the stream again");
    left -= messages.length;
    for (const message of messages) {
      const headers = Headers.of(message.headers ?? []);
      if (eventId === undefined || eventId === headers.eventId) {
        const did = await outcome(work.on(headers, message.data, effects));
        console.log(JSON.stringify({ seq: message.info.streamSequence, event_id: headers.eventId, did }));
        count[did] = (count[did] ?? 0) + 1;
      }
    }
  }
  const events = Object.values(count).reduce((sum, one) => sum + one, 0);
  console.log(JSON.stringify({ events, of_them: count, dry_run: isDry }));
}

async function outcome(working) {
  try {
    return await working;
  } catch (error) {
    if (error instanceof Poison) {
      return `poison: ${error.message}`;
    }
    throw error;
  }
}
