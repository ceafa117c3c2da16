-- Where a job stands.

-- Ids and key names share one room: what is no hash is no job.
local function is_job(id) return call('TYPE', B .. id)['ok'] == 'hash' end

-- How many of the list are handed out before it, or nil; then whether all of the list that matters was looked at. At
-- most `most` entries from the tail.
local function before_in(list, id, most)
  local at = call('LLEN', list)
  local last, behind = math.max(at - most, 0), 0
  while at > last do
    local from = math.max(at - 1000, last)
    local part = call('LRANGE', list, from, at - 1)
    for i = #part, 1, -1 do
      if part[i] == id then return behind + #part - i, true end
    end
    behind = behind + #part
    at = from
  end
  return nil, last == 0
end

-- 'c' completed, 'f' failed, 'd' delayed (and its score), 'a' active, 'p' waiting with a priority, 'w' waiting; nil
-- where there is no such job. In the order in which Bull asks.
local function place_of_job(id)
  if not is_job(id) then return nil end
  if call('ZSCORE', B .. 'completed', id) then return 'c' end
  if call('ZSCORE', B .. 'failed', id) then return 'f' end
  local score = call('ZSCORE', B .. 'delayed', id)
  if score then return 'd', score end
  if before_in(B .. 'active', id, 10000) then return 'a' end
  if call('ZSCORE', B .. 'priority', id) then return 'p' end
  return 'w'
end
