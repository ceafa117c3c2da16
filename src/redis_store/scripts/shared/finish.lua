-- Ends runs: checks each, then applies its outcome. A job's keys are changed only if all checks pass. This runs for every
-- job of every take request, so it creates few tables and strings. The dialect's piece end_run decides what is written
-- and published.
--@include retention
--@include metrics
--@include set_aside

local lines, ended = {}, 0  -- one line a finish: the job's new state, or the code of a rejection; how many runs ended
local run = {}              -- the run that is being ended: place, id, key, and what read_job reads

-- Consecutive jobs with one retention enter `completed` or `failed` with one command.
local batch = {set = '', keep = '', count = 0}
local function flush_set()
  if batch.count == 0 then return end
  local scores, places = batch.scores, batch.places
  call('ZADD', B .. batch.set, unpack(scores))
  local most, age = parse_keep(batch.keep)
  if most or age then
    local removed = retain(batch.set, most, age)
    for i = 1, batch.count do
      local line = lines[places[i]]
      if removed[scores[2 * i]] then lines[places[i]] = string.sub(line, 1, 2) .. '0' .. string.sub(line, 4) end
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

-- State, kept 0|1, attempts made, stalled, due.
local function line_of(state, kept, due)
  return string.format('%s %d %d %d %s', state, kept, run.made, run.stalled, due or '')
end
local function ended_line(state, kind) return line_of(state, kind.drops and 0 or 1) end

--@include end_run

local outcomes
local function make_outcomes()
--@include outcomes
  return outcomes
end

-- "<letter><keep>", and for C, if the store remembers the job, " <attempts made> <stalled> <deduplication id>". Most jobs
-- have the same text, which is parsed once.
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

-- Removes all jobs from `active` with one command if they are its oldest ones, in order, which is the common case. Each
-- of them must be locked by its run. `firsts`: their indexes in ARGV.
local function trim_active(ids, locks, firsts)
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

-- Ends one run. `lock`: its lock; `there`: its hash exists; `off`: it was removed from `active` already. Returns its
-- line, or a code: -1 no such job, -2 no lock, -6 locked by another run, -3 not active.
local function finish(id, key, lock, there, off, kind, at)
  if not there and call('EXISTS', key) == 0 then return -1 end
  if not lock then return -2 end
  if lock ~= ARGV[at + 1] then return -6 end
  if not off and call('LREM', B .. 'active', -1, id) == 0 then return call('EXISTS', key) == 0 and -1 or -3 end
  run.id, run.key = id, key
  local good, line = pcall(kind.ends, kind, at + 3)
  if not good then
    if call('TYPE', key)['ok'] == 'hash' then error(line, 0) end
    set_aside(id, 'active')  -- another program replaced the job's key during its run
    return -1
  end
  ended = ended + 1
  return line
end

-- A key of another type must be an error before the first write: after it, an error would lose the ended runs.
local function check_types(only_completed)
  call('ZCARD', B .. 'completed')
  if only_completed then return end
  for _, set in ipairs({'failed', 'delayed', 'priority'}) do call('ZCARD', B .. set) end
  call('LLEN', waiting_list())
end

-- Deletes the locks and stalled marks of the ended runs, before any job is taken again.
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

-- Ends `count` runs from ARGV[at] on: id, token, kind, the arguments of its outcome. Returns their lines and the next
-- index in ARGV.
local function finish_all(at, count)
  if count == 0 then return '', at end
  local firsts, ids, keys, lock_keys, what = {}, {}, {}, {}, {}
  for i = 1, count do
    local id, text = ARGV[at], ARGV[at + 2]
    local key, kind = B .. id, kinds[text] or kind_of(text)
    firsts[i], ids[i], keys[i], lock_keys[i], what[i] = at, id, key, key .. ':lock', kind
    at = at + 3 + kind.size
  end
  check_types(not outcomes)
  local all_there = call('EXISTS', unpack(keys)) == count
  local locks = call('MGET', unpack(lock_keys))
  local off = all_there and trim_active(ids, locks, firsts)
  for i = 1, count do
    run.place = i
    lines[i] = finish(ids[i], keys[i], locks[i], all_there, off, what[i], firsts[i])
  end
  flush_set()
  release(ids, lock_keys)
  return table.concat(lines, '\n'), at
end
