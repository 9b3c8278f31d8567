"""The page as Voila serves it: one named notebook, our settings only, nothing from elsewhere."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import tornado.httpserver
import tornado.ioloop
import tornado.web
from traitlets.config import Config
from voila.app import Voila
from voila.tornado.handler import TornadoVoilaHandler

from workbench.panels import drawing
from workbench.server.kernels import ServerKernelSpecManager
from workbench.server.websocket import NoDelayConnection

TEMPLATE = Path(__file__).resolve().parent / "template"

CONTENT_POLICY = (  # the browser itself refuses anything that is not from this server
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' blob: data:; frame-ancestors 'self'"
)

EXTENSIONS = [  # all three are needed, and no others: each one is megabytes for every visitor
    "@voila-dashboards/widgets-manager8",
    "@jupyter-widgets/jupyterlab-manager",
    "anywidget",
]


class PageHandler(TornadoVoilaHandler):
    """Render the notebook, and let its kernel be freed when the page is closed."""

    async def get(self, path: str | None = None) -> None:
        """Answer with the page; its XSRF cookie is what the closing page signs off with."""
        _ = self.xsrf_token  # touching it sets the cookie, which Voila forgets
        await super().get(path)

    def should_use_rendered_notebook(self, data: Any, size: int, *asked: Any) -> bool:
        """Take a warm kernel whatever the query says: the theme is the page's own affair."""
        return bool(super().should_use_rendered_notebook(data, size, None, None, {}))


class DrawingHandler(tornado.web.RequestHandler):
    """Serve plotly.js, packed once and kept by the browser for as long as it likes."""

    def get(self) -> None:
        """Answer with the script, as gzip unless the browser cannot take it."""
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.set_header("Vary", "Accept-Encoding")
        if "gzip" in self.request.headers.get("Accept-Encoding", ""):
            self.set_header("Content-Encoding", "gzip")
            self.finish(drawing.compressed_script())
        else:
            self.finish(drawing.script())


class PageServer(Voila):
    """Voila for one notebook on sockets that are already open."""

    def __init__(self, sockets: list[socket.socket], **settings: Any) -> None:
        self.sockets = sockets
        super().__init__(**settings)

    def setup_template_dirs(self) -> None:
        """Look for the page's template in the package before Voila's own folders."""
        super().setup_template_dirs()
        self.template_paths: list[str] = [str(TEMPLATE), *self.template_paths]

    def init_handlers(self) -> list[Any]:
        """Put our page and the drawing script in place of Voila's."""
        handlers = [
            (rule[0], PageHandler, *rule[2:]) if rule[1] is TornadoVoilaHandler else rule
            for rule in super().init_handlers()
        ]
        return [(f"{self.server_url}workbench/plotly\\.js", DrawingHandler), *handlers]

    def listen(self) -> None:
        """Serve until interrupted."""
        tornado.httpserver.HTTPServer(self.app).add_sockets(self.sockets)
        self.ioloop = tornado.ioloop.IOLoop.current()
        try:
            self.ioloop.start()
        except KeyboardInterrupt:
            self.log.info("Stopping")
        finally:
            self.stop()


def settings(preheat: int, *, uploads: bool = False) -> Config:
    """Return Voila's settings for `preheat` kernels kept warm, which may take `uploads`.

    Sources stay hidden, errors show no traceback, no file of the folder is served, and kernels
    that lost their page are ended after ten minutes.
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
    config.VoilaKernelManager.fill_delay = 5.0  # first let the visitor's own page load
    config.VoilaConfiguration.resources = {"drawing": drawing.fingerprint()}
    config.MappingKernelManager.cull_interval = 60
    config.MappingKernelManager.cull_idle_timeout = 600
    config.Voila.kernel_websocket_connection_class = NoDelayConnection
    config.Voila.tornado_settings = {"headers": {"Content-Security-Policy": CONTENT_POLICY}}
    return config
