import gc

import pytest

from clientela.collecting import NEW_OBJECTS, rarely_collected


def test_python_looks_less_often_inside_and_as_before_afterwards():
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    try:
        with rarely_collected():
            assert gc.get_threshold() == (NEW_OBJECTS, 10, 10)
        assert gc.get_threshold() == (700, 10, 10)
        with pytest.raises(ZeroDivisionError), rarely_collected():
            _ = 1 / 0
        assert gc.get_threshold() == (700, 10, 10)
    finally:
        gc.set_threshold(*before)
