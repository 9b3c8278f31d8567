"""Where the recipes of a study are measured: here, in local processes, or on a Dask cluster."""

from workbench.study.executors.dask import Dask
from workbench.study.executors.executor import Executor, InThisProcess
from workbench.study.executors.local import Local

__all__ = ["Dask", "Executor", "InThisProcess", "Local"]
