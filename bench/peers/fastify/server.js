// The same endpoint in Fastify: each event goes to JetStream, and all are acknowledged before the answer.
'use strict';

const crypto = require('node:crypto');
const fastify = require('fastify');
const { connect, headers } = require('@nats-io/transport-node');
const { jetstream } = require('@nats-io/jetstream');

const { APP_SECRET, NATS_URL, PORT, SUBJECT } = process.env;

function isSigned(bytes, header = '') {
  const expected = 'sha256=' + crypto.createHmac('sha256', APP_SECRET).update(bytes).digest('hex');
  return header.length === expected.length && crypto.timingSafeEqual(Buffer.from(header), Buffer.from(expected));
}

// Subject, id and data of each message and status.
function* eventsOf(payload) {
  for (const entry of payload.entry ?? []) {
    for (const { value = {} } of entry.changes ?? []) {
      const phone_number_id = value.metadata?.phone_number_id;
      const subject = `${SUBJECT}.${phone_number_id}`;
      for (const message of value.messages ?? []) {
        yield [`${subject}.messages.${message.type}`, message.id, { phone_number_id, message }];
      }
      for (const status of value.statuses ?? []) {
        yield [`${subject}.statuses.${status.status}`, `${status.id}:${status.status}`, { phone_number_id, status }];
      }
    }
  }
}

async function main() {
  const stream = jetstream(await connect({ servers: NATS_URL }));
  const app = fastify({ bodyLimit: 3 * 1024 * 1024 });
  // The signature is over the bytes as they came.
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, bytes, done) => done(null, bytes));

  app.post('/webhook', async (request, reply) => {
    if (!isSigned(request.body, request.headers['x-hub-signature-256'])) {
      return reply.code(401).send({ error: 'Invalid signature' });
    }
    const published = [];
    for (const [subject, key, event] of eventsOf(JSON.parse(request.body))) {
      const withId = headers();
      withId.set('Nats-Msg-Id', key);
      published.push(stream.publish(subject, JSON.stringify(event), { headers: withId }));
    }
    await Promise.all(published);
    return { status: 'received' };
  });
  await app.listen({ host: '127.0.0.1', port: Number(PORT), backlog: 4096 });
}

main();
