"""A runner for `gaur shadow` and `gaur size`: returns the result given in the data, uses CPU time, allocates memory."""

import json
import os
import sys
import time

frames = os.fdopen(3, "r")
output = os.fdopen(4, "w", buffering=1)


def send(**frame):
    output.write(json.dumps(frame) + "\n")
    output.flush()


def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def worn_out(data):
    """Whether more than `fails_after` runs have begun, in all processes together."""
    with open(data["count"], "a") as file:
        file.write("x")
    return os.path.getsize(data["count"]) > data["fails_after"]


send(type="ready", protocol=1, name="replay")
for line in frames:
    frame = json.loads(line)
    if frame["type"] == "stop":
        break
    if frame["type"] != "run":
        continue
    data = frame["data"]
    held = bytearray(os.urandom(1024) * 1024) * data.get("megabytes", 0)
    burn(data.get("burn_ms", 0) / 1000)
    if frame["memory"] < data.get("fails_below_megabytes", 0) * 1_000_000:
        send(type="failed", run=frame["run"], message="too small a grant", code="error")
    elif "fails_after" in data and worn_out(data):
        send(type="failed", run=frame["run"], message="worn out", code="error")
    elif "fail" in data:
        send(type="failed", run=frame["run"], message=data["fail"], code="error")
    elif data.get("env"):
        send(type="completed", run=frame["run"], result=os.environ.get(data["env"]))
    else:
        send(type="completed", run=frame["run"], result=data.get("give"))
    del held
sys.exit(0)
