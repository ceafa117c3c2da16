-- Taking a job out of the queue altogether.

-- What the rate limiter noted about jobs that it parked.
local function forget_limited(id)
  local set = call('HGET', B .. 'limiter:index', id)
  if not set then return end
  call('SREM', set, id)
  call('HDEL', B .. 'limiter:index', id)
end

-- The debounce key of a job that is removed before its end: free, if it is this job's.
local function free_debounce(id)
  local deid = call('HGET', B .. id, 'deid')
  if deid and call('GET', B .. 'de:' .. deid) == id then call('DEL', B .. 'de:' .. deid) end
end

-- Everything but its place in a list or set, which the caller has cleared. `finished`: what a debounce key of theirs
-- still holds back is not theirs to free, as in Bull.
local function erase_jobs(ids, finished)
  for _, id in ipairs(ids) do
    if is_job(id) then
      if not finished then free_debounce(id) end
      forget_limited(id)
    end
    call('ZREM', B .. 'priority', id)
    call('HDEL', own .. 'cancels', id)
  end
  forget(ids)
end
