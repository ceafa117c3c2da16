-- Job ids and key names share one namespace: a key that is not a hash is not a job.
local function is_job(id) return call('TYPE', B .. id)['ok'] == 'hash' end

-- How many jobs of the list are handed out before this one, or nil; then whether the whole list was searched. At most
-- `most` entries from the tail.
local function before_in(list, id, most)
  local at = call('LLEN', list)
  local last, behind = math.max(at - most, 0), 0
  while at > last do
    local from = math.max(at - 1000, last)
    local part = call('LRANGE', list, from, at - 1)
    for i = #part, 1, -1 do
      if part[i] == id then return behind + #part - i, true end
    end
    behind = behind + #part
    at = from
  end
  return nil, last == 0
end
