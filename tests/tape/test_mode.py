"""no_grad, enable_grad, set_grad_enabled, inference_mode: as contexts and decorators, nested, per thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import chainrule as torch


def on() -> bool:
    return torch.is_grad_enabled()


def recorded() -> bool:
    return (torch.ones(1, requires_grad=True) * 2).requires_grad


SWITCHES = [
    (torch.no_grad, False),
    (torch.enable_grad, True),
    (lambda: torch.set_grad_enabled(False), False),
    (lambda: torch.set_grad_enabled(True), True),
    (torch.inference_mode, False),
    (lambda: torch.inference_mode(False), True),
]
NAMES = ["no_grad", "enable_grad", "set False", "set True", "inference_mode", "inference_mode False"]


@pytest.fixture(autouse=True)
def _starts_and_ends_with_recording_on() -> Iterator[None]:
    assert on()
    yield
    assert on()
    assert not torch.is_inference_mode_enabled()


@pytest.mark.parametrize(("switch", "wanted"), SWITCHES, ids=NAMES)
@pytest.mark.parametrize("before", [True, False])
def test_context(switch: Callable[[], Any], wanted: bool, before: bool) -> None:
    with torch.no_grad() if not before else torch.enable_grad():
        with switch():
            assert on() is wanted
            assert recorded() is wanted
        assert on() is before


@pytest.mark.parametrize(("switch", "wanted"), SWITCHES, ids=NAMES)
def test_state_comes_back_after_an_exception(switch: Callable[[], Any], wanted: bool) -> None:
    with pytest.raises(ZeroDivisionError), switch():
        assert on() is wanted
        raise ZeroDivisionError
    assert on()

    @switch()
    def fails() -> None:
        assert on() is wanted
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()


@pytest.mark.parametrize(("switch", "wanted"), SWITCHES, ids=NAMES)
def test_decorated_function(switch: Callable[[], Any], wanted: bool) -> None:
    @switch()
    def twice(x: int, *, plus: int = 0) -> tuple[int, bool]:
        """Twice x."""
        return 2 * x + plus, on()

    assert on()  # defining it changes nothing
    assert twice(3, plus=1) == (7, wanted)
    assert twice(1) == (2, wanted)  # more than once
    assert twice.__name__ == "twice"
    assert twice.__doc__ == "Twice x."


@pytest.mark.parametrize(
    ("switch", "wanted"), [(torch.no_grad, False), (torch.enable_grad, True), (torch.inference_mode, False)]
)
def test_decorator_without_parentheses(switch: Any, wanted: bool) -> None:
    @switch
    def state(x: int) -> tuple[int, bool]:
        return x, on()

    assert state(5) == (5, wanted)
    assert state.__name__ == "state"


@pytest.mark.parametrize(("switch", "wanted"), SWITCHES, ids=NAMES)
def test_decorated_generator(switch: Callable[[], Any], wanted: bool) -> None:
    @switch()
    def count() -> Any:
        received = yield on()
        try:
            received = yield on(), received
        except KeyError:
            received = yield on(), "caught"
        return on()

    with torch.no_grad() if wanted else torch.enable_grad():
        outside = not wanted
        steps = count()
        assert next(steps) is wanted
        assert on() is outside  # the switch is on while the body runs, not while the caller has the value
        assert steps.send("hello") == (wanted, "hello")
        assert steps.throw(KeyError()) == (wanted, "caught")
        assert on() is outside
        with pytest.raises(StopIteration) as stop:
            next(steps)
        assert stop.value.value is wanted


def test_decorated_generator_is_closed_under_the_switch() -> None:
    states = []

    @torch.no_grad()
    def count() -> Any:
        try:
            yield 1
        finally:
            states.append(on())

    steps = count()
    next(steps)
    steps.close()
    assert states == [False]
    with pytest.raises(RuntimeError, match="inside"):
        next(failing())


@torch.no_grad()
def failing() -> Any:
    raise RuntimeError("inside")
    yield


def test_decorated_method() -> None:
    class Model:
        scale = 3

        @torch.no_grad()
        def state(self, x: int) -> tuple[int, bool]:
            return x * self.scale, on()

    assert Model().state(2) == (6, False)


def test_nested() -> None:
    with torch.no_grad():
        with torch.enable_grad():
            with torch.no_grad():
                assert not on()
            assert on()
        assert not on()


def test_one_object_entered_within_itself() -> None:
    switch = torch.no_grad()
    with switch:
        with switch:
            assert not on()
        assert not on()
    assert on()
    with switch:  # and again
        assert not on()
    assert on()


def test_set_grad_enabled_as_a_function() -> None:
    torch.set_grad_enabled(False)
    assert not on()
    assert not recorded()
    torch.set_grad_enabled(True)
    assert on()


def test_set_grad_enabled_made_before_it_is_entered() -> None:
    switch = torch.set_grad_enabled(False)
    assert not on()
    with switch:
        assert not on()
    assert on()
    with switch:
        assert not on()
        with switch:
            assert not on()
        assert not on()
    assert on()


def test_inference_mode() -> None:
    with torch.inference_mode():
        assert torch.is_inference_mode_enabled()
        with torch.inference_mode(False):
            assert not torch.is_inference_mode_enabled()
            assert recorded()
        assert torch.is_inference_mode_enabled()
        assert not recorded()


def test_views_and_writes_under_no_grad() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    with torch.no_grad():
        x[0] = 5.0
        x += 1
        assert not (x[0] * 2).requires_grad
    assert x.requires_grad
    assert x.is_leaf
    assert x.tolist() == [6, 3]
    y.sum().backward()
    assert x.grad.tolist() == [3, 3]


def test_each_thread_has_its_own_setting() -> None:
    states = {}
    entered, leave = threading.Event(), threading.Event()

    def other() -> None:
        states["start"] = on()  # recording is on in a new thread, whatever its parent has
        with torch.no_grad():
            entered.set()
            leave.wait(10)
            states["inside"] = on()
        states["end"] = on()

    with torch.inference_mode():
        thread = threading.Thread(target=other)
        thread.start()
        assert entered.wait(10)
    states["here"] = on()
    leave.set()
    thread.join(10)
    assert states == {"start": True, "inside": False, "end": True, "here": True}
