"""Voila configured for a single notebook, without user settings and external resources."""

from __future__ import annotations

import asyncio
import logging
import shutil
import signal
import socket
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any
from weakref import WeakSet

import psutil
import tornado.httpserver
import tornado.ioloop
import tornado.web
from traitlets.config import Config
from voila.app import Voila
from voila.tornado.handler import TornadoVoilaHandler

from workbench.panels import plotly_script
from workbench.server import forked_kernel
from workbench.server.kernels import ServerKernelSpecManager
from workbench.server.websocket import NoDelayConnection

TEMPLATE = Path(__file__).resolve().parent / "template"

CONTENT_POLICY = (  # browsers block resources from any other server
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' blob: data:; frame-ancestors 'self'"
)

EXTENSIONS = [  # only the required ones: each adds megabytes to the page
    "@voila-dashboards/widgets-manager8",
    "@jupyter-widgets/jupyterlab-manager",
    "anywidget",
]


SILENT = logging.CRITICAL + 1
"""A level above that of any message."""
END_SECONDS = 6.0
"""How long kernels may take to end by themselves; Jupyter gives each five seconds."""

FIRST_KERNELS = "workbench_first_kernels"
"""The setting with the tasks that make the kernels that start with the server."""


class PageHandler(TornadoVoilaHandler):
    """Render the notebook, and shut down its kernel when the page is closed."""

    async def get(self, path: str | None = None) -> None:
        """Send the page, with the XSRF cookie that its shutdown request needs."""
        _ = self.xsrf_token  # reading it sets the cookie, which Voila does not do
        await super().get(path)

    def should_use_rendered_notebook(self, data: Any, size: int, *requested: Any) -> bool:
        """Use a preheated kernel whatever theme the query requests: the page sets its theme.

        A kernel that Voila starts only some seconds from now, because another visitor has just
        taken one, is left to a later visitor; this one gets a new kernel at once. Those that start
        with the server are ahead of a new one.
        """
        if not size:  # without preheated kernels there are no pools
            return False
        pool = self.kernel_manager._pools[self.notebook_path]  # noqa: SLF001 - Voila tells only its size
        if not pool:
            return False
        if pool[0] in self.settings[FIRST_KERNELS]:
            return True
        if not pool[0].done():
            return False
        return bool(super().should_use_rendered_notebook(data, size, None, None, {}))


class PlotlyHandler(tornado.web.RequestHandler):
    """Serve plotly.js, which browsers may cache without expiry."""

    def get(self) -> None:
        """Send the script, compressed with gzip if the browser accepts it."""
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.set_header("Vary", "Accept-Encoding")
        if "gzip" in self.request.headers.get("Accept-Encoding", ""):
            self.set_header("Content-Encoding", "gzip")
            self.finish(plotly_script.compressed_script())
        else:
            self.finish(plotly_script.script())


class PageServer(Voila):
    """Voila for one notebook, on sockets that are already bound."""

    def __init__(self, sockets: list[socket.socket], **settings: Any) -> None:
        self.sockets = sockets
        forked_kernel.register()
        super().__init__(**settings)

    def setup_template_dirs(self) -> None:
        """Search for templates in the package before Voila's folders."""
        super().setup_template_dirs()
        self.template_paths: list[str] = [str(TEMPLATE), *self.template_paths]

    def init_handlers(self) -> list[Any]:
        """Replace Voila's page handler, and add a handler for plotly.js."""
        handlers = [
            (rule[0], PageHandler, *rule[2:]) if rule[1] is TornadoVoilaHandler else rule
            for rule in super().init_handlers()
        ]
        return [(f"{self.server_url}workbench/plotly\\.js", PlotlyHandler), *handlers]

    def listen(self) -> None:
        """Serve until interrupted or terminated."""
        pools = getattr(self.kernel_manager, "_pools", {})  # absent without preheated kernels
        self.app.settings[FIRST_KERNELS] = WeakSet(task for pool in pools.values() for task in pool)
        server = tornado.httpserver.HTTPServer(self.app)
        server.add_sockets(self.sockets)
        self.ioloop = tornado.ioloop.IOLoop.current()
        # By itself, Python would raise an exception in whatever code runs at this moment.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._handle_signal_stop)
        try:
            self.ioloop.start()
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the rest takes a few seconds at most
            server.stop()
            self.stop()

    def stop(self) -> None:
        """End all kernels and whatever else runs, and then remove the connection files."""
        # What visitors have asked for, and what has begun to start, fails now.
        warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
        for log in (self.log, logging.getLogger("tornado"), logging.getLogger("asyncio")):
            log.setLevel(SILENT)
        self.ioloop.run_sync(self._end_kernels)
        others = psutil.Process().children(recursive=True)
        for process in others:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(others, timeout=END_SECONDS)
        shutil.rmtree(self.connection_dir, ignore_errors=True)

    async def _end_kernels(self) -> None:
        """Ask all kernels to end, and wait for them; no other ones start."""
        manager = self.kernel_manager
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        getattr(manager, "_pools", {}).clear()
        ends = [_end(manager.get_kernel(name)) for name in manager.list_kernel_ids()]
        await asyncio.wait([asyncio.gather(*ends, return_exceptions=True)], timeout=END_SECONDS)


async def _end(kernel: Any) -> None:
    """Ask a kernel to end, without messages about what it was doing and without an interrupt."""
    kernel.stop_restarter()
    if kernel.has_kernel:
        await kernel.signal_kernel(signal.SIGTERM)
        await kernel.request_shutdown()
        await kernel.finish_shutdown()


def settings(preheat: int, *, uploads: bool = False) -> Config:
    """Return the Voila configuration.

    It hides source code and tracebacks, serves no other files of the folder, and shuts down
    kernels ten minutes after their page disconnects.

    Parameters
    ----------
    preheat
        Number of kernels started in advance.
    uploads
        Whether visitors may upload data.
    """
    config = Config()
    config.VoilaConfiguration.template = "lab"
    config.VoilaConfiguration.strip_sources = True
    config.VoilaConfiguration.show_tracebacks = False
    config.VoilaConfiguration.allow_template_override = "NO"
    config.VoilaConfiguration.allow_theme_override = "NO"
    config.VoilaConfiguration.extension_allowlist = EXTENSIONS
    config.VoilaConfiguration.file_allowlist = []
    config.VoilaConfiguration.kernel_spec_manager_class = ServerKernelSpecManager
    config.ServerKernelSpecManager.uploads = uploads
    config.VoilaConfiguration.preheat_kernel = preheat > 0
    config.VoilaConfiguration.default_pool_size = preheat
    # A class gets kernels that share PyTorch; a single visitor's page comes before it.
    config.ForkProvisioner.complete = preheat > 1
    config.VoilaKernelManager.fill_delay = (
        5.0  # seconds: the page of the current visitor loads first
    )
    config.VoilaConfiguration.resources = {"plotly_digest": plotly_script.fingerprint()}
    config.MappingKernelManager.cull_interval = 60
    config.MappingKernelManager.cull_idle_timeout = 600
    config.Voila.kernel_websocket_connection_class = NoDelayConnection
    config.Voila.tornado_settings = {"headers": {"Content-Security-Policy": CONTENT_POLICY}}
    return config
