"""The job of a session that runs its file in inference runtimes."""

from __future__ import annotations

from workbench.cancel import NEVER, CancelToken
from workbench.session.calls import Calls
from workbench.session.deploying import Deploying, deploy_file, targets
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
                if superseded() or model is not state.model:
                    return
                self.deploying = deploying
            state.notify()

        first = Deploying(model.name, recipe, targets(recipe))
        token = self._token(model, superseded, cancel)
        deploy_file(first, model, state.store, token, publish)
