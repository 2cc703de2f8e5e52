"""Looking at a model by the running means of its weights while it trains."""

from studio.callbacks.base import Callback, Logs
from studio.problem import refuse


class SwapEMAWeights(Callback):
    """Puts the means an optimizer keeps (``use_ema=True``) in place of the weights for a while.

    In every validation, evaluation and prediction; with `swap_on_epoch` from an epoch's end to the
    next one's beginning, so that what is saved there holds the means, too. Keras leaves them in
    after a prediction; here weights are back after that as well.
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        self.swap_on_epoch = swap_on_epoch
        self._swapped = False

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._swapped = False

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        if self.swap_on_epoch:
            self._show(means=False)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.swap_on_epoch:
            last = self.model.stop_training or epoch + 1 == self.params.get("epochs")
            self._show(means=True, for_good=last)

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._swapped = False  # weights have become their means for good

    def on_test_begin(self, logs: Logs | None = None) -> None:
        self._show(means=True)

    def on_test_end(self, logs: Logs | None = None) -> None:
        self._show(means=False)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._show(means=True)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._show(means=False)

    def _show(self, means: bool, for_good: bool = False) -> None:
        """Have the means, or the weights, where weights are."""
        if not self.model.project.document.plan.optimizer.use_ema:
            raise refuse("swap_without_means")
        if means != self._swapped:
            self.model.swap_means(for_good)
            self._swapped = means
