-- Ending runs: each outcome after its own checks. A job's keys are touched only when all of them hold.

local released, to_complete = {}, {set = '', keep = '', jobs = {}}
local ended, lock_keys, unstalled = 0, {}, {}
local active_key = B .. 'active'

-- The sets `completed` and `failed` are written together for jobs that follow each other under one rule.
local function flush_set()
  local batch = to_complete
  if #batch.jobs == 0 then return end
  local pairs_of = {}
  for i, job in ipairs(batch.jobs) do
    pairs_of[2 * i - 1] = now
    pairs_of[2 * i] = job.id
  end
  call('ZADD', B .. batch.set, unpack(pairs_of))
  local count, age = parse_keep(batch.keep)
  if count or age then
    local gone = retain(batch.set, count, age)
    for _, job in ipairs(batch.jobs) do
      if gone[job.id] then job.kept = 0 end
    end
  end
  to_complete = {set = '', keep = '', jobs = {}}
end

-- Locks and stall marks of what was finished; before anything is taken again.
local function flush_finished()
  flush_set()
  if ended > 0 then
    call('DEL', unpack(lock_keys))
    if stalled_there then call('SREM', B .. 'stalled', unpack(unstalled)) end
  end
  ended, lock_keys, unstalled = 0, {}, {}
end

-- The low 12 bits of an id as a number, as JavaScript has them.
local function low_bits(id)
  local number = string.match(id, '^[%+%-]?%d+%.?%d*[eE]?[%+%-]?%d*$') and tonumber(id)
  if not number then return 0 end
  return (number < 0 and math.ceil(number) or math.floor(number)) % 4096
end

-- A JSON array of strings as text with one literal more, cut to the newest `stackTraceLimit` where the job has one.
local function append_stack(stacks, literal, options)
  if literal == '' then return stacks or '[]' end
  local body = stacks and string.match(stacks, '^%s*%[(.*)%]%s*$') or ''
  if string.match(body, '%S') then body = body .. ',' .. literal else body = literal end
  local limit = options.stackTraceLimit
  if type(limit) ~= 'number' then return '[' .. body .. ']' end
  local items, at = {}, 1
  while true do
    local first = string.find(body, '"', at, true)
    if not first then break end
    local last = first + 1
    while last <= #body do
      local byte = string.byte(body, last)
      if byte == 34 then break end
      last = last + (byte == 92 and 2 or 1)
    end
    items[#items + 1] = string.sub(body, first, last)
    at = last + 1
  end
  local newest = {}
  for i = math.max(1, #items - limit + 1), #items do newest[#newest + 1] = items[i] end
  return '[' .. table.concat(newest, ',') .. ']'
end

-- Into completed or failed, or removed at once. Then fields and values that are written to the hash.
local function end_run(job, set, keep, payload, ...)
  local id = job.id
  if job.deid then release_debounce(job.deid) end
  if cancels_there then drop_cancel(id) end
  job.state = set == 'completed' and 'c' or 'f'
  if string.sub(keep, 1, 2) == '0,' then
    forget({id})
    job.kept = 0
  else
    call('HSET', job.key, 'finishedOn', now, ...)
    if to_complete.set ~= set or to_complete.keep ~= keep then
      flush_set()
      to_complete = {set = set, keep = keep, jobs = {}}
    end
    to_complete.jobs[#to_complete.jobs + 1] = job
  end
  if metrics_points > 0 then count_finished(set, metrics_points) end
  call('PUBLISH', B .. set, payload)
end

-- By letter: how many arguments, and what becomes of the job. `job`: see job_of. It is told where the job went: state,
-- kept, due.
local outcomes = {}

-- C: value, payload, keep, then what its taker still knows of it: attempts made, stalled ("": read them), debounce id
outcomes.C = {6, function(job, value, payload, keep)
  job.made = job.made + 1
  end_run(job, 'completed', keep, payload, 'returnvalue', value)
end}

local function save_attempt(job, message, stack)
  job.made = job.made + 1
  return {'attemptsMade', job.made, 'failedReason', message, 'stacktrace',
    append_stack(job.stacktrace, stack, options_of(job.opts))}
end

-- F: message, stack as a JSON literal or "", payload, keep
outcomes.F = {4, function(job, message, stack, payload, keep)
  end_run(job, 'failed', keep, payload, unpack(save_attempt(job, message, stack)))
end}

-- R: delay, counted 0|1, message, stack
outcomes.R = {4, function(job, delay, counted, message, stack)
  local id = job.id
  drop_cancel(id)
  if counted == '1' then
    call('HSET', job.key, unpack(save_attempt(job, message, stack)))
  else
    count_back(id)
  end
  if delay ~= '0' then
    local score = (now_ms + delay) * 4096 + low_bits(id)
    call('ZADD', B .. 'delayed', string.format('%.0f', score), id)
    call('PUBLISH', B .. 'delayed', string.format('%.17g', score / 4096))
    job.state, job.due = 'd', string.format('%.0f', now_ms + delay)
  else
    if (tonumber(job.priority) or 0) == 0 and options_of(job.opts).lifo == true then
      call('RPUSH', line(), id)
    else
      put_behind(id, job.priority)
    end
    given_back = true
  end
end}

local function go_back(job)
  drop_cancel(job.id)
  put_in_front(job.id, job.priority)
  given_back = true
end

-- B: nothing more
outcomes.B = {0, function(job)
  count_back(job.id)
  go_back(job)
end}

-- S: max_stalled, message, payload, keep
outcomes.S = {4, function(job, max_stalled, message, payload, keep)
  job.stalled = call('HINCRBY', job.key, 'stalledCounter', 1)
  if job.stalled <= tonumber(max_stalled) then
    call('PUBLISH', B .. 'stalled@', job.id)
    return go_back(job)
  end
  end_run(job, 'failed', keep, payload, 'failedReason', message)
end}

-- A count as text: what Lua itself makes of a number takes ten times as long as a look into a table.
local words = {[0] = '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'}
local function word(count) return words[count] or string.format('%.0f', count) end

-- What finishing needs to know of a job. A run that completes under its taker's lock needs nothing of the hash: nobody
-- else counts its attempts or stalls meanwhile. A failed one does, and who took it in an earlier life knows nothing.
local function job_of(id, key, outcome, at)
  if outcome == outcomes.C and ARGV[at + 3] ~= '' then
    local deid = ARGV[at + 5]
    return {id = id, key = key, deid = deid ~= '' and deid or nil, made = tonumber(ARGV[at + 3]),
      stalled = tonumber(ARGV[at + 4]), state = 'w', kept = 1}
  end
  local seen = call('HMGET', key, 'deid', 'attemptsMade', 'stalledCounter', 'stacktrace', 'opts', 'priority')
  return {id = id, key = key, deid = seen[1], made = tonumber(seen[2]) or 0, stalled = tonumber(seen[3]) or 0,
    stacktrace = seen[4], opts = seen[5], priority = seen[6], state = 'w', kept = 1}
end

-- Ends one run; `there`: its hash was seen to be there. Answers what became of the job, or why not: -1 no such job,
-- -2 no lock, -6 another's lock, -3 not active.
local function finish(id, token, lock_key, lock, there, outcome, arguments_at)
  local key = B .. id
  if (released[id] or not there) and call('EXISTS', key) == 0 then return -1 end
  if not lock or released[id] then return -2 end
  if lock ~= token then return -6 end
  if call('LREM', active_key, -1, id) == 0 then return -3 end
  released[id] = true
  ended = ended + 1
  lock_keys[ended], unstalled[ended] = lock_key, id
  local job = job_of(id, key, outcome, arguments_at)
  outcome[2](job, unpack(ARGV, arguments_at, arguments_at + outcome[1] - 1))
  if job.state == 'w' and (tonumber(job.priority) or 0) > 0 then job.state = 'p' end
  return job
end

local function line_of(job)
  return job.state .. ' ' .. word(job.kept) .. ' ' .. word(job.made) .. ' ' .. word(job.stalled) .. ' ' .. (job.due or '')
end
