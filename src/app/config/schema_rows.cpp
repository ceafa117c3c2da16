// The rows alone; how they are read is in schema.cpp.
#include <array>

#include "app/config/schema.hpp"

namespace gaur::app {
namespace {

constexpr std::array kRows{
    // ---- server: the HTTP API and the process as a whole
    KeyRow{"server.listen", Kind::kText, "127.0.0.1:8378",
           "address and port of the HTTP API; port 0 takes a free one. An address other than loopback needs "
           "a token"},
    KeyRow{"server.token", Kind::kSecret, "",
           "bearer token that every request must carry; better given as a file"},
    KeyRow{"server.token_file", Kind::kPath, "", "file that holds the token, alone on its first line"},
    KeyRow{"server.hosts", Kind::kTexts, "",
           "without a token: names besides `localhost` that the header Host may have"},
    KeyRow{"server.trusted_proxies", Kind::kTexts, "",
           "addresses of proxies whose `X-Forwarded-For` is believed (deployment.md)"},
    KeyRow{"server.base_path", Kind::kText, "",
           "path below which a proxy shows the API, such as `/gaur`: it stands before every address that is "
           "answered"},
    KeyRow{"server.port_file", Kind::kPath, "",
           "file into which the port is written once it is bound; also `--port-file`"},
    KeyRow{"server.stop_timeout", Kind::kDuration, "30s",
           "how long a stop waits for running jobs before they go back to the queue, uncounted"},
    KeyRow{"server.log_level", Kind::kChoice, "info", "least level that is logged", "debug|info|warn|error"},
    KeyRow{"server.data", Kind::kPath, "",
           "folder for runners, result files and the lock that keeps two hosts from carrying one name; none: "
           "that of an embedded store, else `./gaur-data`. Also `--data`"},
    // ---- store
    KeyRow{"store.url", Kind::kStoreUrl, "embedded:./gaur-data",
           "where jobs live: `embedded:` and the data folder, or `redis://HOST:PORT/DB`, `rediss://` (TLS, "
           "verified), `redis+unix:///PATH`"},
    KeyRow{"store.password", Kind::kSecret, "",
           "Redis: the password; better given as a file. Also `REDIS_PASSWORD`"},
    KeyRow{"store.password_file", Kind::kPath, "",
           "Redis: file that holds the password, alone on its first line. Also `REDIS_PASSWORD_FILE`"},
    KeyRow{
        "store.env_file", Kind::kPath, "",
        "Redis: environment file whose `REDIS_PASSWORD` (or the password of its `REDIS_URL`) is used where "
        "no other source gives one; `gaur init` names the file that it read"},
    KeyRow{"store.prefix", Kind::kText, "bull",
           "Redis: prefix of the queue's keys, as given to Bull. Also `BULL_QUEUE_NAME`"},
    KeyRow{"store.dialect", Kind::kChoice, "auto",
           "Redis: layout of the queues. `auto` looks at what is there; `bull` insists. Queues of BullMQ are "
           "refused either way",
           "auto|bull"},
    KeyRow{"store.allow_eviction", Kind::kFlag, "false",
           "Redis: work on a server whose `maxmemory-policy` may throw jobs away"},
    KeyRow{"store.when_away", Kind::kChoice, "fail",
           "Redis: what producers get while it is away: `fail` refuses at once (503), `queue` lets them wait "
           "up to 5 s. Workers keep their jobs either way",
           "fail|queue"},
    KeyRow{"store.connect_timeout", Kind::kDuration, "10s",
           "Redis: how long a start waits for the server; `gaur` ends with 3 when it is over"},
    KeyRow{"store.durability", Kind::kChoice, "commit",
           "`commit`: acknowledged once it is synced. `relaxed`: one sync instead of two; a power cut may "
           "undo the last commit",
           "commit|relaxed"},
    KeyRow{"store.reserve", Kind::kSize, "32MiB",
           "disk kept for finishes; adds are refused once less than this is free"},
    // ---- machine: the room that the ledger shares out
    KeyRow{.path = "machine.cores",
           .kind = Kind::kNumber,
           .fallback = "auto",
           .doc = "cores for jobs; auto: those of this process's affinity and cgroup",
           .or_auto = true},
    KeyRow{.path = "machine.memory",
           .kind = Kind::kSize,
           .fallback = "auto",
           .doc = "memory of the machine; auto: the smaller of MemTotal and the cgroup's limit",
           .or_auto = true},
    KeyRow{.path = "machine.reserve_memory",
           .kind = Kind::kSize,
           .fallback = "auto",
           .doc = "memory never given to jobs; auto: a tenth, at least 512 MB, at most 8 GB",
           .or_auto = true},
    KeyRow{.path = "machine.slots",
           .kind = Kind::kWhole,
           .fallback = "auto",
           .doc =
               "how many runs share the machine when nothing is said about their needs; 0: no runs, a "
               "producer only. auto: worker.instances x worker.count where they are given, else as many as "
               "cores and memory carry (admission.md). Also `--slots`",
           .or_auto = true},
    KeyRow{
        .path = "machine.spill",
        .kind = Kind::kSize,
        .fallback = "auto",
        .doc =
            "disk that the DuckDB runs of this host may spill to together, each its slot's share; 0: no "
            "bound of "
            "ours. auto: a quarter of the file system of `server.data`, at least 1 GiB, at most half of it",
        .or_auto = true},
    // ---- worker
    KeyRow{"worker.name", Kind::kText, "",
           "name shown as `processed_by`, the same over restarts; none: host name and a hash of the data "
           "folder"},
    KeyRow{"worker.lock", Kind::kDuration, "30s", "life of a job's lock; renewed at half of it"},
    KeyRow{"worker.max_stalled", Kind::kWhole, "1", "how often a job may lose its runner before it fails"},
    KeyRow{"worker.count", Kind::kWhole, "",
           "what BULL_COUNT says: 0: a producer only, above: a consumer. Also `BULL_COUNT`, "
           "`BULL_QUEUE_COUNT`"},
    KeyRow{"worker.instances", Kind::kWhole, "",
           "processes that pm2 ran here; `gaur init` imports it from a run.json"},
    KeyRow{"worker.stalled", Kind::kChoice, "on",
           "Redis: what the sweep does with active jobs whose lock is gone: `on` returns them to the queue, "
           "`report` only tells, `off` does not look. Also `--stalled`",
           "on|report|off"},
    KeyRow{.path = "worker.grace",
           .kind = Kind::kDuration,
           .fallback = "auto",
           .doc = "Redis: jobs that others took are left alone for so long after their lock was first seen "
                  "gone: bare workers never renew it, and still run. auto: the longest `timeout` of a "
                  "function. Also `--grace`",
           .or_auto = true},
    KeyRow{.path = "worker.orphan_age",
           .kind = Kind::kDuration,
           .fallback = "auto",
           .doc = "Redis: a job without a lock that ran for longer than this when the host started is an "
                  "orphan: it is told and left. 0: none is. auto: as `grace`. Also `--orphan-age`",
           .or_auto = true},
    // ---- results
    KeyRow{"results.ttl", Kind::kDuration, "1d", "how long result files are kept, and links to them hold"},
    KeyRow{"results.folder", Kind::kPath, "",
           "folder for result files, such as one that the producers share; none: `results` in the data "
           "folder. Jobs with `on_large = \"url\"` then tell a `file:` URL, or one below `public_url`"},
    KeyRow{.path = "results.max_size",
           .kind = Kind::kSize,
           .fallback = "auto",
           .doc = "disk that result files may take; a run whose file does not fit fails with `results_full`, "
                  "and no file is "
                  "removed before its time; 0: no bound. auto: a quarter of the folder's file system, at "
                  "least 1 GiB, at "
                  "most half of it",
           .or_auto = true},
    KeyRow{"results.public_url", Kind::kText, "",
           "what links to result files begin with: this host as producers reach it (or, with `folder`, "
           "whatever serves it); none: the address that the HTTP API listens on"},
    KeyRow{"results.link_secret_file", Kind::kPath, "",
           "file with the secret that links are signed with, at least 32 bytes; none: one made in the data "
           "folder"},
    // ---- queues
    KeyRow{.path = "queues.*.order",
           .kind = Kind::kChoice,
           .fallback = "auto",
           .doc =
               "`fifo`: the head waits for its room and nothing passes it. `backfill`: what fits beside it "
               "may pass. auto: `fifo` on a Redis store, else `backfill`",
           .choices = "fifo|backfill",
           .or_auto = true},
    KeyRow{"queues.*.max_waiting", Kind::kWhole, "10000", "adds beyond it are refused (429); 0: no bound"},
    KeyRow{"queues.*.max_head_wait", Kind::kDuration, "30s", "a head that waited so long is passed no more"},
    KeyRow{"queues.*.weight", Kind::kNumber, "1", "share of the room when several queues have work"},
    KeyRow{"queues.*.function", Kind::kText, "name",
           "what a job's function is: its `name`, or a field of its data such as `data.func`; a job without "
           "that field, "
           "or where it is not a text or empty, is run by its name"},
    KeyRow{"queues.*.unknown", Kind::kChoice, "leave",
           "jobs of functions that are not configured here, on a Redis store: `leave` leaves them to other "
           "workers "
           "and reports them (admission.md), `fail` fails them, as a worker does that has no such use case. "
           "An embedded store "
           "rejects them when they are added",
           "leave|fail"},
    KeyRow{.path = "queues.*.keep_completed",
           .kind = Kind::kWhole,
           .fallback = "auto",
           .doc = "newest completed jobs kept, where the job says nothing; auto: 10000, on a Redis store "
                  "all, as Bull does",
           .or_auto = true},
    KeyRow{.path = "queues.*.keep_completed_for",
           .kind = Kind::kDuration,
           .fallback = "auto",
           .doc = "and not longer than this, auto: 7d, on a Redis store for ever",
           .or_auto = true},
    KeyRow{.path = "queues.*.keep_failed",
           .kind = Kind::kWhole,
           .fallback = "auto",
           .doc = "newest failed jobs kept, where the job says nothing; auto: 10000, on a Redis store all, "
                  "as Bull does",
           .or_auto = true},
    KeyRow{.path = "queues.*.keep_failed_for",
           .kind = Kind::kDuration,
           .fallback = "auto",
           .doc = "and not longer than this, auto: 30d, on a Redis store for ever",
           .or_auto = true},
    // ---- pools
    KeyRow{"pools.*.kind", Kind::kChoice, "command",
           "`duckdb`: SQL, built in. `command`: any executable that speaks the runner protocol",
           "duckdb|command"},
    KeyRow{"pools.*.command", Kind::kTexts, "",
           "kind command: the program and its arguments; no shell in between"},
    KeyRow{"pools.*.env", Kind::kTextTable, "", "further environment variables of its runners"},
    KeyRow{"pools.*.folder", Kind::kPath, "", "working folder of its runners; none: that of gaur.toml"},
    KeyRow{"pools.*.max_result", Kind::kSize, "1MiB",
           "largest result of one run that is kept in the store, 64 KiB to 7 MiB; more is a failed attempt, "
           "code "
           "`too_large`. Larger ones belong into result files"},
    KeyRow{"pools.*.max_jobs", Kind::kWhole, "1000",
           "a runner is replaced after so many jobs; 0: never for that"},
    KeyRow{
        "pools.*.max_rss", Kind::kSize, "0",
        "a runner whose resident memory stays above this between jobs is replaced; 0: half its memory bound"},
    KeyRow{"pools.*.max_age", Kind::kDuration, "0",
           "a runner is replaced after this long; 0: never for that"},
    KeyRow{"pools.*.min_runners", Kind::kWhole, "1", "runners kept started"},
    KeyRow{.path = "pools.*.max_runners",
           .kind = Kind::kWhole,
           .fallback = "auto",
           .doc = "most runners at once; auto: as many as the machine's room lets run",
           .or_auto = true},
    KeyRow{"pools.*.start_timeout", Kind::kDuration, "10s",
           "a runner that is not ready by then cannot start"},
    KeyRow{"pools.*.stop_grace", Kind::kDuration, "2s", "from `stop` to SIGKILL"},
    KeyRow{"pools.*.duckdb.database", Kind::kText, "", "database file, opened read-only; none: in memory"},
    KeyRow{"pools.*.duckdb.data", Kind::kPaths, "",
           "folders (or single files) that SQL may read; everything else on disk is out of its reach"},
    KeyRow{"pools.*.duckdb.timezone", Kind::kText, "UTC",
           "time zone of the session, stored with each result"},
    KeyRow{"pools.*.duckdb.ad_hoc", Kind::kFlag, "false", "let jobs bring their own SELECT"},
    KeyRow{"pools.*.duckdb.plans", Kind::kFlag, "false",
           "let functions with a `plan_pool` run the SQL that it plans"},
    KeyRow{
        "pools.*.duckdb.table_functions", Kind::kTexts, "",
        "table functions of extensions that ad-hoc and planned SQL may call; those of DuckDB that only read "
        "are always allowed (duckdb.md)"},
    KeyRow{
        "pools.*.duckdb.sandbox", Kind::kChoice, "prefer",
        "confine its runners with Landlock to reading `data` and writing their own folders: `prefer` warns "
        "where the kernel cannot, `require` starts no runner there, `off` does not confine",
        "prefer|require|off"},
    KeyRow{"pools.*.duckdb.library", Kind::kPath, "", "libduckdb.so to use; none: see duckdb.md"},
    KeyRow{"pools.*.duckdb.extensions", Kind::kTexts, "",
           "extensions to load at the start, already installed"},
    KeyRow{"pools.*.duckdb.setup", Kind::kTexts, "",
           "statements run when the database is opened: views and macros over the data"},
    KeyRow{"pools.*.duckdb.settings", Kind::kJson, "",
           "further DuckDB settings, applied before the configuration is locked"},
    // ---- functions
    KeyRow{.path = "functions.*.queue",
           .kind = Kind::kText,
           .fallback = "",
           .doc = "queue into which `POST /v1/functions/NAME` puts it; none: the only queue there is"},
    KeyRow{.path = "functions.*.pool",
           .kind = Kind::kText,
           .fallback = "",
           .doc = "pool whose runners run it",
           .required = true},
    KeyRow{
        "functions.*.plan_pool", Kind::kText, "",
        "pool whose runners *plan* it first: they answer SQL and parameters, which `pool`, of kind duckdb, "
        "then runs (node-runner.md)"},
    KeyRow{"functions.*.plan_setup", Kind::kFlag, "false",
           "duckdb: a plan may hold statements to run before its SELECT, in an instance of the job's own"},
    KeyRow{"functions.*.needs.cores", Kind::kNumber, "",
           "cores of one run, for DuckDB at least 1; none: a slot's share"},
    KeyRow{"functions.*.needs.memory", Kind::kSize, "", "memory of one run; none: a slot's share"},
    KeyRow{"functions.*.max_running", Kind::kWhole, "0",
           "runs of this function at a time; 0: as many as fit"},
    KeyRow{"functions.*.timeout", Kind::kDuration, "10m",
           "longest run; a job may ask for less, never for more"},
    KeyRow{"functions.*.queue_timeout", Kind::kDuration, "0",
           "a job that waited longer is failed, not run; 0: for ever"},
    KeyRow{"functions.*.attempts", Kind::kWhole, "1",
           "runs that may fail before the job fails, the first included, where the job says nothing; a job "
           "in Redis "
           "always says it (Bull writes 1 for a job that was added without `attempts`)"},
    KeyRow{"functions.*.rerun_on_crash", Kind::kFlag, "true",
           "false: a run whose runner dies fails the job at once"},
    KeyRow{"functions.*.sql", Kind::kText, "", "duckdb: the statement, parameters as `$name`"},
    KeyRow{"functions.*.sql_file", Kind::kPath, "", "duckdb: file with the statement, in place of `sql`"},
    KeyRow{"functions.*.description", Kind::kText, "",
           "what it does, for people; shown by `GET /v1/functions`"},
    KeyRow{"functions.*.params", Kind::kJson, "",
           "duckdb: a table for each parameter: `type`, `required`, `default` and bounds, see duckdb.md"},
    KeyRow{"functions.*.params_path", Kind::kText, "",
           "duckdb: where in the job's data the parameters lie; none: the data itself"},
    KeyRow{"functions.*.extra", Kind::kChoice, "ignore", "duckdb: what fields that are no parameter mean",
           "ignore|reject"},
    KeyRow{"functions.*.result", Kind::kChoice, "objects", "duckdb: rows as objects or as arrays",
           "objects|arrays"},
    KeyRow{"functions.*.envelope", Kind::kFlag, "true",
           "duckdb: rows with their schema around them, or the bare list of rows"},
    KeyRow{"functions.*.bigint", Kind::kChoice, "string",
           "duckdb: whole numbers of 64 bits and more as text, or as numbers up to 2^53-1", "string|number"},
    KeyRow{"functions.*.decimal", Kind::kChoice, "string",
           "duckdb: DECIMAL as text, or as a number up to 15 digits", "string|number"},
    KeyRow{"functions.*.nonfinite", Kind::kChoice, "null",
           "duckdb: NaN and infinite numbers as null or as text", "null|string"},
    KeyRow{"functions.*.max_result", Kind::kSize, "",
           "largest result that is kept, as in its pool; none: the pool's"},
    KeyRow{"functions.*.inline_bytes", Kind::kSize, "256KiB",
           "duckdb: rows up to this size stand in the job's result; 0: always a file"},
    KeyRow{"functions.*.max_rows", Kind::kWhole, "0",
           "duckdb: more rows are cut off and `truncated` is set; 0: no limit"},
    KeyRow{
        .path = "functions.*.on_large",
        .kind = Kind::kChoice,
        .fallback = "auto",
        .doc =
            "what more than `inline_bytes` becomes: `error` fails the job, `file` keeps a file that the "
            "result names, `url` makes the result `{\"url\",\"bytes\",\"format\",\"expires\"}` with a "
            "signed link (also for the files of pools of kind `command`). auto: `file` for ad-hoc functions, "
            "else `error`",
        .choices = "error|file|url",
        .or_auto = true},
    KeyRow{"functions.*.format", Kind::kChoice, "parquet", "duckdb: format of result files",
           "parquet|csv|ndjson"},
    KeyRow{"functions.*.csv_bom", Kind::kFlag, "false",
           "duckdb: start a CSV file with the byte order mark that Excel wants"},
    KeyRow{"functions.*.ad_hoc", Kind::kFlag, "false",
           "duckdb: the job brings its own SQL; the pool must allow it"},
};

}  // namespace

std::span<const KeyRow> schema() {
  return kRows;
}

}  // namespace gaur::app
