"""The model being edited, as frozen values: document, edits, history, problems, lowering, Store."""
