"""A runner that tries what an untrusted handler must not do. Its result says what happened: "done", an error's name
such as "EACCES", or what it read."""

import ctypes
import errno
import fcntl
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

helpers = []
libc = ctypes.CDLL(None, use_errno=True)
# Of x86-64 and of the generic table that arm64 uses.
NUMBERS = {
    "x86_64": {"mount": 165, "ptrace": 101, "keyctl": 250, "add_key": 248, "bpf": 321, "perf_event_open": 298, "unshare": 272,
               "userfaultfd": 323, "io_uring_setup": 425, "reboot": 169, "swapon": 167, "kexec_load": 246, "init_module": 175,
               "process_vm_readv": 310, "process_vm_writev": 311, "setns": 308, "open_by_handle_at": 304, "shmget": 29,
               "semget": 64, "msgget": 68, "mq_open": 240},
    "aarch64": {"mount": 40, "ptrace": 117, "keyctl": 219, "add_key": 217, "bpf": 280, "perf_event_open": 241, "unshare": 97,
                "userfaultfd": 282, "io_uring_setup": 425, "reboot": 142, "swapon": 224, "kexec_load": 104, "init_module": 105,
                "process_vm_readv": 270, "process_vm_writev": 271, "setns": 268, "open_by_handle_at": 265, "shmget": 194,
                "semget": 190, "msgget": 186, "mq_open": 180},
}


def system_call(name, arguments):
    if libc.syscall(NUMBERS[os.uname().machine][name], *[ctypes.c_long(value) for value in arguments]) >= 0:
        return "done"
    return errno.errorcode[ctypes.get_errno()]


def leave_daemon(megabytes):
    """A process that left the process group and the session; its parent is gone. Answers its pid."""
    script = f"import os,sys,time\nif os.fork(): os._exit(0)\nos.setsid()\nkept = b'x' * ({megabytes} << 20)\nprint(os.getpid(),flush=True)\nos.close(1)\ntime.sleep(600)"
    started = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=True)
    return int(started.stdout)


def attempt(job, run):
    what = job["what"]
    if what == "read":
        with open(job["path"], "rb") as file:
            return file.read(65536).decode(errors="replace")
    if what == "list":
        return sorted(os.listdir(job["path"]))
    if what == "write":
        with open(job["path"], "w") as file:
            file.write("written")
        return "done"
    if what == "replace_with_link":  # so that the host moves or removes what is elsewhere
        os.rename(job["path"], job["path"] + ".old")
        os.symlink("/etc", job["path"])
        return "done"
    if what == "write_scratch":
        path = os.path.join(os.environ[job["folder"]], job["name"])
        with open(path, "w") as file:
            file.write("left behind")
        return path
    if what == "write_scratch_and_wait":
        path = attempt({**job, "what": "write_scratch"}, run)
        time.sleep(60)
        return path
    if what == "file":
        path = os.path.join(os.environ["GAUR_OUT"], "rows.csv")
        with open(path, "w") as file:
            file.write("a\n1\n")
        os.chmod(path, 0o600)
        open(path + ".part", "w").close()
        return {}
    if what == "environment":
        return dict(os.environ).__repr__()
    if what == "kill":
        os.kill(job["pid"], signal.SIGCONT)
        return "done"
    if what == "connect":
        with socket.create_connection(("127.0.0.1", job["port"]), 5):
            return "done"
    if what == "system_call":
        return system_call(job["name"], job.get("arguments", [0, 0, 0, 0, 0]))
    if what == "status":
        lines = dict(line.split(":", 1) for line in open("/proc/self/status"))
        return {"uid": os.getuid(), "gid": os.getgid(), "groups": os.getgroups(), "parent": os.getppid(), "pid": os.getpid(),
                **{key: lines[key].strip() for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")}}
    if what == "leave_daemon":
        return leave_daemon(job.get("megabytes", 0))
    if what == "start_helper":
        helpers.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]))
        return helpers[-1].pid
    if what == "leave_zombie":
        helpers.append(subprocess.Popen(["/bin/true"]))
        os.waitid(os.P_PID, helpers[-1].pid, os.WEXITED | os.WNOWAIT)  # it is not reaped
        return attempt({"what": "write_scratch", "folder": "TMPDIR", "name": "left"}, run)
    if what == "use_memory":
        kept = b"x" * (job["megabytes"] << 20)
        time.sleep(0.5)  # longer than the interval at which memory is measured
        return "done" if kept else ""
    if what == "keep_memory":
        helpers.append(b"x" * (job["megabytes"] << 20))
        return "done"
    if what == "leave_tree":
        path = os.path.join(os.environ[job["folder"]], "tree")
        os.makedirs(os.path.join(path, "below"))
        os.chmod(os.path.join(path, "below"), 0)
        os.chmod(path, 0)
        return path
    if what == "leave_many":
        for number in range(job["count"]):
            os.close(os.open(os.path.join(os.environ["TMPDIR"], str(number)), os.O_CREAT | os.O_WRONLY))
        return "done"
    if what == "list_tmp":
        return sorted(os.listdir(os.environ["TMPDIR"]))
    if what == "descriptors":
        return sorted(int(name) for name in os.listdir("/proc/self/fd"))[:-1]  # the last lists the folder
    if what == "open_to_write":
        os.close(os.open(job["path"], os.O_WRONLY))
        return "done"
    if what == "limit":
        resource.prlimit(job["pid"], resource.RLIMIT_NOFILE, (3, 3))
        return "done"
    if what == "signal_by_io":  # the kernel sends it, without kill()
        end, other = os.pipe()
        fcntl.fcntl(end, fcntl.F_SETOWN, job["pid"])
        fcntl.fcntl(end, 10, signal.SIGUSR2)  # F_SETSIG
        fcntl.fcntl(end, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
        os.write(other, b"x")
        return "done"
    if what == "leave_stubborn":  # keeps stdout and the frame pipes open
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.setsid()
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            if os.fork() == 0:
                os.write(writer, str(os.getpid()).encode())
                time.sleep(600)
            os._exit(0)
        os.wait()
        return int(os.read(reader, 20))
    if what == "fork_bomb":
        until = time.monotonic() + 20  # for the machine of the test
        for _ in range(100):
            if os.fork() == 0:
                while time.monotonic() < until:
                    if os.fork() != 0:
                        os._exit(0)
                    os.setsid()
                    time.sleep(0.02)
                os._exit(0)
        time.sleep(600)
    if what == "fork_doubling":  # at most 2 048 processes, which end after 20 s
        until = time.monotonic() + 20
        births = os.open(job["births"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        own = os.getpid()
        for _ in range(11):
            try:
                if os.fork() == 0:
                    os.write(births, b"x")
                    if job.get("leave"):
                        os.setsid()
            except OSError:
                pass
        if os.getpid() == own or time.monotonic() < until:
            time.sleep(max(0.0, until - time.monotonic()))
        if os.getpid() != own:
            os._exit(0)
        return "done"
    if what == "fork_in_turn":
        for _ in range(job["count"]):
            subprocess.run(["/bin/true"], check=True)
        return "done"
    if what == "threads":
        started = threading.Event()
        for _ in range(job["count"]):
            threading.Thread(target=started.wait, daemon=True).start()
        return "done"
    if what == "frames":
        for text in job["frames"]:
            os.write(4, text.replace("RUN", run).encode() + b"\n")
        return "done"
    if what == "endless_line":
        block = b"x" * (1 << 20)
        for _ in range(1024):
            os.write(4, block)
        return "done"
    raise ValueError(what)


def main():
    frames = os.fdopen(3)
    out = os.fdopen(4, "w", buffering=1)
    out.write('{"type":"ready","protocol":1,"name":"attacker"}\n')
    for line in frames:
        frame = json.loads(line)
        if frame["type"] == "stop":
            return
        if frame["type"] != "run":
            continue
        try:
            result = attempt(frame["data"], frame["run"])
        except OSError as error:
            result = errno.errorcode[error.errno]
        outcome = {"type": "completed", "run": frame["run"], "result": result}
        if frame["data"]["what"] == "file":
            outcome["file"] = {"name": "rows.csv", "format": "csv", "rows": 1}
        out.write(json.dumps(outcome) + "\n")


main()
