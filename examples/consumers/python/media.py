"""Media: id, address, bytes. The address lives for five minutes, so it is asked for when the bytes are wanted and never kept."""

import base64
import hashlib
import uuid
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
            async with graph.download(found["url"]) as answer:
                # Too old, or never was: they are answered alike.
                if answer.status_code in (403, 404, 410):
                    continue
                if answer.status_code != 200:
                    raise NotNow(f"status {answer.status_code}")
                promised = [one for one in (found.get("sha256"), file.sha256) if isinstance(one, str)]
                return await keep(answer, promised, Path(directory))
    except (httpx.HTTPError, TimeoutError):
        # Not what the error says, which may be the address too.
        raise NotNow("the connection failed") from None
    except OSError as error:
        raise NotNow(f"it cannot be written: {error.strerror}") from None
    raise Never("media_expired")


async def look_up(graph, id):
    answer = await graph.look_up(id)
    try:
        meta.outcome(answer)
    except meta.Refused:
        raise Never("media_gone") from None
    except meta.Later as why:
        raise NotNow(str(why)) from None
    except meta.Unknown:
        raise NotNow(f"status {answer.status_code}") from None
    found = answer.json()
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


async def keep(answer, promised, directory):
    """Under its digest: twice the same is once, and a file is whole or not there. How large it is."""
    directory.mkdir(parents=True, exist_ok=True)
    # A name that no other worker on the same volume has.
    half = directory / f"half.{uuid.uuid4().hex}"
    digest, length = hashlib.sha256(), 0
    try:
        with half.open("xb") as out:
            async for chunk in answer.aiter_bytes():
                length += len(chunk)
                if length > LARGEST:
                    raise Never("media_too_large")
                digest.update(chunk)
                out.write(chunk)
        if not all(is_digest(one, digest.digest()) for one in promised):
            raise Never("media_damaged")
        half.rename(directory / digest.hexdigest())
        return length
    finally:
        half.unlink(missing_ok=True)


def is_digest(promised, digest):
    """Whether a digest, which Meta writes in hex or in base64, is this one."""
    if promised.lower() == digest.hex():
        return True
    try:
        return base64.b64decode(promised, validate=True) == digest
    except ValueError:
        return False
