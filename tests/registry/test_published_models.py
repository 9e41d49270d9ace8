import hashlib

import pytest
from fsspec.core import url_to_fs
from pydantic import ValidationError

from clientela.exceptions import ModelFileError
from clientela.registry import package as module
from clientela.registry.package import PublishedModel, PublishedModelStore, package_name

OLD, NEW = b"the old model" * 1000, b"the new model" * 1000


def pointer(content, use_case="credit_payment", number=1, version="0123456789ab"):
    return PublishedModel(
        use_case=use_case,
        role="champion",
        group="credit-payment-champion",
        number=number,
        version=version,
        package=package_name(use_case, "champion", version),
        package_sha256=hashlib.sha256(content).hexdigest(),
    )


def names(folder):
    fs, path = url_to_fs(folder)
    fs.invalidate_cache()
    return sorted(str(found).rsplit("/", 1)[-1] for found in fs.find(path))


def test_what_is_published_is_served_and_another_store_sees_it(folder):
    first = pointer(OLD)
    PublishedModelStore(folder).publish(OLD, first)
    other = PublishedModelStore(f"{folder}/")
    assert other.served() == {"credit_payment": first}
    assert other.package(first) == OLD
    assert names(folder) == [first.package, "credit_payment.json"]


def test_a_newer_model_takes_the_place_and_the_older_package_stays_for_whoever_loads_it(folder):
    store = PublishedModelStore(folder)
    first, second = pointer(OLD), pointer(NEW, number=2, version="f" * 12)
    store.publish(OLD, first)
    store.publish(NEW, second)
    assert store.served() == {"credit_payment": second}
    assert (store.package(first), store.package(second)) == (OLD, NEW)


def test_each_use_case_has_a_pointer_of_its_own_and_withdrawing_one_leaves_the_others(folder):
    store = PublishedModelStore(folder)
    credit, churn = pointer(OLD), pointer(NEW, use_case="customer_churn")
    store.publish(OLD, credit)
    store.publish(NEW, churn)
    assert list(store.served()) == ["credit_payment", "customer_churn"]
    assert store.stop_serving("credit_payment") is True
    assert store.served() == {"customer_churn": churn}
    assert store.stop_serving("credit_payment") is False
    assert store.package(credit) == OLD


def test_where_nothing_was_ever_published_nothing_is_served(folder):
    assert PublishedModelStore(folder).served() == {}


@pytest.mark.parametrize("step", ["ensure_file", "write_file_atomically"])
def test_publishing_that_ends_between_its_steps_leaves_the_former_model_served(
    folder, step, monkeypatch
):
    store, first = PublishedModelStore(folder), pointer(OLD)
    store.publish(OLD, first)
    second = pointer(NEW, number=2, version="f" * 12)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, step, killed)
        with pytest.raises(KeyboardInterrupt):
            store.publish(NEW, second)
    assert store.served() == {"credit_payment": first}
    assert store.package(first) == OLD
    store.publish(NEW, second)
    assert store.served() == {"credit_payment": second}


def test_a_package_that_is_not_the_registered_one_is_never_pointed_at(folder):
    store, first = PublishedModelStore(folder), pointer(OLD)
    store.publish(OLD, first)
    with pytest.raises(ModelFileError, match="not the one that was registered"):
        store.publish(OLD, pointer(NEW, number=2, version="f" * 12))
    assert store.served() == {"credit_payment": first}


def test_a_damaged_copy_is_put_right_by_publishing_again(folder):
    store, first = PublishedModelStore(folder), pointer(OLD)
    store.publish(OLD, first)
    fs, path = url_to_fs(f"{folder}/{first.package}")
    fs.pipe_file(path, OLD[:-1])
    with pytest.raises(ModelFileError, match="not the one that was stored"):
        store.package(first)
    store.publish(OLD, first)
    assert store.package(first) == OLD


def test_a_package_that_is_gone_is_named(folder):
    store, first = PublishedModelStore(folder), pointer(OLD)
    store.publish(OLD, first)
    fs, path = url_to_fs(f"{folder}/{first.package}")
    fs.rm_file(path)
    with pytest.raises(ModelFileError, match=f"No package lies at .*{first.package}"):
        store.package(first)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{", "credit_payment.json should name the package that counts"),
        (b'{"use_case": "credit_payment"}', "can't be read. Approve one again: clientela approve"),
        (pointer(OLD, use_case="customer_churn").model_dump_json().encode(), "points at one of cu"),
    ],
)
def test_a_pointer_that_somebody_changed_is_named(folder, text, message):
    store = PublishedModelStore(folder)
    store.publish(OLD, pointer(OLD))
    fs, path = url_to_fs(f"{folder}/credit_payment.json")
    fs.pipe_file(path, text)
    with pytest.raises(ModelFileError, match=message):
        store.served()


@pytest.mark.parametrize("name", ["../x.tar.gz", "/etc/passwd", "a/b.tar.gz", "", ".hidden"])
def test_a_pointer_leads_nowhere_outside_its_folder(name):
    with pytest.raises(ValidationError, match="package"):
        PublishedModel(**{**pointer(OLD).model_dump(), "package": name})


def test_where_a_signing_key_is_set_only_what_it_signed_is_served(tmp_path, monkeypatch):
    store, unsigned = PublishedModelStore(str(tmp_path)), pointer(OLD)
    store.publish(OLD, unsigned)
    monkeypatch.setenv("CLIENTELA_SIGNING_KEY", "k" * 32)
    with pytest.raises(ModelFileError, match="CLIENTELA_SIGNING_KEY"):
        store.package(unsigned)
    store.publish(OLD, unsigned)
    signed = store.served()["credit_payment"]
    assert store.package(signed) == OLD
    monkeypatch.setenv("CLIENTELA_SIGNING_KEY", "x" * 32)
    with pytest.raises(ModelFileError, match="not signed"):
        store.package(signed)
