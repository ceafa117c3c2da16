"""`gaur check` reports all problems at once, each with its file and line: errors that prevent a start, and risks."""

import re
import subprocess
import unittest

from harness import GAUR
from redis_hosts import BASE, PREFIX, RedisHosts

GOOD = '''[machine]
cores = 2
memory = "4GB"
reserve_memory = "1GB"
[queues.query]
[pools.shell]
command = ["sh", "-c", "exit 0"]
[functions.one]
pool = "shell"
needs = { cores = 2, memory = "3GB" }
'''


class CheckTest(RedisHosts):
    def check(self, toml, *arguments):
        """(exit code, the lines of the problems, the whole output)"""
        (self.folder / "gaur.toml").write_text(toml)
        done = subprocess.run([GAUR, "check", *arguments], cwd=self.folder, capture_output=True, text=True, timeout=60)
        problems = re.split(r"\n\d+ problems?:\n", done.stdout)
        return done.returncode, problems[1].splitlines() if len(problems) > 1 else [], done.stdout + done.stderr

    def test_a_good_configuration_has_no_problems(self):
        self.assertEqual(self.check(GOOD)[:2], (0, []), self.check(GOOD)[2])

    def test_all_problems_are_reported_at_once_with_their_lines(self):
        (self.folder / "old.js").mkdir()
        toml = GOOD.replace("cores = 2, memory", "cores = 3, memory").replace('"3GB"', '"3.5GB"').replace('["sh", "-c", "exit 0"]', '["shh"]') + '''
[pools.node]
command = ["sh", "dist/runner.js", "--flag=x.js"]
[pools.folder]
command = ["./old.js"]
[functions.two]
pool = "node"
[functions.three]
pool = "folder"
[server]
token = "too short"
'''
        code, problems, text = self.check(toml)
        self.assertEqual(code, 1)
        for wanted in (
            r"gaur\.toml:7:\d+: pools\.shell\.command: there is no program shh on PATH",
            r"gaur\.toml:10:\d+: functions\.one\.needs\.cores: 3 cores exceed the capacity of this machine \(2\)",
            r"gaur\.toml:10:\d+: functions\.one\.needs\.memory: 3\.5 GB exceed the capacity of this machine \(3\.0 GB: 4\.0 GB minus",
            r"gaur\.toml:13:\d+: pools\.node\.command: there is no file .*/dist/runner\.js",
            r"gaur\.toml:15:\d+: pools\.folder\.command: .*/old\.js is a folder",
            r"gaur\.toml:21:\d+: server\.token: the token is shorter than 16 bytes",
        ):
            self.assertTrue(any(re.match(wanted, line) for line in problems), f"{wanted} not in:\n{text}")
        self.assertEqual(len(problems), 6, text)

    def test_check_rejects_every_token_that_serve_rejects(self):
        for token, expected in [("short", "shorter than 16"), ("with a space in it", "visible ASCII"), ("schlüssel-schlüssel", "visible ASCII"), ("", "is empty")]:
            for key in ("token", "token_file"):
                (self.folder / "token").write_text(token + "\n")
                value = "token" if key == "token_file" else token
                code, problems, text = self.check(GOOD + f'[server]\n{key} = "{value}"\n')
                self.assertEqual((code, len(problems)), (1, 1), text)
                self.assertRegex(problems[0], rf"gaur\.toml:12:\d+: server\.{key}: (the token |/.*/token ).*{expected}")
                started = subprocess.run([GAUR, "serve", "--server.listen=127.0.0.1:0"], cwd=self.folder, capture_output=True, text=True, timeout=60)
                self.assertEqual(started.returncode, 1, started.stderr)
                self.assertIn(expected, started.stderr)
        self.assertRegex(self.check(GOOD + '[server]\nlisten = "example:80"\n')[2], r'server\.listen: "example" is not an address')

    def test_a_program_is_found_on_the_path_of_its_pool(self):
        (self.folder / "bin").mkdir()
        program = self.folder / "bin/mine"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        toml = GOOD.replace('["sh", "-c", "exit 0"]', f'["mine"]\nenv = {{ PATH = "{self.folder}/bin" }}')
        self.assertEqual(self.check(toml)[0], 0, self.check(toml)[2])
        program.chmod(0o644)
        self.assertIn("there is no program mine on PATH", self.check(toml)[2])

    def test_redis_that_is_unreachable_protected_evicting_or_of_another_dialect(self):
        def store(redis, more=""):
            return GOOD + f'[store]\nurl = "redis://127.0.0.1:{redis.port}"\nprefix = "{PREFIX}"\n{more}'
        redis = self.redis("--requirepass", "right")
        code, problems, text = self.check(store(redis, 'password = "wrong"\n'))
        self.assertEqual(code, 1)
        self.assertRegex(problems[0], r"gaur\.toml:14:\d+: store\.password: ", text)
        self.assertNotIn("wrong", problems[0].replace("wrong password", ""))
        self.assertEqual(self.check(store(redis, 'password = "right"\n'))[0], 0)
        self.assertRegex(self.check(store(redis))[2], r"gaur\.toml:12:\d+: store\.url: .*127\.0\.0\.1")
        self.assertEqual(self.check(store(redis, 'password = "wrong"\n'), "--offline")[0], 0)

        evicting = self.redis("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
        self.assertRegex(self.check(store(evicting))[2], r"gaur\.toml:12:\d+: store\.url: .*maxmemory-policy is allkeys-lru")
        self.assertEqual(self.check(store(evicting, "allow_eviction = true\n"))[0], 0)

        other = self.redis()
        call = self.call(other)
        call("HSET", BASE + "meta", "opts.maxLenEvents", "10000", "version", "bullmq:5.0.0")
        call("XADD", BASE + "events", "*", "event", "added")
        self.assertRegex(self.check(store(other))[2], r"gaur\.toml:5:\d+: queues\.query: .*BullMQ")
        before = call("DBSIZE")
        self.check(store(other))
        self.assertEqual(call("DBSIZE"), before, "check writes nothing")

        url = store(other)
        other.stop()
        self.redis_servers.remove(other)
        code, problems, text = self.check(url.replace("cores = 2,", "cores = 9,"))
        self.assertEqual((code, len(problems)), (1, 2), text)  # functions.one.needs and store.url
        self.assertRegex(problems[1], r"gaur\.toml:12:\d+: store\.url: .*127\.0\.0\.1")

    def test_brief_omits_default_values(self):
        whole = self.check(GOOD)[2]
        brief = self.check(GOOD, "--brief", "--server.stop_timeout", "7s")[2]
        self.assertIn("log_level", whole)
        self.assertNotIn("log_level", brief)
        self.assertNotIn("default\n", brief)
        self.assertRegex(brief, r"stop_timeout += \"7s\" +--server\.stop_timeout")
        self.assertRegex(brief, r"reserve_memory = \"1GB\" +gaur\.toml:4")
        self.assertIn("slots", brief)
        self.assertIn("no problems", brief)


if __name__ == "__main__":
    unittest.main(verbosity=2)
