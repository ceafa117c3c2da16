-- ARGV: now, letter of the state, offset, limit, "1" for the newest (the last to be handed out) first. Reply: ids; for
-- delayed jobs each followed by its score.
--@include start
--@include enqueue
local letter, offset, limit, newest = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == '1'

local function of_set(name, ...)
  return call(newest and 'ZREVRANGE' or 'ZRANGE', B .. name, offset, offset + limit - 1, ...)
end
local function reversed(list)
  local other = {}
  for i = #list, 1, -1 do other[#other + 1] = list[i] end
  return other
end
-- The tail of a list is the oldest.
local function of_list(key)
  if newest then return call('LRANGE', key, offset, offset + limit - 1) end
  return reversed(call('LRANGE', key, -(offset + limit), -(offset + 1)))
end
-- The waiting jobs with a priority, or those without; looks at no more than 100 000.
local function of_waiting(with_priority)
  local key, found, passed = waiting_list(), {}, 0
  local length = call('LLEN', key)
  for chunk = 0, math.min(length, 100000), 1000 do
    local part
    if newest then
      part = call('LRANGE', key, chunk, chunk + 999)
    else
      part = reversed(call('LRANGE', key, math.max(length - chunk - 1000, 0), length - chunk - 1))
    end
    if length - chunk <= 0 then break end
    for _, id in ipairs(part) do
      if (call('ZSCORE', B .. 'priority', id) ~= false) == with_priority then
        passed = passed + 1
        if passed > offset then found[#found + 1] = id end
        if #found == limit then return found end
      end
    end
  end
  return found
end

if limit == 0 then return {} end
if letter == 'c' then return of_set('completed') end
if letter == 'f' then return of_set('failed') end
if letter == 'd' then return of_set('delayed', 'WITHSCORES') end
if letter == 'a' then return of_list(B .. 'active') end
if call('ZCARD', B .. 'priority') == 0 then return letter == 'w' and of_list(waiting_list()) or {} end
return of_waiting(letter == 'p')
