-- Jobs further back than a turn's window, that a scan found (scan.lua).
--@include places

-- Jobs beyond the window that a scan found: id, place, function, from ARGV[at + 1] on. A letter for each: t taken (or
-- failed, or dropped), s stays, g not in the list any more, l not found near its place, u not looked at.
local function take_found(at, most, admit, rules, walk, seen)
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
        admit.known[id] = ARGV[at + 3 * i]
        local back = backs_there and call('HGET', own .. 'backs', id)
        local verdict = visit(id, found, back, admit, rules, walk)
        letter = verdict and (verdict == 'skip' or verdict == 'end') and 's' or verdict and 't' or 'u'
        stopped = not verdict or verdict == 'end'
      end
    end
    letters[i] = letter
  end
  return table.concat(letters), shift
end

-- Takes what is apart out of the list in one pass from the nearer end, however many they are: they are overwritten first
-- (nobody sees that: a script is one step) and then removed by that one value.
local function cut_out(walk)
  local places, half, near, mark = walk.places, call('LLEN', B .. 'wait') / 2, 0, own .. 'taken'
  for _, place in ipairs(places) do
    place = place - walk.popped
    if place < half then near = near + 1 end
    call('LSET', B .. 'wait', string.format('%.0f', -(place + 1)), mark)
  end
  if near > 0 then call('LREM', B .. 'wait', -near, mark) end
  if #places > near then call('LREM', B .. 'wait', #places - near, mark) end
end
