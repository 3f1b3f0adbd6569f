"""The settings: variables of the environment, the same ones in every language."""

import os
from dataclasses import dataclass

LANES = "0123456789abcdef"

HELP = """settings, from the environment:
  STREAM        the stream of the webhook; `kubectl get whatsappwebhook -o wide` shows it
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
  LANES         the lanes this worker takes from, such as 0-7 (0-f)"""


class Wrong(Exception):
    """A setting is missing or makes no sense."""


@dataclass(frozen=True)
class Source:
    """Where the events are, and whose they are."""

    nats_url: str
    nats_creds: str | None
    nats_user: str | None
    nats_password: str | None
    nats_ca: str | None
    nats_inbox_prefix: str
    stream: str
    bot: str

    @classmethod
    def read(cls, env=os.environ):
        return cls(
            nats_url=env.get("NATS_URL", "nats://127.0.0.1:4222"),
            nats_creds=env.get("NATS_CREDS"),
            nats_user=env.get("NATS_USER"),
            nats_password=env.get("NATS_PASSWORD"),
            nats_ca=env.get("NATS_CA"),
            nats_inbox_prefix=env.get("NATS_INBOX_PREFIX", "_INBOX"),
            stream=required(env, "STREAM"),
            bot=env.get("BOT", "bot"),
        )

    def __repr__(self):
        # A password has no business in a traceback.
        return "Source"


@dataclass(frozen=True)
class Settings:
    """How events are worked on. Pauses and times are in seconds."""

    graph_url: str
    graph_token: str
    media_hosts: list[str]
    media_dir: str
    tries: int
    retry: float
    ack_wait: float
    settle: float
    lanes: str

    @classmethod
    def read(cls, env=os.environ):
        return cls(
            graph_url=env.get("GRAPH_URL", "https://graph.facebook.com/v23.0").rstrip("/"),
            graph_token=required(env, "GRAPH_TOKEN"),
            media_hosts=env.get("MEDIA_HOSTS", "lookaside.fbsbx.com").split(","),
            media_dir=env.get("MEDIA_DIR", "media"),
            tries=number(env, "TRIES", "5", int, least=1),
            retry=number(env, "RETRY", "2", float),
            ack_wait=number(env, "ACK_WAIT", "30", float),
            settle=number(env, "SETTLE", "60", float),
            lanes=lanes(env.get("LANES", "0-f")),
        )

    def __repr__(self):
        # A token has no business in a traceback.
        return "Settings"


def required(env, name):
    if not env.get(name):
        raise Wrong(f"{name} is not set; `main.py --help` says what it is")
    return env[name]


def number(env, name, otherwise, kind, least=0):
    try:
        value = kind(env.get(name, otherwise))
    except ValueError:
        raise Wrong(f"{name} is no number") from None
    if not least <= value < float("inf"):
        raise Wrong(f"{name} must be at least {least}")
    return value


def lanes(text):
    """`0-7`, `3`, `0,8,c-f`."""
    found = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        last = last if "-" in part else first
        if not (len(first) == len(last) == 1 and -1 < LANES.find(first) <= LANES.find(last)):
            raise Wrong(f"LANES: `{part}` names no lanes; write one digit of {LANES}, or a range such as 0-7")
        found.update(LANES[LANES.index(first) : LANES.index(last) + 1])
    return "".join(sorted(found))
