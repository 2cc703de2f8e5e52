"""A model's optimizer while it trains, as callbacks know Keras's."""

from typing import TYPE_CHECKING, Any

from studio.document import edits

if TYPE_CHECKING:
    from studio.models.model import Model


class OptimizerInUse:
    """``model.optimizer.learning_rate = 0.01``."""

    def __init__(self, model: "Model") -> None:
        self._model = model

    @property
    def learning_rate(self) -> float:
        """The rate of the next step.

        Raises:
            ProblemError: ``rate_scheduled``, when it is set while a schedule gives it.
        """
        return self._model.project.document.plan.optimizer.rate(self.iterations)

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        project = self._model.project
        project.document = edits.set_rate(project.document, value)
        self._model.set_trainer_rate(value)

    @property
    def iterations(self) -> int:
        """How many steps were taken."""
        return self._model.project.store.step

    def get_config(self) -> dict[str, Any]:
        """The parameters as JSON values, under Keras's names."""
        return self._model.project.document.plan.optimizer.config()
