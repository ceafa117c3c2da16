-- Ending runs: each outcome after its own checks. A job's keys are touched only when all of them hold. Everything here
-- runs once a job of every turn, so it makes few tables and strings.
--@include ending
--@include metrics

local lines, ended = {}, 0  -- by place in the turn: where the job went, or why not; how many went
local run = {}              -- the run that is being ended: place, id, key, and what read_job says

-- The sets `completed` and `failed` are written together for jobs that follow each other under one rule.
local batch = {set = '', keep = '', count = 0}
local function flush_set()
  if batch.count == 0 then return end
  local scores, places = batch.scores, batch.places
  call('ZADD', B .. batch.set, unpack(scores))
  local most, age = parse_keep(batch.keep)
  if most or age then
    local gone = retain(batch.set, most, age)
    for i = 1, batch.count do
      local line = lines[places[i]]
      if gone[scores[2 * i]] then lines[places[i]] = string.sub(line, 1, 2) .. '0' .. string.sub(line, 4) end
    end
  end
  batch = {set = '', keep = '', count = 0}
end

local function enter_set(set, keep)
  if batch.set ~= set or batch.keep ~= keep then
    flush_set()
    batch = {set = set, keep = keep, count = 0, scores = {}, places = {}}
  end
  local count = batch.count + 1
  batch.count, batch.places[count] = count, run.place
  batch.scores[2 * count - 1], batch.scores[2 * count] = now, run.id
end

-- Into completed or failed, or removed at once. Then fields and values that are written to the hash.
local function end_run(set, kind, payload, ...)
  if run.deid then release_debounce(run.deid) end
  if cancels_there then drop_cancel(run.id) end
  if kind.drops then
    forget({run.id})
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

-- State, kept, attempts made, stalled, due.
local function line_of(state, kept, due)
  return string.format('%s %d %d %d %s', state, kept, run.made, run.stalled, due or '')
end
local function ended_line(state, kind) return line_of(state, kind.drops and 0 or 1) end

-- Its arguments: value, payload. A run that completes under its taker's lock needs nothing of the hash where its kind
-- tells what the taker saw: nobody else counts its attempts or stalls meanwhile. Who took it in an earlier life tells
-- nothing.
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

local outcomes
local function make_outcomes()
--@include outcomes
  return outcomes
end

-- "<letter><keep>", and for C, where its taker remembers, " <attempts made> <stalled> <debounce id>". Jobs mostly have
-- the same one, which is taken apart once.
local kinds = {}
local function kind_of(text)
  local letter, keep, made, stalled, deid = string.match(text, '^(%a)([%d,]*) ?(%d*) ?(%d*) ?(.*)$')
  local size, ends = 2, complete
  if letter ~= 'C' then
    outcomes = outcomes or make_outcomes()
    size, ends = outcomes[letter][1], outcomes[letter][2]
  end
  local kind = {size = size, ends = ends, keep = keep, drops = string.sub(keep, 1, 2) == '0,'}
  if made ~= '' then
    kind.deid = deid ~= '' and deid
    kind.line = string.format('c %d %d %d ', kind.drops and 0 or 1, made + 1, stalled)
  end
  kinds[text] = kind
  return kind
end

-- Many that end together mostly are the oldest of `active`, in their order: then one command takes them all off it.
-- Only where each of them is there and held: `firsts` are their places in ARGV.
local function cut_off(ids, locks, firsts)
  local count = #ids
  if count < 4 then return false end
  for i = 1, count do
    if locks[i] ~= ARGV[firsts[i] + 1] then return false end
  end
  local tail = call('LRANGE', B .. 'active', -count, -1)
  if #tail < count then return false end
  for i = 1, count do
    if tail[count + 1 - i] ~= ids[i] then return false end
  end
  call('LTRIM', B .. 'active', 0, -count - 1)
  return true
end

-- Ends one run whose lock is `lock`; `there`: its hash was seen; `off`: it is off `active` already. Answers its line,
-- or why not: -1 no such job, -2 no lock, -6 another's lock, -3 not active.
local function finish(id, key, lock, there, off, kind, at)
  if not there and call('EXISTS', key) == 0 then return -1 end
  if not lock then return -2 end
  if lock ~= ARGV[at + 1] then return -6 end
  if not off and call('LREM', B .. 'active', -1, id) == 0 then return call('EXISTS', key) == 0 and -1 or -3 end
  run.id, run.key, ended = id, key, ended + 1
  return kind.ends(kind, at + 3)
end

-- Locks and stall marks of the runs that ended; before anything is taken again.
local function release(ids, lock_keys)
  if ended == 0 then return end
  if ended < #ids then
    local all_ids, all_keys = ids, lock_keys
    ids, lock_keys = {}, {}
    for i, line in ipairs(lines) do
      if type(line) == 'string' then ids[#ids + 1], lock_keys[#lock_keys + 1] = all_ids[i], all_keys[i] end
    end
  end
  call('DEL', unpack(lock_keys))
  if stalled_there then call('SREM', B .. 'stalled', unpack(ids)) end
end

-- Ends `count` runs that stand in ARGV from `at` on: id, token, kind, the arguments of its outcome. Answers their lines
-- and where ARGV goes on.
local function finish_all(at, count)
  if count == 0 then return '', at end
  local firsts, ids, keys, lock_keys, what = {}, {}, {}, {}, {}
  for i = 1, count do
    local id, text = ARGV[at], ARGV[at + 2]
    local key, kind = B .. id, kinds[text] or kind_of(text)
    firsts[i], ids[i], keys[i], lock_keys[i], what[i] = at, id, key, key .. ':lock', kind
    at = at + 3 + kind.size
  end
  local all_there = call('EXISTS', unpack(keys)) == count
  local locks = call('MGET', unpack(lock_keys))
  local off = all_there and cut_off(ids, locks, firsts)
  for i = 1, count do
    run.place = i
    lines[i] = finish(ids[i], keys[i], locks[i], all_there, off, what[i], firsts[i])
  end
  flush_set()
  release(ids, lock_keys)
  return table.concat(lines, '\n'), at
end
