-- Adds all jobs of one request, or none. ARGV: now, session, sequence number, part, token, max_waiting (0: no bound); for
-- that bound, the number of jobs without an own id, the number of own ids, those ids; then for each job: id or "", name,
-- data, options, timestamp or "", delay, priority, lifo 0|1, deduplication id or "", its ttl.
-- Reply: {"ok"|"again", lines}: for each job four lines, id, letter of its state, 1 for a duplicate, position; or
-- {"full", waiting}; or {"back", last sequence number}.
--@include start
--@include enqueue
--@include session
local token, most = ARGV[5], tonumber(ARGV[6])
local how, earlier = begin_operation(ARGV[2], ARGV[3], ARGV[4])
if how ~= 'new' then return {how, earlier} end

local at = 9
local own_ids = tonumber(ARGV[8])
if most > 0 then
  local more, seen = tonumber(ARGV[7]), {}
  for i = at, at + own_ids - 1 do
    if not seen[ARGV[i]] and call('EXISTS', B .. ARGV[i]) == 0 then more = more + 1 end
    seen[ARGV[i]] = true
  end
  local there = call('LLEN', B .. 'wait') + call('LLEN', B .. 'paused') + call('ZCARD', B .. 'delayed')
  if more > 0 and there + more > most then return {'full', there} end
end
at = at + own_ids

local count = (#ARGV - at + 1) / 10
local counter = call('INCRBY', B .. 'id', count) - count
local made = {}
-- Lua unpacks at most about 8 000 values.
local kAtOnce = 1000
local may_exist, keys = false, {}
for i = 1, count do
  local id = ARGV[at + (i - 1) * 10]
  keys[#keys + 1] = B .. (id == '' and string.format('%.0f', counter + i) or id)
  if #keys == kAtOnce or i == count then
    may_exist = may_exist or call('EXISTS', unpack(keys)) > 0
    keys = {}
  end
end

-- Generated ids are checked as well: a job of another client may have this number as its own id.
local function is_there(id) return made[id] or (may_exist and call('EXISTS', B .. id) == 1) end
local function generated(i)
  local id = string.format('%.0f', counter + i)
  while is_there(id) do id = string.format('%.0f', call('INCR', B .. 'id')) end
  return id
end

-- The next 1 000 waiting ids with their positions, and the active ids. Read once for many duplicates, and again after this
-- script inserted a job among them.
local places, placed, active
-- The state of an existing job, and how many jobs are handed out before it.
local function place_of(id)
  if call('ZSCORE', B .. 'completed', id) then return 'c', 0 end
  if call('ZSCORE', B .. 'failed', id) then return 'f', 0 end
  if call('ZSCORE', B .. 'delayed', id) then return 'd', 0 end
  local kind = call('ZSCORE', B .. 'priority', id) and 'p' or 'w'
  if not places then
    local next_out = call('LRANGE', waiting_list(), -1000, -1)
    places, placed = {}, #next_out
    for i = 1, placed do places[next_out[i]] = placed - i end
  end
  if places[id] then return kind, places[id] end
  if call('EXISTS', B .. id .. ':lock') == 1 then return 'a', 0 end
  if not active then
    active = {}
    for _, one in ipairs(call('LRANGE', B .. 'active', 0, -1)) do active[one] = true end
  end
  if active[id] then return 'a', 0 end
  return kind, placed
end

local out, plain = {}, {}
-- Consecutive jobs without priority enter the list with one command.
local function flush()
  if #plain == 0 then return end
  if placed and placed < 1000 then places = nil end
  local length = call('LPUSH', waiting_list(), unpack(plain))
  for i, id in ipairs(plain) do
    out[#out + 1] = id .. '\nw\n0\n' .. (length - #plain + i - 1)
    call('PUBLISH', B .. 'waiting@' .. token, id)
  end
  plain = {}
end
local function duplicate(channel, id)
  flush()
  call('PUBLISH', B .. channel .. '@' .. token, id)
  local kind, before = place_of(id)
  out[#out + 1] = id .. '\n' .. kind .. '\n1\n' .. before
end

local function store(id, i, base, deid)
  local timestamp, options = ARGV[base + 4], ARGV[base + 3]
  if timestamp == '' then
    timestamp = now
    options = string.sub(options, 1, -2) .. ',"timestamp":' .. now .. '}'
  end
  local delay, priority = ARGV[base + 5], ARGV[base + 6]
  if deid == '' then
    call('HMSET', B .. id, 'name', ARGV[base + 1], 'data', ARGV[base + 2], 'opts', options, 'timestamp', timestamp,
      'delay', delay, 'priority', priority)
  else
    call('HMSET', B .. id, 'name', ARGV[base + 1], 'data', ARGV[base + 2], 'opts', options, 'timestamp', timestamp,
      'delay', delay, 'priority', priority, 'deid', deid)
  end
  made[id] = true
  if delay ~= '0' then
    flush()
    local due = timestamp + delay
    call('ZADD', B .. 'delayed', string.format('%.0f', due * 4096 + (counter + i) % 4096), id)
    call('PUBLISH', B .. 'delayed', string.format('%.0f', due))
    out[#out + 1] = id .. '\nd\n0\n0'
  elseif priority ~= '0' then
    flush()
    places = nil
    local before = enqueue_by_priority(id, priority)
    call('PUBLISH', B .. 'waiting@' .. token, id)
    out[#out + 1] = id .. '\np\n0\n' .. before
  elseif ARGV[base + 7] == '1' then
    flush()
    places = nil
    call('RPUSH', waiting_list(), id)
    call('PUBLISH', B .. 'waiting@' .. token, id)
    out[#out + 1] = id .. '\nw\n0\n0'
  else
    plain[#plain + 1] = id
    if #plain == kAtOnce then flush() end
  end
end

for i = 1, count do
  local base = at + (i - 1) * 10
  local id, deid = ARGV[base], ARGV[base + 8]
  if id ~= '' and is_there(id) then
    duplicate('duplicated', id)
  else
    if id == '' then id = generated(i) else call('HDEL', own .. 'uncounted_starts', id) end
    local holder = false
    if deid ~= '' then
      local key = B .. 'de:' .. deid
      local set
      if tonumber(ARGV[base + 9]) > 0 then
        set = call('SET', key, id, 'PX', ARGV[base + 9], 'NX')
      else
        set = call('SET', key, id, 'NX')
      end
      if not set then holder = call('GET', key) end
    end
    if holder then duplicate('debounced', holder) else store(id, i, base, deid) end
  end
end
flush()
local lines = table.concat(out, '\n')
remember(ARGV[4], lines)
return {'ok', lines}
