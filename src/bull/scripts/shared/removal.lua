-- Deletes jobs from the queue.
--@include delete_jobs

-- Deletes the rate limiter's entries of a delayed job.
local function forget_limited(id)
  local set = call('HGET', B .. 'limiter:index', id)
  if not set then return end
  if string.sub(set, 1, #B) == B then call('SREM', set, id) end
  call('HDEL', B .. 'limiter:index', id)
end

-- Deletes the deduplication key of a job that is removed before its end, if the job owns it.
local function free_deduplication(id)
  local deid = call('HGET', B .. id, 'deid')
  if deid and call('GET', B .. 'de:' .. deid) == id then call('DEL', B .. 'de:' .. deid) end
end

-- Deletes everything but the entries in lists and sets, which the caller has removed. `finished`: the deduplication keys
-- of finished jobs are kept, as in Bull.
local function erase_jobs(ids, finished)
  for _, id in ipairs(ids) do
    if is_job(id) then
      if not finished then free_deduplication(id) end
      forget_limited(id)
    end
    call('ZREM', B .. 'priority', id)
    call('HDEL', own .. 'cancels', id)
  end
  delete_jobs(ids)
end
