"""The thread pool's native code, written through LLVM's builder. How it is used stands in `pool.py`.

The state is one variable of the module, with parts that different threads write to on different cache lines:

    epoch, body, ctx, count   the job; the epoch grows with each, which is what waiting workers look at
    gate, taken, far          whether a job may be entered, and how many workers are inside; how many indices
                              are taken, and how many of them by workers, from the end
    busy                      whether a thread runs a job
    wanted, staffed, workers  how many threads there shall be; for how many workers were made; how many exist
    sleepers, nudges, quit    for workers that wait longer than a moment
    mutex, work, done         what workers wait on; what a caller waits on whose workers take their time

A worker enters a job by adding one to the gate. Was the gate open, then nothing of the job changes until the
worker has left, for the caller closes the gate and waits until nobody is inside. Was it closed, then the
worker came too late, leaves and waits for the next epoch. Who adds one to `taken` and is below the count may
run an index: the caller from the first one up, workers from the last one down. So neighbouring indices, which
mostly mean neighbouring memory, meet the same processor's cache in one job after another; and a worker that
wakes late, or never, costs nothing: the caller takes all the indices that are left.

Waiting is looking at the epoch for a bounded number of times, then sleeping on a condition. A sleeper is
counted before it looks a last time, and the caller raises the epoch before it looks for sleepers; one of them
sees the other. The caller waits for workers in the same way: it looks, then sets a bit of the gate that asks
the last one to wake it.

Importing this file loads LLVM's builder.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import llvmlite.ir as ir

MOST: Final = 1024  # threads

_I32, _I64, _PTR, _VOID = ir.IntType(32), ir.IntType(64), ir.PointerType(), ir.VoidType()
_BODY: Final = ir.FunctionType(_VOID, [_PTR, _I64]).as_pointer()  # the builder calls only what has a type

_LINE: Final = 128  # bytes between what different threads write to: cache lines may be fetched in pairs
_EPOCH, _JOB_BODY, _JOB_CTX, _JOB_COUNT = 0, 8, 16, 24
_GATE, _TAKEN, _FAR = _LINE, _LINE + 8, _LINE + 16
_BUSY, _WANTED, _STAFFED, _WORKERS, _SPINS, _READY = (2 * _LINE + 8 * i for i in range(6))
_SLEEPERS, _NUDGES, _QUIT = (3 * _LINE + 8 * i for i in range(3))
# The system's own types take at most 64 bytes on the systems that have them.
_MUTEX, _WORK, _DONE, _ATTRIBUTES, _HANDLES = (i * _LINE for i in range(4, 9))
_SIZE: Final = _HANDLES + 8 * MOST

_OPEN, _ASKED, _INSIDE = 1 << 32, 1 << 33, (1 << 32) - 1  # bits of the gate; the last are a count
_STACK: Final = 8 << 20  # bytes for a worker, as for the first thread; some systems give new ones far less


def module(*, threads: bool) -> ir.Module:
    """The module with all of the pool's functions.

    threads: whether the system has POSIX threads. If not, every job runs in its caller.
    """
    code = ir.Module("pool")
    _Pool(code).write(threads)
    return code


class _Pool:
    """Writes the functions, one method for each."""

    def __init__(self, code: ir.Module) -> None:
        self.module = code
        self.state = ir.GlobalVariable(code, ir.ArrayType(ir.IntType(8), _SIZE), "state")
        self.state.initializer = ir.Constant(self.state.value_type, None)
        self.state.linkage = "internal"
        self.state.align = _LINE
        self.b = ir.IRBuilder()

    def write(self, threads: bool) -> None:
        self.serial = self.write_serial()
        if not threads:
            with self.function("pool_run", _I32, [_BODY, _PTR, _I64]) as (body, ctx, count):
                self.b.call(self.serial, [body, ctx, count])
                self.b.ret(_I32(0))
            return
        self.write_settings()
        self.write_worker()
        self.write_dismiss()
        self.write_staff()
        self.write_wake()
        self.write_wait()
        self.write_run()

    # -- what the functions are made of
    # ------------------------------------------------------------------------

    @contextmanager
    def function(self, name: str, result: Any, args: list[Any], *, internal: bool = False) -> Iterator[Any]:
        """A function whose body is written in the block; gives its arguments."""
        function = ir.Function(self.module, ir.FunctionType(result, args), name)
        function.linkage = "internal" if internal else ""
        function.attributes.add("nounwind")
        self.b = ir.IRBuilder(function.append_basic_block("entry"))
        yield function.args

    def system(self, name: str, *args: Any) -> Any:
        """Call a function of the system that takes addresses and gives a number."""
        known = self.module.globals.get(name)
        if known is None:
            known = ir.Function(self.module, ir.FunctionType(_I32, [a.type for a in args]), name)
        return self.b.call(known, args)

    def place(self, offset: int) -> Any:
        """The address of a part of the state."""
        base = self.state.bitcast(_I64.as_pointer())
        return self.b.gep(base, [_I64(offset)], source_etype=ir.IntType(8))

    def get(self, offset: int, order: str = "monotonic") -> Any:
        return self.b.load_atomic(self.place(offset), order, 8, typ=_I64)

    def put(self, offset: int, value: Any, order: str = "monotonic") -> None:
        self.b.store_atomic(value, self.place(offset), order, 8)

    def change(self, operation: str, offset: int, value: int, order: str = "seq_cst") -> Any:
        """Change a number of the state in one step; gives what it was before."""
        return self.b.atomic_rmw(operation, self.place(offset), _I64(value), order)

    def pause(self) -> None:
        """Tell the processor that this is a loop that waits."""
        if platform.machine() in ("x86_64", "AMD64", "i686"):
            name, args = "llvm.x86.sse2.pause", []
        elif platform.machine() in ("aarch64", "arm64"):
            name, args = "llvm.aarch64.hint", [_I32(1)]  # yield
        else:
            return
        known = self.module.globals.get(name)
        if known is None:
            known = ir.Function(self.module, ir.FunctionType(_VOID, [a.type for a in args]), name)
        self.b.call(known, args)

    def block(self, name: str) -> Any:
        return self.b.append_basic_block(name)

    def take_indices(self, body: Any, ctx: Any, count: Any, then: Any, *, from_end: bool) -> None:
        """Run the body for index after index until none is left, and go on in the block `then`.

        from_end: from the last index down, as workers do; the caller goes from the first one up.
        """
        b = self.b
        before, take, run = b.block, self.block("take"), self.block("run")
        b.branch(take)
        b.position_at_end(take)
        own = b.phi(_I64)  # how many this thread has run
        own.add_incoming(_I64(0), before)
        taken = self.change("add", _TAKEN, 1, "monotonic")
        b.cbranch(b.icmp_signed("<", taken, count), run, then)
        b.position_at_end(run)
        index: Any = own
        if from_end:
            far = self.change("add", _FAR, 1, "monotonic")
            index = b.sub(b.sub(count, _I64(1)), far)
        b.call(body, [ctx, index])
        own.add_incoming(b.add(own, _I64(1)), b.block)
        b.branch(take)
        b.position_at_end(then)

    def look(self, happened: Any, then: Any) -> None:
        """Look for a while whether something happened; if so go on in the block `then`, else fall through.

        happened: writes the test, gives a bit.
        """
        b = self.b
        spins = self.get(_SPINS)
        before, loop, again, tired = b.block, self.block("look"), self.block("again"), self.block("tired")
        b.branch(loop)
        b.position_at_end(loop)
        turn = b.phi(_I64)
        turn.add_incoming(_I64(0), before)
        b.cbranch(happened(), then, again)
        b.position_at_end(again)
        self.pause()
        after = b.add(turn, _I64(1))
        turn.add_incoming(after, again)
        b.cbranch(b.icmp_signed("<", after, spins), loop, tired)
        b.position_at_end(tired)

    # -- the functions
    # -----------------------------------------------------------------------------------------

    def write_serial(self) -> Any:
        """All indices in the caller, in order."""
        with self.function("serial", _VOID, [_BODY, _PTR, _I64], internal=True) as (body, ctx, count):
            b = self.b
            entry, loop, run, end = b.block, self.block("loop"), self.block("run"), self.block("end")
            b.branch(loop)
            b.position_at_end(loop)
            index = b.phi(_I64)
            index.add_incoming(_I64(0), entry)
            b.cbranch(b.icmp_signed("<", index, count), run, end)
            b.position_at_end(run)
            b.call(body, [ctx, index])
            index.add_incoming(b.add(index, _I64(1)), run)
            b.branch(loop)
            b.position_at_end(end)
            b.ret_void()
        return self.module.globals["serial"]

    def write_settings(self) -> None:
        """Four small functions for the Python side.

        pool_set(threads) from the next job on; pool_patience(n), how often to look before sleeping;
        pool_pauses(n), to measure how long a look takes; pool_forget(), for a forked child, which has the
        state but not the workers.
        """
        for name, offset in (("pool_set", _WANTED), ("pool_patience", _SPINS)):
            with self.function(name, _VOID, [_I64]) as (number,):
                self.put(offset, number)
                self.b.ret_void()
        with self.function("pool_pauses", _VOID, [_I64]) as (n,):
            b = self.b
            entry, loop, end = b.block, self.block("loop"), self.block("end")
            b.branch(loop)
            b.position_at_end(loop)
            turn = b.phi(_I64)
            turn.add_incoming(_I64(0), entry)
            self.get(_EPOCH, "acquire")
            self.pause()
            after = b.add(turn, _I64(1))
            turn.add_incoming(after, loop)
            b.cbranch(b.icmp_signed("<", after, n), loop, end)
            b.position_at_end(end)
            b.ret_void()
        with self.function("pool_forget", _VOID, []):
            for offset in (_GATE, _TAKEN, _FAR, _BUSY, _STAFFED, _WORKERS, _READY, _SLEEPERS, _QUIT):
                self.put(offset, _I64(0))
            self.b.ret_void()

    def write_worker(self) -> None:
        """What a worker does from its start to its end. Its argument is the epoch that it has seen."""
        with self.function("worker", _PTR, [_PTR], internal=True) as (seen,):
            b = self.b
            entry = b.block
            first = b.ptrtoint(seen, _I64)
            wait, sleep, doze = self.block("wait"), self.block("sleep"), self.block("doze")
            awake, enter, end = self.block("awake"), self.block("enter"), self.block("end")
            go, inside, leave, tell = (self.block(name) for name in ("go", "inside", "leave", "tell"))
            b.branch(wait)

            b.position_at_end(wait)
            last = b.phi(_I64)  # the epoch that was seen last
            last.add_incoming(first, entry)
            nudges = self.get(_NUDGES)
            self.look(lambda: b.icmp_unsigned("!=", self.get(_EPOCH, "acquire"), last), enter)
            self.system("pthread_mutex_lock", self.place(_MUTEX))
            self.change("add", _SLEEPERS, 1)
            b.branch(sleep)

            b.position_at_end(sleep)
            news = b.or_(
                b.icmp_unsigned("!=", self.get(_EPOCH, "seq_cst"), last),
                b.icmp_unsigned("!=", self.get(_NUDGES, "seq_cst"), nudges),
            )
            b.cbranch(news, awake, doze)
            b.position_at_end(doze)
            self.system("pthread_cond_wait", self.place(_WORK), self.place(_MUTEX))
            b.branch(sleep)
            b.position_at_end(awake)
            self.change("sub", _SLEEPERS, 1)
            self.system("pthread_mutex_unlock", self.place(_MUTEX))
            last.add_incoming(last, awake)
            b.branch(wait)

            b.position_at_end(enter)
            epoch = self.get(_EPOCH, "acquire")
            b.cbranch(b.icmp_unsigned("==", self.get(_QUIT, "seq_cst"), _I64(0)), go, end)
            b.position_at_end(go)
            gate = self.change("add", _GATE, 1)
            b.cbranch(b.icmp_unsigned("!=", b.and_(gate, _I64(_OPEN)), _I64(0)), inside, leave)
            b.position_at_end(inside)
            entered = self.get(_EPOCH, "acquire")  # perhaps a later one than what was seen outside
            body = b.load(self.place(_JOB_BODY), typ=_BODY)
            ctx = b.load(self.place(_JOB_CTX), typ=_PTR)
            count = b.load(self.place(_JOB_COUNT), typ=_I64)
            done = self.block("done")
            self.take_indices(body, ctx, count, done, from_end=True)
            b.branch(leave)

            b.position_at_end(leave)
            now = b.phi(_I64)
            now.add_incoming(epoch, go)
            now.add_incoming(entered, done)
            gate = self.change("sub", _GATE, 1)
            asked = b.icmp_unsigned("==", b.and_(gate, _I64(_ASKED | _INSIDE)), _I64(_ASKED | 1))
            last.add_incoming(now, leave)
            b.cbranch(asked, tell, wait)
            b.position_at_end(tell)
            self.system("pthread_mutex_lock", self.place(_MUTEX))
            self.system("pthread_cond_signal", self.place(_DONE))
            self.system("pthread_mutex_unlock", self.place(_MUTEX))
            last.add_incoming(now, tell)
            b.branch(wait)

            b.position_at_end(end)
            b.ret(_PTR(None))
        self.worker = self.module.globals["worker"]

    def write_dismiss(self) -> None:
        """End all workers; the caller holds `busy`."""
        with self.function("dismiss", _VOID, [], internal=True):
            b = self.b
            tell, loop, join, end = (self.block(name) for name in ("tell", "loop", "join", "end"))
            workers = self.get(_WORKERS)
            b.cbranch(b.icmp_unsigned("==", workers, _I64(0)), end, tell)
            b.position_at_end(tell)
            self.put(_QUIT, _I64(1), "seq_cst")
            self.change("add", _EPOCH, 1)
            self.system("pthread_mutex_lock", self.place(_MUTEX))
            self.system("pthread_cond_broadcast", self.place(_WORK))
            self.system("pthread_mutex_unlock", self.place(_MUTEX))
            b.branch(loop)
            b.position_at_end(loop)
            number = b.phi(_I64)
            number.add_incoming(_I64(0), tell)
            b.cbranch(b.icmp_signed("<", number, workers), join, end)
            b.position_at_end(join)
            handle = b.load(b.gep(self.place(_HANDLES), [number], source_etype=_I64), typ=_I64)
            self.system("pthread_join", handle, _PTR(None))
            number.add_incoming(b.add(number, _I64(1)), join)
            b.branch(loop)
            b.position_at_end(end)
            self.put(_WORKERS, _I64(0))
            self.put(_QUIT, _I64(0))
            b.ret_void()

    def write_staff(self) -> None:
        """Make as many workers as are wanted, or as the system allows; the caller holds `busy`."""
        with self.function("staff", _VOID, [], internal=True):
            b = self.b
            fresh, create = self.block("fresh"), self.block("create")
            b.cbranch(b.icmp_unsigned("==", self.get(_READY), _I64(0)), fresh, create)
            b.position_at_end(fresh)
            self.system("pthread_mutex_init", self.place(_MUTEX), _PTR(None))
            self.system("pthread_cond_init", self.place(_WORK), _PTR(None))
            self.system("pthread_cond_init", self.place(_DONE), _PTR(None))
            self.system("pthread_attr_init", self.place(_ATTRIBUTES))
            self.system("pthread_attr_setstacksize", self.place(_ATTRIBUTES), _I64(_STACK))
            self.put(_READY, _I64(1))
            b.branch(create)

            b.position_at_end(create)
            loop, more, counted, end = (self.block(name) for name in ("loop", "more", "counted", "end"))
            b.call(self.module.globals["dismiss"], [])
            wanted = self.get(_WANTED)
            most = b.sub(wanted, _I64(1))
            seen = b.inttoptr(self.get(_EPOCH), _PTR)
            b.branch(loop)
            b.position_at_end(loop)
            number = b.phi(_I64)
            number.add_incoming(_I64(0), create)
            b.cbranch(b.icmp_signed("<", number, most), more, end)
            b.position_at_end(more)
            handle = b.gep(self.place(_HANDLES), [number], source_etype=_I64)
            failed = self.system("pthread_create", handle, self.place(_ATTRIBUTES), self.worker, seen)
            b.cbranch(b.icmp_unsigned("==", failed, _I32(0)), counted, end)
            b.position_at_end(counted)
            number.add_incoming(b.add(number, _I64(1)), counted)
            b.branch(loop)
            b.position_at_end(end)
            self.put(_WORKERS, number)
            self.put(_STAFFED, wanted)
            b.ret_void()

    def write_wake(self) -> None:
        """Wake up to so many sleepers; pool_nudge() wakes all, to look for work that comes in a moment."""
        with self.function("wake", _VOID, [_I64], internal=True) as (most,):
            b = self.b
            some, loop, signal, end = (self.block(name) for name in ("some", "loop", "signal", "end"))
            b.cbranch(b.icmp_signed(">", self.get(_SLEEPERS, "seq_cst"), _I64(0)), some, end)
            b.position_at_end(some)
            self.system("pthread_mutex_lock", self.place(_MUTEX))
            sleepers = self.get(_SLEEPERS)
            wanted = b.select(b.icmp_signed("<", sleepers, most), sleepers, most)
            # Unlocked first: a sleeper that wakes would at once have to wait for the lock.
            self.system("pthread_mutex_unlock", self.place(_MUTEX))
            b.branch(loop)
            b.position_at_end(loop)
            number = b.phi(_I64)
            number.add_incoming(_I64(0), some)
            b.cbranch(b.icmp_signed("<", number, wanted), signal, end)
            b.position_at_end(signal)
            self.system("pthread_cond_signal", self.place(_WORK))
            number.add_incoming(b.add(number, _I64(1)), signal)
            b.branch(loop)
            b.position_at_end(end)
            b.ret_void()
        self.wake = self.module.globals["wake"]
        with self.function("pool_nudge", _VOID, []):
            self.change("add", _NUDGES, 1)
            self.b.call(self.wake, [_I64(MOST)])
            self.b.ret_void()

    def write_wait(self) -> None:
        """Wait until no worker is inside: look for a while, then sleep until the last to leave says so."""
        with self.function("wait", _VOID, [], internal=True):
            b = self.b
            sleep, doze, awake, end = (self.block(name) for name in ("sleep", "doze", "awake", "end"))

            def empty(order: str) -> Any:
                return b.icmp_unsigned("==", b.and_(self.get(_GATE, order), _I64(_INSIDE)), _I64(0))

            self.look(lambda: empty("acquire"), end)
            self.system("pthread_mutex_lock", self.place(_MUTEX))
            self.change("or", _GATE, _ASKED)
            b.branch(sleep)
            b.position_at_end(sleep)
            b.cbranch(empty("seq_cst"), awake, doze)
            b.position_at_end(doze)
            self.system("pthread_cond_wait", self.place(_DONE), self.place(_MUTEX))
            b.branch(sleep)
            b.position_at_end(awake)
            self.change("and", _GATE, ~_ASKED)
            self.system("pthread_mutex_unlock", self.place(_MUTEX))
            b.branch(end)
            b.position_at_end(end)
            b.ret_void()

    def seize(self) -> Any:
        """Become the one thread that runs a job, if no other is; gives a bit."""
        return self.b.extract_value(
            self.b.cmpxchg(self.place(_BUSY), _I64(0), _I64(1), "acquire", "monotonic"), 1
        )

    def write_run(self) -> None:
        """pool_run(body, ctx, count): body(ctx, index) for every index below count. Gives 0."""
        with self.function("pool_run", _I32, [_BODY, _PTR, _I64]) as (body, ctx, count):
            b = self.b
            serial, several, mine = self.block("serial"), self.block("several"), self.block("mine")
            staff, staffed, alone = self.block("staff"), self.block("staffed"), self.block("alone")
            publish, wake, work = self.block("publish"), self.block("wake"), self.block("work")
            close, slow, end = self.block("close"), self.block("slow"), self.block("end")
            wanted = self.get(_WANTED)
            both = b.and_(b.icmp_signed(">", count, _I64(1)), b.icmp_signed(">", wanted, _I64(1)))
            b.cbranch(both, several, serial)
            b.position_at_end(serial)
            b.call(self.serial, [body, ctx, count])
            b.ret(_I32(0))

            b.position_at_end(several)
            b.cbranch(self.seize(), mine, serial)
            b.position_at_end(mine)
            b.cbranch(b.icmp_unsigned("==", self.get(_STAFFED), wanted), staffed, staff)
            b.position_at_end(staff)
            b.call(self.module.globals["staff"], [])
            b.branch(staffed)
            b.position_at_end(staffed)
            b.cbranch(b.icmp_unsigned("==", self.get(_WORKERS), _I64(0)), alone, publish)
            b.position_at_end(alone)
            self.put(_BUSY, _I64(0), "release")
            b.branch(serial)

            b.position_at_end(publish)
            b.store(b.ptrtoint(body, _I64), self.place(_JOB_BODY))
            b.store(b.ptrtoint(ctx, _I64), self.place(_JOB_CTX))
            b.store(count, self.place(_JOB_COUNT))
            self.put(_TAKEN, _I64(0))
            self.put(_FAR, _I64(0))
            self.change("add", _GATE, _OPEN)
            self.change("add", _EPOCH, 1)
            b.cbranch(b.icmp_signed(">", self.get(_SLEEPERS, "seq_cst"), _I64(0)), wake, work)
            b.position_at_end(wake)
            b.call(self.wake, [b.sub(count, _I64(1))])
            b.branch(work)
            b.position_at_end(work)
            self.take_indices(body, ctx, count, close, from_end=False)
            gate = self.change("sub", _GATE, _OPEN)
            b.cbranch(b.icmp_unsigned("==", b.and_(gate, _I64(_INSIDE)), _I64(0)), end, slow)
            b.position_at_end(slow)
            b.call(self.module.globals["wait"], [])
            b.branch(end)
            b.position_at_end(end)
            self.put(_BUSY, _I64(0), "release")
            b.ret(_I32(0))
