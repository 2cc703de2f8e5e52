"""The keys of a history, in the order they are read and as they are called."""

from studio.train.report.quantities import grouped, label, owner, quantities


def test_quantities_are_the_losses_then_the_metrics() -> None:
    history = ("val_loss", "accuracy", "loss", "main_loss", "val_accuracy", "aux_loss")
    assert quantities(history) == ["loss", "aux_loss", "main_loss", "accuracy"]


def test_quantities_stand_output_by_output_after_the_total() -> None:
    keys = ["loss", "aux_loss", "main_loss", "aux_accuracy", "main_accuracy"]
    assert grouped(keys) == ["loss", "aux_loss", "aux_accuracy", "main_loss", "main_accuracy"]
    assert grouped(["loss", "accuracy"]) == ["loss", "accuracy"]


def test_a_longer_name_keeps_what_is_its_own() -> None:
    keys = ["loss", "main_loss", "main_output_loss", "main_output_accuracy"]
    assert owner("main_output_accuracy", keys) == "main_output"
    assert owner("loss", keys) == ""
    assert label("main_output_loss") == "main_output loss"
