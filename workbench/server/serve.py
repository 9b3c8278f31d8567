"""Start the dashboard server, or JupyterLab with the same notebooks, and print the addresses."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from secrets import token_hex

from workbench.fork_server import AVAILABLE
from workbench.server import address, kernel_server, notebooks
from workbench.server.announcement import announce
from workbench.threads import set_passive_waiting

CONNECTION_CLASS = "workbench.server.websocket.NoDelayConnection"
SETTINGS = Path(__file__).parent / "settings"
"""Folder of the default settings of JupyterLab: it neither asks about news nor offers a build."""


def serve(
    port: int = 8866,
    open_browser: bool = True,
    token: str | None = None,
    base_url: str = "/",
    preheat: int = 1,
    host: str = "localhost",
    notebook: Path | None = None,
    *,
    uploads: bool | None = None,
) -> None:
    """Serve the dashboard until interrupted, and print its addresses.

    Parameters
    ----------
    port
        Port to listen on; 0 takes any free port.
    token
        Token that visitors pass as ``?token=``; None gives access to everyone who can reach `host`.
    base_url
        Path behind a proxy, starting and ending with a slash.
    preheat
        Number of kernels started in advance for the next visitors; each uses memory.
    host
        Interface to listen on; the default accepts connections from this machine only.
    notebook
        The notebook to serve; by default the dashboard.
    uploads
        Whether visitors may upload data; by default only if the server accepts connections from
        this machine only.

    Raises
    ------
    WorkbenchError
        If the port is not available.
    """
    _skip_iri_grammar()
    set_passive_waiting()
    sockets = address.listen(host, port)
    port = sockets[0].getsockname()[1]
    base_url = _normalize_base_url(base_url)
    path = notebook or notebooks.dashboard()
    if AVAILABLE:
        kernel_server.running(os.environ, complete=preheat > 1)  # loads while this process does
    from workbench.server.page_server import PageServer, settings

    app = PageServer(
        sockets,
        config=settings(preheat, uploads=address.is_local(sockets) if uploads is None else uploads),
        config_file_paths=[],
        notebook_path=str(path),
        root_dir=str(path.parent),
        base_url=base_url,
        port=port,
        ip=host,
        token=token,
        log_level=logging.ERROR,
    )
    app.initialize([])
    logging.getLogger("tornado").setLevel(logging.ERROR)  # it warns about Jupyter's settings
    announce(address.urls(host, sockets, base_url, token), open_browser=open_browser)
    app.start()


def lab(
    port: int = 8888,
    open_browser: bool = True,
    token: str | None = None,
    base_url: str = "/",
    host: str = "localhost",
) -> None:
    """Serve the notebooks in JupyterLab until interrupted, and print the addresses.

    The parameters are those of `serve`; without a `token`, a random one is used.

    Raises
    ------
    WorkbenchError
        If the port is not available.
    """
    _skip_iri_grammar()
    logging.getLogger("jupyterlab").addFilter(_is_not_about_yarn)
    from jupyterlab.labapp import LabApp

    set_passive_waiting()
    folders = [os.environ.get("JUPYTER_CONFIG_PATH", ""), str(SETTINGS)]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, folders))
    base_url = _normalize_base_url(base_url)
    token = token if token is not None else token_hex(16)
    sockets = address.listen(host, port)  # checks the port early, and finds a free one
    port = sockets[0].getsockname()[1]
    urls = address.urls(host, sockets, f"{base_url}lab/tree/{notebooks.first_notebook()}", token)
    for socket in sockets:
        socket.close()
    app = LabApp.initialize_server(
        [
            f"--ServerApp.ip={host}",
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.base_url={base_url}",
            f"--IdentityProvider.token={token}",
            f"--ServerApp.root_dir={notebooks.folder()}",
            f"--ServerApp.kernel_websocket_connection_class={CONNECTION_CLASS}",
            "--ServerApp.open_browser=False",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",  # stay local
            "--LabApp.news_url=None",
            "--ServerApp.allow_root=True",  # for containers; Voila allows it as well
            "--ServerApp.log_level=WARN",
        ]
    )
    # once the server is listening
    app.io_loop.add_callback(announce, urls, open_browser=open_browser)
    app.start()


def _normalize_base_url(base_url: str) -> str:
    inner = base_url.strip("/")
    return f"/{inner}/" if inner else "/"


def _is_not_about_yarn(record: logging.LogRecord) -> bool:
    """Leave out that yarn does not run, with all of its source: only builds need it."""
    return not record.getMessage().startswith("Fail to get yarn configuration")


def _skip_iri_grammar() -> None:
    """Let jsonschema go without a package whose import compiles the grammar of IRIs for a second.

    It checks internationalized addresses, which no schema of Jupyter has.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
