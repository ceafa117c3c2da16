-- What Bull writes and publishes when a run ends. A piece of finish.lua.
--@include deduplication
--@include cancels

-- Moves the job into `completed` or `failed`, or deletes it. The arguments after `payload` are fields of its hash.
local function end_run(set, kind, payload, ...)
  if run.deid then release_deduplication(run.deid) end
  if cancels_there then drop_cancel(run.id) end
  if kind.drops then
    delete_jobs({run.id})
  else
    call('HSET', run.key, 'finishedOn', now, ...)
    enter_set(set, kind.keep)
  end
  if metrics_points > 0 then count_finished(set, metrics_points) end
  call('PUBLISH', B .. set, payload)
end

local function read_job()
  local seen = call('HMGET', run.key, 'deid', 'attemptsMade', 'stalledCounter', 'stacktrace', 'opts', 'priority')
  run.deid, run.made, run.stalled = seen[1], tonumber(seen[2]) or 0, tonumber(seen[3]) or 0
  run.stacktrace, run.opts, run.priority = seen[4], seen[5], tonumber(seen[6]) or 0
end

-- Arguments: value, payload. If the store remembers the job from when it was taken, its hash is not read: attempts and
-- stalls of a locked job do not change. A job taken by a previous process is read.
local function complete(kind, at)
  if kind.line then
    run.deid = kind.deid
  else
    read_job()
    run.made = run.made + 1
  end
  end_run('completed', kind, ARGV[at + 1], 'returnvalue', ARGV[at])
  return kind.line or ended_line('c', kind)
end
