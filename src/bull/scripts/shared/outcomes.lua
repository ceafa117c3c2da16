-- The outcomes of a run other than completion. By letter: the number of arguments, and a function that applies it and
-- returns the job's line. A piece of finish.lua, created only by requests that have such a run.
--@include enqueue
--@include options
--@include stack_trace
--@include uncounted_starts
local outcomes = {}

-- The low 12 bits of an id as a number, as JavaScript computes them.
local function low_bits(id)
  local number = string.match(id, '^[%+%-]?%d+%.?%d*[eE]?[%+%-]?%d*$') and tonumber(id)
  if not number then return 0 end
  return (number < 0 and math.ceil(number) or math.floor(number)) % 4096
end

local function line_of_waiting() return line_of(run.priority > 0 and 'p' or 'w', 1) end

local function save_attempt(message, stack)
  run.made = run.made + 1
  return {'attemptsMade', run.made, 'failedReason', message, 'stacktrace',
    append_stack(run.stacktrace, stack, options_of(run.opts))}
end

-- F: message, stack as a JSON literal or "", payload
outcomes.F = {3, function(kind, at)
  read_job()
  end_run('failed', kind, ARGV[at + 2], unpack(save_attempt(ARGV[at], ARGV[at + 1])))
  return ended_line('f', kind)
end}

-- R: delay, counted 0|1, message, stack
outcomes.R = {4, function(_, at)
  local id, delay = run.id, ARGV[at]
  read_job()
  drop_cancel(id)
  if ARGV[at + 1] == '1' then
    call('HSET', run.key, unpack(save_attempt(ARGV[at + 2], ARGV[at + 3])))
  else
    count_uncounted_start(id)
  end
  if delay ~= '0' then
    local score = (now_ms + delay) * 4096 + low_bits(id)
    call('ZADD', B .. 'delayed', string.format('%.0f', score), id)
    call('PUBLISH', B .. 'delayed', string.format('%.17g', score / 4096))
    return line_of('d', 1, string.format('%.0f', now_ms + delay))
  end
  if run.priority == 0 and options_of(run.opts).lifo == true then
    call('RPUSH', waiting_list(), id)
  else
    enqueue(id, run.priority)
  end
  requeued = true
  return line_of_waiting()
end}

local function requeue()
  drop_cancel(run.id)
  enqueue_next(run.id, run.priority)
  requeued = true
  return line_of_waiting()
end

-- B: no arguments
outcomes.B = {0, function()
  read_job()
  count_uncounted_start(run.id)
  return requeue()
end}

-- S: max_stalled, message, payload
outcomes.S = {3, function(kind, at)
  read_job()
  run.stalled = whole(run.stalled) + 1
  call('HSET', run.key, 'stalledCounter', run.stalled)
  if run.stalled <= tonumber(ARGV[at]) then
    call('PUBLISH', B .. 'stalled@', run.id)
    return requeue()
  end
  end_run('failed', kind, ARGV[at + 2], 'failedReason', ARGV[at + 1])
  return ended_line('f', kind)
end}
