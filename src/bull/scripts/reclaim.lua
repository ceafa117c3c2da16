-- reclaim: what an earlier life of a lane still holds goes back to the front, uncounted. ARGV: now, lane. The tokens of
-- the lane are <lane>:<number>:<index>. Answer: the ids, newest first.
--@include start
--@include waiting
--@include ending
--@include cancels
local lane = ARGV[2] .. ':'
local ids, back = call('LRANGE', B .. 'active', 0, 9999), {}
for first = 1, #ids, 500 do
  local keys = {}
  for i = first, math.min(first + 499, #ids) do keys[#keys + 1] = B .. ids[i] .. ':lock' end
  local locks = call('MGET', unpack(keys))
  for i = 1, #keys do
    local lock, id = locks[i], ids[first + i - 1]
    if lock and string.sub(lock, 1, #lane) == lane and string.match(string.sub(lock, #lane + 1), '^%w+:%d+$') then
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
