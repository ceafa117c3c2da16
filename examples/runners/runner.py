#!/usr/bin/env python3
"""A Gaur runner in Python, standard library only. Frames come on descriptor 3, go out on 4; stdout is yours."""
import json, os, queue, sys, threading, time, traceback

frames = queue.Queue()  # filled by a thread of its own, so that a cancel is heard while a job runs

def read_frames():
    for line in open(3, encoding="utf-8", newline="\n"):
        frames.put(json.loads(line) if line.strip().startswith("{") else {"type": "broken"})
    frames.put({"type": "stop"})

def send(**frame):
    os.write(4, (json.dumps(frame, ensure_ascii=False) + "\n").encode())

def echo(job):
    return job["data"]

def sleep(job):
    end = time.monotonic() + job["data"]["ms"] / 1000
    while (left := end - time.monotonic()) > 0:
        try:
            frame = frames.get(timeout=min(left, 0.1))
            if frame["type"] == "cancel": raise InterruptedError(frame["message"])
            if frame["type"] == "stop": sys.exit(0)
        except queue.Empty:
            send(type="progress", run=job["run"], value={"seconds_left": round(left, 1)})

threading.Thread(target=read_frames, daemon=True).start()
send(type="ready", protocol=1, name="example in Python")
while (frame := frames.get())["type"] != "stop":
    if frame["type"] != "run": continue
    try:
        result = {"echo": echo, "sleep": sleep}[frame["function"]](frame)
        send(type="completed", run=frame["run"], result=result)
    except InterruptedError as error:
        send(type="failed", run=frame["run"], message=str(error), code="interrupted")
    except Exception as error:
        send(type="failed", run=frame["run"], message=repr(error), stack=traceback.format_exc())
