"""Of what moment it is that a view shows, or why there is nothing: in the same words everywhere."""

from studio.text import text
from studio.train.study.seen import Seen
from studio.ui.study.watching import Study


def moment(seen: Seen | None) -> str:
    """When in a training it was seen; empty where none went on, or nothing was seen."""
    if seen is None or seen.at == "asked":
        return ""
    if seen.at == "epoch":
        return text("lens.at_epoch", epoch=seen.epoch + 1)
    return text("lens.at_batch", epoch=seen.epoch + 1, batch=seen.batch + 1)


def state_of(study: Study) -> str:
    """Of what moment it is that the lens shows, or why it shows nothing."""
    if found := failures(study):
        return found[0]
    seen = study.current
    if seen is None:
        return text("lens.looking")
    at_rest = text("lens.looking" if study.waiting else "lens.at_rest")
    said = moment(seen) or at_rest
    return said if study.scales is None else text("lens.trying", moment=said)


def why_nothing(study: Study) -> list[str]:
    """Why something is not to be seen, a line each; none where it may still come."""
    return [text("probes.not_then")] if study.epoch is not None else failures(study)


def failures(study: Study) -> list[str]:
    """What kept the last look from being taken, a line each; none where nothing did."""
    if study.problems:
        return [str(problem) for problem in study.problems]
    return [text("lens.failed")] if study.report else []
