// Meta's Graph API: sends a reply.

// How long a request may take, and how long an answer may be silent, in milliseconds.
const LIMIT = 10_000;
// Why there was no connection, so that nothing can have been sent.
const UNREACHABLE = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "UND_ERR_CONNECT_TIMEOUT"];

// Errors of Meta's that pass, also where the status is 400: no login or no right now (0, 10, 190), and too much at a time (Meta, Cloud API:
// error codes).
const PASSING = [0, 4, 10, 190, 80007, 130429, 131056];

// Meta will not take it, however often it is asked: its error code.
export class Refused extends Error {}
// Meta did not take it now, and why not.
export class Later extends Error {}
// Nobody said. It may have been taken.
export class Unknown extends Error {}

// A client of the Graph API.
export class Graph {
  #url;
  #authorization;

  constructor(url, token) {
    this.#url = url;
    this.#authorization = `Bearer ${token}`;
  }

  // Replies to `messageId`. `to` is { to: a phone number }, or { recipient: a user id } where the number is hidden. `eventId` comes
  // back with every status of the reply (Meta: `biz_opaque_callback_data`). Refused, Later or Unknown.
  async reply(phoneNumberId, to, text, messageId, eventId) {
    const body = {
      messaging_product: "whatsapp",
      recipient_type: "individual",
      ...to,
      type: "text",
      text: { body: text },
      context: { message_id: messageId },
      biz_opaque_callback_data: eventId,
    };
    let status, answer;
    try {
      const response = await this.#fetch(`${this.#url}/${phoneNumberId}/messages`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      status = response.status;
      answer = await response.json();
    } catch (error) {
      if (UNREACHABLE.includes(error.cause?.code)) {
        throw new Later("there is no connection");
      }
      throw new Unknown();
    }
    judge(status, answer);
  }

  // What the Graph API says of an object.
  async lookUp(id) {
    return await this.#fetch(`${this.#url}/${id}`, {});
  }

  // What is at an address that the Graph API named: `take` gets the status and the chunks. A large file takes its time: only silence
  // ends it.
  async download(url, take) {
    const end = new AbortController();
    const silence = setTimeout(() => end.abort(), LIMIT);
    try {
      const { status, body } = await this.#fetch(url, { signal: end.signal });
      return await take(status, heard(body, silence));
    } finally {
      clearTimeout(silence);
      // Whatever nobody has read.
      end.abort();
    }
  }

  #fetch(url, { headers, signal = AbortSignal.timeout(LIMIT), ...options }) {
    return fetch(url, {
      ...options,
      headers: { ...headers, authorization: this.#authorization },
      // A redirect would carry the token away.
      redirect: "manual",
      signal,
    });
  }
}

async function* heard(body, silence) {
  for await (const chunk of body) {
    silence.refresh();
    yield chunk;
  }
}

// What an answer means: nothing to say of 200, else Refused, Later or Unknown.
export function judge(status, answer) {
  if (status === 200) {
    return;
  }
  const code = answer?.error?.code;
  if (!Number.isInteger(code)) {
    // Without an error of Meta's it is somebody in between who answers.
    throw new Unknown();
  }
  if (isTransient(status, code, answer.error)) {
    throw new Later(`status ${status}, code ${code}`);
  }
  throw new Refused(code);
}

// Whether the same request may be taken later. A token that has expired is not the event's fault: somebody has to mend that, and until
// then everything waits.
function isTransient(status, code, error) {
  return [401, 403, 429].includes(status) || status >= 500 || PASSING.includes(code) || error.is_transient === true;
}
