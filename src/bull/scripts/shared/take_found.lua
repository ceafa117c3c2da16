-- Takes jobs beyond the walk's bound, which a scan found (admission_scan.lua).
--@include list_places

-- ARGV[at]: how many; then id, place, function of each. Returns one letter each: t taken (dropped, set aside), s stays,
-- g not in the list any more, l not found near its place, u not looked at; and how far the places had shifted.
local function take_found(at, most, filter, rules, walk, seen)
  local letters, count, shift, searches = {}, tonumber(ARGV[at]), 0, 0
  local stopped = not walk.bounded
  walk.whole, walk.choosy = false, false
  for i = 1, count do
    local id, letter = ARGV[at + 3 * i - 2], 'u'
    if walk.here[id] then
      letter = 'g'
    elseif walk.count < most and not stopped then
      local place = tonumber(ARGV[at + 3 * i - 1]) + shift
      local found = is_at(B .. 'wait', id, place) and place
      if not found and (call('EXISTS', B .. id) == 0 or call('EXISTS', B .. id .. ':lock') == 1) then
        letter = 'g'
      elseif not found and searches < 2 then
        searches = searches + 1
        found = search(B .. 'wait', {[id] = place}, place)
        if found then shift = shift + found - place else letter = 'l' end
      end
      if found and found < seen then
        letter = 's'
      elseif found then
        filter.known[id] = ARGV[at + 3 * i]
        local uncounted = uncounted_there and call('HGET', own .. 'uncounted_starts', id)
        local decision = visit(id, found, uncounted, filter, rules, walk)
        letter = decision and (decision == 'skip' or decision == 'end') and 's' or decision and 't' or 'u'
        stopped = not decision or decision == 'end'
      end
    end
    letters[i] = letter
  end
  return table.concat(letters), shift
end

-- Removes the taken jobs that are not at the tail, in one pass from the nearer end: overwrites them with one value, which
-- no client can see because a script is atomic, and removes that value.
local function remove_apart(walk)
  local places, half, near, mark = walk.places, call('LLEN', B .. 'wait') / 2, 0, own .. 'taken'
  for _, place in ipairs(places) do
    place = place - walk.popped
    if place < half then near = near + 1 end
    call('LSET', B .. 'wait', string.format('%.0f', -(place + 1)), mark)
  end
  if near > 0 then call('LREM', B .. 'wait', -near, mark) end
  if #places > near then call('LREM', B .. 'wait', #places - near, mark) end
end
