-- reclaim: what an earlier life of a worker still holds goes back to the front, uncounted. ARGV: now, lane. The tokens of
-- its lanes are <lane>:<number>:<index> and <lane>~<name>:<number>:<index>. Answer: the ids, newest first.
--@include start
--@include waiting
--@include ending
--@include backs
--@include cancels
local lane = ARGV[2]
local function is_its(lock)
  if string.sub(lock, 1, #lane) ~= lane then return false end
  local rest = string.sub(lock, #lane + 1)
  return string.match(rest, '^:%w+:%d+$') or string.match(rest, '^~%w+:%w+:%d+$')
end
local ids, back = call('LRANGE', B .. 'active', 0, 9999), {}
for first = 1, #ids, 500 do
  local keys = {}
  for i = first, math.min(first + 499, #ids) do keys[#keys + 1] = B .. ids[i] .. ':lock' end
  local locks = call('MGET', unpack(keys))
  for i = 1, #keys do
    local lock, id = locks[i], ids[first + i - 1]
    if lock and is_its(lock) then
      call('DEL', keys[i])
      call('LREM', B .. 'active', 1, id)
      call('SREM', B .. 'stalled', id)
      drop_cancel(id)
      if call('EXISTS', B .. id) == 1 then
        count_back(id)
        put_in_front(id, call('HGET', B .. id, 'priority'))
        back[#back + 1] = id
      end
    end
  end
end
if #back > 0 then call('PUBLISH', own .. 'work', '') end
return back
