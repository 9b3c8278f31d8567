"""Starting the page, or JupyterLab with the same notebooks, and saying where."""

from __future__ import annotations

import logging
import webbrowser
from pathlib import Path
from secrets import token_hex

from workbench.server import address, notebooks
from workbench.threads import set_passive_waiting

PROMPT = "workbench.server.websocket.NoDelayConnection"


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
    """Serve the page until interrupted, and print its address.

    Parameters
    ----------
    port
        Where to listen; 0 takes any free port.
    token
        What visitors must give as ``?token=``; None lets in everyone who can reach `host`.
    base_url
        The path behind a proxy, starting and ending with a slash.
    preheat
        How many kernels wait warm for the next visitor; each takes memory.
    host
        The interface; only this machine can reach the default one.
    notebook
        The one notebook to serve; the dashboard unless said.
    uploads
        Whether visitors may upload data; unless said, where only this machine can reach the page.

    Raises
    ------
    WorkbenchError
        When the port is taken.
    """
    from workbench.server.page_server import PageServer, settings

    set_passive_waiting()
    sockets = address.listen(host, port)
    port = sockets[0].getsockname()[1]
    base_url = _slashes(base_url)
    path = notebook or notebooks.dashboard()
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
    logging.getLogger("tornado").setLevel(logging.ERROR)  # it warns of Jupyter's own settings
    _announce(address.url(host, port, base_url, token), open_browser)
    app.start()


def lab(
    port: int = 8888,
    open_browser: bool = True,
    token: str | None = None,
    base_url: str = "/",
    host: str = "localhost",
) -> None:
    """Open the notebooks in JupyterLab until interrupted, and print the address.

    The parameters are those of `serve`; without a `token` Jupyter makes one and prints it.

    Raises
    ------
    WorkbenchError
        When the port is taken.
    """
    from jupyterlab.labapp import LabApp

    set_passive_waiting()
    sockets = address.listen(host, port)  # find a taken port, or a free one, before Jupyter does
    port = sockets[0].getsockname()[1]
    for taken in sockets:
        taken.close()
    base_url = _slashes(base_url)
    token = token if token is not None else token_hex(16)
    app = LabApp.initialize_server(
        [
            f"--ServerApp.ip={host}",
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.base_url={base_url}",
            f"--IdentityProvider.token={token}",
            f"--ServerApp.root_dir={notebooks.folder()}",
            f"--ServerApp.kernel_websocket_connection_class={PROMPT}",
            "--ServerApp.open_browser=False",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",  # stays at home
            "--LabApp.news_url=None",
            "--ServerApp.allow_root=True",  # containers; the page server does not mind either
            "--ServerApp.log_level=WARN",
        ]
    )
    where = address.url(host, port, base_url + "lab/tree/dashboard.ipynb", token)
    app.io_loop.add_callback(_announce, where, open_browser)  # after it has begun to listen
    app.start()


def _slashes(base_url: str) -> str:
    inner = base_url.strip("/")
    return f"/{inner}/" if inner else "/"


def _announce(where: str, open_browser: bool) -> None:
    print(f"Workbench is at {where}", flush=True)
    if open_browser:
        webbrowser.open(where)
