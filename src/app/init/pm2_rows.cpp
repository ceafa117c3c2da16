// The settings of pm2 7.0.4 with their aliases and counterparts.
#include <array>

#include "app/init/pm2.hpp"

namespace gaur::app {
namespace {

using enum Pm2Fate;

constexpr std::array kRows{
    // ---- program
    Pm2Row{"name", "", kElsewhere, "the unit's name", "systemd names the service: `gaur-work.service`"},
    Pm2Row{"script", "exec, cmd, command", kBuiltIn, "`pools.NAME.command`",
           "Gaur replaces the old worker's loop; a runner (`@gaur/runner`) runs a use case in Node"},
    Pm2Row{"args", "", kBuiltIn, "`pools.NAME.command`",
           "arguments of the old loop; a runner's command contains its arguments"},
    Pm2Row{"cwd", "", kCopied, "`pools.NAME.folder`", "working folder of the runners"},
    Pm2Row{"exec_interpreter", "interpreter", kCopied, "`pools.NAME.command`", "its first word"},
    Pm2Row{"node_args", "interpreterArgs, interpreter_args", kCopied, "`pools.NAME.command`",
           "between `node` and the script"},
    Pm2Row{"execute_command", "", kNone, "", "a runner's command is always a program and its arguments"},
    Pm2Row{"install_url", "", kNone, "", "Gaur does not install programs"},
    Pm2Row{"env", "", kCopied, "`pools.NAME.env`",
           "except secrets, and except the variables of the deployment, which Gaur reads itself"},
    Pm2Row{"env_NAME", "", kCopied, "`pools.NAME.env`",
           "with `gaur init --pm2-env NAME`; overrides `env`, as in pm2"},
    Pm2Row{"filter_env", "", kBuiltIn, "`pools.NAME.env`",
           "runners get PATH, HOME, USER, LANG, TZ and the like, and the variables in `env`; nothing else of "
           "the server's environment"},
    Pm2Row{"port", "", kBuiltIn, "`server.listen`", "a worker needs no port; Gaur's own API has one"},
    // ---- processes
    Pm2Row{"instances", "", kCopied, "`worker.instances`",
           "slots = BULL_COUNT x instances in one host; without it, slots follow from cores and memory"},
    Pm2Row{"exec_mode", "", kBuiltIn, "",
           "one host for each machine, with as many runners as resources allow; there is no cluster mode"},
    Pm2Row{"increment_var", "", kNone, "",
           "all runners are equal; each has its own scratch folder (GAUR_TMP)"},
    Pm2Row{"instance_var", "", kNone, "",
           "all runners are equal; use a separate service for work that runs once per machine"},
    Pm2Row{"merge_logs", "combine_logs", kElsewhere, "journald",
           "all lines are in one stream, each with its runner's pool and pid"},
    // ---- memory, restarts
    Pm2Row{"max_memory_restart", "", kCopied, "`pools.NAME.max_rss`",
           "measured after each job, never during one; pm2 checks every 30 s and kills running queries"},
    Pm2Row{"cron_restart", "cron", kBuiltIn, "`pools.NAME.max_age`, `pools.NAME.max_jobs`",
           "runners are replaced by age, count and memory, between jobs, with a warm successor; no schedule "
           "is needed"},
    Pm2Row{"autorestart", "", kBuiltIn, "", "while the host runs, it replaces every runner that exits"},
    Pm2Row{"max_restarts", "", kBuiltIn, "",
           "a pool whose runners cannot start five times in a row becomes unavailable, reports why and keeps "
           "trying"},
    Pm2Row{"min_uptime", "", kBuiltIn, "",
           "a runner that exits after a job does not count as a failed start, however short its life"},
    Pm2Row{"restart_delay", "", kBuiltIn, "",
           "100 ms after a failure to start, doubled each time up to 30 s"},
    Pm2Row{"exp_backoff_restart_delay", "", kBuiltIn, "", "the same"},
    Pm2Row{"stop_exit_codes", "", kNone, "",
           "no exit code means \"do not start again\"; `gaur quiet` takes no more jobs"},
    // ---- starting and stopping
    Pm2Row{"kill_timeout", "", kBuiltIn, "`server.stop_timeout`",
           "30 s by default; then jobs are requeued, and the start is not counted. Only a longer value is "
           "copied, because pm2's default of 1600 ms killed queries"},
    Pm2Row{"shutdown_with_message", "", kBuiltIn, "`pools.NAME.stop_grace`",
           "a runner gets `stop` on its pipe, then TERM, then KILL"},
    Pm2Row{"treekill", "", kBuiltIn, "",
           "all processes that a runner started are killed with it, even if the host is killed"},
    Pm2Row{"kill_retry_time", "", kNone, "", "the kernel reports the end of a process; nothing is polled"},
    Pm2Row{"wait_ready", "", kBuiltIn, "", "a runner always gets its first job after its `ready` line"},
    Pm2Row{"listen_timeout", "", kCopied, "`pools.NAME.start_timeout`", "the time until that line"},
    Pm2Row{"autostart", "", kElsewhere, "`systemctl enable`", ""},
    Pm2Row{"force", "", kNone, "", "a second host on the same data folder is rejected"},
    Pm2Row{"uid", "user", kElsewhere, "`User=` of the unit", ""},
    Pm2Row{"gid", "", kElsewhere, "`Group=` of the unit", ""},
    Pm2Row{"username", "", kElsewhere, "`User=` of the unit", ""},
    // ---- watching files
    Pm2Row{"watch", "", kNone, "",
           "a restart after each file change would end queries; deploy with `gaur quiet` or a stop, and a "
           "start"},
    Pm2Row{"ignore_watch", "", kNone, "", "see `watch`"},
    Pm2Row{"watch_delay", "", kNone, "", "see `watch`"},
    Pm2Row{"watch_options", "", kNone, "", "see `watch`"},
    // ---- logs
    Pm2Row{"out_file", "out, output, out_log", kElsewhere, "journald, or `StandardOutput=`",
           "Gaur logs to standard error"},
    Pm2Row{"error_file", "error, err, err_file, err_log", kElsewhere, "journald, or `StandardError=`", ""},
    Pm2Row{"log_file", "log", kElsewhere, "journald", ""},
    Pm2Row{"disable_logs", "", kElsewhere, "`server.log_level`", ""},
    Pm2Row{"log_type", "", kBuiltIn, "",
           "one line for each event, `key=value`; a journal or collector adds the rest"},
    Pm2Row{"log_date_format", "", kBuiltIn, "", "times are RFC 3339 with milliseconds, UTC"},
    Pm2Row{"time", "", kBuiltIn, "", "every line has its time"},
    Pm2Row{"pid_file", "pid", kElsewhere, "systemd", "the data folder's `host.json` has the pid as well"},
    // ---- specific to pm2
    Pm2Row{"namespace", "", kNone, "", "groups in pm2's list"},
    Pm2Row{"name_prefix", "", kNone, "", "names in pm2's list"},
    Pm2Row{"append_env_to_name", "", kNone, "", "names in pm2's list"},
    Pm2Row{"source_map_support", "", kBuiltIn, "`node --enable-source-maps` in `pools.NAME.command`", ""},
    Pm2Row{"disable_source_map_support", "", kNone, "", "off unless the command asks for it"},
    Pm2Row{"vizion", "", kNone, "", "pm2 reads the git state of the folder; Gaur does not"},
    Pm2Row{"post_update", "", kNone, "", "hooks of pm2's dashboard"},
    Pm2Row{"trace", "", kNone, "", "pm2's own monitoring; see `GET /metrics`"},
    Pm2Row{"disable_trace", "", kNone, "", "see `trace`"},
    Pm2Row{"v8", "", kNone, "", "see `trace`"},
    Pm2Row{"event_loop_inspector", "", kNone, "", "see `trace`"},
    Pm2Row{"deep_monitoring", "", kNone, "", "see `trace`"},
    Pm2Row{"pmx", "", kNone, "", "see `trace`"},
    Pm2Row{"automation", "", kNone, "", "see `trace`"},
    Pm2Row{"io", "", kNone, "", "see `trace`"},
    Pm2Row{"windowsHide", "", kNone, "", "Gaur runs on Linux"},
    Pm2Row{"write", "", kNone, "", "a switch of pm2's command line"},
};

}  // namespace

std::span<const Pm2Row> pm2_rows() {
  return kRows;
}

}  // namespace gaur::app
