// The settings: variables of the environment, the same ones in every language.

export const LANES = "0123456789abcdef";

export const HELP = `settings, from the environment:
  STREAM        the stream of the webhook; \`kubectl get whatsappwebhook -o wide\` shows it
  GRAPH_TOKEN   the access token
  NATS_URL      the broker (nats://127.0.0.1:4222)
  NATS_CREDS    its credentials file, if it wants one
  NATS_USER, NATS_PASSWORD
                the user there, if it wants one with a password
  NATS_CA       the certificate of the authority that signed the broker's, if this machine does not trust it
  NATS_INBOX_PREFIX
                what the subjects of answers begin with, if the permissions there say so (_INBOX)
  BOT           what this bot is called: its consumers, its bucket and its poison stream begin with it (bot)
  GRAPH_URL     the Graph API with its version (https://graph.facebook.com/v23.0)
  MEDIA_HOSTS   the hosts media may come from, and the token may go to (lookaside.fbsbx.com)
  MEDIA_DIR     where media is put (media)
  TRIES         how often an event is tried before it is poison (5)
  RETRY         seconds before the second try; doubled for each further one (2)
  ACK_WAIT      seconds after which the broker takes a silent worker for dead (30)
  SETTLE        seconds to wait for Meta's status of a reply of which nobody knows whether it was sent (60)
  LANES         the lanes this worker takes from, such as 0-7 (0-f)`;

// What whoever runs it has to mend; its message says what.
export class Wrong extends Error {}

// Where the events are, and whose they are.
export function readSource(env = process.env) {
  return {
    natsUrl: env.NATS_URL ?? "nats://127.0.0.1:4222",
    natsCreds: env.NATS_CREDS,
    natsUser: env.NATS_USER,
    natsPassword: env.NATS_PASSWORD,
    natsCa: env.NATS_CA,
    natsInboxPrefix: env.NATS_INBOX_PREFIX ?? "_INBOX",
    stream: required(env, "STREAM"),
    bot: env.BOT ?? "bot",
  };
}

// How events are worked on. Pauses and times are in milliseconds.
export function readSettings(env = process.env) {
  return {
    graphUrl: (env.GRAPH_URL ?? "https://graph.facebook.com/v23.0").replace(/\/+$/, ""),
    graphToken: required(env, "GRAPH_TOKEN"),
    mediaHosts: (env.MEDIA_HOSTS ?? "lookaside.fbsbx.com").split(","),
    mediaDir: env.MEDIA_DIR ?? "media",
    tries: count(env, "TRIES", "5"),
    retry: milliseconds(env, "RETRY", "2"),
    ackWait: milliseconds(env, "ACK_WAIT", "30"),
    settle: milliseconds(env, "SETTLE", "60"),
    lanes: lanes(env.LANES ?? "0-f"),
  };
}

function required(env, name) {
  if (!env[name]) {
    throw new Wrong(`${name} is not set; \`node main.js --help\` says what it is`);
  }
  return env[name];
}

function count(env, name, otherwise) {
  const text = env[name] ?? otherwise;
  if (!/^[1-9][0-9]{0,4}$/.test(text)) {
    throw new Wrong(`${name}: \`${text}\` is no number from 1`);
  }
  return Number(text);
}

function milliseconds(env, name, otherwise) {
  const text = env[name] ?? otherwise;
  if (!/^[0-9]+(\.[0-9]+)?$/.test(text)) {
    throw new Wrong(`${name}: \`${text}\` is no number of seconds, such as 30 or 0.5`);
  }
  return Number(text) * 1000;
}

// `0-7`, `3`, `0,8,c-f`.
export function lanes(text) {
  const found = new Set();
  for (const part of text.split(",")) {
    const [, first, last = first] = part.match(/^([0-9a-f])(?:-([0-9a-f]))?$/) ?? [];
    if (first === undefined || first > last) {
      throw new Wrong(`LANES: \`${part}\` names no lanes; write one digit of ${LANES}, or a range such as 0-7`);
    }
    for (const lane of LANES.slice(LANES.indexOf(first), LANES.indexOf(last) + 1)) {
      found.add(lane);
    }
  }
  return [...found].sort();
}
