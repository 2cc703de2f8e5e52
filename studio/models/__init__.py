"""The functional API: wire tensors, make a Model of them, train it, save it, export it."""

from studio.models.model import Model, clone_model, load_model, model_from_json, set_random_seed

__all__ = ["Model", "clone_model", "load_model", "model_from_json", "set_random_seed"]
