"""The job of a session that runs its file in inference runtimes."""

from __future__ import annotations

from contextlib import suppress

from workbench.cancel import NEVER, CancelToken
from workbench.errors import Cancelled
from workbench.session.calls import Calls
from workbench.session.deploying import Deploying, deploy_file, is_kept, read_deployment, targets
from workbench.session.state import State
from workbench.session.student_jobs import StudentJobs


class DeployJobs(StudentJobs):
    """The jobs of a session, and the one about inference runtimes.

    Attributes
    ----------
    deploying : Deploying or None
        The newest result of `deploy`, also of an earlier recipe; None if it has not been called.
    """

    def __init__(self, state: State) -> None:
        self._deployments = Calls()
        super().__init__(state)

    def _clear_jobs(self) -> None:
        super()._clear_jobs()
        self.deploying: Deploying | None = None

    def deploy(self, cancel: CancelToken = NEVER) -> None:
        """Run the current file in every installed runtime; a newer call wins.

        Raises
        ------
        WorkbenchError
            If the recipe's training has not finished. Other errors are part of the result.
        """
        state = self._state
        with state.lock:
            self._check_trained()
            model, recipe = state.model, state.recipe
            superseded = self._deployments.begin()

        def publish(deploying: Deploying) -> None:
            with state.lock:
                if superseded() or not model.is_same_as(state.model):
                    return
                self.deploying = deploying
            state.notify()

        first = Deploying(model.name, recipe, targets(recipe))
        token = self._token(model, superseded, cancel)
        deploy_file(first, model, state.store, token, publish)

    def has_earlier_deployment(self) -> bool:
        """Return whether `show_earlier_deployment` has something to show."""
        state, shown = self._state, self.deploying
        current = shown is not None and (shown.model, shown.recipe) == (
            state.model.name,
            state.recipe,
        )
        if current or (shown is not None and shown.running) or state.untrained:
            return False
        return is_kept(state.model, state.recipe, state.store)

    def show_earlier_deployment(self, cancel: CancelToken = NEVER) -> None:
        """Show the results of the last finished run of the current file on this machine."""
        state = self._state
        with state.lock:
            if not self.has_earlier_deployment():
                return
            model, recipe = state.model, state.recipe
            superseded = self._deployments.begin()
            reading = Deploying(model.name, recipe, (), "reading")
            self.deploying = reading
        state.notify()
        token = self._token(model, superseded, cancel)
        earlier: Deploying | None = None
        try:
            with suppress(Cancelled):
                earlier = read_deployment(model, recipe, state.store, token)
        finally:
            with state.lock:
                if self.deploying is reading:
                    self.deploying = earlier
            state.notify()
