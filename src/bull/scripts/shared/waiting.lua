-- Into the line of waiting jobs; `priority` knows the places of those with one.
--@include line

-- Behind its own priority, ahead of the lower ones and of all without. Answers how many are handed out before it, as
-- far as the set tells. The arithmetic is every peer's: a different one would mix up the places.
local function put_by_priority(id, priority)
  call('ZADD', B .. 'priority', priority, id)
  local before = call('ZCOUNT', B .. 'priority', 0, priority) - 1
  local pivot = call('LINDEX', line(), call('LLEN', line()) - before)
  if pivot then
    call('LINSERT', line(), 'BEFORE', pivot, id)
    return before
  end
  call('RPUSH', line(), id)
  return 0
end

-- As a new job enters: with a priority by it, else behind all. Answers how many are handed out before it.
local function put_behind(id, priority)
  priority = tonumber(priority) or 0
  if priority ~= 0 then return put_by_priority(id, priority) end
  return call('LPUSH', line(), id) - 1
end

-- Handed out next: in front of all, or, with a priority, in front of its own.
local function put_in_front(id, priority)
  priority = tonumber(priority) or 0
  local before = 0
  if priority > 0 then
    before = call('ZCOUNT', B .. 'priority', '-inf', '(' .. priority)
    call('ZADD', B .. 'priority', priority, id)
  end
  local pivot = before > 0 and call('LINDEX', line(), -before)
  if pivot then
    call('LINSERT', line(), 'BEFORE', pivot, id)
  else
    call('RPUSH', line(), id)
  end
end
