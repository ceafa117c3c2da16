"""A runner with functions for tests: one waits, one crashes, one ignores signals, one allocates memory, one leaves a grandchild."""

import json
import os
import select
import signal
import sys
import time

frames = os.fdopen(3, "rb", buffering=0)
pending = b""
output = os.fdopen(4, "w", buffering=1)


def send(**frame):
    output.write(json.dumps(frame) + "\n")
    output.flush()


def read_frame(seconds=None):
    """The next frame; None after `seconds`. Exits when the server has closed the pipe."""
    global pending
    while b"\n" not in pending:
        if not select.select([frames], [], [], seconds)[0]:
            return None
        chunk = frames.read(1 << 16)
        if not chunk:
            sys.exit(0)
        pending += chunk
    line, pending = pending.split(b"\n", 1)
    return json.loads(line)


def note(data):
    """Appends a line to a file: the test counts the runs by its lines."""
    if "note" in data:
        with open(data["note"], "a") as file:
            file.write(f"{os.getpid()}\n")


def sleep(run, data):
    frame = read_frame(data.get("ms", 0) / 1000)
    if frame and frame["type"] == "cancel":
        send(type="failed", run=run, message="interrupted", code="interrupted")
    elif frame and frame["type"] == "stop":
        sys.exit(0)
    else:
        send(type="completed", run=run, result={"slept": data.get("ms", 0), **({"fill": "x" * data["bytes"]} if "bytes" in data else {})})


def print_lines(run, data):
    line = "x" * data["bytes"] + "\n"
    for _ in range(data["lines"]):
        sys.stdout.write(line)
    sys.stdout.flush()
    send(type="completed", run=run, result=None)


def ignore_signals(run, data):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(data.get("seconds", 60))
    send(type="completed", run=run, result=None)


def eat(run, data):
    held = []
    for _ in range(data["megabytes"]):
        held.append(bytearray(os.urandom(1 << 10) * 1024))
    send(type="completed", run=run, result=len(held))


def leave_grandchild(run, data):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            with open(data["pid_file"], "w") as file:
                file.write(str(os.getpid()))
            os.closerange(3, 64)
            time.sleep(600)
        os._exit(0)
    os.wait()
    sleep(run, data)


def say_and_die(run, data):
    sys.stderr.write(data["stderr"])
    sys.stderr.flush()
    os._exit(3)


def die(run, data):
    os.kill(os.getpid(), signal.SIGKILL)


def write_file(run, data):
    with open(os.path.join(os.environ["GAUR_OUT"], "rows.csv"), "w") as file:
        file.write("a,b\n" * data.get("rows", 3))
    if "after" in data:  # the end of the run waits for this file
        open(data["after"] + ".written", "w").close()
        while not os.path.exists(data["after"]):
            time.sleep(0.01)
    send(type="completed", run=run, result={}, file={"name": "rows.csv", "format": "csv", "rows": data.get("rows", 3)})


def fill_scratch(run, data):
    """Writes megabytes to its folders and waits for its end."""
    for number in range(data["megabytes"]):
        with open(os.path.join(os.environ[data.get("folder", "GAUR_TMP")], f"f{number}"), "wb") as file:
            file.write(bytes(1_000_000))
    sleep(run, data)


def fail(run, data):
    send(type="failed", run=run, message=f"attempt {attempt} failed")


def snooze(run, data):
    """Snoozes until the note has more lines than `times`."""
    with open(data["note"]) as file:
        done = len(file.readlines()) > data["times"]
    send(type="completed", run=run, result=None) if done else send(type="snooze", run=run, delay_ms=0)


FUNCTIONS = {"file": write_file, "fill": fill_scratch, "print": print_lines, "ignore_signals": ignore_signals, "eat": eat, "grandchild": leave_grandchild, "die": die, "say_and_die": say_and_die, "fail": fail, "snooze": snooze}

send(type="ready", protocol=1, name="testbed")
while True:
    frame = read_frame()
    if frame is None or frame["type"] == "stop":
        sys.exit(0)
    if frame["type"] == "run":
        attempt = frame["attempt"]
        note(frame["data"])
        FUNCTIONS.get(frame["function"], sleep)(frame["run"], frame["data"])
