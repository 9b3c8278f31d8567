"""The console command."""

from workbench.cli.main import main

__all__ = ["main"]
