"""The command line: both forms of an option, suggestions, exit codes, --help without side effects, and default builds."""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness import GAUR, ROOT, EndToEnd, until

SUBCOMMANDS = ["serve", "work", "quiet", "leave", "backup", "restore", "doctor", "check", "look", "shadow", "size", "init",
               "runner-check", "version"]
POSITIONAL = {"backup": ["target"], "restore": ["file"]}
SCRIPTS = sorted(p.name for p in (ROOT / "scripts").iterdir() if os.access(p, os.X_OK))
TOML = '[queues.q]\n[pools.p]\ncommand = ["sh"]\n[functions.f]\npool = "p"\n'


class CliTest(EndToEnd):
    def gaur(self, *arguments):
        temporary = self.enterContext(tempfile.TemporaryDirectory(prefix="gaur-tmp-"))  # other tests write to the machine's temporary folder
        done = subprocess.run([GAUR, *arguments], cwd=self.folder, env={**os.environ, "TMPDIR": temporary}, capture_output=True,
                              text=True, timeout=60)
        self.assertEqual(os.listdir(temporary), [], "no temporary file is left")
        return done

    def test_every_help_lists_its_exit_codes_and_writes_no_files(self):
        listed = re.findall(r"(?m)^  ([a-z-]+) ", self.gaur("--help").stdout.split("\nExit codes:")[0])
        self.assertEqual(sorted(listed), sorted(SUBCOMMANDS))
        for subcommand in SUBCOMMANDS:
            with self.subTest(subcommand):
                done = self.gaur(subcommand, "--help")
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertRegex(done.stdout, r"(?s)Exit codes:\n.*  0   .*  2   ")
                self.assertEqual(self.gaur("help", subcommand).stdout, done.stdout)
        self.assertEqual(os.listdir(self.folder), [])

    def test_output_that_cannot_be_written_is_an_error_and_stops_no_host(self):
        (self.folder / "gaur.toml").write_text(TOML)
        with open("/dev/full", "w", encoding="utf-8") as full:
            for command in ("--help", "check"):
                done = subprocess.run([GAUR, command], cwd=self.folder, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn("the output cannot be written: No space left on device", done.stderr)
            host = subprocess.Popen([GAUR, "serve", "--server.listen=127.0.0.1:0", "--port-file=port"], cwd=self.folder, stdout=full, stderr=full)
            try:
                until(lambda: (self.folder / "port").exists(), what="the start")
            finally:
                host.terminate()
            self.assertEqual(host.wait(timeout=60), 0)

    def test_an_option_takes_its_value_in_both_forms(self):
        (self.folder / "gaur.toml").write_text(TOML)
        for option, value in [("--server.listen", "127.0.0.1:81"), ("--queues.q.max_waiting", "7"), ("--slots", "3"),
                              ("--store.allow_eviction", "true"), ("--pools.p.command", "sh,-c,true")]:
            with self.subTest(option):
                joined = self.gaur("check", f"{option}={value}")
                apart = self.gaur("check", option, value)
                self.assertEqual((joined.returncode, joined.stderr), (0, ""))
                self.assertEqual(apart.stdout, joined.stdout)
                self.assertRegex(joined.stdout, r"= \S+ +--")
        self.assertIn("allow_eviction", self.gaur("check", "--store.allow_eviction").stdout)

    def test_mistakes_get_suggestions_and_exit_code_2(self):
        for arguments, expected in [
            (["srve"], 'did you mean "serve"?'),
            (["serve", "--prot-file", "x"], "did you mean --port-file?"),
            (["serve", "--prot", "1"], "did you mean --port-file?"),
            (["size", "--functions", "f"], "did you mean --function?"),
            (["serve", "--max_waitng=5"], "did you mean --queues.NAME.max_waiting?"),
            (["serve", "--listen=127.0.0.1:0"], "did you mean --server.listen?"),
            (["work", "--grce", "5s"], "did you mean --grace?"),
            (["leave", "--patence=5s"], "did you mean --patience?"),
            (["quiet", "--reusme"], "did you mean --resume?"),
            (["look", "--prefx", "bull"], "did you mean --prefix?"),
            (["shadow", "--alow", "order"], "did you mean --allow?"),
            (["size", "--function", "f", "--at-one", "3"], "did you mean --at-once?"),
            (["init", "--frm", "run.json"], "did you mean --from?"),
            (["runner-check", "--functoin", "f", "--", "true"], "did you mean --function?"),
            (["check", "--breif"], "did you mean --brief?"),
            (["serve", "now"], 'unexpected argument "now"'),
            (["serve", "--server.listen"], "--server.listen needs a value"),
            (["version", "--verbos"], "there is no option --verbos"),
            (["runner-check", "--data", "{", "--function", "f", "--", "true"], "--data: "),
            (["runner-check", "--data", "{}", "--", "true"], "--data needs --function"),
            (["backup"], "target is required"),
            (["restore", "--replace"], "backup is required"),
            (["restore", "x.mdb", "--skip-ids", "many"], "--skip-ids: a whole number from 0 to 1000000000000 is expected, was many"),
            (["restore", "x.mdb", "--skip-ids", "1000000000001"], "--skip-ids: "),
            (["restore", "x.mdb", "--skip-ids", "18446744073709551621"], "--skip-ids: "),
            (["restore", "x.mdb", "--skip-ids", "1e3"], "--skip-ids: "),
        ]:
            with self.subTest(" ".join(arguments)):
                done = self.gaur(*arguments)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(expected, done.stderr)
                self.assertEqual(done.stdout, "")
        self.assertEqual(os.listdir(self.folder), [])

    def test_every_number_rejects_a_negative_one_by_name(self):
        numbers = 0
        for subcommand in SUBCOMMANDS:
            for name in re.findall(r"(?m)^  --([a-z-]+) (?:U?INT|FLOAT)", self.gaur(subcommand, "--help").stdout):
                for given in ([f"--{name}=-5"], [f"--{name}", "-5"]):
                    with self.subTest(subcommand=subcommand, given=given):
                        done = self.gaur(subcommand, *given)
                        self.assertEqual(done.returncode, 2, done.stderr)
                        self.assertRegex(done.stderr, rf"^gaur {subcommand}: --{name}: a whole number from [01] to \d+ is expected, was")
                numbers += 1
        self.assertEqual(numbers, 7, "restore 1, look 1, shadow 2, size 3")

    def test_every_subcommand_rejects_mistakes_in_options_with_the_same_message(self):
        for subcommand in SUBCOMMANDS:
            options = re.findall(r"(?m)^  (?:-\w,)?--([a-z0-9-]+)( (?:TEXT|UINT))?", self.gaur(subcommand, "--help").stdout)
            self.assertIn(("help", ""), options)
            self.assertEqual(self.usage_error(subcommand, *POSITIONAL.get(subcommand, []), "extra"), f'gaur {subcommand}: unexpected argument "extra"')
            for name, value in options:
                with self.subTest(f"{subcommand} --{name}"):
                    misspelled = name[:-2] + name[-1] + name[-2] if len(name) > 2 and name[-1] != name[-2] else name + "x"
                    self.assertEqual(self.usage_error(subcommand, f"--{misspelled}=1"),
                                     f"gaur {subcommand}: there is no option --{misspelled}; did you mean --{name}?")
                    if value:
                        self.assertRegex(self.usage_error(subcommand, f"--{name}"), rf"--{name} needs a value; see ")
                    else:
                        self.assertRegex(self.usage_error(subcommand, f"--{name}=5"), rf"--{name} takes no value; see ")
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_configuration_without_functions_is_warned_about(self):
        hint = "no functions are configured, so no job can run; write a gaur.toml (gaur init"
        self.assertIn("warning: " + hint, self.gaur("check").stdout)
        server = self.server("").start()
        self.assertEqual(server.log().count(hint), 1)
        self.assertTrue(server.host()["warnings"][0].startswith(hint))
        server.stop()
        server.start("--slots", "0")
        self.assertEqual(server.host()["warnings"], [], "a producer runs nothing")

    def usage_error(self, *arguments):
        done = self.gaur(*arguments)
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        return done.stderr.splitlines()[0]

    def test_runner_check_calls_a_given_function(self):
        runner = ROOT / "examples/runners/runner.py"
        done = self.gaur("runner-check", "--function", "echo", "--data", '{"a": 1}', "--", "python3", str(runner))
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn('ok      echo: {"a": 1}', done.stdout)
        done = self.gaur("runner-check", "--function=sleep", '--data={"ms": "soon"}', "--", "python3", str(runner))
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stdout, r"FAILED  sleep: it failed: TypeError")


class ScriptsTest(unittest.TestCase):
    def test_help_of_every_script_has_no_side_effects(self):
        self.assertEqual(SCRIPTS, ["bench", "build", "chaos", "demo", "format", "fuzz", "lint", "setup", "test"])
        with tempfile.TemporaryDirectory() as folder:
            for tool in ("bash", "dirname", "sed"):  # no tool that builds, installs or starts anything
                os.symlink(f"/usr/bin/{tool}", f"{folder}/{tool}")
            for script in SCRIPTS:
                for option in ("--help", "-h"):
                    with self.subTest(script=script, option=option):
                        done = subprocess.run([str(ROOT / "scripts" / script), option], cwd=folder, text=True,
                                              env={"PATH": folder}, capture_output=True, timeout=10)
                        self.assertEqual((done.returncode, done.stderr), (0, ""))
                        self.assertIn(f"scripts/{script}", done.stdout)
                        self.assertNotIn("source ", done.stdout)

    def test_scripts_reject_unknown_options(self):
        for script in ("build", "chaos", "demo", "format", "lint", "setup", "test"):
            with self.subTest(script):
                done = subprocess.run([str(ROOT / "scripts" / script), "--no-such"], text=True, capture_output=True, timeout=10)
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"see scripts/{script} --help", done.stderr)

    def test_cmake_without_options_builds_release(self):
        with tempfile.TemporaryDirectory() as folder:
            for options, wanted in [([], "Release"), (["-DCMAKE_BUILD_TYPE=Debug"], "Debug")]:
                subprocess.run(["cmake", "-S", str(ROOT), "-B", f"{folder}/{wanted}", "-DGAUR_CORE_ONLY=ON", "-DBUILD_TESTING=OFF",
                                "-DGAUR_BENCH=OFF", *options], check=True, capture_output=True, timeout=120)
                self.assertIn(f"CMAKE_BUILD_TYPE:STRING={wanted}\n", Path(f"{folder}/{wanted}/CMakeCache.txt").read_text())


if __name__ == "__main__":
    unittest.main(verbosity=2)
