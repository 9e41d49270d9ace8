import numpy as np

from clientela.pipelines.data_generation.churn import GIVEN_NAMES, build_name_pool, draw_full_names


def names(seed):
    gender = np.repeat([0, 1], 2_000)
    return draw_full_names(np.random.default_rng(seed), build_name_pool(seed), gender).to_pylist()


def test_equal_seeds_give_equal_names():
    first = names(3)
    build_name_pool.cache_clear()
    assert names(3) == first
    assert names(4) != first


def test_people_have_two_surnames_and_rarely_the_same_name():
    people = names(3)
    assert all(len(person.split(" ")) >= 3 for person in people)
    assert len(set(people)) > 0.99 * len(people)


def test_women_and_men_draw_from_their_own_half():
    pool = build_name_pool(3)
    halves = set(pool.given[:GIVEN_NAMES].to_pylist()), set(pool.given[GIVEN_NAMES:].to_pylist())
    people = names(3)
    for half, group in zip(halves, (people[:2_000], people[2_000:]), strict=True):
        assert all(any(person.startswith(f"{given} ") for given in half) for person in group[:50])


def test_no_name_breaks_a_line_of_csv():
    pool = build_name_pool(5)
    assert not set("".join(pool.given.to_pylist() + pool.surnames.to_pylist())) & set(',"\r\n')
