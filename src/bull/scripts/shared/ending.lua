-- What happens around jobs that end or are removed.
--@include debounce
--@include rare

-- Hash, logs and Gaur's own notes of these jobs; not their places in lists and sets.
local function forget(ids)
  if #ids == 0 then return end
  local keys = {}
  for i = 1, #ids do
    keys[2 * i - 1] = B .. ids[i]
    keys[2 * i] = B .. ids[i] .. ':logs'
  end
  call('DEL', unpack(keys))
  if backs_there then call('HDEL', own .. 'backs', unpack(ids)) end
end

-- Trims `completed` or `failed`: first what finished `age` seconds ago or longer, then all but the newest `count`.
-- nil: no such bound. At most 1 000 a call, so that a first bound over millions of jobs does not stop the server: the
-- next job that ends goes on. Answers the removed ids as a set.
local function retain(set, count, age)
  local most, gone = 1000, {}
  local function remove(old)
    if #old == 0 then return end
    forget(old)
    call('ZREM', B .. set, unpack(old))
    for i = 1, #old do gone[old[i]] = true end
  end
  if age then
    remove(call('ZRANGEBYSCORE', B .. set, '-inf', string.format('%.0f', now_ms - age * 1000), 'LIMIT', 0, most))
  end
  if count and count > 0 then
    local surplus = call('ZCARD', B .. set) - count
    if surplus > 0 then remove(call('ZRANGE', B .. set, 0, math.min(surplus, most) - 1)) end
  end
  return gone
end

-- "count,age" with either left out: what a job's own option or the worker's setting says.
local function parse_keep(text)
  local count, age = string.match(text, '^(%d*),(%d*)$')
  return tonumber(count), tonumber(age)
end
