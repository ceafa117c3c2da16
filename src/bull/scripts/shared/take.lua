-- Taking: a walk over the next jobs in the order in which they are handed out, then jobs further back that a scan found
-- (scan.lua). What is not taken is never moved. A job's place: how many ids of the list are handed out before it.
--@include limiter

-- What may be taken: read from ARGV at `at` (see turn.lua). nil: whatever is next.
local function read_admit(at)
  if ARGV[at] == '' then return nil end
  local admit = {look = tonumber(ARGV[at]), cores = tonumber(ARGV[at + 1]), memory = tonumber(ARGV[at + 2]),
    pass = ARGV[at + 3] == '1', spare_cores = tonumber(ARGV[at + 4]), spare_memory = tonumber(ARGV[at + 5]),
    field = ARGV[at + 6], needs = {}, known = {}}
  local count = tonumber(ARGV[at + 7])
  at = at + 8
  for _ = 1, count do
    local needs = {cores = tonumber(ARGV[at + 2]), memory = tonumber(ARGV[at + 3]), closed = ARGV[at + 4] == '1',
      ends = ARGV[at + 5] == '1'}
    if ARGV[at] == '1' then admit.otherwise = needs else admit.needs[ARGV[at + 1]] = needs end
    at = at + 6
  end
  local known = tonumber(ARGV[at])
  for i = at + 1, at + 2 * known, 2 do admit.known[ARGV[i]] = ARGV[i + 1] end
  admit.found_at = at + 2 * known + 1
  return admit
end

local function fits(needs, cores, memory) return needs.cores <= cores + 0.001 and needs.memory <= memory end

-- "take", "skip" or "end"; subtracts what is taken. The first that does not fit becomes admit.head.
local function judge(admit, id, name)
  local needs = admit.needs[name] or admit.otherwise
  if not needs or needs.closed then return 'skip' end
  local room = fits(needs, admit.cores, admit.memory)
  if admit.head then
    if not room then return 'skip' end
    if not needs.ends then
      if not fits(needs, admit.spare_cores, admit.spare_memory) then return 'skip' end
      admit.spare_cores, admit.spare_memory = admit.spare_cores - needs.cores, admit.spare_memory - needs.memory
    end
  elseif not room then
    admit.head = id
    return admit.pass and 'skip' or 'end'
  end
  admit.cores, admit.memory = admit.cores - needs.cores, admit.memory - needs.memory
  return 'take'
end

local function dig(data, path)
  local good, value = pcall(cjson.decode, data)
  if not good then
    -- Halves of surrogate pairs, which JavaScript writes and this decoder refuses. Whole pairs stay.
    local pairs_marked = string.gsub(data, '\\u[dD]([89abAB]%x%x)\\u[dD]([c-fC-F]%x%x)', '\1%1%2')
    local without_halves = string.gsub(pairs_marked, '\\u[dD][89a-fA-F]%x%x', '\\ufffd')
    local whole = string.gsub(without_halves, '\1(%x%x%x)(%x%x%x)', '\\ud%1\\ud%2')
    good, value = pcall(cjson.decode, whole)
  end
  if not good then return nil end
  for part in string.gmatch(path, '[^.]+') do
    if type(value) ~= 'table' then return nil end
    value = value[part]
  end
  return type(value) == 'string' and value ~= '' and value or nil
end

-- The function of a job: its name or a field of its data. At most 64 KiB of data are decoded a call (but one job
-- always): nil when that is used up.
local decoded = 0
local looked = {}
local function function_of(admit, id, name, data)
  if admit.field == '' then return name end
  if admit.known[id] then return admit.known[id] end
  if decoded > 0 and decoded + #data > 65536 then return nil end
  decoded = decoded + #data
  local found = dig(data, admit.field) or name
  looked[#looked + 1] = id
  looked[#looked + 1] = found
  return found
end

-- A job that may not start again fails where it waits.
local function fail_waiting(id, fields, message)
  for i = 1, #fields, 2 do
    if fields[i] == 'deid' then release_debounce(fields[i + 1]) end
  end
  call('ZREM', B .. 'priority', id)
  call('ZADD', B .. 'failed', now, id)
  call('HSET', B .. id, 'failedReason', message, 'finishedOn', now)
  call('PUBLISH', B .. 'failed', '{"jobId":' .. cjson.encode(id) .. ',"val":' .. cjson.encode(message) .. '}')
end

-- The fields that decide: name, data, and how often its runs counted.
local function read_fields(fields)
  local name, data, starts = '__default__', '{}', 0
  for i = 1, #fields, 2 do
    local field = fields[i]
    if field == 'name' then
      name = fields[i + 1]
    elseif field == 'data' then
      data = fields[i + 1]
    elseif field == 'attemptsMade' or field == 'stalledCounter' then
      starts = starts + (tonumber(fields[i + 1]) or 0)
    end
  end
  return name, data, starts
end

-- One job of the walk. Answers its verdict and, for what may not start again, how often it started; nil: stop here.
local function look_at(id, fields, backs, admit, rules, walk)
  if #fields == 0 or walk.here[id] then return 'drop' end  -- only the list knows it, or it stands there twice
  local verdict, name, data, starts = 'take', read_fields(fields)
  if backs then starts = starts + tonumber(backs) end
  if admit then
    name = function_of(admit, id, name, data)
    if not name then return nil end
    verdict = judge(admit, id, name)
    if admit.head == id then
      local since = call('HMGET', B .. id, 'timestamp', 'opts')
      walk.blocked = {id, name, since[1] or '0', since[2] or '{}'}
    end
  end
  if verdict ~= 'take' then return verdict end
  if starts >= rules.max_starts then return 'fail', starts end
  if rules.limit_max > 0 then
    local wait = limited(id, rules.limit_max, rules.limit_per)
    if wait > 0 then
      walk.limited = wait
      return nil
    end
  end
  return verdict
end

-- Looks at one job and notes what becomes of it. Answers its verdict; nil: stop here. After the first job that cannot
-- start, whole hashes are read only of those that can.
local function visit(id, place, back, admit, rules, walk)
  local key = B .. id
  if walk.choosy and not walk.here[id] then
    local name = admit.known[id]
    if admit.field == '' then
      name = call('HGET', key, 'name')
    elseif not name then
      local seen = call('HMGET', key, 'name', 'data')
      name = seen[2] and function_of(admit, id, seen[1] or '__default__', seen[2])
      if seen[2] and not name then return nil end
      admit.known[id] = name
    end
    local needs = name and (admit.needs[name] or admit.otherwise)
    if name and (not needs or needs.closed) then
      walk.passed, walk.whole = walk.passed + 1, false
      return 'skip'
    end
  end
  local fields = call('HGETALL', key)
  local verdict, starts = look_at(id, fields, back, admit, rules, walk)
  if not verdict then return nil end
  if verdict == 'skip' or verdict == 'end' then
    walk.passed, walk.whole = walk.passed + 1, false
    if not admit.head then walk.choosy = true end
    return verdict
  end
  if walk.whole then
    walk.popped = walk.popped + 1
  else
    local apart = #walk.apart + 1
    walk.apart[apart], walk.places[apart] = id, place
  end
  if verdict == 'fail' then
    fail_waiting(id, fields, string.format('started %d times, which is the limit', starts))
  elseif verdict == 'take' then
    local all, at, count = walk.all, 3 * walk.count, walk.count + 1
    walk.here[id], walk.count, walk.ids[count], walk.keys[count] = true, count, id, key
    all[at + 1], all[at + 2], all[at + 3] = id, back or 0, fields
  end
  return verdict
end

-- Walks over a part of the list; `seen` ids are handed out before it. Answers false when the walk ended, and how many ids
-- it looked at.
local function walk_over(window, seen, most, admit, rules, walk)
  local backs = backs_there and #window > 0 and call('HMGET', own .. 'backs', unpack(window)) or {}
  local size = #window
  for i = size, 1, -1 do
    if walk.count >= most then return false, size - i end
    local verdict = visit(window[i], seen + size - i, backs[i], admit, rules, walk)
    if not verdict then walk.bounded = not walk.limited end
    if not verdict or verdict == 'end' then return false, size - i end
  end
  return true, size
end

-- Takes up to `most`, of those that ARGV lets through from `at` on. Answers {ids, all (id, backs, fields ...), passed
-- (how many were passed over), blocked, limited, looked, bounded (ids were left unlooked at), found}.
local function take(at, most, rules)
  local admit = read_admit(at)
  local walk = {count = 0, ids = {}, keys = {}, all = {}, passed = 0, popped = 0, whole = true, apart = {}, places = {},
    here = {}, looked = looked}
  local bound, seen, slice = admit and admit.look or most + 256, 0, 0
  local goes_on, window, looked_at
  repeat  -- no more ids at a time than are likely to be taken
    slice = math.min(math.max(most - #walk.ids, seen), bound - seen)
    window = call('LRANGE', B .. 'wait', -(seen + slice), -(seen + 1))
    goes_on, looked_at = walk_over(window, seen, most, admit, rules, walk)
    seen = seen + looked_at
  until not goes_on or #window < slice or seen >= bound or #walk.ids >= most
  if goes_on and #window == slice and seen >= bound then walk.bounded = true end
  if admit and ARGV[admit.found_at] ~= '0' then
--@include found
    local letters, shift = take_found(admit.found_at, most, admit, rules, walk, seen)
    walk.found = {letters, shift, walk.popped, unpack(walk.places)}
    if walk.popped > 0 then call('LTRIM', B .. 'wait', 0, -walk.popped - 1) end
    cut_out(walk)
  else
    if walk.popped > 0 then call('LTRIM', B .. 'wait', 0, -walk.popped - 1) end
    for _, id in ipairs(walk.apart) do call('LREM', B .. 'wait', -1, id) end
  end
  local ids = walk.ids
  if #ids > 0 then
    call('LPUSH', B .. 'active', unpack(ids))
    call('ZREM', B .. 'priority', unpack(ids))
  end
  local keys, prefix, before, lock, channel = walk.keys, rules.token .. ':', rules.first - 1, rules.lock, B .. 'active@'
  for i = 1, #ids do
    local key, token = keys[i], prefix .. before + i
    call('SET', key .. ':lock', token, 'PX', lock)
    call('HSET', key, 'processedOn', now)
    call('PUBLISH', channel .. token, ids[i])
  end
  return walk
end
