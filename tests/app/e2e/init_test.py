"""`gaur init` writes a configuration that `gaur check` accepts. It overwrites no file and copies no secret."""

import json
import subprocess
import unittest

from bull import Queue, Redis, RedisServer, dump
from harness import GAUR, EndToEnd

ENV = "REDIS_HOST=127.0.0.1\nREDIS_PORT=@PORT@\nREDIS_PASSWORD=hunter2-secret\nBULL_QUEUE_NAME=ncs_resource::\nBULL_COUNT=1\n"
RUN = {"apps": [{"name": "api", "script": "dist/main.js", "env": {"BULL_COUNT": 0}},
                {"name": "query-worker", "script": "dist/worker.js", "instances": 4, "exec_mode": "fork", "kill_timeout": 1600,
                 "max_memory_restart": "2G", "watch": True}]}


class InitTest(EndToEnd):
    def setUp(self):
        super().setUp()
        (self.folder / "prod.env").write_text(ENV.replace("@PORT@", "6399"))
        (self.folder / "run.json").write_text("// pm2's\n" + json.dumps(RUN, indent=1))
        (self.folder / "dist").mkdir()
        (self.folder / "dist/runner.js").write_text("")  # the draft refers to it; the user builds it

    def gaur(self, *arguments, code=0):
        done = subprocess.run([str(GAUR), *arguments], cwd=self.folder, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_the_draft_passes_the_check(self):
        output = self.gaur("init", "--env", "prod.env", "--from", "run.json", "--queue", "query")
        self.assertIn("run.json: watch: ", output)
        check = self.gaur("check", "--env", "prod.env", "--offline")
        self.assertIn("BULL_COUNT 1 x 4 instances", check)
        self.assertIn("no problems", check)
        self.assertNotIn("hunter2", output + check + (self.folder / "gaur.toml").read_text())

    def test_an_existing_file_is_only_replaced_with_force(self):
        (self.folder / "gaur.toml").write_text("# mine\n")
        self.assertIn("exists already", self.gaur("init", "--env", "prod.env", code=1))
        self.assertEqual((self.folder / "gaur.toml").read_text(), "# mine\n")
        self.gaur("init", "--env", "prod.env", "--out", "other.toml")
        self.assertIn("[store]", self.gaur("init", "--env", "prod.env", "--out", "-"))
        self.gaur("init", "--env", "prod.env", "--force")
        self.assertIn("[store]", (self.folder / "gaur.toml").read_text())

    def test_mistakes_are_reported_with_the_next_step(self):
        self.assertIn("needs --env", self.gaur("init", code=2))
        self.assertIn("cannot read nothing.env", self.gaur("init", "--env", "nothing.env", code=1))
        (self.folder / "ecosystem.config.js").write_text("module.exports = {}")
        self.assertIn("node -p", self.gaur("init", "--from", "ecosystem.config.js", code=1))
        (self.folder / "broken.json").write_text('{"apps": [')
        self.assertIn("broken.json: ", self.gaur("init", "--from", "broken.json", code=1))
        self.assertIn("there are api, query-worker", self.gaur("init", "--from", "run.json", "--app", "worker", code=1))
        self.assertFalse((self.folder / "gaur.toml").exists())

    def test_every_command_reads_the_database_and_the_password_that_init_wrote(self):
        server = RedisServer("--requirepass", "hunter2-secret")
        self.addCleanup(server.stop)
        redis = Redis(server.port, password="hunter2-secret")
        self.addCleanup(redis.close)
        Queue(redis, "bull", "in-zero").completed({"func": "rank"}, 1)
        redis("SELECT", "2")
        Queue(redis, "bull", "in-two").completed({"func": "rank"}, 1)
        (self.folder / "prod.env").write_text(f"REDIS_HOST=127.0.0.1\nREDIS_PORT={server.port}\nREDIS_PASSWORD=hunter2-secret\nREDIS_DB=2\n")
        url = f"redis://127.0.0.1:{server.port}/2"
        self.assertIn("in-two", self.gaur("look", "--env", "prod.env"))  # before there is a gaur.toml
        self.gaur("init", "--env", "prod.env", "--look")
        text = (self.folder / "gaur.toml").read_text()
        for part in (f'url = "{url}"', 'env_file = "prod.env"', '[queues.in-two]'):
            self.assertIn(part, text)
        for arguments in ((), ("--env", "prod.env")):
            seen = self.gaur("look", *arguments)
            self.assertIn("in-two", seen)
            self.assertNotIn("in-zero", seen)
            self.assertIn(f'"{url}"', self.gaur("check", "--offline", *arguments))
        (self.folder / "prod.env").write_text(f"REDIS_HOST=127.0.0.1\nREDIS_PORT={server.port}\nREDIS_PASSWORD=hunter2-secret\nREDIS_DB=0\n")
        self.assertIn("database 0 contradicts 2 in gaur.toml", self.gaur("look", "--env", "prod.env", code=1))

    def test_redis_url_alone_selects_the_redis_store(self):
        (self.folder / "prod.env").write_text("REDIS_URL=redis://127.0.0.1:1/3\n")
        self.assertIn('url = "redis://127.0.0.1:1/3"', " ".join(self.gaur("check", "--offline", "--env", "prod.env").split()).replace(" = ", " = "))
        self.gaur("serve", "--env", "prod.env", "--store.connect_timeout=100ms", code=3)
        self.assertEqual([path.name for path in self.folder.glob("*data*")], [])

    def test_an_ambiguous_environment_is_rejected_by_name_and_no_file_is_written(self):
        for line, expected in (("REDIS_HOST=${DB_HOST}", "bad.env:1: store.url: REDIS_HOST: contains ${DB_HOST}"),
                           ("REDIS_URL=redis://h/2?db=3", "plain ioredis uses the first, Bull the second"),
                           ("REDIS_URL=redis://h?familly=4", 'there is no option "familly"')):
            (self.folder / "bad.env").write_text(line + "\n")
            self.assertIn(expected, self.gaur("init", "--env", "bad.env", code=1))
            self.assertIn(expected, self.gaur("look", "--env", "bad.env", code=1))
            self.assertFalse((self.folder / "gaur.toml").exists())

    def test_the_suggested_commands_convert_other_forms_of_the_pm2_file(self):
        app = "{ apps: [{ name: 'w', script: 'w.js', /* four */ instances: 4, }] }"
        for name, text in (("ecosystem.config.js", f"module.exports = {app};"), ("fn.config.cjs", f"module.exports = () => ({app});"), ("it's.mjs", f"export default {app};"),
                           ("literal.json", f"// pm2's\n{app}"), ("module.json", f"module.exports = {app}")):
            (self.folder / name).write_text(text)
            output = self.gaur("init", "--from", name, "--out", "-", code=1)
            command = output.strip().splitlines()[-1].strip()
            self.assertRegex(command, r"^node -[pe] .* > pm2.json$")
            done = subprocess.run(["bash", "-c", command], cwd=self.folder, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, command + done.stderr)
            self.assertIn("instances = 4", self.gaur("init", "--from", "pm2.json", "--out", "-"))

    def test_notes_go_to_stderr_if_the_draft_goes_to_stdout(self):
        (self.folder / "bad.json").write_text(json.dumps({"script": "w.js", "max_memory_restart": "1GB"}))
        done = subprocess.run([str(GAUR), "init", "--from", "bad.json", "--out", "-"], cwd=self.folder, capture_output=True, text=True, check=True)
        self.assertIn("[store]", done.stdout)
        self.assertNotIn("was not used", done.stdout)
        self.assertIn('bad.json: max_memory_restart: "1GB" was not used', done.stderr)
        self.assertNotIn("max_rss", done.stdout)

    def test_look_finds_queues_and_functions_in_redis(self):
        server = RedisServer("--requirepass", "hunter2-secret")
        self.addCleanup(server.stop)
        redis = Redis(server.port, password="hunter2-secret")
        self.addCleanup(redis.close)
        for run in (500, 400_000):
            Queue(redis, "ncs_resource::", "query").completed({"func": "rank"}, 1, run=run)
        Queue(redis, "ncs_resource::", "mail").completed({"func": "send"}, 1)
        Queue(redis, "ncs_resource::", "mail").waiting({"func": "only-waits"})
        Queue(redis, "ncs_resource::", "named").completed({"func": "not what runs"}, 1, name="by-name")
        redis("XADD", "ncs_resource:::new:events", "*", "event", "added")
        redis("SET", "ncs_resource:::new:id", "1")
        before = dump(redis)
        (self.folder / "prod.env").write_text(ENV.replace("@PORT@", str(server.port)))
        self.gaur("init", "--env", "prod.env", "--from", "run.json", "--look")
        text = (self.folder / "gaur.toml").read_text()
        for part in ("[queues.query]  # found under the prefix", "[queues.mail]", "# 2 kept runs, the longest 6m40s\n[functions.rank]",
                     'timeout = "20m"', "[functions.send]",
                     "# 0 kept runs, 1 job is waiting\n[functions.only-waits]"):
            self.assertIn(part, text)
        self.assertNotIn("[queues.new]", text, "a queue of BullMQ is left out")
        self.assertEqual(dump(redis), before)
        self.assertIn("no problems", self.gaur("check", "--env", "prod.env"))
        self.assertIn('[functions.rank]\nqueue = "query"', text)
        self.assertIn('[functions.only-waits]\nqueue = "mail"', text)
        self.assertIn('[functions.by-name]\nqueue = "named"', text)
        self.assertRegex(text, r'\[queues\.named\].*\norder = .*\nfunction = "name"')
        self.assertRegex(text, r'\[queues\.mail\].*\norder = .*\nfunction = "data\.func"')


if __name__ == "__main__":
    unittest.main(verbosity=2)
