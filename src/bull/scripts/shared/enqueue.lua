-- Inserts jobs into the waiting list; the sorted set `priority` determines the places of those with a priority.
--@include waiting_list

-- A whole number in a field of a job's hash, where other programs may write anything; 0 if it is none.
local function whole(text)
  local number = tonumber(text)
  if not number or number ~= number or number < 0 or number > 9007199254740992 then return 0 end
  return math.floor(number)
end

-- Behind its own priority, before lower ones and jobs without. Returns how many jobs are handed out before it, according to
-- the set. The calculation is Bull's: a different one would break the order.
local function enqueue_by_priority(id, priority)
  call('ZADD', B .. 'priority', priority, id)
  local before = call('ZCOUNT', B .. 'priority', 0, priority) - 1
  local pivot = call('LINDEX', waiting_list(), call('LLEN', waiting_list()) - before)
  if pivot then
    call('LINSERT', waiting_list(), 'BEFORE', pivot, id)
    return before
  end
  call('RPUSH', waiting_list(), id)
  return 0
end

-- As a new job: by its priority, or behind all. Returns how many jobs are handed out before it.
local function enqueue(id, priority)
  priority = whole(priority)
  if priority ~= 0 then return enqueue_by_priority(id, priority) end
  return call('LPUSH', waiting_list(), id) - 1
end

-- As the next job: in front of all, or, with a priority, in front of its own priority.
local function enqueue_next(id, priority)
  priority = whole(priority)
  local before = 0
  if priority > 0 then
    before = call('ZCOUNT', B .. 'priority', '-inf', '(' .. priority)
    call('ZADD', B .. 'priority', priority, id)
  end
  local pivot = before > 0 and call('LINDEX', waiting_list(), -before)
  if pivot then
    call('LINSERT', waiting_list(), 'BEFORE', pivot, id)
  else
    call('RPUSH', waiting_list(), id)
  end
end
