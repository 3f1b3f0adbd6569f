"""What an event says, in the form this bot works with. Pure; the same in every language, held to ../golden."""

import json
import re
from dataclasses import asdict, dataclass, field

MEDIA = ("image", "video", "audio", "voice", "document", "sticker")
OBJECTS = ("message", "status", "call", "error", "user_action", "value")
PREFIX = "com.whatsapp."
# Meta's pages spell some of them in capitals.
STATUSES = ("sent", "delivered", "read", "failed", "played", "deleted", "warning", "pending", "captured")


class Unreadable(Exception):
    """The data is not the data of an event: why, in a word that quotes nothing."""


class Headers:
    """The headers of an event, whatever their case."""

    def __init__(self, pairs):
        self._all = {}
        for name, value in (pairs or {}).items():
            if isinstance(value, str):
                self._all.setdefault(name.lower(), value)

    def get(self, name):
        return self._all.get(name)

    @property
    def event_id(self):
        return self.get("ce-id")

    @property
    def family(self):
        return self._type_parts()[0]

    @property
    def kind(self):
        return self._type_parts()[1]

    def _type_parts(self):
        text = self.get("ce-type") or ""
        family, dot, kind = text.removeprefix(PREFIX).partition(".")
        return (family, kind) if text.startswith(PREFIX) and dot else (None, None)


@dataclass
class Customer:
    """A customer. One of the two ids may be missing, and so may the name."""

    user_id: str | None = None
    phone: str | None = None
    name: str | None = None


@dataclass
class File:
    """A media file, still at Meta's. The digest is in base64 or hex."""

    id: str | None = None
    mime_type: str | None = None
    sha256: str | None = None


@dataclass
class Said:
    """What a customer said: the words of a text, a caption, a button, a choice; a file; the wamid of what it answers."""

    id: str
    text: str | None = None
    media: File | None = None
    answers: str | None = None


@dataclass
class Became:
    """What became of something the business sent. `of` is `payment` or `call`, and None for a message; `attached` is what the business
    attached when it sent the message: here, the id of the event that was replied to."""

    id: str
    of: str | None = None
    status: str = ""
    errors: list[int] = field(default_factory=list)
    attached: str | None = None


@dataclass
class Record:
    """An event. What Meta did not send is None."""

    event_id: str | None = None
    family: str | None = None
    type: str | None = None
    at: str | None = None
    account: str | None = None
    customer: Customer | None = None
    message: Said | None = None
    status: Became | None = None


def as_json(record):
    return asdict(record)


def read(headers, payload):
    """Reads an event. Unreadable when the data is not the data of an event; a dead letter has none."""
    record = Record(headers.event_id, headers.family, headers.kind, headers.get("ce-time"))
    if headers.family == "dead_letter":
        return record
    data = parse(payload)
    record.account = identifier(data.get("phone_number_id")) or identifier(data.get("waba_id"))
    if "message" in data:
        message = whole(data["message"])
        record.customer = sender(message, an_object(data.get("contact")))
        record.message = said(message)
    if "status" in data:
        status = whole(data["status"])
        record.customer = recipient(status)
        record.status = became(status)
    return record


def parse(payload):
    """The data: a JSON object with one of Meta's objects in it."""
    try:
        data = json.loads(payload.decode(), parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise Unreadable("no_event_data") from None
    if not isinstance(data, dict) or sum(name in data for name in OBJECTS) != 1:
        raise Unreadable("no_event_data")
    return data


def attached(payload):
    """What the status in this data brings back of the message it is about."""
    try:
        return text(parse(payload).get("status", {}).get("biz_opaque_callback_data"))
    except (Unreadable, AttributeError):
        return None


def sender(message, contact):
    """The customer of a message: who sent it, or, of an echo, whom it was sent to."""
    sent, received = (
        (identifier(message.get(name)), identifier(message.get(f"{name}_user_id"))) for name in ("from", "to")
    )
    phone, user_id = received if any(received) else sent
    return Customer(
        user_id=user_id or identifier(contact.get("user_id")),
        phone=phone or identifier(contact.get("wa_id")),
        name=text(an_object(contact.get("profile")).get("name")),
    )


def recipient(status):
    is_group = status.get("recipient_type") == "group"
    return Customer(
        user_id=identifier(status.get("recipient_user_id")),
        phone=None if is_group else identifier(status.get("recipient_id")),
    )


def said(message):
    kind = text(message.get("type")) or ""
    content = message.get(kind)
    words, media = None, None
    if isinstance(content, dict):
        if kind == "text":
            words = text(content.get("body"))
        elif kind == "button":
            words = text(content.get("text"))
        elif kind == "interactive":
            words = choice(content)
        elif kind in MEDIA:
            words = text(content.get("caption"))
            media = File(
                identifier(content.get("id")), text(content.get("mime_type")), text(content.get("sha256"))
            )
    return Said(
        id=required(identifier(message.get("id"))),
        text=words,
        media=media,
        answers=identifier(an_object(message.get("context")).get("id")),
    )


def choice(content):
    kind = content.get("type")
    reply = an_object(content.get(kind)) if kind in ("button_reply", "list_reply") else {}
    return text(reply.get("title")) if isinstance(reply.get("id"), str) else None


def became(status):
    word = required(text(status.get("status")))
    errors = status.get("errors")
    if not isinstance(errors, list) or not all(isinstance(error, dict) for error in errors):
        errors = []
    return Became(
        id=required(identifier(status.get("id"))),
        of=text(status.get("type")),
        status=word.lower() if word.lower() in STATUSES else word,
        errors=[code for error in errors if (code := integer(error.get("code"))) is not None],
        attached=text(status.get("biz_opaque_callback_data")),
    )


def whole(value):
    """One of Meta's objects. Half a character, such as "\\ud800", cannot be sent on."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Unreadable("unreadable_object") from None
    return value if isinstance(value, dict) else required(None)


def required(value):
    if value is None:
        raise Unreadable("unreadable_object")
    return value


def identifier(value):
    """Meta writes some as a number, and wrote an empty one for none."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return text(value) or None


def text(value):
    return value if isinstance(value, str) else None


def integer(value):
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]+", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def an_object(value):
    return value if isinstance(value, dict) else {}


def no_constant(_):
    raise ValueError("NaN and Infinity are no JSON")
