-- The debounce key of a job that ends: gone, unless its own time still runs. The owner is not compared, as in Bull.
local function release_debounce(deid)
  if not deid then return end
  local left = call('PTTL', B .. 'de:' .. deid)
  if left == -1 or left == 0 then call('DEL', B .. 'de:' .. deid) end
end
