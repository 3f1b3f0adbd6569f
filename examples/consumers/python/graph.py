"""Meta's Graph API: sends a reply."""

import asyncio

import httpx

# How long a request may take, and how long an answer may be silent, in seconds.
LIMIT = 10
# Errors of Meta's that pass, also where the status is 400: no login or no right now (0, 10, 190), and too much at a time (Meta, Cloud API:
# error codes).
PASSING = (0, 4, 10, 190, 80007, 130429, 131056)


class Refused(Exception):
    """Meta will not take it, however often it is asked: its error code."""


class Later(Exception):
    """Meta did not take it now, and why not."""


class Unknown(Exception):
    """Nobody said. It may have been taken."""


class Graph:
    """A client of the Graph API."""

    def __init__(self, url, token):
        self._url = url
        # A redirect would carry the token away: the client follows none.
        self._http = httpx.AsyncClient(timeout=LIMIT, headers={"Authorization": f"Bearer {token}"})

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self._http.aclose()

    async def reply(self, phone_number_id, to, text, message_id, event_id):
        """Replies to `message_id`. `to` is ("to", a phone number), or ("recipient", a user id) where the number is hidden. `event_id`
        comes back with every status of the reply (Meta: `biz_opaque_callback_data`). Refused, Later or Unknown."""
        key, address = to
        body = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            key: address,
            "type": "text",
            "text": {"body": text},
            "context": {"message_id": message_id},
            "biz_opaque_callback_data": event_id,
        }
        try:
            async with asyncio.timeout(LIMIT):
                answer = await self._http.post(f"{self._url}/{phone_number_id}/messages", json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            # It never got there.
            raise Later("there is no connection") from None
        except (httpx.HTTPError, TimeoutError):
            raise Unknown from None
        outcome(answer)

    async def look_up(self, id):
        """What the Graph API says of an object."""
        async with asyncio.timeout(LIMIT):
            return await self._http.get(f"{self._url}/{id}")

    def download(self, url):
        """What is at an address that the Graph API named. A large file takes its time: only silence ends it. To be used with
        `async with`."""
        return self._http.stream("GET", url)


def outcome(answer):
    """What an answer means: nothing to say of 200, else Refused, Later or Unknown."""
    try:
        body = answer.json()
    except ValueError:
        raise Unknown from None
    if answer.status_code == 200:
        return
    error = body.get("error") if isinstance(body, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    if not isinstance(code, int):
        # Without an error of Meta's it is somebody in between who answers.
        raise Unknown
    if is_transient(answer.status_code, code, error):
        raise Later(f"status {answer.status_code}, code {code}")
    raise Refused(code)


def is_transient(status, code, error):
    """Whether the same request may be taken later. A token that has expired is not the event's fault: somebody has to mend that, and
    until then everything waits."""
    return status in (401, 403, 429) or status >= 500 or code in PASSING or error.get("is_transient") is True
