"""The process of one visitor: ipykernel without its debugger, which no visitor can use.

Importing debugpy takes 7 MB and a third of a second of each kernel.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    sys.modules["debugpy"] = None  # type: ignore[assignment]  # ipykernel then goes without it

    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance()
