"""Kernel websocket with TCP_NODELAY."""

from __future__ import annotations

from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class NoDelayConnection(ZMQChannelsWebsocketConnection):
    """Send each small message immediately.

    Without TCP_NODELAY, each answer of the kernel to a slider event waits about 40 ms for the
    browser's delayed acknowledgment of the previous one, even on the same machine.
    """

    def connect(self) -> Any:
        """Open the channels of the kernel after setting TCP_NODELAY."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()
