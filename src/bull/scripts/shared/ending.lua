-- What happens around jobs that end or are removed.

-- The debounce key of a job that ends: gone, unless its own time still runs. The owner is not compared, as in Bull.
local function release_debounce(deid)
  if not deid then return end
  local left = call('PTTL', B .. 'de:' .. deid)
  if left == -1 or left == 0 then call('DEL', B .. 'de:' .. deid) end
end

-- Hash, logs and Gaur's own notes of these jobs; not their places in lists and sets.
local function forget(ids)
  for i = 1, #ids do call('DEL', B .. ids[i], B .. ids[i] .. ':logs') end
  if #ids > 0 then call('HDEL', own .. 'backs', unpack(ids)) end
end

-- Trims `completed` or `failed`: first what finished `age` seconds ago or longer, then all but the newest `count`.
-- nil: no such bound. At most 1 000 a call, so that a first bound over millions of jobs does not stop the server: the
-- next job that ends goes on.
local function retain(set, count, age)
  local most = 1000
  if age then
    local old = call('ZRANGEBYSCORE', B .. set, '-inf', now_ms - age * 1000, 'LIMIT', 0, most)
    forget(old)
    if #old > 0 then call('ZREM', B .. set, unpack(old)) end
  end
  if count and count > 0 then
    local surplus = call('ZCARD', B .. set) - count
    if surplus > 0 then
      local old = call('ZRANGE', B .. set, 0, math.min(surplus, most) - 1)
      forget(old)
      call('ZREM', B .. set, unpack(old))
    end
  end
end

-- "count,age" with either left out: what a job's own option or the worker's setting says.
local function parse_keep(text)
  local count, age = string.match(text, '^(%d*),(%d*)$')
  return tonumber(count), tonumber(age)
end
