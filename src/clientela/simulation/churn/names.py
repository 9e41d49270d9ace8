"""What simulated people are called: names from Faker, put together anew for each of them.

Faker makes one name at a time. It fills pools here, once per seed, with its own frequencies;
drawing from them is as fast as drawing numbers.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa

from clientela.simulation.seasonality import Ints
from clientela.simulation.text_columns import joined

LOCALE: Final = "es_CL"
GIVEN_NAMES: Final = 500  # per gender
SURNAMES: Final = 2_000


@dataclass(frozen=True)
class NamePool:
    """Names as frequent in the pool as among people.

    Attributes:
        given: Given names, `GIVEN_NAMES` female ones, then as many male ones.
        surnames: Surnames.
    """

    given: pa.StringArray
    surnames: pa.StringArray


@lru_cache(maxsize=1)
def name_pool(seed: int) -> NamePool:
    """Names of people in Chile, the same for the same seed.

    Args:
        seed: Seed of the simulation.
    """
    from faker import Faker  # noqa: PLC0415 - only samples need it; commands start faster without

    faker = Faker(LOCALE)
    faker.seed_instance(seed)
    female = [faker.given_name_female() for _ in range(GIVEN_NAMES)]
    male = [faker.given_name_male() for _ in range(GIVEN_NAMES)]
    return NamePool(pa.array(female + male), pa.array([faker.last_name() for _ in range(SURNAMES)]))


def full_names(rng: np.random.Generator, pool: NamePool, gender: Ints) -> pa.StringArray:
    """A given name (one or two) and two surnames per person (PII).

    Args:
        rng: Stream of the people.
        pool: Names to draw from.
        gender: 0 for women, 1 for men.
    """
    given = gender * GIVEN_NAMES + rng.integers(GIVEN_NAMES, size=len(gender))
    surnames = rng.integers(SURNAMES, size=(2, len(gender)))
    parts = (pool.given.take(pa.array(given)), *(pool.surnames.take(pa.array(i)) for i in surnames))
    return joined(*parts, separator=" ")
