// A bot on Wahook's events, to copy from: answers each message once, in order, and loses none. See ../README.md.

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import * as apart from "./apart.js";
import { Broker } from "./broker.js";
import { Graph } from "./graph.js";
import * as lanes from "./lanes.js";
import { Ledger } from "./ledger.js";
import { HELP, readSettings, readSource, Wrong } from "./options.js";
import * as record from "./record.js";
import * as replay from "./replay.js";
import { Work } from "./work.js";

const USAGE = `Answers WhatsApp messages, each once, each customer's in order.

usage: node main.js COMMAND

commands:
  run                        take messages and statuses until it is told to stop
  replay                     read old events again; sends nothing unless asked
    --since TIME             those of the last 2h, 30m or 7d
    --event-id ID            the one with this id (ce-id)
    --dry-run                only say what would be done
    --reply                  reply as well, to what has no reply yet; otherwise statuses and files are brought up to date
  apart list                 what was set apart: a line for each, and how many there are
  apart show SEQ             the data of one, as it is
  apart republish            publish them again under ids of their own
    --seq SEQ | --all        only the one at this place in the stream, or all of them
    --dry-run                only say what would be published
    --kind KIND              (list, republish) only poison, quarantine or dead_letter
  record                     read events as JSON, one in a line, and write what they say

${HELP}`;

const OPTIONS = {
  run: {},
  replay: {
    since: { type: "string" },
    "event-id": { type: "string" },
    "dry-run": { type: "boolean", default: false },
    reply: { type: "boolean", default: false },
  },
  apart: {
    seq: { type: "string" },
    all: { type: "boolean", default: false },
    "dry-run": { type: "boolean", default: false },
    kind: { type: "string" },
  },
  record: {},
};

async function main([command, ...rest]) {
  if (rest.concat(command).some((word) => word === "--help" || word === "-h")) {
    return console.log(USAGE);
  }
  if (!Object.hasOwn(OPTIONS, command ?? "")) {
    throw new Wrong(`\`${command ?? ""}\` is no command; \`node main.js --help\` names them`);
  }
  const { values, positionals } = parse(command, rest);
  if (command === "record") {
    return recordAll();
  }
  const check = { replay: replay.check, apart: apart.check }[command] ?? ((options) => options);
  const options = check(values, positionals);
  const broker = await Broker.connect(readSource());
  try {
    if (command === "apart") {
      return await apart.run(broker, options);
    }
    const settings = readSettings();
    const ledger = await Ledger.open(broker.js, broker.bot, broker.replicas);
    const graph = new Graph(settings.graphUrl, settings.graphToken);
    const work = new Work(broker, ledger, graph, settings);
    await (command === "run" ? lanes.run(work, untilTold()) : replay.run(work, options));
  } finally {
    // What was acknowledged has to arrive.
    await broker.close();
  }
}

function parse(command, args) {
  try {
    return parseArgs({ args, options: OPTIONS[command], allowPositionals: command === "apart" });
  } catch (error) {
    throw new Wrong(error.message);
  }
}

// Aborted by the first Ctrl-C or SIGTERM.
function untilTold() {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"]) {
    process.once(name, () => stop.abort());
  }
  return stop.signal;
}

function recordAll() {
  for (const line of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
    // The data as it is written, for numbers that JavaScript cannot hold.
    const { headers, data } = record.parse(line);
    console.log(JSON.stringify(record.read(record.Headers.of(Object.entries(headers)), record.stringify(data))));
  }
}

try {
  await main(process.argv.slice(2));
  // What was being worked on when it was told to stop is somebody else's now.
  process.exit(0);
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exit(1);
}
