"""The kernel's websocket without Nagle's delay."""

from __future__ import annotations

from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class NoDelayConnection(ZMQChannelsWebsocketConnection):
    """Send each small message at once.

    Without TCP_NODELAY the kernel's answer to every step of a slider waits about 40 ms for the
    browser's delayed acknowledgement of the one before, even on the same machine.
    """

    def connect(self) -> Any:
        """Open the kernel's channels as usual, with the delay switched off."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()
