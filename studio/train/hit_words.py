"""What a breakpoint met, in words: a sentence, and the facts that go with it."""

from typing import TYPE_CHECKING

from studio.document.model import Document
from studio.document.names import output_names
from studio.text import text
from studio.train.events import Hit
from studio.train.remedies import HUGE
from studio.train.written import brief

if TYPE_CHECKING:
    from studio.train.reproduction import Difference


def sentence(hit: Hit, document: Document, waits: bool = True) -> str:
    """What happened and where, of a training of this document.

    `waits` is whether it waits after what need not end it; else it goes on by itself.
    """
    about = {
        "epoch": hit.epoch + 1,
        "batch": hit.batch + 1,
        "value": brief(hit.value),
        "layer": hit.layer,
        "weight": hit.weight,
        "output": output_name(hit, document),
    }
    run = document.plan.run.breakpoints
    met = "met" if waits else "on"
    if hit.kind == "gradient_norm":
        return text(f"breakpoints.{met}_norm", limit=brief(run.gradient_norm or 0.0), **about)
    if hit.kind == "diverging":
        key = f"{met}_diverging_from" if run.falling else f"{met}_diverging"
        watched = {"rising": run.rising, "falling": run.falling, "count": run.epochs}
        return text(f"breakpoints.{key}", **watched, **about)
    where: str = hit.where or "nowhere"
    if where == "backward" and hit.weight:
        where = "backward_weight"
    if where == "update" and not hit.weight:
        where = "rate"
    return text(f"breakpoints.met_{where}", **about)


def facts(hit: Hit) -> list[str]:
    """What else is known of it: the weight that has most of it, operator, sample, time step."""
    said = []
    if hit.kind == "gradient_norm" and hit.weight:
        said.append(text("breakpoints.longest", weight=hit.weight, layer=hit.layer))
    if hit.operator:
        said.append(text("breakpoints.operator", operator=hit.operator))
    if hit.sample is not None:
        key = "largest_loss" if hit.kind == "gradient_norm" else "sample"
        said.append(text(f"breakpoints.{key}", number=hit.sample + 1))
    if hit.time is not None:
        said.append(text("breakpoints.time", step=hit.time + 1))
    return said


def about_weights(hit: Hit) -> list[str]:
    """Which weights the model has after it, and whether they were huge already."""
    if hit.kind != "not_finite":
        return []
    if hit.heaviest > HUGE:
        return [text("breakpoints.weights_grown", value=brief(hit.heaviest))]
    return [text("breakpoints.weights_kept")]


def differing(difference: "Difference") -> str:
    """In what doing a step again came out otherwise."""
    name, largest = difference.name, difference.largest
    if largest is None:
        return text("cli.replay_digest", name=name)
    return text("cli.replay_difference", name=name, largest=brief(largest))


def output_name(hit: Hit, document: Document) -> str:
    """The output it is about, as it is called; empty where it is about none."""
    names = {endpoint.key: name for endpoint, name in output_names(document).items()}
    return names.get(hit.output, hit.output)
