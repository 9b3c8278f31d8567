"""Run the console command with `python -m workbench`."""

from workbench.cli import main

raise SystemExit(main())
