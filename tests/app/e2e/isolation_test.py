"""What a runner cannot reach: the host's secrets and memory, other processes, files, privileges."""

import os
import pwd
import re
import subprocess
import sys
import unittest
from pathlib import Path

from harness import GAUR, HERE, ROOT, EndToEnd, Server, alive, stat_of, tree, until

TOKEN = "t0ken-that-no-runner-may-see"
PASSWORD = "p4ssword-that-no-runner-may-see"
NOBODY = 65534
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable  # one that every user may run


class Unprivileged(Server):
    """A server that runs as an ordinary user, as its runners do."""

    def command(self, *flags):
        command = super().command(*flags)
        if os.geteuid() != 0:
            return command
        os.chown(self.folder, NOBODY, NOBODY)
        return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]

    def request(self, method, path, body=None, headers=None, timeout=90):
        return super().request(method, path, body, {"Authorization": f"Bearer {TOKEN}", **(headers or {})}, timeout)


def pool(more=""):
    return f"""[queues.q]
[pools.attacker]
command = ["{PYTHON}", "{HERE / "attacker.py"}"]
min_runners = 1
max_runners = 1
{more}
[functions.attempt]
pool = "attacker"
"""


VICTIM = f"""[pools.victim]
command = ["{PYTHON}", "{HERE / "attacker.py"}"]
[functions.victim]
pool = "victim"
"""


class UnderTheUnit(Server):
    """A server that runs as an ordinary user with the capabilities of deploy/systemd/gaur-work.service."""

    def command(self, *flags):
        unit = (ROOT / "deploy/systemd/gaur-work.service").read_text()
        names = re.search(r"^AmbientCapabilities=(.*)$", unit, re.M).group(1).lower().split()
        # Some containers have no CAP_SYS_RESOURCE to give.
        mine = int(re.search(r"CapBnd:\s*(\w+)", Path("/proc/self/status").read_text()).group(1), 16)
        if not mine >> 24 & 1:
            names.remove("cap_sys_resource")
        capabilities = ",".join(name.replace("cap_", "+") for name in names)
        os.chown(self.folder, NOBODY, NOBODY)
        return ["setpriv", f"--bounding-set=-all,{capabilities}", "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}",
                "--clear-groups", f"--inh-caps=-all,{capabilities}", f"--ambient-caps=-all,{capabilities}", "--no-new-privs",
                *super().command(*flags)]


class IsolationTest(EndToEnd):
    def attempt(self, server, what, **data):
        answer = server.post("/v1/functions/attempt?wait=30s", {"what": what, **data})
        self.assertEqual(answer.status, 200, answer.text)
        return answer.json["result"]

    def test_a_runner_of_the_same_user_reads_no_secret_of_the_host(self):
        server = Unprivileged(self.folder, pool())
        self.servers.append(server)
        server.start(env={"GAUR_SERVER_TOKEN": TOKEN, "REDIS_PASSWORD": PASSWORD, "HARMLESS": "shown"})
        host = server.process.pid
        for name in ("environ", "mem", "maps"):
            self.assertRegex(self.attempt(server, "read", path=f"/proc/{host}/{name}"), "^(EACCES|EPERM)$", name)
        seen = self.attempt(server, "environment")
        self.assertNotIn(TOKEN, seen)
        self.assertNotIn(PASSWORD, seen)

    @unittest.skipUnless(os.geteuid() == 0, "only root may read the environment of a hidden process")
    def test_the_host_erases_secrets_from_its_environment(self):
        server = Unprivileged(self.folder, pool())
        self.servers.append(server)
        server.start(env={"GAUR_SERVER_TOKEN": TOKEN, "REDIS_PASSWORD": PASSWORD, "HARMLESS": "shown"})
        environment = Path(f"/proc/{server.process.pid}/environ").read_bytes()
        self.assertIn(b"HARMLESS=shown", environment)
        self.assertNotIn(TOKEN.encode(), environment)
        self.assertNotIn(PASSWORD.encode(), environment)

    def start(self, config):
        server = self.server(config)
        return server.start()

    def test_a_runner_has_no_capabilities_and_a_filter(self):
        server = self.start(pool())
        status = self.attempt(server, "status")
        for sets in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(int(status[sets], 16), 0, sets)
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))

    def test_basic_denies_system_calls_that_no_handler_needs(self):
        server = self.start(pool())
        for name in ("mount", "ptrace", "process_vm_readv", "process_vm_writev", "kexec_load", "bpf", "keyctl", "add_key",
                     "perf_event_open", "init_module", "reboot", "swapon", "userfaultfd", "io_uring_setup", "setns",
                     "open_by_handle_at"):
            self.assertEqual(self.attempt(server, "system_call", name=name), "EPERM", name)
        self.assertEqual(self.attempt(server, "system_call", name="unshare", arguments=[0, 0, 0, 0, 0]), "done")
        self.assertEqual(self.attempt(server, "connect", port=server.port), "done", "a command pool has the network")

    def test_a_runner_cannot_signal_the_host_or_its_keeper(self):
        server = self.start(pool())
        keeper = self.attempt(server, "status")["parent"]
        for pid in (server.process.pid, keeper):
            self.assertEqual(self.attempt(server, "kill", pid=pid), "EPERM")
        self.assertEqual(self.attempt(server, "kill", pid=self.attempt(server, "status")["pid"]), "done")

    def test_strict_confines_files_and_namespaces(self):
        (self.folder / "app").mkdir()
        (self.folder / "app/handler.js").write_text("code")
        (self.folder / "data").mkdir()
        (self.folder / "data/rows").write_text("rows")
        (self.folder / "output").mkdir()
        server = self.start(pool(f'''isolation = "strict"
network = "off"
folder = "app"
read = ["data"]
write = ["output"]'''))
        self.assertEqual(self.attempt(server, "read", path=str(self.folder / "app/handler.js")), "code")
        self.assertEqual(self.attempt(server, "read", path=str(self.folder / "data/rows")), "rows")
        self.assertEqual(self.attempt(server, "write", path=str(self.folder / "output/new")), "done")
        for folder in ("TMPDIR", "GAUR_OUT"):
            self.assertIn(str(self.folder), self.attempt(server, "write_scratch", folder=folder, name="x"))
        data = next(self.folder.glob("*/store")).parent
        for path in (self.folder / "gaur.toml", self.folder / "log", data / "gaur.lock", data / "store/data.mdb", "/etc/shadow"):
            self.assertEqual(self.attempt(server, "read", path=str(path)), "EACCES", path)
        for path in (self.folder / "app/handler.js", self.folder / "data/rows", self.folder / "new", "/dev/shm/new", "/tmp/new"):
            self.assertEqual(self.attempt(server, "write", path=str(path)), "EACCES", path)
        self.assertEqual(self.attempt(server, "list", path=str(data)), "EACCES")
        out = os.path.dirname(self.attempt(server, "write_scratch", folder="GAUR_OUT", name="x"))
        self.assertEqual(self.attempt(server, "replace_with_link", path=out), "EACCES")
        self.assertEqual(self.attempt(server, "connect", port=server.port), "EACCES")
        self.assertEqual(self.attempt(server, "system_call", name="unshare", arguments=[0x10000000, 0, 0, 0, 0]), "EPERM")

    def strict(self, more=""):
        """A strict pool whose folder contains no file of the host."""
        return pool(f'isolation = "strict"\nfolder = "{HERE}"\n{more}')

    def check(self):
        return subprocess.run([GAUR, "check"], cwd=self.folder, capture_output=True, text=True, timeout=60)

    def test_strict_rejects_paths_with_files_of_the_host(self):
        (self.folder / "token").write_text(TOKEN + "\n")
        (self.folder / "token").chmod(0o600)
        head = '[store]\nurl = "embedded:./d"\n[server]\ntoken_file = "token"\n'
        d = re.escape(str(self.folder.resolve() / "d"))
        for more, key, exposed in (("", "folder", rf"{d} \(the data folder\), .*/token \(server\.token_file\)"),
                                   (f'folder = "{HERE}"\nread = ["."]', "read", rf"{d} \(the data folder\)"),
                                   (f'folder = "{HERE}"\nread = ["d/run"]', "read", rf"{d} \(the data folder\)"),
                                   (f'folder = "{HERE}"\nread = ["link"]', "read", rf"{d} \(the data folder\)"),
                                   (f'folder = "{HERE}"\nwrite = ["d/new"]', "write", rf"{d} \(the data folder\)"),
                                   (f'folder = "{HERE}"\nenv = {{ LD_LIBRARY_PATH = "{self.folder}" }}', "env", "the data folder")):
            (self.folder / "link").unlink(missing_ok=True)
            (self.folder / "link").symlink_to("d/store")
            server = self.server(head + pool('isolation = "strict"\n' + more))
            checked = self.check()
            problem = rf'pools\.attacker\.{key}: its runners, of isolation "strict", may (read|write) .*{exposed}.*; (move|name) '
            self.assertEqual(checked.returncode, 1, more)
            self.assertRegex(checked.stdout, problem)
            self.assertRegex(checked.stdout, r"files: only its own +no: its paths contain files of the host")
            with self.assertRaisesRegex(AssertionError, problem):
                server.start()
        (self.folder / "gaur.toml").write_text(head + pool('isolation = "basic"'))
        self.assertNotIn("files of this host", self.check().stdout)

    def test_sql_gets_no_folder_with_a_secret(self):
        (self.folder / "data").mkdir()
        (self.folder / "data/token").write_text(TOKEN + "\n")
        (self.folder / "data/token").chmod(0o600)
        config = '[queues.q]\n[pools.sql]\nkind = "duckdb"\n[pools.sql.duckdb]\ndata = ["data"]\n[functions.f]\npool = "sql"\nsql = "select 1"\n'
        server = self.server(config + '[server]\ntoken_file = "data/token"\n')
        problem = r"pools\.sql\.duckdb\.data: SQL may read .*/data, which contains .*/data/token \(server\.token_file\)"
        self.assertRegex(self.check().stdout, problem)
        with self.assertRaisesRegex(AssertionError, problem):
            server.start()
        (self.folder / "gaur.toml").write_text(config)
        self.assertNotIn("SQL may read", self.check().stdout)

    def test_strict_rejects_a_folder_whose_configuration_has_a_secret(self):
        (self.folder / "app").mkdir()
        for name, secret in (("app/gaur.toml", '[server]\ntoken = "a-token-of-sixteen"\n'), ("app/.env", "GAUR_SERVER_TOKEN=a-token-of-sixteen\n")):
            config = f'[store]\nurl = "embedded:{self.folder}/d"\n' + pool('isolation = "strict"')
            (self.folder / "app/gaur.toml").write_text(config)
            checked = subprocess.run([GAUR, "check"], cwd=self.folder / "app", capture_output=True, text=True, timeout=60)
            self.assertEqual(checked.returncode, 0, checked.stdout)
            with open(self.folder / name, "a") as file:
                file.write(secret)
            checked = subprocess.run([GAUR, "check"], cwd=self.folder / "app", capture_output=True, text=True, timeout=60)
            self.assertRegex(checked.stdout, rf"pools\.attacker\.folder: .*{name} \(contains server\.token\)")

    def test_strict_reads_no_file_of_the_host_or_of_another_run(self):
        self.folder.chmod(0o755)
        for user in (Unprivileged, Server):
            folder = self.folder / user.__name__
            (folder / "app").mkdir(parents=True)
            for name in ("token", "beside", "app/handler"):
                (folder / name).write_text(TOKEN + "\n")
            folder.chmod(0o755)
            (folder / "token").chmod(0o600)
            for name in (".", "token", "app", "app/handler"):
                if os.geteuid() == 0 and user is Unprivileged:
                    os.chown(folder / name, NOBODY, NOBODY)
            strict = '[store]\nurl = "embedded:./d"\n[server]\ntoken_file = "token"\n' + pool('isolation = "strict"\nfolder = "app"')
            strict = strict.replace("max_runners = 1", "max_runners = 2").replace(f'attacker.py"]', f'attacker.py", "{folder}/beside"]')
            server = user(folder, strict)
            server.request = lambda method, path, body=None, headers=None, server=server: Server.request(
                server, method, path, body, {"Authorization": f"Bearer {TOKEN}", **(headers or {})})
            self.servers.append(server)
            server.start()
            held = server.add("attempt", {"what": "write_scratch_and_wait", "folder": "GAUR_OUT", "name": "secret"})
            secret = until(lambda: next(folder.glob("d/run/*/out/secret"), None), what="the other run's file")
            for path in ("token", "gaur.toml", "d/store/data.mdb", "d/link-secret", "d/gaur.lock", "log", secret):
                self.assertTrue((folder / path).exists(), path)
                self.assertEqual(self.attempt(server, "read", path=str(folder / path)), "EACCES", (user, path))
                self.assertEqual(self.attempt(server, "write", path=str(folder / path)), "EACCES", (user, path))
            for path in (".", "d", "d/run", secret.parent, HERE):
                self.assertEqual(self.attempt(server, "list", path=str(folder / path)), "EACCES", (user, path))
            for path in ("beside", "app/handler"):
                self.assertEqual(self.attempt(server, "read", path=str(folder / path)), TOKEN + "\n", "an argument, and the pool's folder")
            self.assertTrue(secret.exists())
            self.assertEqual(server.request("POST", f"/v1/queues/q/jobs/{held}/cancel").status // 100, 2)

    def test_strict_reads_public_parts_of_the_folders_of_tls_only(self):
        server = self.start(self.strict())
        for folder in ("/etc/ssl", "/etc/pki"):
            if os.path.exists(folder):
                self.assertEqual(self.attempt(server, "list", path=folder), "EACCES")
        for folder in ("/etc/ssl/private", "/etc/pki/tls/private"):
            if os.path.exists(folder):
                self.assertEqual(self.attempt(server, "list", path=folder), "EACCES")
        for folder in ("/etc/ssl/certs", "/etc/pki/tls/certs"):
            if os.path.exists(folder):
                self.assertEqual(self.attempt(server, "list", path=folder), sorted(os.listdir(folder)))

    def test_off_removes_the_protections(self):
        server = self.start(pool('isolation = "off"\nmax_processes = 0'))
        status = self.attempt(server, "status")
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "0"))
        self.assertEqual(self.attempt(server, "kill", pid=server.process.pid), "done")

    @unittest.skipUnless(os.geteuid() == 0, "only root may switch users")
    def test_runners_run_as_their_own_user(self):
        user = pwd.getpwuid(NOBODY)
        self.folder.chmod(0o755)
        server = self.start(f'[runners]\nuser = "{user.pw_name}"\n' + pool())
        status = self.attempt(server, "status")
        self.assertEqual((status["uid"], status["gid"]), (NOBODY, user.pw_gid))
        data = next(self.folder.glob("*/store")).parent
        for path in (data / "store/data.mdb", data / "gaur.lock", "/etc/shadow", f"/proc/{server.process.pid}/environ"):
            self.assertEqual(self.attempt(server, "read", path=str(path)), "EACCES", path)
        self.assertEqual((data / "run").stat().st_mode & 0o777, 0o711)
        for folder in (data / "run", data / "store"):
            self.assertEqual(self.attempt(server, "list", path=str(folder)), "EACCES", folder)
        self.assertEqual(self.attempt(server, "kill", pid=server.process.pid), "EPERM")
        written = Path(self.attempt(server, "write_scratch", folder="GAUR_OUT", name="x"))
        self.assertEqual((written.parent.stat().st_mode & 0o777, written.parent.stat().st_uid), (0o700, NOBODY))
        self.assertEqual(self.attempt(server, "write", path=str(written.parent.parent / "new")), "EACCES")
        self.assertEqual(self.attempt(server, "replace_with_link", path=str(written.parent)), "EACCES")
        self.assertIn(f"'HOME': '{user.pw_dir}'", self.attempt(server, "environment"))
        self.assertFalse(written.exists(), "the host removes what the user wrote")
        server.stop()
        self.assertFalse(written.parent.exists(), "the host removes the user's folder")

    @unittest.skipUnless(os.geteuid() == 0, "only root may give capabilities")
    def test_the_capabilities_of_the_unit_suffice(self):
        self.folder.chmod(0o755)
        daemon = pwd.getpwnam("daemon")
        server = UnderTheUnit(self.folder, '[runners]\nuser = "daemon"\n' + pool() + '[functions.file]\npool = "attacker"\n')
        self.servers.append(server)
        server.start()
        host = Path(f"/proc/{server.process.pid}/status").read_text()
        self.assertRegex(host, rf"Uid:\s{NOBODY}\s")
        status = self.attempt(server, "status")
        self.assertEqual((status["uid"], int(status["CapEff"], 16), int(status["CapBnd"], 16)), (daemon.pw_uid, 0, 0))
        written = Path(self.attempt(server, "write_scratch", folder="GAUR_OUT", name="x"))
        self.assertEqual(written.parent.stat().st_uid, daemon.pw_uid)
        self.assertFalse(written.exists(), "the host removes what the user wrote")
        answer = server.post("/v1/functions/file?wait=30s", {"what": "file"})
        self.assertEqual(answer.status, 200, answer.text)
        moved = next(path for path in self.folder.rglob("*.csv"))
        self.assertEqual(moved.stat().st_uid, NOBODY, "the host owns the result file")
        job = server.finished("q", server.add("attempt", {"what": "environment"}))
        self.assertGreater(job["usage"]["peak_rss_bytes"], 1 << 20, "measured")
        server.stop()
        self.assertFalse(written.parent.exists(), "the host removes the user's folder")

    def is_gone(self, pid):
        stat = stat_of(pid)
        return stat is None or stat[1] == "Z"

    def test_what_a_job_leaves_ends_with_it(self):
        server = self.start(pool())
        daemon = self.attempt(server, "leave_daemon")
        left = self.attempt(server, "write_scratch", folder="TMPDIR", name="left")
        out = self.attempt(server, "write_scratch", folder="GAUR_OUT", name="left")
        self.assertTrue(self.is_gone(daemon), "the next job started after the daemon had ended")
        for path in (left, out):
            self.assertEqual(self.attempt(server, "read", path=path), "ENOENT", path)
        self.assertEqual(server.post("/v1/functions/attempt?wait=30s", {"what": "file"}).status, 200)
        self.assertEqual(self.attempt(server, "list", path=os.path.dirname(out)), [], "what was beside a result file")
        self.assertNotIn("left", self.attempt(server, "list", path=os.path.dirname(left)))

    def test_basic_keeps_the_helpers_of_a_runner_and_strict_does_not(self):
        for level, kept in (("basic", True), ("strict", False)):
            (self.folder / level).mkdir()
            server = self.server(pool(f'isolation = "{level}"\nfolder = "{HERE}"'), self.folder / level).start()
            helper = self.attempt(server, "start_helper")
            self.assertEqual(self.attempt(server, "read", path="/proc/self/comm"), "python3\n")
            self.assertEqual(self.is_gone(helper), not kept, level)

    def test_a_child_that_has_ended_is_no_helper(self):
        server = self.start(pool())
        left = self.attempt(server, "leave_zombie")
        self.assertEqual(self.attempt(server, "read", path=left), "ENOENT")

    def test_a_job_is_not_ended_for_the_memory_of_the_one_before(self):
        server = self.start(pool() + 'needs = { memory = "256MB" }\nattempts = 1\n')
        pid = self.attempt(server, "leave_daemon", megabytes=200)
        self.assertEqual(self.attempt(server, "use_memory", megabytes=120), "done")
        self.assertTrue(self.is_gone(pid))

    def test_a_job_gets_its_memory_whatever_the_runner_kept(self):
        config = pool() + 'needs = { memory = "256MB" }\nattempts = 1\n'
        server = self.start(config)
        self.attempt(server, "keep_memory", megabytes=100)
        self.assertEqual(self.attempt(server, "use_memory", megabytes=200), "done")
        first = self.attempt(server, "status")["pid"]
        self.attempt(server, "keep_memory", megabytes=60)
        self.assertNotEqual(self.attempt(server, "status")["pid"], first, "a runner that kept over half of the limit is replaced")

    def test_strict_leaves_no_objects_of_the_kernel(self):
        server = self.start(self.strict())
        for name in ("shmget", "semget", "msgget", "mq_open"):
            self.assertEqual(self.attempt(server, "system_call", name=name), "EPERM", name)

    def test_a_runner_has_only_its_own_descriptors(self):
        server = self.start(pool())
        self.assertEqual(self.attempt(server, "descriptors"), [0, 1, 2, 3, 4])

    def reach_others(self, server):
        other = server.post("/v1/functions/victim?wait=30s", {"what": "status"}).json["result"]["pid"]
        keeper = self.attempt(server, "status")["parent"]
        for pid in (other, keeper, server.process.pid):
            for name in ("environ", "mem", "maps"):
                self.assertRegex(self.attempt(server, "read", path=f"/proc/{pid}/{name}"), "^(EACCES|EPERM)$", (pid, name))
            for fd in (3, 4) if pid == other else ():
                self.assertRegex(self.attempt(server, "open_to_write", path=f"/proc/{pid}/fd/{fd}"), "^(EACCES|EPERM)$", (pid, fd))
            self.assertEqual(self.attempt(server, "kill", pid=pid), "EPERM")
            self.assertEqual(self.attempt(server, "limit", pid=pid), "EPERM", "lower limits would stop the process")
            self.attempt(server, "signal_by_io", pid=pid)
        self.assertEqual(server.post("/v1/functions/victim?wait=30s", {"what": "status"}).json["result"]["pid"], other)
        self.assertEqual(self.attempt(server, "status")["parent"], keeper)

    def test_a_runner_cannot_reach_another_runner_or_its_keeper(self):
        self.reach_others(self.start(pool() + VICTIM))

    def test_a_runner_of_an_ordinary_user_cannot_reach_another_runner(self):
        server = Unprivileged(self.folder, pool() + VICTIM)
        self.servers.append(server)
        self.reach_others(server.start(env={"GAUR_SERVER_TOKEN": TOKEN}))
        self.assertEqual(server.request("GET", "/v1/queues", headers={"Authorization": "Bearer "}).status, 401)

    def test_a_process_that_ignores_signals_and_keeps_the_pipes_ends_with_the_job(self):
        for level in ("basic", "strict"):
            (self.folder / level).mkdir()
            server = self.server(pool(f'isolation = "{level}"\nfolder = "{HERE}"'), self.folder / level).start()
            left = self.attempt(server, "leave_stubborn")
            self.attempt(server, "status")
            self.assertTrue(self.is_gone(left), level)

    def test_a_fork_bomb_ends_with_its_run(self):
        server = self.start(pool() + 'timeout = "2s"\nattempts = 1\n')
        keeper = self.attempt(server, "status")["parent"]
        answer = server.post("/v1/functions/attempt?wait=30s", {"what": "fork_bomb", "keeper": keeper})
        self.assertEqual(answer.json["failure"]["code"], "timeout", answer.text)
        self.assertEqual(self.attempt(server, "environment")[:1], "{", "the next runner works")
        until(lambda: len(alive(tree(server.process.pid))) == 2, what="only a keeper and a runner")

    def test_a_run_that_forks_2000_times_fails_at_its_limit(self):
        births = self.folder / "births"
        for level, more in (("basic", ""), ("strict", f'folder = "{HERE}"\nwrite = ["births"]\n'), ("off", "")):
            for leave in (False, True):
                births.write_text("")
                server = self.start(pool(f'isolation = "{level}"\n{more}max_processes = 200') + "attempts = 1\n")
                answer = server.post("/v1/functions/attempt?wait=30s", {"what": "fork_doubling", "births": str(births), "leave": leave})
                self.assertEqual((answer.status, answer.json["failure"]["code"]), (500, "processes"), answer.text)
                self.assertRegex(answer.json["failure"]["message"], r"^it had \d+ processes and threads, over its limit of 200 \(pools\.attacker\.max_processes\)")
                self.assertLess(births.stat().st_size, 400, "forks that succeeded")
                self.assertEqual(self.attempt(server, "environment")[:1], "{", "the next runner works")
                until(lambda: len(alive(tree(server.process.pid))) == 2, what="only a keeper and a runner")
                server.stop()

    def test_the_limit_of_processes_counts_threads_and_not_what_has_ended(self):
        server = self.start(pool("max_processes = 50") + "attempts = 1\n")
        self.assertEqual(self.attempt(server, "fork_in_turn", count=120), "done")
        self.assertEqual(self.attempt(server, "threads", count=30), "done")
        answer = server.post("/v1/functions/attempt?wait=30s", {"what": "threads", "count": 60})
        self.assertEqual(answer.json["failure"]["code"], "processes", answer.text)

    def test_the_default_limit_of_processes_ends_a_bomb(self):
        server = self.start(pool() + "attempts = 1\n")
        answer = server.post("/v1/functions/attempt?wait=30s", {"what": "fork_doubling", "births": str(self.folder / "births")})
        self.assertEqual(answer.json["failure"]["code"], "processes", answer.text)
        self.assertEqual(self.attempt(server, "environment")[:1], "{", "the next runner works")

    def test_hostile_frames_end_only_their_run(self):
        server = self.start(pool() + "attempts = 1\nrerun_on_crash = false\n")
        deep = '{"type":"completed","run":"RUN","result":' + "[" * 100_000 + "]" * 100_000 + "}"
        for frames in (["not JSON"], ["\0\0\0"], ['{"type":"completed","run":"another:1:0","result":1}'], [deep],
                       ['{"type":"progress","run":17}'], ['{"type":"completed","run":"RUN","result":1}'] * 2,
                       ['{"type":"failed","run":"RUN","code":"stalled","message":' + "9" * 400 + "}"]):
            server.post("/v1/functions/attempt?wait=30s", {"what": "frames", "frames": frames})
            until(lambda: server.post("/v1/functions/attempt?wait=30s", {"what": "status"}).status == 200, what=f"the next job after {frames[0][:60]}")
        answer = server.post("/v1/functions/attempt?wait=60s", {"what": "endless_line"})
        self.assertIn("a line of over 8388608 bytes", answer.text)
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        self.assertLess(int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)), 300_000, "memory is bounded")

    def test_files_that_cannot_be_listed_or_removed_easily_go_too(self):
        server = self.start(pool())
        for folder in ("TMPDIR", "GAUR_OUT"):
            left = self.attempt(server, "leave_tree", folder=folder)
            self.assertEqual(self.attempt(server, "list", path=os.path.dirname(left)), [])
        self.assertEqual(self.attempt(server, "leave_many", count=500), "done")
        self.assertEqual(self.attempt(server, "list_tmp"), [])

    def test_check_prints_the_protections_and_rejects_what_has_no_effect(self):
        (self.folder / "gaur.toml").write_text(pool('read = ["/srv"]') + '[pools.sealed]\nisolation = "strict"\nnetwork = "off"\n'
                                               f'command = ["{PYTHON}"]\nfolder = "{HERE}"\n[runners]\nuser = "no-such-user-here"\n')
        checked = subprocess.run([GAUR, "check"], cwd=self.folder, capture_output=True, text=True, timeout=60)
        self.assertEqual(checked.returncode, 1)
        self.assertRegex(checked.stdout, r"gaur\.toml:6:\d+: pools\.attacker\.read: needs pools\.attacker\.isolation = \"strict\"")
        self.assertRegex(checked.stdout, r"runners\.user: there is no user no-such-user-here")
        (self.folder / "gaur.toml").write_text(pool() + f'[pools.sealed]\nisolation = "strict"\nnetwork = "off"\ncommand = ["{PYTHON}"]\nfolder = "{HERE}"\n')
        text = subprocess.run([GAUR, "check"], cwd=self.folder, capture_output=True, text=True, timeout=60).stdout
        self.assertRegex(text, r"isolation of pool attacker: basic\n(.*\n)*?  files: only its own +no: isolation is basic\n")
        self.assertRegex(text, r"isolation of pool sealed: strict\n(.*\n)*?  files: only its own +yes\n(.*\n)*?  no network +yes\n")
        self.assertRegex(text, r"  limit of processes +yes\n")
        self.assertRegex(text, r"  limits of a cgroup +(yes|no: .*(version 2|cgroup).*)\n")
        if os.geteuid() == 0:
            self.assertRegex(text, r"gaur runs as root and so do its runners: .* can read, change and remove every file of root, .*oom_score_adj")


if __name__ == "__main__":
    unittest.main()
