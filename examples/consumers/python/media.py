"""Media: id, address, bytes. The address lives for five minutes, so it is asked for when the bytes are wanted and never kept."""

import base64
import hashlib
import json
import os
from pathlib import Path

import httpx

import graph as meta

# The largest file WhatsApp carries: a document (Meta, Cloud API: media).
LARGEST = 100 * 1024 * 1024
# How often an address that is too old is asked for again.
ADDRESSES = 3


class Never(Exception):
    """There is no file and never will be: why, in a word."""


class NotNow(Exception):
    """There is no file now, and why not."""


async def fetch(graph, hosts, directory, file):
    """Fetches a file into `directory` under its digest, and says how large it is."""
    if file.id is None:
        raise Never("media_without_id")
    try:
        for _ in range(ADDRESSES):
            found = await look_up(graph, file.id)
            if not is_permitted(found["url"], hosts):
                raise Never("media_host_not_allowed")
            async with graph.get(found["url"]) as answer:
                # Too old, or never was: they are answered alike.
                if answer.status_code in (403, 404, 410):
                    continue
                if answer.status_code != 200:
                    raise NotNow(f"status {answer.status_code}")
                content = await body(answer)
            digest = hashlib.sha256(content).digest()
            promised = [one for one in (found.get("sha256"), file.sha256) if isinstance(one, str)]
            if not all(is_digest(one, digest) for one in promised):
                raise Never("media_damaged")
            keep(Path(directory), digest.hex(), content)
            return len(content)
    except httpx.HTTPError:
        # Not what the error says, which may be the address too.
        raise NotNow("the connection failed") from None
    except OSError as error:
        raise NotNow(f"it cannot be written: {error.strerror}") from None
    raise Never("media_expired")


async def look_up(graph, id):
    async with graph.get(graph.object(id)) as answer:
        content = await answer.aread()
        try:
            meta.outcome(answer.status_code, content)
        except meta.Refused:
            raise Never("media_gone") from None
        except meta.Later as why:
            raise NotNow(str(why)) from None
        except meta.Unknown:
            raise NotNow(f"status {answer.status_code}") from None
    found = json.loads(content)
    if not isinstance(found, dict) or not isinstance(found.get("url"), str):
        raise NotNow("no address in the answer")
    return found


def is_permitted(url, hosts):
    """Whether the token may go there: one of the hosts, over TLS unless it is this machine. Read as the client reads it."""
    try:
        url = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    encrypted = url.scheme == "https" or (url.scheme == "http" and url.host == "127.0.0.1")
    return encrypted and (url.host if url.port is None else f"{url.host}:{url.port}") in hosts


async def body(answer):
    content = bytearray()
    async for chunk in answer.aiter_bytes():
        content += chunk
        if len(content) > LARGEST:
            raise Never("media_too_large")
    return bytes(content)


def is_digest(promised, digest):
    """Whether a digest, which Meta writes in hex or in base64, is this one."""
    if promised.lower() == digest.hex():
        return True
    try:
        return base64.b64decode(promised, validate=True) == digest
    except ValueError:
        return False


def keep(directory, digest, content):
    """Under its digest: twice the same is once, and a file is whole or not there."""
    directory.mkdir(parents=True, exist_ok=True)
    half = directory / f"{digest}.{os.getpid()}"
    half.write_bytes(content)
    half.rename(directory / digest)
