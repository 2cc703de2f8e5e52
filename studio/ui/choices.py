"""A choice whose values change while it is shown."""

from typing import Any

from studio.ui.editors import ChoiceEditor


class ListedChoice(ChoiceEditor):
    """One of several values that can be listed anew, as the columns of another table are."""

    def set_choices(self, choices: list[tuple[str, Any]]) -> None:
        """Offer these, as (label, value); what is shown is to be shown again by `show_value`."""
        if choices == self._choices:
            return
        self.clear()
        self._choices = choices
        for label, value in choices:
            self.addItem(label, value)
