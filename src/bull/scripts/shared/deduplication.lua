-- The deduplication key of a job that ends is deleted unless its ttl still runs. As in Bull, the key's owner is not
-- compared.
local function release_deduplication(deid)
  if not deid then return end
  local left = call('PTTL', B .. 'de:' .. deid)
  if left == -1 or left == 0 then call('DEL', B .. 'de:' .. deid) end
end
