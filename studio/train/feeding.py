"""The batches of a training, one after the other, from wherever it is."""

from collections.abc import Iterator
from dataclasses import dataclass

from studio.engine.program import Array
from studio.train.arrays import Arrays, batch_rows, batches, shuffled_batches
from studio.train.course import Course


@dataclass(frozen=True)
class Feeding:
    """How a training goes through its samples: a function of seed and pass alone, so that it can
    go through the same batches again.

    Attributes:
        data: the samples.
        size: of a batch.
        steps: batches of an epoch.
        shuffle, seed: whether and by what they are shuffled.
    """

    data: Arrays
    size: int
    steps: int
    shuffle: bool
    seed: int

    def batches(self, course: Course) -> Iterator[Arrays]:
        """Batches without end, from where `course` is; each pass is shuffled by its own number.

        Whoever takes a batch counts it in `course.taken`; passes are counted here.
        """
        while True:
            if self.shuffle:
                yield from shuffled_batches(
                    self.data, self.size, self.seed, course.data_pass, course.taken
                )
            else:
                yield from batches(self.data, self.size, skip=course.taken)
            course.data_pass, course.taken = course.data_pass + 1, 0

    def rows(self, course: Course) -> Array:
        """Which samples the batch has that comes next."""
        data_pass, taken = course.data_pass, course.taken
        if taken * self.size >= len(self.data):
            data_pass, taken = data_pass + 1, 0
        epoch = data_pass if self.shuffle else None
        return batch_rows(self.data, self.size, taken, self.seed, epoch)
