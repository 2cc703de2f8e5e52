"""The operators, one file per family; `studio.engine.operator.table` collects them."""
