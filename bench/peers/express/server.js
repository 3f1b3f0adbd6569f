// A webhook endpoint as guides describe it for Express: Redis marks the ids it has seen and holds the queue.
'use strict';

const crypto = require('node:crypto');
const express = require('express');
const Redis = require('ioredis');

const { APP_SECRET, PORT, QUEUE, REDIS_URL } = process.env;
const REMEMBERED_SECONDS = 24 * 3600;

const app = express();
const store = new Redis(REDIS_URL);

// The signature is over the bytes as they came, so they are kept beside what was parsed of them.
app.use(express.json({ limit: '3mb', verify: (request, _response, bytes) => { request.raw = bytes; } }));

function isSigned(bytes, header = '') {
  const expected = 'sha256=' + crypto.createHmac('sha256', APP_SECRET).update(bytes).digest('hex');
  return header.length === expected.length && crypto.timingSafeEqual(Buffer.from(header), Buffer.from(expected));
}

// Each message and status, with the key that a repeat of it has too.
function* eventsOf(payload) {
  for (const entry of payload.entry ?? []) {
    for (const { value = {} } of entry.changes ?? []) {
      const phone_number_id = value.metadata?.phone_number_id;
      for (const message of value.messages ?? []) yield [message.id, { phone_number_id, message }];
      for (const status of value.statuses ?? []) yield [`${status.id}:${status.status}`, { phone_number_id, status }];
    }
  }
}

app.post('/webhook', async (request, response) => {
  if (!isSigned(request.raw, request.get('X-Hub-Signature-256'))) {
    return response.status(401).json({ error: 'Invalid signature' });
  }
  for (const [key, event] of eventsOf(request.body)) {
    const isNew = await store.set(`seen:${key}`, '1', 'EX', REMEMBERED_SECONDS, 'NX');
    if (isNew) await store.rpush(QUEUE, JSON.stringify(event));
  }
  response.json({ status: 'received' });
});

app.listen(Number(PORT), '127.0.0.1', 4096);
