// The rows of the schema. schema.cpp reads them.
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
    KeyRow{
        .path = "server.token_file",
        .kind = Kind::kPath,
        .fallback = "",
        .doc =
            "file with the token alone on its first line. A second line may have the token that it replaces: "
            "both are then valid",
        .names_secret = true},
    KeyRow{"server.tls_certificate", Kind::kPath, "",
           "file with the certificate of the server and its chain, in PEM: the API is then HTTPS. Read again "
           "when "
           "it changes and at SIGHUP"},
    KeyRow{.path = "server.tls_key",
           .kind = Kind::kPath,
           .fallback = "",
           .doc = "file with the key of `tls_certificate`, in PEM",
           .names_secret = true},
    KeyRow{
        "server.tls_client_ca", Kind::kPath, "",
        "file with authorities, in PEM: every client then needs a certificate of one of them (mutual TLS)"},
    KeyRow{"server.hosts", Kind::kTexts, "",
           "without a token: names that the header Host may have, besides `localhost`"},
    KeyRow{"server.trusted_proxies", Kind::kTexts, "",
           "addresses of proxies whose `X-Forwarded-For` is trusted (deployment.md)"},
    KeyRow{"server.max_connections", Kind::kWhole, "1024",
           "most connections at once; further ones are answered 503, but `/healthz` still answers"},
    KeyRow{"server.max_connections_per_address", Kind::kWhole, "512",
           "the same from one address (of IPv6, from one /64 network); addresses in `trusted_proxies` are "
           "not limited"},
    KeyRow{"server.max_other_queues", Kind::kWhole, "100",
           "Redis: most queues without a `[queues.NAME]` here that jobs may be added to or paused since the "
           "start, further ones are rejected (403); 0: configured queues only. An embedded store has only "
           "configured queues"},
    KeyRow{"server.base_path", Kind::kText, "",
           "path below which a proxy publishes the API, such as `/gaur`; it is put in front of every address "
           "in an answer"},
    KeyRow{"server.port_file", Kind::kPath, "",
           "file to which the port is written once it is bound. Also `--port-file`"},
    KeyRow{"server.stop_timeout", Kind::kDuration, "30s",
           "how long a stop waits for running jobs before it requeues them, uncounted"},
    KeyRow{"server.log_level", Kind::kChoice, "info", "lowest level that is logged", "debug|info|warn|error"},
    KeyRow{"server.data", Kind::kPath, "",
           "folder for runners, result files and the lock that prevents two hosts with one name; none: that "
           "of an embedded store, else `./gaur-data`. It may be a symbolic link, but a start rejects links "
           "in it. "
           "Also `--data`"},
    // ---- tokens
    KeyRow{.path = "tokens.*.token_file",
           .kind = Kind::kPath,
           .fallback = "",
           .doc = "file with the token, as in `server.token_file`",
           .required = true,
           .names_secret = true},
    KeyRow{.path = "tokens.*.rights",
           .kind = Kind::kTexts,
           .fallback = "",
           .doc = "what the token allows: `view`, `call`, `ad-hoc`, `operate`, `admin` (http-api.md)",
           .required = true},
    KeyRow{"tokens.*.queues", Kind::kTexts, "", "the only queues that it is for; none: all"},
    KeyRow{"tokens.*.functions", Kind::kTexts, "", "the only functions that it may call; none: all"},
    // ---- store
    KeyRow{"store.url", Kind::kStoreUrl, "embedded:./gaur-data",
           "where jobs are stored: `embedded:` and the data folder, or `redis://HOST:PORT/DB`, `rediss://` "
           "(TLS, verified), `redis+unix:///PATH`"},
    KeyRow{"store.password", Kind::kSecret, "",
           "Redis: the password; better given as a file. Also `REDIS_PASSWORD`"},
    KeyRow{.path = "store.password_file",
           .kind = Kind::kPath,
           .fallback = "",
           .doc = "Redis: file with the password alone on its first line. Also `REDIS_PASSWORD_FILE`",
           .names_secret = true},
    KeyRow{
        .path = "store.env_file",
        .kind = Kind::kPath,
        .fallback = "",
        .doc =
            "Redis: environment file whose `REDIS_PASSWORD` (or the password of its `REDIS_URL`) is used if "
            "no other source has one; `gaur init` names the file that it read",
        .names_secret = true},
    KeyRow{"store.prefix", Kind::kText, "bull",
           "Redis: prefix of the queue's keys, as given to Bull. Also `BULL_QUEUE_NAME`"},
    KeyRow{"store.dialect", Kind::kChoice, "auto",
           "Redis: layout of the queues. `auto` detects it; `bull` requires it. Queues of BullMQ are refused "
           "either way",
           "auto|bull"},
    KeyRow{"store.allow_eviction", Kind::kFlag, "false",
           "Redis: work on a server whose `maxmemory-policy` may evict jobs"},
    KeyRow{"store.when_away", Kind::kChoice, "fail",
           "Redis: what producers get while it is unreachable: `fail` rejects at once (503), `queue` waits "
           "up to 5 s. Workers keep their jobs either way",
           "fail|queue"},
    KeyRow{"store.connect_timeout", Kind::kDuration, "10s",
           "Redis: how long a start waits for the server; `gaur` then exits with 3"},
    KeyRow{"store.durability", Kind::kChoice, "commit",
           "`commit`: acknowledged once it is synced. `relaxed`: one sync instead of two; a power cut may "
           "undo the last commit",
           "commit|relaxed"},
    KeyRow{"store.reserve", Kind::kSize, "32MiB",
           "disk space kept for finishes; adds are rejected when less than this is free"},
    // ---- machine: the resources that the ledger grants
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
           .doc = "how many runs without configured needs share the machine; 0: no runs, a producer only. "
                  "auto: worker.instances x worker.count if they are set, else as many as cores and memory "
                  "allow (admission.md). Also `--slots`",
           .or_auto = true},
    KeyRow{
        .path = "machine.spill",
        .kind = Kind::kSize,
        .fallback = "auto",
        .doc =
            "disk space that all DuckDB runs of this host may spill to, each its slot's share; 0: no limit. "
            "auto: a quarter of the file system of `server.data`, at least 1 GiB, at most half of it",
        .or_auto = true},
    KeyRow{.path = "machine.scratch",
           .kind = Kind::kSize,
           .fallback = "auto",
           .doc = "disk space that the scratch folders of all runners of this host may take together, spill "
                  "files included; above it the run with the most fails, code `scratch_full`; 0: no limit. "
                  "auto: twice `machine.spill`",
           .or_auto = true},
    // ---- worker
    KeyRow{"worker.name", Kind::kText, "",
           "name shown as `processed_by`, the same after restarts; none: host name and a hash of the data "
           "folder"},
    KeyRow{"worker.lock", Kind::kDuration, "30s", "life of a job's lock; renewed at half of it"},
    KeyRow{"worker.max_stalled", Kind::kWhole, "1",
           "how often a job may stall (lose its runner or lock) before it fails"},
    KeyRow{"worker.count", Kind::kWhole, "",
           "the value of BULL_COUNT. 0: a producer only, above: a consumer. Also `BULL_COUNT`, "
           "`BULL_QUEUE_COUNT`"},
    KeyRow{"worker.instances", Kind::kWhole, "",
           "processes that pm2 ran here; `gaur init` imports it from a run.json"},
    KeyRow{"worker.stalled", Kind::kChoice, "on",
           "Redis: what to do with active jobs whose lock is gone: `on` returns them to the queue, `report` "
           "only reports them, `off` does not check. Also `--stalled`",
           "on|report|off"},
    KeyRow{.path = "worker.grace",
           .kind = Kind::kDuration,
           .fallback = "auto",
           .doc = "Redis: how long to wait, after the lock was first seen missing, before recovering another "
                  "worker's unlocked job; plain Bull workers do not renew locks. auto: the longest `timeout` "
                  "of a function. Also `--grace`",
           .or_auto = true},
    KeyRow{
        .path = "worker.orphan_age",
        .kind = Kind::kDuration,
        .fallback = "auto",
        .doc =
            "Redis: a job without a lock that had run for longer than this when the host started is an "
            "orphan: it is reported and left. 0: there are no orphans. auto: as `grace`. Also `--orphan-age`",
        .or_auto = true},
    // ---- results
    KeyRow{"results.ttl", Kind::kDuration, "1d",
           "how long result files are kept and links to them are valid"},
    KeyRow{"results.folder", Kind::kPath, "",
           "folder for result files, such as one that the producers share; none: `results` in the data "
           "folder. Jobs with `on_large = \"url\"` then have a `file:` URL, or one below `public_url`"},
    KeyRow{.path = "results.max_size",
           .kind = Kind::kSize,
           .fallback = "auto",
           .doc = "disk space for result files; a run whose file does not fit fails with `results_full`, and "
                  "no file is removed before it expires; 0: no limit. auto: a quarter of the folder's file "
                  "system, at least 1 GiB, at most half of it",
           .or_auto = true},
    KeyRow{"results.public_url", Kind::kText, "",
           "beginning of links to result files: the address under which producers reach this host (or, with "
           "`folder`, the server of that folder); none: the address that the HTTP API listens on"},
    KeyRow{
        .path = "results.link_secret_file",
        .kind = Kind::kPath,
        .fallback = "",
        .doc =
            "file with the secret that signs links, at least 32 bytes; none: one created in the data folder",
        .names_secret = true},
    // ---- queues
    KeyRow{.path = "queues.*.order",
           .kind = Kind::kChoice,
           .fallback = "auto",
           .doc = "`fifo`: no job passes a head that waits for resources. `backfill`: jobs that do not delay "
                  "it may pass. auto: `fifo` on a Redis store, else `backfill`",
           .choices = "fifo|backfill",
           .or_auto = true},
    KeyRow{"queues.*.max_waiting", Kind::kWhole, "10000", "adds beyond it are rejected (429); 0: no limit"},
    KeyRow{"queues.*.max_head_wait", Kind::kDuration, "30s",
           "no job passes a head near the end of this time (admission.md)"},
    KeyRow{"queues.*.weight", Kind::kNumber, "1", "share of the resources when several queues have work"},
    KeyRow{"queues.*.function", Kind::kText, "name",
           "a job's function: its `name`, or a field of its data such as `data.func`; if that field is "
           "missing, empty or not a text, it is the name"},
    KeyRow{"queues.*.unknown", Kind::kChoice, "leave",
           "jobs of functions that are not configured here, on a Redis store: `leave` leaves them to other "
           "workers and reports them (admission.md), `fail` fails them, like a worker without that use case. "
           "An embedded store rejects them when they are added",
           "leave|fail"},
    KeyRow{.path = "queues.*.keep_completed",
           .kind = Kind::kWhole,
           .fallback = "auto",
           .doc = "number of newest completed jobs to keep, unless the job sets it; auto: 10000, on a Redis "
                  "store all, as in Bull",
           .or_auto = true},
    KeyRow{.path = "queues.*.keep_completed_for",
           .kind = Kind::kDuration,
           .fallback = "auto",
           .doc = "and not longer than this; auto: 7d, on a Redis store forever",
           .or_auto = true},
    KeyRow{.path = "queues.*.keep_failed",
           .kind = Kind::kWhole,
           .fallback = "auto",
           .doc = "number of newest failed jobs to keep, unless the job sets it; auto: 10000, on a Redis "
                  "store all, as in Bull",
           .or_auto = true},
    KeyRow{.path = "queues.*.keep_failed_for",
           .kind = Kind::kDuration,
           .fallback = "auto",
           .doc = "and not longer than this; auto: 30d, on a Redis store forever",
           .or_auto = true},
    // ---- runners
    KeyRow{"runners.user", Kind::kText, "auto",
           "user that runners run as. auto: `gaur-runner` if that user exists and the host may switch users, "
           "else the host's; `none`: the host's"},
    // ---- pools
    KeyRow{"pools.*.kind", Kind::kChoice, "command",
           "`duckdb`: SQL, built in. `command`: any executable that speaks the runner protocol",
           "duckdb|command"},
    KeyRow{"pools.*.command", Kind::kTexts, "",
           "kind command: the program and its arguments, without a shell"},
    KeyRow{"pools.*.env", Kind::kTextTable, "", "additional environment variables of its runners"},
    KeyRow{"pools.*.folder", Kind::kPath, "",
           "working folder of its runners; none: that of gaur.toml. With isolation `strict` they may read "
           "it, so it "
           "may contain no file of the host (isolation.md)"},
    KeyRow{.path = "pools.*.isolation",
           .kind = Kind::kChoice,
           .fallback = "auto",
           .doc =
               "what its runners are kept from (isolation.md). auto: `strict` for kind duckdb as far as the "
               "kernel can, `basic` for kind command. `strict` starts no runner without Landlock and seccomp",
           .choices = "auto|strict|basic|off"},
    KeyRow{.path = "pools.*.network",
           .kind = Kind::kChoice,
           .fallback = "auto",
           .doc = "sockets of its runners. auto: `off` for kind duckdb without `extensions`, else `on`",
           .choices = "auto|on|off"},
    KeyRow{"pools.*.read", Kind::kPaths, "",
           "kind command, isolation `strict`: what its runners may read beside the system's files, their "
           "program and `folder`"},
    KeyRow{"pools.*.write", Kind::kPaths, "",
           "kind command, isolation `strict`: what its runners may write beside their scratch folder"},
    KeyRow{"pools.*.max_result", Kind::kSize, "1MiB",
           "largest result of one run that is kept in the store, 64 KiB to 7 MiB; more is a failed attempt, "
           "code `too_large`. Use result files for larger ones"},
    KeyRow{.path = "pools.*.max_scratch",
           .kind = Kind::kSize,
           .fallback = "auto",
           .doc = "disk space that the scratch folder of one runner (`GAUR_TMP` and `GAUR_OUT`) may take; a "
                  "run above it fails, code `scratch_full`; 0: no limit. auto: a slot's share of "
                  "`machine.scratch`",
           .or_auto = true},
    KeyRow{"pools.*.max_file", Kind::kSize, "0",
           "largest result file of one run; a larger one is a failed attempt, code `too_large`; 0: only "
           "`max_scratch` and `results.max_size` limit it"},
    KeyRow{"pools.*.max_processes", Kind::kWhole, "1024",
           "processes and threads that one runner and all that it starts may have at once; a run above it "
           "fails, "
           "code `processes`; 0: no limit"},
    KeyRow{"pools.*.max_jobs", Kind::kWhole, "1000",
           "number of jobs after which a runner is replaced; 0: no limit"},
    KeyRow{"pools.*.max_rss", Kind::kSize, "0",
           "resident memory between jobs above which a runner is replaced; 0: half its memory limit"},
    KeyRow{"pools.*.max_age", Kind::kDuration, "0", "age at which a runner is replaced; 0: no limit"},
    KeyRow{"pools.*.min_runners", Kind::kWhole, "1", "number of runners to keep started"},
    KeyRow{.path = "pools.*.max_runners",
           .kind = Kind::kWhole,
           .fallback = "auto",
           .doc = "most runners at once; auto: as many as the machine's resources allow",
           .or_auto = true},
    KeyRow{"pools.*.start_timeout", Kind::kDuration, "10s", "how long a runner may take until it is ready"},
    KeyRow{"pools.*.stop_grace", Kind::kDuration, "2s", "from `stop` to SIGKILL"},
    KeyRow{"pools.*.max_output", Kind::kSize, "4MiB",
           "most bytes of the log that the stdout and stderr of one run may fill; further lines are dropped "
           "and counted in a last line. Each line costs 100 bytes more than its text. 0: no limit"},
    KeyRow{"pools.*.max_output_rate", Kind::kSize, "1MiB", "the same, of one runner in one second"},
    KeyRow{"pools.*.duckdb.database", Kind::kText, "", "database file, opened read-only; none: in memory"},
    KeyRow{"pools.*.duckdb.data", Kind::kPaths, "",
           "folders (or single files) that SQL may read; it can read nothing else on disk"},
    KeyRow{"pools.*.duckdb.timezone", Kind::kText, "UTC",
           "time zone of the session, stored with each result"},
    KeyRow{"pools.*.duckdb.ad_hoc", Kind::kFlag, "false", "allow jobs to have their own SELECT"},
    KeyRow{"pools.*.duckdb.plans", Kind::kFlag, "false",
           "allow functions with a `plan_pool` to run the planned SQL"},
    KeyRow{"pools.*.duckdb.table_functions", Kind::kTexts, "",
           "table functions of extensions that ad-hoc and planned SQL may call; DuckDB's own that only read "
           "are always allowed (duckdb.md)"},
    KeyRow{"pools.*.duckdb.sandbox", Kind::kChoice, "prefer",
           "confine its runners with Landlock to reading `data` and writing their own folders. On a kernel "
           "without Landlock `prefer` warns and `require` starts no runner; `off` does not confine",
           "prefer|require|off"},
    KeyRow{"pools.*.duckdb.library", Kind::kPath, "", "path of libduckdb.so; none: see duckdb.md"},
    KeyRow{"pools.*.duckdb.extensions", Kind::kTexts, "",
           "extensions to load at the start, already installed"},
    KeyRow{"pools.*.duckdb.setup", Kind::kTexts, "",
           "statements run when the database is opened: views and macros over the data"},
    KeyRow{"pools.*.duckdb.settings", Kind::kJson, "",
           "additional DuckDB settings, applied before the configuration is locked"},
    // ---- functions
    KeyRow{.path = "functions.*.queue",
           .kind = Kind::kText,
           .fallback = "",
           .doc = "queue to which `POST /v1/functions/NAME` adds jobs; none: the only configured queue"},
    KeyRow{.path = "functions.*.pool",
           .kind = Kind::kText,
           .fallback = "",
           .doc = "pool whose runners run it",
           .required = true},
    KeyRow{"functions.*.plan_pool", Kind::kText, "",
           "pool whose runners *plan* it first: they return SQL and parameters, which `pool`, of kind "
           "duckdb, then runs (node-runner.md)"},
    KeyRow{"functions.*.plan_setup", Kind::kFlag, "false",
           "duckdb: a plan may have statements to run before its SELECT, in an instance of the job's own"},
    KeyRow{"functions.*.needs.cores", Kind::kNumber, "",
           "cores of one run, for DuckDB at least 1; none: a slot's share"},
    KeyRow{"functions.*.needs.memory", Kind::kSize, "", "memory of one run; none: a slot's share"},
    KeyRow{"functions.*.max_running", Kind::kWhole, "0",
           "most runs of this function at a time; 0: as many as fit"},
    KeyRow{"functions.*.timeout", Kind::kDuration, "10m", "longest run; a job may lower it, never raise it"},
    KeyRow{"functions.*.queue_timeout", Kind::kDuration, "0",
           "a job that waited longer fails and does not run; 0: no limit"},
    KeyRow{"functions.*.attempts", Kind::kWhole, "1",
           "runs that may fail before the job fails, the first included, unless the job sets it; a job in "
           "Redis always sets it (Bull writes 1 for a job that was added without `attempts`)"},
    KeyRow{"functions.*.rerun_on_crash", Kind::kFlag, "true",
           "false: a run whose runner dies fails the job at once"},
    KeyRow{"functions.*.sql", Kind::kText, "", "duckdb: the statement, parameters as `$name`"},
    KeyRow{"functions.*.sql_file", Kind::kPath, "", "duckdb: file with the statement, in place of `sql`"},
    KeyRow{"functions.*.description", Kind::kText, "", "description for readers of `GET /v1/functions`"},
    KeyRow{"functions.*.params", Kind::kJson, "",
           "duckdb: a table for each parameter: `type`, `required`, `default` and bounds, see duckdb.md"},
    KeyRow{"functions.*.params_path", Kind::kText, "",
           "duckdb: where the parameters are in the job's data; none: the data itself"},
    KeyRow{"functions.*.extra", Kind::kChoice, "ignore",
           "duckdb: whether to ignore or reject fields that are not parameters", "ignore|reject"},
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
           "duckdb: rows up to this size are in the job's result; 0: always a file"},
    KeyRow{"functions.*.max_rows", Kind::kWhole, "0",
           "duckdb: more rows are cut off and `truncated` is set; 0: no limit"},
    KeyRow{.path = "functions.*.on_large",
           .kind = Kind::kChoice,
           .fallback = "auto",
           .doc = "what to do with more than `inline_bytes`: `error` fails the job, `file` writes a file "
                  "that the result names, `url` makes the result "
                  "`{\"url\",\"bytes\",\"format\",\"expires\"}` with a signed link (also for the files of "
                  "pools of kind `command`). auto: `file` for ad-hoc functions, else `error`",
           .choices = "error|file|url",
           .or_auto = true},
    KeyRow{"functions.*.format", Kind::kChoice, "parquet", "duckdb: format of result files",
           "parquet|csv|ndjson"},
    KeyRow{"functions.*.csv_bom", Kind::kFlag, "false",
           "duckdb: start a CSV file with the byte order mark that Excel wants"},
    KeyRow{"functions.*.ad_hoc", Kind::kFlag, "false",
           "duckdb: the job has its own SQL; the pool must allow it"},
};

}  // namespace

std::span<const KeyRow> schema() {
  return kRows;
}

}  // namespace gaur::app
