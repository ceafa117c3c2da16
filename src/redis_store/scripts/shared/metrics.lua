-- Counts a job that completed or failed in the metrics per minute, of which the newest `points` are kept.
local function count_in(set, points)
  local key = B .. 'metrics:' .. set
  local count = call('HINCRBY', key, 'count', 1) - 1
  local seen = call('HMGET', key, 'prevTS', 'prevCount')
  if not seen[1] then
    call('HSET', key, 'prevTS', now, 'prevCount', 0)
    return
  end
  local minutes = math.min(math.floor(now_ms / 60000) - math.floor(seen[1] / 60000), points)
  if minutes <= 0 then return end
  call('LPUSH', key .. ':data', count - (tonumber(seen[2]) or 0))
  for _ = 2, minutes do call('LPUSH', key .. ':data', 0) end
  call('LTRIM', key .. ':data', 0, points - 1)
  call('HSET', key, 'prevCount', count, 'prevTS', now)
end
-- Metrics are not worth a job: a key of another type is left.
local function count_finished(set, points) pcall(count_in, set, points) end
