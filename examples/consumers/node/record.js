// What an event says, in the form this bot works with. Pure; the same in every language, held to ../golden.

import * as lossless from "lossless-json";

const MEDIA = ["image", "video", "audio", "voice", "document", "sticker"];
const OBJECTS = ["message", "status", "call", "error", "user_action", "value"];
// Meta's pages spell some of them in capitals.
const STATUSES = ["sent", "delivered", "read", "failed", "played", "deleted", "warning", "pending", "captured"];
export const PREFIX = "com.whatsapp.";

// The data is not the data of an event: why, in a word that quotes nothing.
export class Unreadable extends Error {}

// The headers of an event, whatever their case.
export class Headers {
  #all = new Map();

  static of(pairs) {
    const headers = new Headers();
    for (const [name, value] of pairs) {
      const first = Array.isArray(value) ? value[0] : value;
      if (typeof first === "string" && !headers.#all.has(name.toLowerCase())) {
        headers.#all.set(name.toLowerCase(), first);
      }
    }
    return headers;
  }

  get(name) {
    return this.#all.get(name) ?? null;
  }

  get eventId() {
    return this.get("ce-id");
  }

  get family() {
    return this.#typeParts()[0];
  }

  get kind() {
    return this.#typeParts()[1];
  }

  #typeParts() {
    const type = this.get("ce-type") ?? "";
    const rest = type.slice(PREFIX.length);
    const dot = rest.indexOf(".");
    return type.startsWith(PREFIX) && dot >= 0 ? [rest.slice(0, dot), rest.slice(dot + 1)] : [null, null];
  }
}

// Reads an event. What Meta did not send is null. Unreadable when the data is not the data of an event; a dead letter has none.
export function read(headers, payload) {
  const record = {
    event_id: headers.eventId,
    family: headers.family,
    type: headers.kind,
    at: headers.get("ce-time"),
    account: null,
    customer: null,
    message: null,
    status: null,
  };
  if (headers.family === "dead_letter") {
    return record;
  }
  const data = eventData(payload);
  record.account = identifier(data.phone_number_id) ?? identifier(data.waba_id);
  if ("message" in data) {
    const message = whole(data.message);
    record.customer = sender(message, anObject(data.contact));
    record.message = said(message);
  }
  if ("status" in data) {
    const status = whole(data.status);
    record.customer = recipient(status);
    record.status = became(status);
  }
  return record;
}

// JSON. Its objects inherit nothing, and its numbers are kept as they are written: JavaScript's hold too few digits for an id.
export function parse(text) {
  const bare = (_, value) => (isObject(value) ? Object.assign(Object.create(null), value) : value);
  return lossless.parse(text, bare, { onDuplicateKey: ({ newValue }) => newValue });
}

export const stringify = lossless.stringify;

// What the status in this data brings back of the message it is about.
export function attached(payload) {
  try {
    return text(anObject(eventData(payload).status).biz_opaque_callback_data);
  } catch (error) {
    if (error instanceof Unreadable) {
      return null;
    }
    throw error;
  }
}

// The data: a JSON object with one of Meta's objects in it.
function eventData(payload) {
  let data;
  try {
    data = parse(typeof payload === "string" ? payload : new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch {
    throw new Unreadable("no_event_data");
  }
  if (!isObject(data) || OBJECTS.filter((name) => name in data).length !== 1) {
    throw new Unreadable("no_event_data");
  }
  return data;
}

// The customer of a message: who sent it, or, of an echo, whom it was sent to.
function sender(message, contact) {
  const ids = (name) => [identifier(message[name]), identifier(message[`${name}_user_id`])];
  const received = ids("to");
  const [phone, userId] = received.some((id) => id !== null) ? received : ids("from");
  return {
    user_id: userId ?? identifier(contact.user_id),
    phone: phone ?? identifier(contact.wa_id),
    name: text(anObject(contact.profile).name),
  };
}

function recipient(status) {
  const isGroup = status.recipient_type === "group";
  return {
    user_id: identifier(status.recipient_user_id),
    phone: isGroup ? null : identifier(status.recipient_id),
    name: null,
  };
}

function said(message) {
  const kind = text(message.type) ?? "";
  const content = message[kind];
  const [words, media] = isObject(content) ? wordsAndMedia(kind, content) : [null, null];
  return {
    id: required(identifier(message.id)),
    text: words,
    media,
    answers: identifier(anObject(message.context).id),
  };
}

function wordsAndMedia(kind, content) {
  if (kind === "text") {
    return [text(content.body), null];
  }
  if (kind === "button") {
    return [text(content.text), null];
  }
  if (kind === "interactive") {
    return [choice(content), null];
  }
  if (MEDIA.includes(kind)) {
    const { id, mime_type, sha256, caption } = content;
    return [text(caption), { id: identifier(id), mime_type: text(mime_type), sha256: text(sha256) }];
  }
  return [null, null];
}

function choice(content) {
  const isChoice = content.type === "button_reply" || content.type === "list_reply";
  const reply = isChoice ? anObject(content[content.type]) : {};
  return typeof reply.id === "string" ? text(reply.title) : null;
}

function became(status) {
  const word = required(text(status.status));
  const errors = Array.isArray(status.errors) && status.errors.every(isObject) ? status.errors : [];
  return {
    id: required(identifier(status.id)),
    of: text(status.type),
    status: STATUSES.includes(word.toLowerCase()) ? word.toLowerCase() : word,
    errors: errors.map((error) => integer(error.code)).filter((code) => code !== null),
    attached: text(status.biz_opaque_callback_data),
  };
}

// One of Meta's objects. Half a character, such as "\ud800", cannot be sent on.
function whole(value) {
  if (/\\ud[89a-f]/.test(JSON.stringify(value))) {
    throw new Unreadable("unreadable_object");
  }
  return isObject(value) ? value : required(null);
}

function required(value) {
  if (value === null) {
    throw new Unreadable("unreadable_object");
  }
  return value;
}

// Meta writes some as a number, and wrote an empty one for none.
function identifier(value) {
  return lossless.isLosslessNumber(value) ? value.value : text(value) || null;
}

function text(value) {
  return typeof value === "string" ? value : null;
}

function integer(value) {
  const digits = lossless.isLosslessNumber(value) ? value.value : value;
  return typeof digits === "string" && /^[+-]?[0-9]+$/.test(digits) ? Number(digits) : null;
}

function anObject(value) {
  return isObject(value) ? value : {};
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !lossless.isLosslessNumber(value);
}
