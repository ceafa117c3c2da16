-- Recovers stalled jobs: each is requeued at the front, or fails if it stalled too often. A job that is locked again is
-- left. ARGV: now, max_stalled, retention of failed jobs without an own one, ids (newest first, so that the oldest ends up
-- in front). Reply: {requeued ids, failed ids}.
--@include start
--@include enqueue
--@include options
--@include deduplication
--@include retention
--@include cancels
--@include set_aside
local max_stalled, keep = tonumber(ARGV[2]), ARGV[3]
local requeued, failed = {}, {}

-- The job's own removeOnFail as "count,age".
local function keep_of(options)
  local own_keep = options.removeOnFail
  if own_keep == nil or own_keep == cjson.null then return keep end
  if own_keep == false then return ',' end
  if type(own_keep) == 'number' then return own_keep < 0 and ',' or string.format('%.0f,', own_keep) end
  if type(own_keep) ~= 'table' then return '0,' end
  local count, age = own_keep.count, own_keep.age
  return (type(count) == 'number' and count >= 0 and string.format('%.0f', count) or '') .. ',' ..
    (type(age) == 'number' and string.format('%.0f', age) or '')
end

local function fail(id, job)
  call('HSET', B .. id, 'failedReason', 'job stalled more than allowable limit', 'finishedOn', now)
  release_deduplication(job[1])
  call('PUBLISH', B .. 'failed', '{"jobId":' .. cjson.encode(id) ..
    ', "val": "job stalled more than maxStalledCount"}')
  local count, age = parse_keep(keep_of(options_of(job[3])))
  if count == 0 then
    delete_jobs({id})
  else
    call('ZADD', B .. 'failed', now, id)
    retain('failed', count, age)
  end
  failed[#failed + 1] = id
end

call('LLEN', waiting_list())  -- a key of another type is an error before the first write
call('ZCARD', B .. 'failed')
call('ZCARD', B .. 'priority')
for i = 4, #ARGV do
  local id = ARGV[i]
  if call('EXISTS', B .. id .. ':lock') == 0 and call('LREM', B .. 'active', 1, id) > 0 then
    call('SREM', B .. 'stalled', id)
    drop_cancel(id)
    local job = not is_reserved(id) and call('EXISTS', B .. id) == 1 and
      read_hash('HMGET', B .. id, 'deid', 'priority', 'opts', 'stalledCounter')
    if not job then
      set_aside(id, 'active')
    else
      local stalled = whole(job[4]) + 1
      call('HSET', B .. id, 'stalledCounter', stalled)
      if stalled <= max_stalled then
        enqueue_next(id, job[2])
        call('PUBLISH', B .. 'stalled@', id)
        requeued[#requeued + 1] = id
      else
        fail(id, job)
      end
    end
  end
end
if #requeued > 0 then call('PUBLISH', own .. 'work', '') end
return {requeued, failed}
