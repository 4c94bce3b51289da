"""override_settings(): other settings for a while, however it is used."""

from __future__ import annotations

import asyncio
import threading
import unittest

import pytest

from errormail.conf import configure, override_settings, settings
from errormail.exceptions import ImproperlyConfigured


@pytest.fixture(autouse=True)
def _configured():
    configure(SERVICE="shop", RELEASE="1")


def test_it_holds_inside_the_block():
    with override_settings(SERVICE="test"):
        assert (settings.SERVICE, settings.RELEASE) == ("test", "1")
        assert settings.is_given("SERVICE")
    assert settings.SERVICE == "shop"


def test_it_nests_and_the_innermost_counts():
    with override_settings(SERVICE="outer", RELEASE="2"):
        with override_settings(SERVICE="inner"):
            assert (settings.SERVICE, settings.RELEASE) == ("inner", "2")
        assert settings.SERVICE == "outer"


def test_it_ends_with_an_exception():
    with pytest.raises(KeyError), override_settings(SERVICE="test"):
        raise KeyError
    assert settings.SERVICE == "shop"


def test_one_can_be_entered_again_and_inside_itself():
    override = override_settings(SERVICE="test")
    for _ in range(2):
        with override:
            with override:
                assert settings.SERVICE == "test"
            assert settings.SERVICE == "test"
        assert settings.SERVICE == "shop"


def test_two_may_end_in_any_order():
    first, second = override_settings(SERVICE="first"), override_settings(SERVICE="second")
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert settings.SERVICE == "second"
    second.__exit__(None, None, None)
    assert settings.SERVICE == "shop"


def test_configure_inside_is_seen_beside_it():
    with override_settings(SERVICE="test"):
        assert settings.RELEASE == "1"
        configure(RELEASE="2", SERVICE="blog")
        assert (settings.SERVICE, settings.RELEASE) == ("test", "2")
    assert settings.SERVICE == "blog"


def test_it_holds_in_all_threads():
    seen = []
    with override_settings(SERVICE="test"):
        thread = threading.Thread(target=lambda: seen.append(settings.SERVICE))
        thread.start()
        thread.join()
    assert seen == ["test"]


def test_values_are_taken_unchecked():
    with override_settings(EMAIL_PORT="none", ADMINS=5):
        assert (settings.EMAIL_PORT, settings.ADMINS) == ("none", 5)


def test_names_are_checked():
    with pytest.raises(ImproperlyConfigured, match="did you mean ADMINS"):
        override_settings(ADMIN=[])


def test_a_function():
    @override_settings(SERVICE="test")
    def function(first, *, second):
        """Its text."""
        return settings.SERVICE, first, second

    assert function(1, second=2) == ("test", 1, 2)
    assert (function.__name__, function.__doc__) == ("function", "Its text.")
    assert settings.SERVICE == "shop"


def test_a_function_that_raises():
    @override_settings(SERVICE="test")
    def function():
        raise KeyError(settings.SERVICE)

    with pytest.raises(KeyError, match="test"):
        function()
    assert settings.SERVICE == "shop"


def test_a_coroutine_function():
    @override_settings(SERVICE="test")
    async def function():
        before = settings.SERVICE
        await asyncio.sleep(0)
        return before, settings.SERVICE

    coroutine = function()
    assert settings.SERVICE == "shop"
    assert asyncio.run(coroutine) == ("test", "test")
    assert settings.SERVICE == "shop"


def test_a_generator_function():
    @override_settings(SERVICE="test")
    def fixture():
        yield settings.SERVICE
        return "end"

    generator = fixture()
    assert settings.SERVICE == "shop"
    assert next(generator) == "test"
    assert settings.SERVICE == "test"
    with pytest.raises(StopIteration, match="end"):
        next(generator)
    assert settings.SERVICE == "shop"


def test_a_decorated_function_that_calls_itself():
    @override_settings(SERVICE="test")
    def function(depth):
        inner = function(depth - 1) if depth else []
        return [*inner, settings.SERVICE]

    assert function(2) == ["test"] * 3
    assert settings.SERVICE == "shop"


def run(case):
    """Return what went wrong in the tests of *case*."""
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    assert result.testsRun
    return [text for _, text in [*result.failures, *result.errors]]


def test_a_test_case_from_its_set_up_to_its_tear_down():
    seen = []

    @override_settings(SERVICE="test")
    class Case(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            seen.append(("setUpClass", settings.SERVICE))

        def setUp(self):
            seen.append(("setUp", settings.SERVICE))

        def test_it(self):
            seen.append(("test", settings.SERVICE))

        def tearDown(self):
            seen.append(("tearDown", settings.SERVICE))

        @classmethod
        def tearDownClass(cls):
            seen.append(("tearDownClass", settings.SERVICE))

    assert run(Case) == []
    assert seen == [
        (name, "test") for name in ("setUpClass", "setUp", "test", "tearDown", "tearDownClass")
    ]
    assert settings.SERVICE == "shop"


def test_a_test_case_whose_set_up_fails():
    @override_settings(SERVICE="test")
    class Case(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            raise KeyError("broken set-up")

        def test_it(self):
            raise AssertionError

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(Case).run(result)
    assert "broken set-up" in result.errors[0][1]
    assert settings.SERVICE == "shop"


@pytest.mark.parametrize("has_own_set_up", [False, True])
def test_a_decorated_test_case_goes_before_its_decorated_base(has_own_set_up):
    seen = []

    @override_settings(SERVICE="base", RELEASE="base")
    class Base(unittest.TestCase):
        def test_it(self):
            seen.append((settings.SERVICE, settings.RELEASE))

    class Derived(Base):
        pass

    if has_own_set_up:
        Derived.setUpClass = classmethod(lambda cls: super(Derived, cls).setUpClass())
    assert run(override_settings(SERVICE="derived")(Derived)) == []
    assert run(Base) == []
    assert seen == [("derived", "base"), ("base", "base")]
    assert settings.SERVICE == "shop"


@override_settings(SERVICE="test")
class TestPlainClass:
    """As pytest runs it."""

    def setup_method(self):
        assert settings.SERVICE == "test"

    def teardown_method(self):
        assert settings.SERVICE == "test"

    def helper(self):
        return settings.SERVICE

    def test_a_method(self):
        assert settings.SERVICE == "test"

    @staticmethod
    def test_a_static_method():
        assert settings.SERVICE == "test"

    @classmethod
    def test_a_class_method(cls):
        assert settings.SERVICE == "test"

    @pytest.mark.parametrize("number", [1, 2])
    def test_a_parametrized_method(self, number):
        assert (settings.SERVICE, number > 0) == ("test", True)


class TestDerivedClass(TestPlainClass):
    """What is inherited stays decorated."""


def test_other_methods_of_a_plain_class_stay_as_they_are():
    assert TestPlainClass().helper() == "shop"
