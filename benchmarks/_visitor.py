"""A visitor without a browser: it speaks the protocol of the page over a kernel websocket."""

from __future__ import annotations

import asyncio
import json
import re
import time
import uuid
from collections.abc import Sequence
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.websocket import WebSocketClientConnection, websocket_connect

MODEL_ID = re.compile(r'"model_id":\s*"([0-9a-f]+)"')
KERNEL_ID = re.compile(r'"kernelId":\s*"([0-9a-f-]+)"')
TIMEOUT = 90.0  # seconds


class Visitor:
    """One open page: it receives the states that Python sends and moves controls.

    Attributes
    ----------
    kernel
        The id of the kernel behind the page.
    values
        The values of all controls.
    states
        The times, in seconds of `time.perf_counter`, and the contents of the received states.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.kernel = ""
        self.values: dict[str, Any] = {}
        self.states: list[tuple[float, dict[str, Any]]] = []
        self._cookies: dict[str, str] = {}
        self._socket: WebSocketClientConnection
        self._model = ""
        self._seq = 0
        self._gesture = 0
        self._held = False  # whether a hand holds the control
        self._session = uuid.uuid4().hex
        self._arrived = asyncio.Condition()
        self._idle: set[str] = set()  # ids of the messages that the kernel has finished
        self._reader: asyncio.Task[None]

    async def open(self) -> float:
        """Load the page, connect, and return the seconds until the first results arrived."""
        start = time.perf_counter()
        html = (await self._request(self.url)).body.decode()
        self.kernel, self._model = KERNEL_ID.findall(html)[0], MODEL_ID.findall(html)[0]
        channels = f"{self.url}api/kernels/{self.kernel}/channels?session_id={self._session}"
        request = HTTPRequest(channels.replace("http", "ws", 1), headers=self._headers())
        self._socket = await websocket_connect(request, max_message_size=2**26)
        self._reader = asyncio.create_task(self._read())
        await self._send({"method": "custom", "content": {"act": "hello", "theme": "light"}})
        await self.until(lambda state: bool(self.values) and _exact(state))
        return time.perf_counter() - start

    async def drag(self, key: str, values: Sequence[float], seconds: float) -> list[float]:
        """Move a control through `values`, as fast as answers permit, and return update times.

        As in the page, one message is in flight and the newest value replaces a waiting one. An
        update is a state with the accuracy of a value that it did not show before.
        """
        await self._send({"method": "custom", "content": {"act": "warm_up"}})
        self._gesture, self._held = self._gesture + 1, True
        first = len(self.states)
        start = time.perf_counter()
        while (elapsed := time.perf_counter() - start) < seconds:
            value = values[int(elapsed / seconds * len(values))]
            if value != self.values[key]:
                await self.set(key, value)
            await asyncio.sleep(1 / 60)
        seen: dict[int, float] = {}
        for moment, state in self.states[first:]:
            if state["numbers"] and not state["numbers"]["pending"]:
                seen.setdefault(state["seq"], moment)
        return [moment - start for moment in seen.values()]

    async def set(self, key: str, value: float) -> None:
        """Set one control, and wait until the kernel has handled the message."""
        self._seq += 1
        self.values[key] = value
        gesture = {"gesture": self._gesture, "moving": self._held}
        state = {"values": {"seq": self._seq, **gesture, "values": self.values}}
        message = await self._send({"method": "update", "state": state, "buffer_paths": []})
        async with self._arrived:
            await asyncio.wait_for(self._arrived.wait_for(lambda: message in self._idle), TIMEOUT)

    async def release(self, key: str, value: float) -> float:
        """Set one control, let it go, and return the seconds until the exact result is known."""
        start = time.perf_counter()
        await self.set(key, value)
        self._held = False
        await self._send({"method": "custom", "content": {"act": "rest", "seq": self._seq}})
        await self.until(lambda s: s["seq"] == self._seq and _exact(s))
        return time.perf_counter() - start

    async def until(self, condition: Any) -> None:
        """Wait until the newest state meets `condition`."""
        async with self._arrived:
            await asyncio.wait_for(
                self._arrived.wait_for(lambda: self.states and condition(self.states[-1][1])),
                TIMEOUT,
            )

    async def close(self) -> None:
        """Leave as the page does: ask for the end of the kernel, and disconnect."""
        self._reader.cancel()
        self._socket.close()
        address = f"{self.url}voila/api/shutdown/{self.kernel}"
        await self._request(address, f"_xsrf={self._cookies['_xsrf']}")

    async def _read(self) -> None:
        while (text := await self._socket.read_message()) is not None:
            if isinstance(text, bytes):  # a message with buffers: none that is of interest
                continue
            message = json.loads(text)
            async with self._arrived:
                self._handle(message)
                self._arrived.notify_all()

    def _handle(self, message: dict[str, Any]) -> None:
        content = message["content"]
        if message["msg_type"] == "status" and content["execution_state"] == "idle":
            self._idle.add(message["parent_header"].get("msg_id", ""))
        if message["msg_type"] != "comm_msg" or content["comm_id"] != self._model:
            return
        custom = content["data"].get("content", {})
        if custom.get("kind") == "state":
            self.values = custom.get("values") or self.values
            self.states.append((time.perf_counter(), custom))

    async def _send(self, data: dict[str, Any]) -> str:
        identity = uuid.uuid4().hex
        header = {
            "msg_id": identity,
            "msg_type": "comm_msg",
            "session": self._session,
            "username": "visitor",
            "date": "",
            "version": "5.3",
        }
        content = {"comm_id": self._model, "data": data}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        await self._socket.write_message(json.dumps({**message, "channel": "shell"}))
        return identity

    async def _request(self, url: str, body: str | None = None) -> HTTPResponse:
        response = await AsyncHTTPClient().fetch(
            url,
            method="GET" if body is None else "POST",
            body=body,
            headers=self._headers(),
            request_timeout=TIMEOUT,
        )
        for cookie in response.headers.get_list("Set-Cookie"):
            name, _equals, value = cookie.partition(";")[0].partition("=")
            self._cookies[name] = value
        return response

    def _headers(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}


def _exact(state: dict[str, Any]) -> bool:
    return bool(state["numbers"] and state["numbers"]["exact"]) and not state["busy"]
