"""Example projects: ``layerloom new --example NAME`` and the window's File menu.

Each is a whole document whose data comes from a built-in generator, so it trains as it is.
"""

from collections.abc import Callable, Mapping

from studio.document.model import Document
from studio.examples.digits import digits, reuse, video
from studio.examples.headline import headline
from studio.examples.tweets import tweets, tweets_deep

EXAMPLES: Mapping[str, Callable[[], Document]] = {
    "headline": headline,
    "digits": digits,
    "reuse": reuse,
    "video": video,
    "tweets": tweets,
    "tweets-deep": tweets_deep,
}
