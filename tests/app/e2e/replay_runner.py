"""A runner for `gaur shadow` and `gaur size`: gives the answer that the data names, burns CPU, holds memory."""

import json
import os
import sys
import time

frames = os.fdopen(3, "r")
answers = os.fdopen(4, "w", buffering=1)


def send(**frame):
    answers.write(json.dumps(frame) + "\n")
    answers.flush()


def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


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
    if "fail" in data:
        send(type="failed", run=frame["run"], message=data["fail"], code="error")
    elif data.get("env"):
        send(type="completed", run=frame["run"], result=os.environ.get(data["env"]))
    else:
        send(type="completed", run=frame["run"], result=data.get("give"))
    del held
sys.exit(0)
