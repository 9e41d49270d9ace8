import gc

import pytest

from clientela.cli.kedro_run import NEW_OBJECTS, reduce_garbage_collection


def test_python_looks_less_often_inside_and_as_before_afterwards():
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    try:
        with reduce_garbage_collection():
            assert gc.get_threshold() == (NEW_OBJECTS, 10, 10)
        assert gc.get_threshold() == (700, 10, 10)
        with pytest.raises(ZeroDivisionError), reduce_garbage_collection():
            _ = 1 / 0
        assert gc.get_threshold() == (700, 10, 10)
    finally:
        gc.set_threshold(*before)
