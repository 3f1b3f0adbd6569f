"""A webhook endpoint as guides describe it for Flask: Redis marks the ids it has seen and holds the queue."""

import hashlib
import hmac
import json
import os

import redis
from flask import Flask, jsonify, request

SECRET = os.environ["APP_SECRET"].encode()
QUEUE = os.environ["QUEUE"]
REMEMBERED_SECONDS = 24 * 3600

app = Flask(__name__)
store = redis.Redis.from_url(os.environ["REDIS_URL"])


def is_signed(body, header):
    expected = "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, header or "")


def events_of(payload):
    """Each message and status, with the key that a repeat of it has too."""
    for entry in payload.get("entry", []):
        for change in entry.get("changes", []):
            value = change.get("value", {})
            number = value.get("metadata", {}).get("phone_number_id")
            for message in value.get("messages", []):
                yield message["id"], {"phone_number_id": number, "message": message}
            for status in value.get("statuses", []):
                yield f"{status['id']}:{status['status']}", {"phone_number_id": number, "status": status}


@app.post("/webhook")
def receive():
    body = request.get_data()
    if not is_signed(body, request.headers.get("X-Hub-Signature-256")):
        return jsonify(error="Invalid signature"), 401
    for key, event in events_of(json.loads(body)):
        if store.set(f"seen:{key}", 1, nx=True, ex=REMEMBERED_SECONDS):
            store.rpush(QUEUE, json.dumps(event))
    return jsonify(status="received")
