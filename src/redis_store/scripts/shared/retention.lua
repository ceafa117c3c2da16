-- Bounds the jobs that are kept in `completed` and `failed`.
--@include delete_jobs

-- Trims one of the sets: first the jobs that finished `age` seconds ago or earlier, then all but the newest `count`.
-- nil: no such bound. Removes at most 1 000 jobs per call and bound, so that the first trim of millions of jobs does
-- not block the server; the next job that finishes continues. Returns the removed ids as a set.
local function retain(set, count, age)
  local most, removed = 1000, {}
  local function remove(old)
    if #old == 0 then return end
    delete_jobs(old)
    call('ZREM', B .. set, unpack(old))
    for i = 1, #old do removed[old[i]] = true end
  end
  if age then
    remove(call('ZRANGEBYSCORE', B .. set, '-inf', string.format('%.0f', now_ms - age * 1000), 'LIMIT', 0, most))
  end
  if count and count > 0 then
    local surplus = call('ZCARD', B .. set) - count
    if surplus > 0 then remove(call('ZRANGE', B .. set, 0, math.min(surplus, most) - 1)) end
  end
  return removed
end

-- "count,age", each empty where it is not bounded: the job's own option or the worker's setting.
local function parse_keep(text)
  local count, age = string.match(text, '^(%d*),(%d*)$')
  return tonumber(count), tonumber(age)
end
