-- Places in a list whose tail is handed out next: how many ids are handed out before one.
local function is_at(list, id, place) return call('LINDEX', list, string.format('%.0f', -(place + 1))) == id end

-- Searches near `place` for one of `wanted` (id -> its former place). Other clients mostly remove ids that are handed out
-- before it, so it searches further towards the tail. Returns the place and the id; of several, the one that is handed
-- out last.
local function search(list, wanted, place)
  local nearest = math.max(place - 2048, 0)
  local ids = call('LRANGE', list, string.format('%.0f', -(place + 257)), string.format('%.0f', -(nearest + 1)))
  for i = 1, #ids do
    if wanted[ids[i]] then return nearest + #ids - i, ids[i] end
  end
end
