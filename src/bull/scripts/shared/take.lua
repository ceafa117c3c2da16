-- Takes jobs: walks over the next jobs in the order in which they are handed out, then over jobs further back that a scan
-- found (admission_scan.lua). A job that is not taken is never moved. The place of a job: how many ids of the list are
-- handed out before it.
--@include limiter
--@include admission
--@include set_aside

-- A job of more bytes cannot be sent to a host, and is set aside. A request takes no further job after this many bytes, so
-- that its reply stays below the client's limit.
local kMostBytes = 67108864

-- The fields that decide, and the size of all.
local function read_fields(fields)
  local name, data, size = '__default__', '{}', 0
  for i = 1, #fields, 2 do
    local field = fields[i]
    size = size + #fields[i + 1]
    if field == 'name' then
      name = fields[i + 1]
    elseif field == 'data' then
      data = fields[i + 1]
    end
  end
  return name, data, size
end

-- Returns the decision on one job; nil: end the walk.
local function look_at(id, fields, filter, rules, walk)
  if walk.here[id] then return 'drop' end  -- a second entry
  if #fields == 0 or is_reserved(id) then return 'aside' end
  local decision, name, data, size = 'take', read_fields(fields)
  if size > kMostBytes then return 'aside', size .. ' bytes' end
  if filter then
    name = function_of(filter, id, name, data)
    if not name then return nil end
    decision = decide(filter, id, name)
    if filter.head == id then
      local since = call('HMGET', B .. id, 'timestamp', 'opts')
      walk.blocked = {id, name, since[1] or '0', since[2] or '{}'}
    end
  end
  if decision ~= 'take' then return decision end
  if rules.limit_max > 0 then
    local wait = limited(id, rules.limit_max, rules.limit_per)
    if wait > 0 then
      walk.limited = wait
      return nil
    end
  end
  walk.bytes = walk.bytes + size
  return 'take'
end

-- Looks at one job and records the decision. Returns it; nil: end the walk. After the first job that cannot start, whole
-- hashes are read only of jobs that can.
local function visit(id, place, uncounted, filter, rules, walk)
  local key = B .. id
  if walk.choosy and not walk.here[id] then
    local name = filter.known[id]
    if filter.field == '' then
      name = read_hash('HGET', key, 'name')
    elseif not name then
      local seen = read_hash('HMGET', key, 'name', 'data') or {}
      name = seen[2] and function_of(filter, id, seen[1] or '__default__', seen[2])
      if seen[2] and not name then return nil end
      filter.known[id] = name
    end
    local needs = name and (filter.needs[name] or filter.default_needs)
    if name and (not needs or needs.unavailable) then
      walk.passed, walk.whole = walk.passed + 1, false
      return 'skip'
    end
  end
  local fields = read_hash('HGETALL', key) or {}
  local decision, reason = look_at(id, fields, filter, rules, walk)
  if not decision then return nil end
  if decision == 'skip' or decision == 'end' then
    walk.passed, walk.whole = walk.passed + 1, false
    if not filter.head then walk.choosy = true end
    return decision
  end
  if walk.whole then
    walk.popped = walk.popped + 1
  else
    local apart = #walk.apart + 1
    walk.apart[apart], walk.places[apart] = id, place
  end
  if decision == 'aside' then
    walk.aside[#walk.aside + 1] = {id, reason}
  elseif decision == 'take' then
    local all, at, count = walk.all, 3 * walk.count, walk.count + 1
    walk.here[id], walk.count, walk.ids[count], walk.keys[count] = true, count, id, key
    all[at + 1], all[at + 2], all[at + 3] = id, uncounted or 0, fields
  end
  return decision
end

-- Walks over a part of the list; `seen` ids are handed out before it. Returns false when the walk ended, and the number
-- of ids looked at.
local function walk_over(window, seen, most, filter, rules, walk)
  local uncounted = uncounted_there and #window > 0 and call('HMGET', own .. 'uncounted_starts', unpack(window)) or {}
  local size = #window
  for i = size, 1, -1 do
    if walk.count >= most then return false, size - i end
    if walk.bytes > kMostBytes then
      walk.bounded = true
      return false, size - i
    end
    local decision = visit(window[i], seen + size - i, uncounted[i], filter, rules, walk)
    if not decision then walk.bounded = not walk.limited end
    if not decision or decision == 'end' then return false, size - i end
  end
  return true, size
end

-- Moves the taken jobs to `active` before they leave `wait`: a key of another type rejects the request while nothing is
-- lost. ZREM is first because Redis rejects a script only at its first write when it is out of memory, and never ZREM.
local function activate(ids)
  if #ids == 0 then return end
  call('ZREM', B .. 'priority', unpack(ids))
  call('LPUSH', B .. 'active', unpack(ids))
end

-- Takes up to `most` jobs that the filter in ARGV from `at` on admits. Returns the walk: ids, all (id, uncounted starts,
-- fields ...), passed (how many were passed over), blocked, limited, looked, bounded (a bound ended the walk), found.
local function take(at, most, rules)
  local filter = read_filter(at)
  local walk = {count = 0, ids = {}, keys = {}, all = {}, passed = 0, popped = 0, whole = true, apart = {}, places = {},
    here = {}, looked = looked, aside = {}, bytes = 0}
  local bound, seen, slice = filter and filter.look or most + 256, 0, 0
  local continues, window, looked_at
  repeat  -- reads no more ids at a time than are likely to be taken
    slice = math.min(math.max(most - #walk.ids, seen), bound - seen)
    window = call('LRANGE', B .. 'wait', -(seen + slice), -(seen + 1))
    continues, looked_at = walk_over(window, seen, most, filter, rules, walk)
    seen = seen + looked_at
  until not continues or #window < slice or seen >= bound or #walk.ids >= most
  if continues and #window == slice and seen >= bound then walk.bounded = true end
  if walk.bytes > kMostBytes then most = walk.count end
  if filter and ARGV[filter.found_at] ~= '0' then
--@include take_found
    local letters, shift = take_found(filter.found_at, most, filter, rules, walk, seen)
    walk.found = {letters, shift, walk.popped, unpack(walk.places)}
    activate(walk.ids)
    if walk.popped > 0 then call('LTRIM', B .. 'wait', 0, -walk.popped - 1) end
    remove_apart(walk)
  else
    activate(walk.ids)
    if walk.popped > 0 then call('LTRIM', B .. 'wait', 0, -walk.popped - 1) end
    for _, id in ipairs(walk.apart) do call('LREM', B .. 'wait', -1, id) end
  end
  for _, one in ipairs(walk.aside) do set_aside(one[1], 'wait', one[2]) end
  local ids = walk.ids
  local keys, prefix, before, lock, channel = walk.keys, rules.token .. ':', rules.first - 1, rules.lock, B .. 'active@'
  for i = 1, #ids do
    local key, token = keys[i], prefix .. before + i
    call('SET', key .. ':lock', token, 'PX', lock)
    call('HSET', key, 'processedOn', now)
    call('PUBLISH', channel .. token, ids[i])
  end
  return walk
end
