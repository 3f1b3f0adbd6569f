// Takes events from the lanes, works on them, and says so: a line of JSON for each.

import { setTimeout as sleep } from "node:timers/promises";
import { fetch } from "./broker.js";
import { Headers } from "./record.js";
import { Poison, pauses } from "./work.js";

// How long one request for the next event is open, in milliseconds.
const ASK = 30_000;
// The pause after the broker could not be asked, in milliseconds.
const PAUSE = 1000;
// What is the event's or this program's. Anything else is the broker's or the connection's: their errors have no name in common.
const FAULTS = [Poison, TypeError, RangeError, ReferenceError, SyntaxError];
// What is said of an event that goes back.
const STOPPED = Symbol("stopped");

// Works on all lanes until it is told to stop. What is being worked on then goes back.
export async function run(work, stop) {
  await work.broker.poison();
  const stopped = new Promise((resolve) => stop.addEventListener("abort", () => resolve(STOPPED), { once: true }));
  const lanes = [];
  // Before any work begins: what is wrong with the permissions is said at once.
  for (const lane of work.settings.lanes) {
    lanes.push([lane, await work.broker.lane(lane, work.settings)]);
  }
  console.error(`taking messages and statuses of ${work.broker.base} from ${lanes.length} lanes`);
  await Promise.all(lanes.map(([lane, consumer]) => follow(work, lane, consumer, stop, stopped)));
}

async function follow(work, lane, first, stop, stopped) {
  let consumer = first;
  while (!stop.aborted) {
    try {
      const messages = await Promise.race([fetch(consumer, 1, ASK), stopped]);
      if (messages === STOPPED) {
        return;
      }
      for (const message of messages) {
        await settle(work, lane, message, stopped);
      }
    } catch (error) {
      console.error(`lane ${lane}: ${error.message}; asking again`);
      await sleep(PAUSE);
      // Somebody may have deleted it.
      consumer = await work.broker.lane(lane, work.settings).catch(() => consumer);
    }
  }
}

// Works on one event, tells the broker meanwhile that it is alive, and in the end what became of it.
async function settle(work, lane, message, stopped) {
  const { tries: mostTries, retry, ackWait } = work.settings;
  const { streamSequence: seq, deliveryCount: tries } = message.info;
  const headers = Headers.of(message.headers ?? []);
  const say = (said) => console.log(JSON.stringify({ lane, seq, event_id: headers.eventId, ...said }));
  const alive = setInterval(() => message.working(), ackWait / 3);
  try {
    const did = await Promise.race([untilDone(work, lane, headers, message.data), stopped]);
    if (did === STOPPED) {
      say({ stopped: true });
      message.nak();
    } else {
      say({ did });
      message.ack();
    }
  } catch (error) {
    const why = error instanceof Poison ? error.message : unexpected(error);
    if (tries < mostTries) {
      say({ again: why, tries });
      message.nak(retry * 2 ** Math.min(tries - 1, 6));
    } else {
      say({ gave_up: why, tries });
      // With a reason, which the broker passes on to whoever looks after the poison.
      message.term(why);
    }
  } finally {
    clearInterval(alive);
  }
}

// Works on an event until it is done or poison. Trouble with the broker is not the event's, and costs it no try.
async function untilDone(work, lane, headers, payload) {
  for (const pause of pauses(work.settings)) {
    try {
      return await work.on(headers, payload, { replies: true, writes: true });
    } catch (error) {
      if (FAULTS.some((fault) => error instanceof fault)) {
        throw error;
      }
      console.error(`lane ${lane}: ${error.message}; trying again`);
      await sleep(pause);
    }
  }
}

// Its name, and on standard error where it comes from. Not what it says: nobody knows whom that names.
function unexpected(error) {
  console.error(error.stack?.split("\n").filter((line) => /^ +at /.test(line)).join("\n"));
  return error.name;
}
