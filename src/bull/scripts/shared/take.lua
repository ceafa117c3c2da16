-- Takes jobs: walks over the next jobs in the order in which they are handed out, then over jobs further back that a scan
-- found (admission_scan.lua). A job that is not taken is never moved. The place of a job: how many ids of the list are
-- handed out before it.
--@include limiter
--@include admission

-- The fields that decide.
local function read_fields(fields)
  local name, data = '__default__', '{}'
  for i = 1, #fields, 2 do
    local field = fields[i]
    if field == 'name' then
      name = fields[i + 1]
    elseif field == 'data' then
      data = fields[i + 1]
    end
  end
  return name, data
end

-- Returns the decision on one job; nil: end the walk.
local function look_at(id, fields, filter, rules, walk)
  if #fields == 0 or walk.here[id] then return 'drop' end  -- an id without a job, or a second entry of it
  local decision, name, data = 'take', read_fields(fields)
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
  return decision
end

-- Looks at one job and records the decision. Returns it; nil: end the walk. After the first job that cannot start, whole
-- hashes are read only of jobs that can.
local function visit(id, place, uncounted, filter, rules, walk)
  local key = B .. id
  if walk.choosy and not walk.here[id] then
    local name = filter.known[id]
    if filter.field == '' then
      name = call('HGET', key, 'name')
    elseif not name then
      local seen = call('HMGET', key, 'name', 'data')
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
  local fields = call('HGETALL', key)
  local decision = look_at(id, fields, filter, rules, walk)
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
  if decision == 'take' then
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
    local decision = visit(window[i], seen + size - i, uncounted[i], filter, rules, walk)
    if not decision then walk.bounded = not walk.limited end
    if not decision or decision == 'end' then return false, size - i end
  end
  return true, size
end

-- Takes up to `most` jobs that the filter in ARGV from `at` on admits. Returns the walk: ids, all (id, uncounted starts,
-- fields ...), passed (how many were passed over), blocked, limited, looked, bounded (a bound ended the walk), found.
local function take(at, most, rules)
  local filter = read_filter(at)
  local walk = {count = 0, ids = {}, keys = {}, all = {}, passed = 0, popped = 0, whole = true, apart = {}, places = {},
    here = {}, looked = looked}
  local bound, seen, slice = filter and filter.look or most + 256, 0, 0
  local continues, window, looked_at
  repeat  -- reads no more ids at a time than are likely to be taken
    slice = math.min(math.max(most - #walk.ids, seen), bound - seen)
    window = call('LRANGE', B .. 'wait', -(seen + slice), -(seen + 1))
    continues, looked_at = walk_over(window, seen, most, filter, rules, walk)
    seen = seen + looked_at
  until not continues or #window < slice or seen >= bound or #walk.ids >= most
  if continues and #window == slice and seen >= bound then walk.bounded = true end
  if filter and ARGV[filter.found_at] ~= '0' then
--@include take_found
    local letters, shift = take_found(filter.found_at, most, filter, rules, walk, seen)
    walk.found = {letters, shift, walk.popped, unpack(walk.places)}
    if walk.popped > 0 then call('LTRIM', B .. 'wait', 0, -walk.popped - 1) end
    remove_apart(walk)
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
