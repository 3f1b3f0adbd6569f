"""The same endpoint in asynchronous Python: each event goes to JetStream, and all are acknowledged before the answer."""

import asyncio
import hashlib
import hmac
import os
from contextlib import asynccontextmanager

import nats
import orjson
from fastapi import FastAPI, Request, Response

SECRET = os.environ["APP_SECRET"].encode()
PREFIX = os.environ["SUBJECT"]


@asynccontextmanager
async def connected(app):
    client = await nats.connect(os.environ["NATS_URL"])
    app.state.stream = client.jetstream(publish_async_max_pending=100_000)
    yield
    await client.drain()


app = FastAPI(lifespan=connected)


def is_signed(body, header):
    expected = "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, header or "")


def events_of(payload):
    """Subject, id and data of each message and status."""
    for entry in payload.get("entry", []):
        for change in entry.get("changes", []):
            value = change.get("value", {})
            number = value.get("metadata", {}).get("phone_number_id")
            for message in value.get("messages", []):
                data = {"phone_number_id": number, "message": message}
                yield f"{PREFIX}.{number}.messages.{message['type']}", message["id"], data
            for status in value.get("statuses", []):
                data = {"phone_number_id": number, "status": status}
                subject = f"{PREFIX}.{number}.statuses.{status['status']}"
                yield subject, f"{status['id']}:{status['status']}", data


@app.post("/webhook")
async def receive(request: Request):
    body = await request.body()
    if not is_signed(body, request.headers.get("X-Hub-Signature-256")):
        return Response(b'{"error":"Invalid signature"}', 401, media_type="application/json")
    publish = app.state.stream.publish
    await asyncio.gather(
        *(
            publish(subject, orjson.dumps(data), headers={"Nats-Msg-Id": key})
            for subject, key, data in events_of(orjson.loads(body))
        )
    )
    return Response(b'{"status":"received"}', media_type="application/json")
